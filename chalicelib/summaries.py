"""The use case: a period in figures, for people: counts exactly, and what the newest of its receipts tell beside."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from statistics import median_low
from typing import Any, Protocol

from chalicelib.counts import ReadOnce, Tally, by_source, by_time, total
from chalicelib.parameters import DAY, HOUR, Span
from chalicelib.problems import ProblemError
from chalicelib.sealing import SealStore
from chalicelib.seals import MalformedSealError
from chalicelib.uploads import Kind, iso

CAUSES = ("content", "unavailable", "system")
UNSEALED = 20_000
"""How many entries that no seal counts a request counts itself."""

NEWEST = 1_000
"""How many of the newest receipts are looked at for what no seal counts: latency, and first findings."""

TOP = 10

Entry = Mapping[str, Any]


class Journal(Protocol):
    """Where entries are read, the newest first."""

    def __call__(self, since: datetime, until: datetime, page: int) -> Iterator[Entry]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """Counts one bucket's receipts."""

    seals: SealStore
    journal: Journal
    bucket: str

    def summary(self, span: Span) -> dict[str, Any]:
        """The period's counts by hour or day and by source, and the newest receipts' latency and findings."""
        counted = Counted(ReadOnce(self.seals), cache(self._bounded()), self.bucket, span)
        try:
            groups, sources = counted.by_time(), counted.by_source()
        except MalformedSealError as error:
            raise ProblemError(
                "seals-malformed", "The seals cannot be counted on: run `recibo.py verify`, which says what is wrong."
            ) from error
        return {
            "from": iso(span.since),
            "to": iso(span.until),
            "by": span.by,
            "total": members_of(total(tally for _, tally in groups)),
            "groups": [{"at": iso(at), **members_of(tally)} for at, tally in groups],
            "sources": [{"source": source, **members_of(tally)} for source, tally in _most(sources)],
            "source_count": len(sources),
            "newest": self._newest(span),
        }

    def _bounded(self) -> Callable[[datetime, datetime], Sequence[Entry]]:
        """The journal, read no further than a request may take."""
        left = iter(range(UNSEALED))

        def journal(since: datetime, until: datetime) -> Sequence[Entry]:
            entries = []
            for entry in self.journal(since, until, 1000):
                if next(left, None) is None:
                    raise ProblemError(
                        "period-too-large",
                        f"More than {UNSEALED:,} receipts of this period are in no seal yet: ask for a shorter one, "
                        "or have them sealed (`recibo.py seal`).",
                        parameter="from",
                    )
                entries.append(entry)
            return entries

        return journal

    def _newest(self, span: Span) -> dict[str, Any]:
        """Latency and first findings of the period's newest receipts; of all of them, if `complete`."""
        read = list(islice(self.journal(span.since, span.until, NEWEST // 8), NEWEST + 1))
        entries, uploads = read[:NEWEST], [entry for entry in read[:NEWEST] if entry["kind"] == Kind.UPLOAD]
        first = [entry for entry in uploads if entry["inspection"] == 1]
        codes = Counter(code for entry in uploads if (code := entry.get("headline", "").partition(":")[0]))
        return {
            "complete": len(read) <= NEWEST,
            "receipts": len(uploads),
            "from": entries[-1]["finished_at"] if len(read) > NEWEST else iso(span.since),
            "latency_ms": _latency(first),
            "groups": [{"at": iso(at), "latency_ms": _latency(some)} for at, some in _grouped(first, span)],
            "first_findings": [{"code": code, "receipts": count} for code, count in _ranked(codes)[:TOP]],
        }


@dataclass(frozen=True, slots=True)
class Counted:
    """A period's counts."""

    seals: ReadOnce
    journal: Callable[[datetime, datetime], Sequence[Entry]]
    bucket: str
    span: Span

    def by_time(self) -> list[tuple[datetime, Tally]]:
        """Every hour or day of the period, those in which nothing happened included."""
        span, step = self.span, HOUR if self.span.by == "hour" else DAY

        def begin(moment: datetime) -> datetime:
            return beginning(moment, span)

        found = by_time(self.seals, self.journal, self.bucket, since=span.since, until=span.until, group=begin)
        at, groups = begin(span.since), []
        while at < span.until:
            groups.append((at, found.get(at, {})))
            at += step
        return groups

    def by_source(self) -> dict[str, Tally]:
        """What came of each source."""
        return by_source(self.seals, self.journal, self.bucket, since=self.span.since, until=self.span.until)


def _latency(uploads: Iterable[Entry]) -> dict[str, int] | None:
    latencies = [latency_of(entry) for entry in uploads]
    return {"median": median_low(latencies), "max": max(latencies)} if latencies else None


def _grouped(uploads: Iterable[Entry], span: Span) -> list[tuple[datetime, list[Entry]]]:
    """Uploads by the hour or the day in which their receipts were made, the newest first."""
    groups: defaultdict[datetime, list[Entry]] = defaultdict(list)
    for entry in uploads:
        groups[beginning(datetime.fromisoformat(entry["finished_at"]), span)].append(entry)
    return list(groups.items())


def beginning(moment: datetime, span: Span) -> datetime:
    """When the hour or the day of a moment begins, in the span's time zone."""
    local = moment + span.offset
    return local.replace(hour=local.hour if span.by == "hour" else 0, minute=0, second=0, microsecond=0) - span.offset


def members_of(tally: Tally) -> dict[str, int]:
    """A tally for people, the same members for each: what did not happen is 0."""
    again = sum(count for name, count in tally.items() if name.startswith("again-"))
    failed = {f"failed_{cause}": tally.get(f"failed-{cause}", 0) for cause in CAUSES}
    return {
        "uploads": tally.get("succeeded", 0) + sum(failed.values()),
        "succeeded": tally.get("succeeded", 0),
        "failed": sum(failed.values()),
        **failed,
        "inspected_again": again,
        "deletions": tally.get("deleted", 0) + tally.get("delete-marker", 0),
        "records": tally.get("records", 0),
        "bytes": tally.get("bytes", 0),
    }


def latency_of(entry: Entry) -> int:
    """Milliseconds from when S3 had the upload to when its receipt was made."""
    since, until = (datetime.fromisoformat(entry[name]) for name in ("uploaded_at", "finished_at"))
    return round((until - since).total_seconds() * 1000)


def _most(tallies: Mapping[str, Tally]) -> list[tuple[str, Tally]]:
    """The sources with the most uploads, in order."""
    return sorted(tallies.items(), key=lambda one: (-members_of(one[1])["uploads"], one[0]))[:TOP]


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))
