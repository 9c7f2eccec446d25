"""Pictures of a terminal: commands and what they printed, as SVG that fetches nothing and is the same when remade."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from docs.walkthrough import PORT, Done

FIRST_LINES, LAST_LINES = 40, 4
"""What is shown of a longer output."""

WEB_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
SPACE = r"(?:\x1b\[[\d;]*m|\s)*"
"""White space and colours."""
TRAILING_SPACE = re.compile(r"[ \t]+((?:\x1b\[[0-9;]*m)*)$", re.MULTILINE)


class Mask:
    """Replaces what differs from run to run by what depends on the order of appearance alone.

    So a version id is the same in every picture that shows it, and building them again draws the same pictures.
    """

    def __init__(self) -> None:
        self._times: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._picture = 0

    def next_picture(self) -> None:
        """A time is shown as the minute of the picture in which it, or a later one, first appears: in order."""
        self._picture += 1

    def __call__(self, text: str) -> str:
        """The text without what belongs to one run."""
        text = re.sub(r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(\.\d+)?", self._time, text)
        today = rf"\g<1>12:{self._picture:02}:00"  # lists leave out the date of today
        text = re.sub(r"^((?:\x1b\[[\d;]*m)*)\d\d:\d\d:\d\d\b", today, text, flags=re.MULTILINE)
        text = re.sub(r"(?<=127\.0\.0\.1:)\d+", PORT, text)
        text = re.sub(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", self._uuid, text)
        text = re.sub(rf"(content_hash\W*?{SPACE})([0-9a-f]{{64}})", self._hash, text)
        text = re.sub(r"(?<=https://)\w+(?=\.execute-api)|(?<=Rest API: )\w+$", "a1b2c3d4", text, flags=re.MULTILINE)
        text = re.sub(r"^(\d{4}\S+ \S+) [0-9a-f]{6}(?= )", r"\1 a1b2c3", text, flags=re.MULTILINE)  # a log stream
        text = re.sub(r'(?<="Timestamp": )\d{13}', "1795435200000", text)  # of a line's metrics
        return re.sub(rf"(done in |_ms(?:\": |{SPACE}))[\d.]+", r"\1…", text)

    def _time(self, found: re.Match[str]) -> str:
        moment = found[1] + found[3]
        later = [minute for seen, minute in self._times.items() if seen >= moment]
        minute = self._times.setdefault(moment, min(later, default=f"12:{self._picture:02}:00"))
        fraction = "." + "0" * (len(found[4]) - 1) if found[4] else ""
        return f"2026-11-23{found[2]}{minute}{fraction}"

    def _uuid(self, found: re.Match[str]) -> str:
        return self._names.setdefault(found[0], str(uuid.UUID(bytes=self._digest()[:16], version=4)))

    def _hash(self, found: re.Match[str]) -> str:
        return found[1] + self._names.setdefault(found[2], self._digest().hex())

    def _digest(self) -> bytes:
        return hashlib.sha256(b"%d" % len(self._names)).digest()


def picture(done: Iterable[Done], *, title: str, columns: int, mask: Mask) -> str:
    """The terminal after these commands, as SVG."""
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    mask.next_picture()
    for each in done:
        comment = f"  # exit status {each.status}" if each.status else ""
        console.print(
            Text.assemble(("$ ", "bold green"), (each.command.text, "bold"), (comment, "dim")), overflow="fold"
        )
        for line in _shown(mask(each.output)):
            console.print(Text.from_ansi(line), overflow="fold")
    return WEB_FONTS.sub("", console.export_svg(title=title))


def _shown(output: str) -> list[str]:
    """The lines a terminal would show, without the middle of a long output."""
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in output.rstrip("\n").split("\n")]
    lines = [TRAILING_SPACE.sub(r"\1", line) for line in lines]
    if lines == [""]:
        return []
    cut = len(lines) - FIRST_LINES - LAST_LINES
    if cut <= 1:
        return lines
    return [*lines[:FIRST_LINES], f"\x1b[2m… {cut} more lines …\x1b[0m", *lines[-LAST_LINES:]]
