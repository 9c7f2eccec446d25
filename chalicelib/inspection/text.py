"""Text made canonical: UTF-8 whatever the file's encoding, with its lines counted."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from copy import copy

from chalicelib.findings import Findings

# UTF-32 first: its little-endian mark begins with that of UTF-16.
BYTE_ORDER_MARKS: Mapping[bytes, str] = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
REPLACEMENT = "\ufffd"
FALLBACK = "windows-1252"  # what most text that is neither UTF-8 nor marked was written in


def byte_order_mark(head: bytes) -> tuple[bytes, str | None]:
    """The mark that `head` begins with and the encoding it stands for; (b"", None) if there is none."""
    return next(((mark, name) for mark, name in BYTE_ORDER_MARKS.items() if head.startswith(mark)), (b"", None))


class Lines:
    """Counts physical lines: LF, CRLF and a lone CR each end one; a last line without an end is a line.

    It is fed canonical text, and knows at any time where the next byte stands.
    """

    def __init__(self) -> None:
        self.kinds = {"lf": 0, "crlf": 0, "cr": 0}
        self._last = b""
        self._column = 0

    def feed(self, block: bytes) -> None:
        """Count the next block; a CRLF may be cut in two by its edge."""
        if not block:
            return
        feeds = block.count(b"\n")
        returns = block.count(b"\r") if b"\r" in block else 0
        pairs = block.count(b"\r\n") if returns else 0
        if self._last == b"\r" and block[:1] == b"\n":  # the CR was counted as a lone one
            self.kinds["cr"] -= 1
            self.kinds["crlf"] += 1
            feeds -= 1
        self.kinds["crlf"] += pairs
        self.kinds["lf"] += feeds - pairs
        self.kinds["cr"] += returns - pairs
        self._last = block[-1:]
        start = max(block.rfind(b"\n"), block.rfind(b"\r") if returns else -1) + 1
        self._column = characters(block[start:]) + (0 if start else self._column)

    @property
    def ended(self) -> int:
        """The lines that have been ended so far."""
        return sum(self.kinds.values())

    @property
    def total(self) -> int:
        """The lines so far, an unended one included."""
        return self.ended + (not self.ends_with_newline)

    @property
    def ends_with_newline(self) -> bool:
        """Whether what was fed is empty or ends with a line's end."""
        return self._last in (b"", b"\n", b"\r")

    def position(self, data: bytes, at: int) -> tuple[int, int]:
        """Line and column, from 1, of byte `at` of `data`, the text that follows what was fed."""
        ahead = copy(self)
        ahead.kinds = dict(self.kinds)
        ahead.feed(data[:at])
        return ahead.ended + 1, ahead._column + 1


def characters(text: bytes) -> int:
    """How many characters a piece of UTF-8 has; a byte that is not UTF-8 counts as one."""
    return len(text) if text.isascii() else len(text.decode("utf-8", "replace"))


class Utf8Decoder:
    """UTF-8, or, where allowed, a fallback from the first byte that shows the text is not UTF-8.

    The fallback is taken only while all before was ASCII: text with valid multi-byte characters that breaks
    later on is damaged UTF-8, and no guess would read it right.
    """

    def __init__(self, findings: Findings, lines: Lines, *, may_guess: bool) -> None:
        self._findings = findings
        self._lines = lines
        self._may_guess = may_guess
        self._carry = b""
        self._ascii = True
        self.encoding = "utf-8"

    def feed(self, block: bytes, *, final: bool = False) -> bytes:
        """The block as valid UTF-8, cut between characters; `final` judges a character cut off at the end."""
        data = self._carry + block
        self._carry = b""
        if data.isascii():
            return data
        if self.encoding == FALLBACK:
            return self._fall_back(data)
        try:
            data.decode()
        except UnicodeDecodeError as error:
            return self._mend(data, error, final=final)
        self._ascii = False
        return data

    def _mend(self, data: bytes, error: UnicodeDecodeError, *, final: bool) -> bytes:
        before_is_ascii = self._ascii and data[: error.start].isascii()
        if error.reason == "unexpected end of data" and not final:  # the character may go on in the next block
            self._carry = data[error.start :]
            self._ascii = before_is_ascii
            return data[: error.start]
        line, column = self._lines.position(data, error.start)
        if self._may_guess and before_is_ascii:
            self.encoding = FALLBACK
            self._findings.add("encoding-guessed", line=line, column=column, encoding=FALLBACK)
            return self._fall_back(data)
        self._ascii = False
        reason = f"byte 0x{data[error.start]:02X}"
        self._findings.add("invalid-encoding", line=line, column=column, encoding="UTF-8", reason=reason)
        return self._replace(data, final=final)

    def _replace(self, data: bytes, *, final: bool) -> bytes:
        text, used = codecs.utf_8_decode(data, "replace", final)
        self._carry = data[used:]
        more = text.count(REPLACEMENT) - data.count(REPLACEMENT.encode()) - 1
        self._findings.count("invalid-encoding", more)
        return text.encode()

    def _fall_back(self, data: bytes) -> bytes:
        text = data.decode(FALLBACK, "replace")
        at = text.find(REPLACEMENT)  # the encoding itself has no such character: the byte stands for nothing
        if at >= 0:
            line, column = self._lines.position(text.encode(), len(text[:at].encode()))
            reason = f"byte 0x{data[at]:02X}"
            self._findings.add("invalid-encoding", line=line, column=column, encoding=FALLBACK, reason=reason)
            self._findings.count("invalid-encoding", text.count(REPLACEMENT) - 1)
        return text.encode()


class WideDecoder:
    """UTF-16 or UTF-32, as the byte order mark says."""

    def __init__(self, findings: Findings, lines: Lines, encoding: str) -> None:
        self.encoding = encoding
        self._findings = findings
        self._lines = lines
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")

    def feed(self, block: bytes, *, final: bool = False) -> bytes:
        """The block as valid UTF-8, cut between characters."""
        state = self._decoder.getstate()
        try:
            return self._decoder.decode(block, final).encode()
        except UnicodeDecodeError as error:
            self._findings.add(
                "invalid-encoding",
                line=self._lines.ended + 1,
                encoding=self.encoding.upper(),
                reason=error.reason,
            )
            self._decoder = codecs.getincrementaldecoder(self.encoding)("replace")
            self._decoder.setstate(state)
            return self._decoder.decode(block, final).encode()
