"""docs/api.md as it is read by a program: its parts, and the examples in them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from docs.walkthrough import Command, commands_of
from infra.stages import ROOT

HEADING = re.compile(r"^#{1,3} (.*)$", re.MULTILINE)
ROUTE = re.compile(r"`([A-Z]+) (/api/\S*)`")
ANSWERS = re.compile(r"^Answers \*\*(\d{3})\*\*", re.MULTILINE)
BLOCK = r"^```{tag}\n(.*?)^```$"
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What stands under one heading."""

    title: str
    text: str

    @property
    def route(self) -> tuple[str, str] | None:
        """The method and path that it is about."""
        found = ROUTE.fullmatch(self.title)
        return (found[1], found[2]) if found else None

    @property
    def status(self) -> str:
        """The status that the route is said to answer."""
        found = ANSWERS.search(self.text)
        return found[1] if found else ""

    @property
    def commands(self) -> list[Command]:
        """The commands of its shell blocks, those for elsewhere left out."""
        return [command for command in commands_of(self.text) if not command.tag]

    @property
    def scripts(self) -> list[str]:
        """Its examples in Python."""
        return self._blocks("python")

    @property
    def answers(self) -> list[Any]:
        """Its examples of answers."""
        return [json.loads(block) for block in self._blocks("json")]

    def file(self, name: str) -> str:
        """The Python that a reader is to save under a name."""
        (found,) = self._blocks(f"python {re.escape(name)}")
        return found

    def _blocks(self, tag: str) -> list[str]:
        return re.findall(BLOCK.format(tag=tag), self.text, re.MULTILINE | re.DOTALL)


def parts() -> list[Part]:
    """The page's parts, in order."""
    text = (ROOT / "docs" / "api.md").read_text()
    hidden = FENCE.sub(lambda block: " " * len(block[0]), text)  # of the same length, without comments like headings
    starts = [*HEADING.finditer(hidden)]
    ends = [*(start.start() for start in starts[1:]), len(text)]
    return [Part(title=start[1], text=text[start.end() : end]) for start, end in zip(starts, ends, strict=True)]


def part(title: str) -> Part:
    """The part under that heading."""
    (found,) = (one for one in parts() if one.title == title)
    return found


ROUTES = [one for one in parts() if one.route]
BEGINNING = "Before the first call"
