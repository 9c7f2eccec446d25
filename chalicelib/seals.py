"""What proves the ledger whole: pages of sealed receipts, chained seals over them, and counts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from chalicelib import merkle
from chalicelib.receipts import canonical, content_hash
from chalicelib.uploads import Kind, iso

T = TypeVar("T")

HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

PAGE_LEAVES = 256
"""How many receipts a page names: with the longest identities it has 330 KB, and DynamoDB takes 400."""

PARTS = 1_000
"""How many seals an hour may have."""

ROLLUP_ROWS = 500
ROLLUP_BYTES = 300_000
"""How much a rollup holds, whichever is reached first: a source may be a kilobyte long."""


class MalformedSealError(ValueError):
    """What stands in a seal's, a page's, a rollup's or a receipt's place is none: somebody altered the ledger."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A sealed receipt: which it is, and what it said."""

    identity: str
    inspection: int
    content_hash: str

    @property
    def data(self) -> bytes:
        """What the page's tree is made over: a content hash covers the identity and the number as well."""
        return bytes.fromhex(self.content_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """At most PAGE_LEAVES receipts of one bucket that were finished within one hour (its start, UTC)."""

    bucket: str
    hour: datetime
    leaves: tuple[Leaf, ...]

    @property
    def root(self) -> str:
        """The page's name: the Merkle root over its leaves, in hexadecimal."""
        return merkle.root([leaf.data for leaf in self.leaves]).hex()

    @property
    def line(self) -> PageLine:
        """What a seal says of it."""
        return PageLine(self.root, self.hour, len(self.leaves), content_hash(self.as_json()))

    def as_json(self) -> dict[str, Any]:
        """The page as JSON values."""
        leaves = [[leaf.identity, leaf.inspection, leaf.content_hash] for leaf in self.leaves]
        return {"kind": "page", "bucket": self.bucket, "hour": iso(self.hour), "leaves": leaves}

    def as_item(self, *, expires_at: int | None = None) -> dict[str, Any]:
        """The item the ledger keeps; `expires_at` is in seconds since 1970."""
        key = {"pk": page_key(self.root), "sk": 0}
        return {**key, **self.as_json(), **({"expires_at": expires_at} if expires_at is not None else {})}

    @classmethod
    def from_json(cls, content: Any) -> Page:
        """The page out of its JSON, exactly; else MalformedSealError."""
        with _naming("the page"):
            return cls._from_json(content)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Page:
        """The page out of the ledger's item; MalformedSealError also if it is not the one its key names."""
        with _naming(item.get("pk")):
            page = cls._from_json(_without(item, "pk", "sk", "expires_at"))
            if (item["pk"], item["sk"]) != (page_key(page.root), 0):
                raise ValueError("its root is not that of its leaves")
            return page

    @classmethod
    def _from_json(cls, content: Any) -> Page:
        leaves = tuple(
            Leaf(_is(str, identity), _is(int, inspection), _hash(hash_))
            for identity, inspection, hash_ in content["leaves"]
        )
        page = cls(bucket=_is(str, content["bucket"]), hour=_hour(content["hour"]), leaves=leaves)
        return _exactly(page, page.as_json(), content)


@dataclass(frozen=True, slots=True)
class PageLine:
    """What a seal says of a page. The root covers what its receipts say, the content hash also what it calls them."""

    root: str
    hour: datetime
    receipts: int
    content_hash: str

    def as_json(self) -> dict[str, Any]:
        """The line as JSON values."""
        content = {"root": self.root, "hour": iso(self.hour), "receipts": self.receipts}
        return {**content, "content_hash": self.content_hash}

    @classmethod
    def from_json(cls, line: Any) -> PageLine:
        """The line out of its JSON; what else is in it is for the seal's reader to see."""
        root, hash_ = _hash(line["root"]), _hash(line["content_hash"])
        return cls(root, _hour(line["hour"]), _is(int, line["receipts"]), hash_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One link of a bucket's chain: everything recorded up to the end of `hour` that no earlier seal covers.

    `tallies` are by hour; `rollups` are the hashes of those by source; `previous` is the hash of the seal before, and
    so is `adopts`, if a person said that the anchor is to be begun after it. `anchor`, a signature, lies outside the
    hash, which it signs.
    """

    bucket: str
    hour: datetime
    part: int
    closes: bool
    sealed_at: datetime
    pages: tuple[PageLine, ...]
    tallies: Mapping[datetime, Mapping[str, int]]
    rollups: tuple[str, ...]
    previous: str | None = None
    adopts: str | None = None
    retention_days: int | None = None
    anchor: Mapping[str, str] | None = None

    @property
    def number(self) -> int:
        """Where the seal stands in the bucket's chain, its sort key: hours since 1970, then the part."""
        return seal_number(self.hour, self.part)

    @property
    def receipts(self) -> int:
        """How many receipts it covers."""
        return sum(page.receipts for page in self.pages)

    @property
    def late(self) -> int:
        """How many of them belong to an hour before the seal's."""
        return sum(page.receipts for page in self.pages if page.hour < self.hour)

    @property
    def root(self) -> str:
        """The Merkle root over its pages' roots, in hexadecimal."""
        return merkle.root([bytes.fromhex(page.root) for page in self.pages]).hex()

    @property
    def seal_hash(self) -> str:
        """SHA-256, in hexadecimal, of the canonical JSON of all but the hash itself and the anchor."""
        return content_hash(self._content())

    @property
    def next_place(self) -> tuple[datetime, int]:
        """Hour and part of the seal that follows."""
        return (self.hour + HOUR, 0) if self.closes else (self.hour, self.part + 1)

    def as_json(self) -> dict[str, Any]:
        """The seal as JSON values, its hash the last."""
        content = self._content()
        return {**content, "seal_hash": content_hash(content)}

    def as_item(self) -> dict[str, Any]:
        """The item the ledger keeps."""
        anchor = {"anchor": dict(self.anchor)} if self.anchor is not None else {}
        return {"pk": seals_key(self.bucket), "sk": self.number, **self.as_json(), **anchor}

    def _content(self) -> dict[str, Any]:
        content = {
            "kind": "seal",
            "bucket": self.bucket,
            "hour": iso(self.hour),
            "part": self.part,
            "closes": self.closes,
            "sealed_at": iso(self.sealed_at),
            "receipts": self.receipts,
            "late": self.late,
            "pages": [page.as_json() for page in self.pages],
            "root": self.root,
            "tallies": {iso(hour): dict(tally) for hour, tally in self.tallies.items()},
            "rollups": list(self.rollups),
            "previous": self.previous,
            "adopts": self.adopts,
            "retention_days": self.retention_days,
        }
        return {name: value for name, value in content.items() if value is not None}

    @classmethod
    def from_json(cls, content: Any, *, anchor: Any = None) -> Seal:
        """The seal out of its JSON, exactly, its hash right; else MalformedSealError."""
        with _naming("the seal"):
            return cls._from_json(content, anchor)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Seal:
        """The seal out of the ledger's item; MalformedSealError also if it is not the one its key names."""
        with _naming(f"{item.get('pk')} {item.get('sk')}"):
            if "anchor" in item and not item["anchor"]:
                raise ValueError("its anchor is empty")
            seal = cls._from_json(_without(item, "pk", "sk", "anchor"), item.get("anchor"))
            if (item["pk"], item["sk"]) != (seals_key(seal.bucket), seal.number):
                raise ValueError("it is another place's seal")
            return seal

    @classmethod
    def _from_json(cls, content: Any, anchor: Any) -> Seal:
        seal = cls(
            bucket=_is(str, content["bucket"]),
            hour=_hour(content["hour"]),
            part=_is(int, content["part"]),
            closes=_is(bool, content["closes"]),
            sealed_at=_moment(content["sealed_at"]),
            pages=tuple(map(PageLine.from_json, content["pages"])),
            tallies={_hour(hour): _tally(tally) for hour, tally in content["tallies"].items()},
            rollups=tuple(map(_hash, content["rollups"])),
            previous=_hash(content["previous"]) if "previous" in content else None,
            adopts=_hash(content["adopts"]) if "adopts" in content else None,
            retention_days=_is(int, content["retention_days"]) if "retention_days" in content else None,
            anchor=None if anchor is None else {_is(str, name): _is(str, anchor[name]) for name in anchor},
        )
        if seal.adopts not in (None, seal.previous):
            raise ValueError("it adopts another seal than the one before it")
        return _exactly(seal, seal.as_json(), content)


# -- names


def seals_key(bucket: str) -> str:
    """The partition of a bucket's chain. No bucket's name begins with #, so no receipt's key does."""
    return f"#seals/{bucket}"


def page_key(root: str) -> str:
    """The partition of a page."""
    return f"#page/{root}"


def rollup_key(hash_: str) -> str:
    """The partition of a rollup."""
    return f"#rollup/{hash_}"


def seal_number(hour: datetime, part: int) -> int:
    """The sort key of a seal."""
    if not 0 <= part < PARTS:
        raise ValueError(f"an hour has no part {part}")
    return (hour - EPOCH) // HOUR * PARTS + part


def hour_of(moment: datetime) -> datetime:
    """The start of the hour that holds the moment, UTC."""
    return EPOCH + (moment - EPOCH) // HOUR * HOUR


# -- what the journal tells


def leaf_of(summary: Mapping[str, Any]) -> Leaf:
    """What is sealed of an entry of the journal."""
    with _naming(f"the receipt {summary.get('identity')}"):
        return Leaf(summary["identity"], summary["inspection"], _hash(summary["content_hash"]))


def finished_hour(summary: Mapping[str, Any]) -> datetime:
    """The hour in which the journal says that an entry was finished."""
    return hour_of(datetime.fromisoformat(summary["finished_at"]))


def source_of(key: str) -> str:
    """Who sent a key, as `Entry.source` says."""
    head, slash, _ = key.partition("/")
    return head if slash else "/"


def tally_of(summaries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How often what happened; what did not is absent. Bytes and records are those of first inspections."""
    tally: Counter[str] = Counter()
    for summary in summaries:
        with _naming(f"the receipt {summary.get('identity')}"):
            tally[_happened(summary)] += 1
            if summary["inspection"] == 1:
                sizes = {name: summary.get(name, 0) for name in ("bytes", "records")}
                canonical(sizes)  # refuses what no rollup could be hashed with
                tally.update(sizes)
    return {name: count for name, count in sorted(tally.items()) if count}


def _happened(summary: Mapping[str, Any]) -> str:
    if summary["kind"] != Kind.UPLOAD:
        return str(Kind(summary["kind"]))
    again = "again-" if summary["inspection"] > 1 else ""
    cause = f"-{summary['cause']}" if summary["status"] == "failed" else ""
    return f"{again}{summary['status']}{cause}"


def rollups_of(bucket: str, tallies: Mapping[tuple[datetime, str], Mapping[str, int]]) -> Iterator[dict[str, Any]]:
    """The counts by hour and source, in that order, as the JSON of as many rollups as they need."""
    rows = [{"hour": iso(hour), "source": source, **tallies[hour, source]} for hour, source in sorted(tallies)]
    for some in _fitting(rows):
        yield {"kind": "rollup", "bucket": bucket, "tallies": some}


def _fitting(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    fitting: list[dict[str, Any]] = []
    room = ROLLUP_BYTES
    for row in rows:
        size = len(canonical(row))
        if fitting and (len(fitting) == ROLLUP_ROWS or size > room):
            yield fitting
            fitting, room = [], ROLLUP_BYTES
        fitting.append(row)
        room -= size
    if fitting:
        yield fitting


def rollup_item(rollup: Mapping[str, Any]) -> dict[str, Any]:
    """The item the ledger keeps; a rollup is named by the hash of its canonical JSON."""
    return {"pk": rollup_key(content_hash(rollup)), "sk": 0, **rollup}


def rollup_from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The rollup out of the ledger's item; MalformedSealError if it is not the one its key names."""
    rollup = _without(item, "pk", "sk")
    with _naming(item.get("pk")):
        if rollup["kind"] != "rollup" or item["pk"] != rollup_key(content_hash(rollup)):
            raise ValueError("its hash is not that of its content")
    return rollup


# -- strict reading: what is read back gives, written again, the same


def _without(item: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}


@contextmanager
def _naming(what: object) -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        reason = error if type(error) is ValueError else repr(error)
        raise MalformedSealError(f"{what} is malformed: {reason}") from error


def _exactly(value: T, again: Mapping[str, Any], content: Mapping[str, Any]) -> T:
    different = differing(again, content)
    if different == ["seal_hash"]:
        raise ValueError("its hash is not that of its content")
    if different:
        raise ValueError(f"not as it was written: {', '.join(different)}")
    return value


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The names of what is not in both, or not the same: here false is not 0, and a null is not nothing."""
    return sorted(
        name for name in {*one, *other} if not (name in one and name in other and _same(one[name], other[name]))
    )


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    match one:
        case dict():
            return not differing(one, other)
        case list():
            return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _is(kind: type[T], value: Any) -> T:
    if type(value) is not kind:  # a bool is no int here
        raise TypeError(f"{value!r:.100} is no {kind.__name__}")
    return value


def _hash(value: Any) -> str:
    if len(value) != 64 or bytes.fromhex(_is(str, value)).hex() != value:
        raise ValueError(f"{value!r:.100} is no SHA-256 in hexadecimal")
    return str(value)


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(_is(str, value))


def _hour(value: Any) -> datetime:
    if (hour := hour_of(_moment(value))) != _moment(value):
        raise ValueError(f"{value} is no whole hour")
    return hour


def _tally(value: Any) -> dict[str, int]:
    return {_is(str, name): _is(int, count) for name, count in value.items()}
