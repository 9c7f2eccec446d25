"""Strings, numbers and words of JSON, read piece by piece wherever a block ends."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.inspection import json_grammar as grammar
from chalicelib.inspection import json_reasons as reasons
from chalicelib.inspection.json_grammar import Part
from chalicelib.inspection.json_names import Spelling
from chalicelib.inspection.json_reasons import Malformed


class ScalarReader:
    """Reads one scalar after another: `begin` it, `read` until `ended`."""

    def __init__(self) -> None:
        self._step: Callable[[bytes, int], int] = self._string
        self._part = Part.START
        self._word = b""
        self._type = "string"
        self._hex_digits = 0
        self._spelling: Spelling | None = None
        self.ended = False

    def begin_string(self, spelling: Spelling | None) -> None:
        """A quote was read; what follows is spelled out to `spelling` if it is a name."""
        self._step, self._spelling, self.ended = self._string, spelling, False
        self._type = "string"

    def begin(self, byte: int) -> bool:
        """Expect the number or word that begins with this byte, if one does."""
        if byte in grammar.NUMBER_STARTS:
            self._step, self._part, self.ended = self._number, Part.START, False
        elif byte in grammar.WORDS:
            self._step, self._word, self.ended = self._literal, grammar.WORDS[byte], False
            self._type = grammar.TYPES[byte]
        else:
            return False
        return True

    def read(self, block: bytes, position: int) -> int:
        """Read on; gives where the scalar has ended, or the end of the block."""
        while position < len(block) and not self.ended:
            position = self._step(block, position)
        return position

    @property
    def inside(self) -> str | None:
        """What is cut if the text ends here; None if a number has ended."""
        if self._step == self._number:
            return "a number" if self._part in reasons.LACKS else None
        return "true, false or null" if self._step == self._literal else "a string"

    @property
    def type(self) -> str:
        """The type of the scalar, once it has ended."""
        if self._step == self._number:
            return "integer" if self._part in (Part.ZERO, Part.INTEGER) else "number"
        return self._type

    def _string(self, block: bytes, position: int) -> int:
        after = grammar.skip_content(block, position).end()
        self._spell(block[position:after])
        if self._spelling is not None:
            self._spelling.settle()
        if after == len(block):
            return after
        byte = block[after]
        if byte == grammar.BACKSLASH:
            self._spell(b"\\")
            self._step = self._escape
        elif byte != grammar.QUOTE:
            raise Malformed(reasons.not_a_character(reasons.character(block, after)), after)
        else:
            self.ended = True
        return after + 1

    def _spell(self, piece: bytes) -> None:
        if self._spelling is not None:
            self._spelling.take(piece)

    def _escape(self, block: bytes, position: int) -> int:
        byte = block[position]
        if byte == ord("u"):
            self._hex_digits, self._step = 4, self._hex
        elif byte in grammar.ESCAPED:
            self._step = self._string
        else:
            found = reasons.character(block, position)
            raise Malformed(f"a backslash is followed by {found} (a backslash is written \\\\)", position)
        self._spell(block[position : position + 1])
        return position + 1

    def _hex(self, block: bytes, position: int) -> int:
        if block[position] not in grammar.HEX_DIGITS:
            raise Malformed(r"\u is not followed by four hexadecimal digits", position)
        self._hex_digits -= 1
        if not self._hex_digits:
            self._step = self._string
        self._spell(block[position : position + 1])
        return position + 1

    def _number(self, block: bytes, position: int) -> int:
        if self._part in grammar.DIGIT_PARTS:
            position = grammar.skip_digits(block, position).end()
            if position == len(block):
                return position
        byte = block[position]
        if part := grammar.NUMBER_STEPS[self._part].get(byte):
            self._part = part
            return position + 1
        if self._part in reasons.LACKS:
            raise Malformed(reasons.LACKS[self._part], position)
        if self._part is Part.ZERO and byte in grammar.NUMBER_STARTS:
            raise Malformed(reasons.LEADING_ZERO, position)
        self.ended = True
        return position

    def _literal(self, block: bytes, position: int) -> int:
        step = min(len(self._word), len(block) - position)
        for offset in range(step):
            if block[position + offset] != self._word[offset]:
                raise Malformed(reasons.UNQUOTED, position + offset)
        self._word = self._word[step:]
        if not self._word:
            self.ended = True
        return position + step
