"""Text made canonical: UTF-8 whatever the file's encoding, with its lines counted."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING

from chalicelib.findings import Findings
from chalicelib.inspection.encoding_guess import (
    BEFORE_BYTES,
    SAMPLE_BYTES,
    find_beyond_ascii,
    guess_encoding,
    is_legacy,
)
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.text_encodings import ASCII_BASED, Codec, codec_of

if TYPE_CHECKING:
    from chalicelib.inspection.kernel import KernelUtf8

# UTF-32 first: its little-endian mark begins with that of UTF-16.
BYTE_ORDER_MARKS: Mapping[bytes, str] = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
XML_BEGINS: Mapping[bytes, str] = {
    b"<\0\0\0?\0\0\0x\0\0\0m\0\0\0l\0\0\0": "utf-32-le",
    b"\0\0\0<\0\0\0?\0\0\0x\0\0\0m\0\0\0l": "utf-32-be",
    b"<\0?\0x\0m\0l\0": "utf-16-le",
    b"\0<\0?\0x\0m\0l": "utf-16-be",
    b"\x4c\x6f\xa7\x94\x93": "cp037",
}
"""What `<?xml` is in encodings of another width than ASCII, or no ASCII: written out, for to encode it loads them."""
NEWLINES: Mapping[str, bytes] = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r"}


def byte_order_mark(head: bytes) -> tuple[bytes, str | None]:
    """The mark that `head` begins with and the encoding it stands for; (b"", None) if there is none."""
    return _first_of(BYTE_ORDER_MARKS, head)


def first_encoding(head: bytes) -> str | None:
    """The encoding of an XML document without a byte order mark that is told by its first bytes alone."""
    return _first_of(XML_BEGINS, head)[1]


def _first_of(known: Mapping[bytes, str], head: bytes) -> tuple[bytes, str | None]:
    """The first of these that it begins with, and what that stands for; (b"", None) if there is none."""
    if not head.startswith(tuple(known)):  # so it is of nearly all files
        return b"", None
    return next((begin, name) for begin, name in known.items() if head.startswith(begin))


_find_lone_cr = re.compile(rb"\r(?!\n)").search
_NOT_LINE_ENDS = bytes(set(range(256)) - set(b"\r\n"))


def has_lone_cr(text: bytes) -> bool:
    """Whether a CR is followed by no LF; asking is twice as fast as counting the pairs of both."""
    return b"\r" in text and _find_lone_cr(text) is not None


Newlines = tuple[int, int, int]
"""How many LFs, CRs, and CRLFs there are; each CRLF is counted as all three."""


def count_newlines(text: bytes) -> Newlines:
    """How many LFs, CRs, and CRLFs there are; each CRLF is counted as all three."""
    if b"\r" not in text:
        return text.count(b"\n"), 0, 0
    marks = text.translate(None, _NOT_LINE_ENDS)
    returns = marks.count(b"\r")
    return marks.count(b"\n"), returns, text.count(b"\r\n") if has_lone_cr(text) else returns


def line_ends(text: bytes) -> int:
    """How many physical lines end in a piece of text that cuts no CRLF in two."""
    feeds, returns, pairs = count_newlines(text)
    return feeds + returns - pairs


def characters(text: bytes) -> int:
    """How many characters a piece of UTF-8 has."""
    return len(text) if text.isascii() else len(text.decode("utf-8", "replace"))


class Lines:
    """Counts physical lines: LF, CRLF and a lone CR each end one; a last line without an end is a line.

    It is fed canonical text, and knows at any time where the next byte stands.
    """

    def __init__(self) -> None:
        self.kinds = dict.fromkeys(NEWLINES, 0)
        self._last = b""
        self._column = 0

    def feed(self, block: bytes, counted: Newlines | None = None) -> None:
        """Count the next block, unless its line ends were counted; a CRLF may be cut in two by its edge."""
        if not block:
            return
        feeds, returns, pairs = counted or count_newlines(block)
        if self._last == b"\r" and block.startswith(b"\n"):  # the CR was counted as a lone one
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


def find_nul(block: bytes, lines: Lines, findings: Findings) -> None:
    """Report the NUL characters of a block that follows `lines`."""
    at = block.find(b"\0")
    while at >= 0 and not findings.full("nul-byte"):
        line, column = lines.position(block, at)
        findings.add("nul-byte", line=line, column=column)
        at = block.find(b"\0", at + 1)
    if at >= 0:
        findings.count("nul-byte", block.count(b"\0", at))


# -- decoding

REPLACEMENT = "\ufffd"
_AS_SHORT = 32
"""How many times as fast as a table without the kernel UTF-8 is decoded: so much later it is loaded for that."""
_INVALID = re.compile("[\udc00-\udcff]")


def _mark_invalid(error: UnicodeError) -> tuple[str, int]:
    """Put half of a surrogate pair, which valid text never decodes to, in place of what is not valid."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return chr(0xDC00 + error.object[error.start]), error.end


codecs.register_error("recibo-mark-invalid", _mark_invalid)


class Decoder:
    """Makes UTF-8 of text in its encoding; what is not valid is reported and becomes U+FFFD.

    With `may_guess`, text taken for UTF-8 that is for the most part not valid is read in the encoding that it is
    guessed to be in: by a sample from its first byte beyond ASCII on, which is held back until there is enough of it.
    Text that breaks only here and there, or later, is damaged UTF-8, and no guess would read it right.
    """

    def __init__(
        self,
        findings: Findings,
        lines: Lines,
        encoding: str,
        *,
        may_guess: bool,
        codec: Codec | None = None,
        limits: Limits,
    ) -> None:
        self._limits = limits
        self._fed = 0
        self._kernel: KernelUtf8 | None = None
        self._is_wide = False
        """Whether Python has made wide strings of it, for which it takes three times as long."""
        self._findings = findings
        self._lines = lines
        self._is_open = may_guess
        self._before = b""
        self._codec = codec or codec_of(encoding)
        self._carry = b""
        self.encoding = encoding
        self.confidence: int | None = None
        """Of a guess, in percent."""

    def feed(self, block: bytes, *, final: bool = False) -> bytes:
        """The block as valid UTF-8, cut between characters; `final` judges a character cut off at the end."""
        self._fed += len(block)
        data = self._carry + block if self._carry else block
        if data.isascii() and self.encoding in ASCII_BASED:
            self._carry = b""
            self._before = data[-BEFORE_BYTES:] if len(data) >= BEFORE_BYTES else (self._before + data)[-BEFORE_BYTES:]
            return data
        first = find_beyond_ascii(data) if self._is_open else None
        if first and len(data) - first.start() < SAMPLE_BYTES and not final:
            return self._hold(data, first.start())
        if first:
            self._decide(data)
        return self._decoded(data, final=final)

    def _hold(self, data: bytes, at: int) -> bytes:
        self._carry = data[at:]
        self._before = (self._before + data[:at])[-BEFORE_BYTES:]
        return data[:at]

    def _decide(self, data: bytes) -> None:
        self._is_open = False
        sample = self._before + data
        if not is_legacy(sample):
            return
        guess = guess_encoding(sample)
        self.encoding, self.confidence = guess.encoding, guess.confidence
        self._codec = codec_of(guess.encoding)
        try:
            data.decode()
        except UnicodeDecodeError as error:
            line, column = self._lines.position(data, error.start)
            self._findings.add("encoding-guessed", line=line, column=column, **guess.values)

    def _valid_end(self, data: bytes) -> int:
        """How much of it is surely whole and valid characters: of a large, wide text in UTF-8 the kernel says so."""
        if self._kernel is None and self._is_wide and self._fed >= self._limits.kernel_from_bytes:
            from chalicelib.inspection.kernel import KernelUtf8, kernel_for  # noqa: PLC0415 (on first use)

            if kernel := kernel_for(self._fed // _AS_SHORT, self._limits):
                self._kernel = KernelUtf8(kernel)
        return self._kernel.valid_end(data) if self._kernel else 0

    def _decoded(self, data: bytes, *, final: bool) -> bytes:
        end = 0 if final else self._valid_end(data)
        if end:
            self._carry = data[end:]
            return data[:end]
        try:
            text, used = self._codec(data, "strict", final)
        except UnicodeDecodeError:
            text, used = self._codec(data, "recibo-mark-invalid", final)
            self._carry = data[used:]
            mended = _INVALID.sub(REPLACEMENT, text)
            self._report(text, mended)
            return mended.encode()
        self._carry = data[used:]
        if self.encoding != "utf-8":
            return text.encode()
        self._is_wide = self._is_wide or sys.getsizeof(text) > 2 * len(text)
        return data[:used]

    def _report(self, text: str, mended: str) -> None:
        invalid = _INVALID.finditer(text)
        for found in invalid:
            if self._findings.full("invalid-encoding"):
                self._findings.count("invalid-encoding", 1 + sum(1 for _ in invalid))
                return
            before = mended[: found.start()].encode()
            line, column = self._lines.position(before, len(before))
            reason = f"byte 0x{ord(found[0]) - 0xDC00:02X}"
            self._findings.add(
                "invalid-encoding", line=line, column=column, encoding=self.encoding.upper(), reason=reason
            )
