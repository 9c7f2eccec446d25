"""How fast a file is inspected, beside its peers on the same file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import file
from bench.measure import JobFailedError, Usage, interleaved
from bench.races import RACES, Peer, Race
from bench.scale import MB, Scale
from bench.tables import Goal, Section, Table

COLUMNS = ("", "MB/s", "CPU s/GB", "peak MiB", "Recibo is", "by CPU")

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A peer and the file it is to read; `size` is that of the unpacked file, in bytes."""

    peer: Peer
    path: Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What it took."""

    entrant: Entrant
    usage: Usage

    @property
    def speed(self) -> float:
        """In MB/s."""
        return self.entrant.size / MB / self.usage.seconds

    @property
    def cpu(self) -> float:
        """In seconds per GB."""
        return self.usage.cpu / self.entrant.size * 1000 * MB

    @property
    def label(self) -> str:
        """Who, and on how much where that is not the whole file."""
        peer = self.entrant.peer
        return f"{peer.label} (on {_megabytes(self.entrant.size)})" if peer.on_sample else peer.label

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table, but for the ratios."""
        return self.label, _short(self.speed), _short(self.cpu), f"{self.usage.peak / (1 << 20):,.0f}"


def race_all(scale: Scale, progress: Progress) -> Section:
    """Run them all."""
    tables: list[Table] = []
    goals: list[Goal] = []
    for race in RACES:
        entrants = list(_entrants(race, scale, progress))
        progress(f"reading {race.name}", 0)
        usages = interleaved([(entrant.peer.job, entrant.path) for entrant in entrants], scale.runs)
        results = [Result(entrant=entrant, usage=usage) for entrant, usage in zip(entrants, usages, strict=True)]
        progress(f"reading {race.name}", 1)
        _compare_counts(race, results)
        tables.append(_table(race, results))
        goals += _goals(race, results)
    return Section(tables=tables, goals=goals)


def _entrants(race: Race, scale: Scale, progress: Progress) -> Iterator[Entrant]:
    for peer in (race.recibo, *race.peers):
        size = scale.sample if peer.on_sample else getattr(scale, race.size)
        if peer.is_here:
            unpacked = file(race.name.removesuffix(".gz"), size, progress)
            yield Entrant(peer=peer, path=file(race.name, size, progress), size=unpacked.stat().st_size)


def _compare_counts(race: Race, results: Sequence[Result]) -> None:
    """Raise JobFailedError unless all that count records of the same file agree: a wrong answer may be quick."""
    whole = (result.usage.result for result in results if not result.entrant.peer.on_sample)
    counts = {count for count in whole if count is not None}
    if len(counts) > 1:
        raise JobFailedError(f"{race.name} was found to have {' and '.join(map(str, counts))} records")


def _table(race: Race, results: Sequence[Result]) -> Table:
    missing = ", ".join(peer.label for peer in race.peers if not peer.is_here)
    recibo, *others = results
    ratios = [("", ""), *((_times(recibo.speed / other.speed), _times(other.cpu / recibo.cpu)) for other in others)]
    return Table(
        title=f"{race.title}, {_megabytes(results[0].entrant.size)}",
        columns=COLUMNS,
        rows=[(*result.cells, *pair) for result, pair in zip(results, ratios, strict=True)],
        note=f"Not installed: {missing} (`make bench` does that)." if missing else "",
    )


def _goals(race: Race, results: Sequence[Result]) -> Iterator[Goal]:
    """Judged by CPU time: what else runs on the machine changes it far less than the time on the clock."""
    recibo, *others = results
    for other in others:
        peer, ratio = other.entrant.peer, other.cpu / recibo.cpu
        told = f"{race.title}: {_times(ratio)} as fast as {peer.label}"
        if peer.floor:
            yield Goal(text=f"{told}, at least {peer.floor:g} ×", met=ratio >= peer.floor, floor=True)
        if peer.goal:
            yield Goal(text=f"{told}, the aim is {peer.goal:g} ×", met=ratio >= peer.goal)


def _times(ratio: float) -> str:
    return f"{_short(ratio)} ×"


def _short(number: float) -> str:
    return (
        f"{number:,.0f}"
        if number >= 100
        else f"{number:.1f}"
        if number >= 10
        else f"{number:.2f}"
        if number >= 0.1
        else f"{number:.3f}"
    )


def _megabytes(size: int) -> str:
    return f"{size / MB:,.3g} MB"
