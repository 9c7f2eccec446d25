"""Draws the speeds that docs/performance.md tells as bars, on a logarithmic scale: `python -m bench.plot`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from bench.measure import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "pictures" / "speed.svg"

WIDTH, LEFT, RIGHT = 1_000, 420, 70
BAR, GAP, TITLE = 16, 4, 30
LEAST, MOST = 0.2, 20_000
"""MB/s at both ends of the scale."""
TICKS = (1, 10, 100, 1_000, 10_000)
OURS, THEIRS = "#0b7a75", "#b8bfc6"

_TABLE = re.compile(r"^\*\*(?P<title>[^*]+)\*\*\n\n\|  \| MB/s \|.*\n\|.*\n(?P<rows>(?:\|.*\n)+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A file, and the MB/s of each that reads it."""

    title: str
    speeds: Sequence[tuple[str, float]]


def groups(markdown: str) -> Iterator[Group]:
    """The tables of speeds of a document."""
    for table in _TABLE.finditer(markdown):
        rows = (row.strip("| ").split(" | ") for row in table["rows"].splitlines())
        speeds = [(name.strip(), float(speed.replace(",", ""))) for name, speed, *_ in rows]
        yield Group(title=table["title"], speeds=speeds)


def svg(drawn: Sequence[Group]) -> str:
    """The picture."""
    height = sum(TITLE + len(group.speeds) * (BAR + GAP) for group in drawn) + 40
    parts = [*_scale(height), *_bars(drawn)]
    style = "text{font:13px sans-serif;fill:#24292f}.t{font-weight:bold}.s{fill:#57606a;font-size:11px}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>MB/s, on a logarithmic scale</title>\n<style>{style}</style>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _x(speed: float) -> float:
    share = math.log(speed / LEAST) / math.log(MOST / LEAST)
    return LEFT + max(0.0, min(1.0, share)) * (WIDTH - LEFT - RIGHT)


def _scale(height: int) -> Iterator[str]:
    for tick in TICKS:
        yield f'<path d="M{_x(tick):.1f} 10V{height - 25}" stroke="#e1e4e8"/>'
        yield f'<text class="s" x="{_x(tick):.1f}" y="{height - 10}" text-anchor="middle">{tick:,} MB/s</text>'


def _bars(drawn: Sequence[Group]) -> Iterator[str]:
    y = 10
    for group in drawn:
        yield f'<text class="t" x="10" y="{y + 18}">{escape(group.title)}</text>'
        y += TITLE
        for name, speed in group.speeds:
            colour, end = OURS if name.startswith("Recibo") else THEIRS, _x(speed)
            yield f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>'
            yield f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR}" fill="{colour}"/>'
            yield f'<text class="s" x="{end + 5:.1f}" y="{y + 12}">{speed:,.4g}</text>'
            y += BAR + GAP


def main() -> None:
    """Draw it."""
    PICTURE.write_text(svg(list(groups(DOCUMENT.read_text()))))
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
