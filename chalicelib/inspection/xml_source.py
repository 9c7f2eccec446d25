"""Bytes to expat, so that no token is read again and again, none is longer than may be, and places are known."""

from __future__ import annotations

from collections.abc import Callable
from pyexpat import XMLParserType
from typing import Any

from chalicelib.inspection.limits import KIB, Limits
from chalicelib.inspection.patterns import compiled
from chalicelib.inspection.xml_names import ADDED, count_respelled, respelled

_HEAD = 2
"""How many bytes expat is given at first: it would take some beginnings for another encoding than UTF-8."""
_LONG = 64 * KIB
TOO_COMPLEX = "xml-too-complex"
_find_attributes = compiled(rb"=[ \t\r\n]*+(?:\"[^\"]*+\"|'[^']*+')").finditer


class Refused(Exception):
    """What is found ends the check: a finding's code, what fills its message, and where the parser is."""

    def __init__(self, parser: XMLParserType, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values
        self.place = place(parser)


def place(parser: XMLParserType) -> tuple[int, int, int]:
    """Of what the parser is at: the byte, the line from 1, the column from 0."""
    return parser.CurrentByteIndex, parser.CurrentLineNumber, parser.CurrentColumnNumber


def check_attributes(parser: XMLParserType, count: int, limits: Limits) -> None:
    """Refuse a tag with too many attributes."""
    if count > limits.columns:
        raise Refused(parser, TOO_COMPLEX, reason=f"a tag has more than {limits.columns:,} attributes")


class Source:
    """Feeds a parser. A token that is still open is given more only when as much has come as it has already.

    expat reads an open token again from its start with each piece (before 2.6), which would be quadratic. `check` is
    called after each piece.
    """

    def __init__(self, parser: XMLParserType, limits: Limits, check: Callable[[], None]) -> None:
        self._parser = parser
        self._limits = limits
        self._check = check
        self._waiting: list[bytes] = []
        self._held = 0
        self._fed = 0
        self._piece = b""
        self._open = b""
        self._has_respelled = False
        self._respelled_before = 0

    def feed(self, block: bytes) -> None:
        """Take the next block of UTF-8; an empty one: read on as far as there is anything."""
        spelled = respelled(block)
        self._has_respelled |= spelled is not block
        self._waiting.append(spelled)
        self._held += len(spelled)
        if self._fed + self._held >= _HEAD and (not block or self._held >= len(self._open)):
            self._flush()

    def finish(self) -> None:
        """Read what is left, and the end."""
        self._flush(final=True)
        self._parser.Parse(b"", True)

    def column(self, index: int, told: int) -> int:
        """The column, from 1, of a byte that expat has told the index and the column of."""
        if not self._has_respelled:
            return told + 1
        return told + 1 - ADDED * self._respelled_in((self._open + self._piece)[: index - self._consumed])

    @property
    def ends_in_text(self) -> bool:
        """Whether what expat waits for the end of is text, such as the `]]` that may become `]]>`, and no markup."""
        return self._open[:1] not in (b"", b"<")

    @property
    def _consumed(self) -> int:
        return self._fed - len(self._open)

    def _flush(self, *, final: bool = False) -> None:
        data = b"".join(self._waiting)
        if not self._fed:
            self._check_head(data)
        kept = b"\r" if data.endswith(b"\r") and not final else b""
        self._waiting, self._held = [kept], len(kept)
        begin, stop = 0, len(data) - len(kept)
        while begin < stop:
            # Cut there, a token that is too long is seen to be, however the blocks were cut.
            end = min(begin + self._limits.record_bytes + 1 - len(self._open), stop)
            if data.startswith(b"\r\n", end - 1) and end - begin > 1:
                end -= 1  # expat counts two lines where it is given the halves of a CRLF apart
            self._parse(data[begin:end])
            begin = end

    def _check_head(self, data: bytes) -> None:
        if b"\0" in data[:_HEAD]:
            raise Refused(self._parser, "malformed-xml", reason="there is a NUL character")

    def _parse(self, piece: bytes) -> None:
        self._piece = piece
        self._parser.Parse(piece, False)
        after = self._fed + len(piece)
        still_open = after - max(self._parser.CurrentByteIndex, self._consumed)
        text = self._open + piece if still_open > len(piece) or self._has_respelled else piece
        if self._has_respelled:
            self._respelled_before = self._respelled_in(text[: len(text) - still_open])
        self._open = text[len(text) - still_open :]
        self._fed, self._piece = after, b""
        self._judge_open()
        self._check()

    def _judge_open(self) -> None:
        if len(self._open) > self._limits.record_bytes:
            limit = self._limits.record_bytes
            reason = f"a tag, comment, instruction or declaration is longer than {limit:,} bytes"
            raise Refused(self._parser, TOO_COMPLEX, reason=reason)
        # Each attribute costs a hundred times the memory of its bytes once the tag is complete.
        if len(self._open) > _LONG and self._open.count(b"=") > self._limits.columns and _is_tag(self._open):
            check_attributes(self._parser, sum(1 for _ in _find_attributes(self._open)), self._limits)

    def _respelled_in(self, passed: bytes) -> int:
        """How many characters are respelled in the last line at the end of this text, which follows what is known."""
        start = max(passed.rfind(b"\n"), passed.rfind(b"\r")) + 1
        return count_respelled(passed[start:]) + (0 if start else self._respelled_before)


def _is_tag(token: bytes) -> bool:
    return token.startswith(b"<") and not token.startswith((b"<!", b"<?"))
