"""The texts that the cells of a workbook share."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping

from chalicelib.inspection.xlsx.xml import MAIN, named

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PLACE = 8
"""How many bytes it takes to know where a text ends."""


class TooManyTextsError(Exception):
    """They take more memory than the limit."""


def unescaped(text: str) -> str:
    """A text with the characters that XML cannot hold, which are written `_x000D_`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class Strings:
    """The shared texts by their number, one after another in few bytes; of rich text what is read, no pronunciation."""

    tags = named(MAIN, "si", "t", "rPh")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._texts = bytearray()
        self._ends = array("Q")
        self._is_text = False
        self._silent = 0

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> str:
        begin = self._ends[number - 1] if number else 0
        return unescaped(self._texts[begin : self._ends[number]].decode("utf-8", "surrogatepass"))

    def is_filled(self, number: int) -> bool:
        """Whether a text has any character."""
        return self._ends[number] > (self._ends[number - 1] if number else 0)

    def start(self, tag: str, _: Mapping[str, str]) -> None:
        """A text begins, or how it is pronounced."""
        self._silent += tag == "rPh"
        self._is_text = tag == "t" and not self._silent

    def text(self, data: str) -> None:
        """A piece of a text."""
        if self._is_text:
            self._texts += data.encode("utf-8", "surrogatepass")
            self._check()

    def end(self, tag: str) -> None:
        """A text is whole."""
        self._is_text = False
        self._silent -= tag == "rPh"
        if tag == "si":
            self._ends.append(len(self._texts))
            self._check()

    def _check(self) -> None:
        if len(self._texts) + _PLACE * len(self._ends) > self._limit:
            raise TooManyTextsError
