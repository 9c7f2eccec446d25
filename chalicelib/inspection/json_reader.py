"""One JSON value, read block by block exactly as RFC 8259 defines it, without recursion and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.inspection import json_grammar as grammar
from chalicelib.inspection import json_reasons as reasons
from chalicelib.inspection.json_grammar import Part
from chalicelib.inspection.json_names import Members, Position, Spelling
from chalicelib.inspection.json_reasons import Malformed, TooDeep
from chalicelib.inspection.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What holds the one value: how it is called, what to say of a second value, and if an array is a table."""

    called: str
    more: str
    table: bool


TEXT = Unit(
    called="the text",
    more="there is more after the value (JSON Lines? then name it .jsonl)",
    table=True,
)
LINE = Unit(called="the line", more="there is more after the value", table=False)


class JsonReader:
    """Reads one value; each step takes what it can from the block and leaves what is expected next.

    It stops early after each comma of a table (`at_element`), so that whole elements can be read otherwise.
    """

    def __init__(self, unit: Unit, limits: Limits, members: Members) -> None:
        self._unit = unit
        self._limits = limits
        self._members = members
        self._expect: Callable[[bytes, int], int] = self._begin
        self._open = bytearray()
        self._part = Part.START
        self._word = b""
        self._hex_digits = 0
        self._spelling: Spelling | None = None
        self._name_at: int | Position = 0
        self._columns_depth = 1
        self._table = False
        self.top_level: str | None = None
        self.elements = 0
        self.at_element = False

    def restart(self) -> None:
        """Expect a value, and nothing before it."""
        self._expect = self._begin
        self._spelling = None
        self._open.clear()
        self._members.clear()
        self.top_level = None
        self.elements = 0
        self.at_element = False

    def read(self, block: bytes, position: int) -> int:
        """Read on in the block; gives where it stopped: at its end or at an element of the table."""
        self.at_element = False
        end = len(block)
        while position < end and not self.at_element:
            position = self._expect(block, position)
        if self._spelling is not None and isinstance(self._name_at, int):
            self._name_at = self._members.position.at(block, self._name_at)
        return position

    def finish(self, offset: int) -> None:
        """Judge the end of the text, at `offset` of the last block."""
        whole_number = self._expect == self._number and not self._open and self._part not in reasons.LACKS
        if self._expect != self._end and not whole_number:
            raise Malformed(self._cut_reason(), offset)

    def _cut_reason(self) -> str:
        if self._expect == self._begin:
            return "there is no value"
        if self._expect in (self._string, self._escape, self._hex):
            return f"{self._unit.called} ends inside a string"
        if self._expect == self._literal:
            return f"{self._unit.called} ends inside true, false or null"
        if self._expect == self._number and self._part in reasons.LACKS:
            return f"{self._unit.called} ends inside a number"
        inside = "an array" if self._open[-1] == grammar.OPEN_ARRAY else "an object"
        return f"{self._unit.called} ends inside {inside}"

    def _begin(self, block: bytes, position: int) -> int:
        position = grammar.skip_space(block, position).end()
        if position < len(block):
            self.top_level = grammar.TYPES.get(block[position])
            self._table = self._unit.table and self.top_level == "array"
            self._columns_depth = 2 if self._table else 1
            return self._value(block, position, reasons.not_a_value)
        return position

    def _value(self, block: bytes, position: int, explain: Callable[[str], str]) -> int:
        byte = block[position]
        if byte in grammar.CLOSERS:
            return self._descend(byte, position)
        if byte == grammar.QUOTE:
            self._expect = self._string
            return position + 1
        if byte in grammar.NUMBER_STARTS:
            self._part, self._expect = Part.START, self._number
            return position
        if byte in grammar.WORDS:
            self._word, self._expect = grammar.WORDS[byte], self._literal
            return position
        raise Malformed(explain(reasons.character(block, position)), position)

    def _descend(self, opener: int, position: int) -> int:
        if len(self._open) == self._limits.json_depth:
            raise TooDeep(position)
        self._open.append(opener)
        if opener == grammar.OPEN_OBJECT:
            self._members.open()
            self._expect = self._first_name
        else:
            self._expect = self._first_element
        return position + 1

    def _ascend(self) -> None:
        if self._open.pop() == grammar.OPEN_OBJECT:
            self._members.close()
        self._value_ended()

    def _value_ended(self) -> None:
        self._expect = self._after if self._open else self._end

    def _in_table(self) -> bool:
        return self._table and len(self._open) == 1

    def _first_element(self, block: bytes, position: int) -> int:
        position = grammar.skip_space(block, position).end()
        if position < len(block):
            if block[position] == grammar.CLOSE_ARRAY:
                self._ascend()
                return position + 1
            self.elements += self._in_table()
            self._expect = self._element
        return position

    def _element(self, block: bytes, position: int) -> int:
        if self._in_table():
            return self._table_element(block, position)
        scalars = grammar.skip_scalars(block, position)
        if scalars[1]:
            self._ascend()
            return scalars.end()
        if scalars.end() < len(block):
            return self._value(block, scalars.end(), reasons.not_an_element)
        return scalars.end()

    def _table_element(self, block: bytes, position: int) -> int:
        after = grammar.skip_numbers(block, position).end()
        if after > position:
            self.elements += block.count(b",", position, after)
            self.at_element = True
            return after
        position = grammar.skip_space(block, position).end()
        return self._value(block, position, reasons.not_an_element) if position < len(block) else position

    def _first_name(self, block: bytes, position: int) -> int:
        position = grammar.skip_space(block, position).end()
        if position < len(block):
            if block[position] == grammar.CLOSE_OBJECT:
                self._ascend()
                return position + 1
            self._expect = self._name
        return position

    def _name(self, block: bytes, position: int) -> int:
        members = grammar.skip_members(block, position)
        end = members.end()
        if end == position:
            return self._odd_name(block, position)
        self._members.add_run(block, position, end, self._is_column())
        closed, opener = members.groups()
        if closed:
            self._ascend()
        elif opener:
            return self._descend(opener[0], end - 1)
        return end

    def _is_column(self) -> bool:
        return len(self._open) == self._columns_depth

    def _odd_name(self, block: bytes, position: int) -> int:
        """A name with escapes, one whose member is not complete in this block, or none."""
        position = grammar.skip_space(block, position).end()
        if position == len(block):
            return position
        if block[position] != grammar.QUOTE:
            raise Malformed(reasons.not_a_name(reasons.character(block, position)), position)
        self._spelling, self._name_at = Spelling(self._limits.name_length), position
        self._expect = self._string
        return position + 1

    def _name_ended(self, spelling: Spelling, block: bytes) -> None:
        self._members.add(spelling.name(), self._is_column(), block, self._name_at)
        self._spelling = None
        self._expect = self._colon

    def _colon(self, block: bytes, position: int) -> int:
        position = grammar.skip_space(block, position).end()
        if position < len(block):
            if block[position] != grammar.COLON:
                found = reasons.character(block, position)
                raise Malformed(f"a colon is expected after a name and not {found}", position)
            self._expect = self._member_value
            return position + 1
        return position

    def _member_value(self, block: bytes, position: int) -> int:
        position = grammar.skip_space(block, position).end()
        return self._value(block, position, reasons.not_a_member_value) if position < len(block) else position

    def _after(self, block: bytes, position: int) -> int:
        position = grammar.skip_space(block, position).end()
        if position == len(block):
            return position
        container, byte = self._open[-1], block[position]
        if byte == grammar.COMMA:
            self._expect = self._element if container == grammar.OPEN_ARRAY else self._name
            self.at_element = self._in_table()
            self.elements += self.at_element
        elif byte == grammar.CLOSERS[container]:
            self._ascend()
        else:
            raise Malformed(reasons.not_after_value(reasons.character(block, position), container), position)
        return position + 1

    def _end(self, block: bytes, position: int) -> int:
        position = grammar.skip_space(block, position).end()
        if position < len(block):
            raise Malformed(self._unit.more, position)
        return position

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
            self._expect = self._escape
        elif byte != grammar.QUOTE:
            raise Malformed(reasons.not_a_character(reasons.character(block, after)), after)
        elif self._spelling is not None:
            self._name_ended(self._spelling, block)
        else:
            self._value_ended()
        return after + 1

    def _spell(self, piece: bytes) -> None:
        if self._spelling is not None:
            self._spelling.take(piece)

    def _escape(self, block: bytes, position: int) -> int:
        byte = block[position]
        if byte == ord("u"):
            self._hex_digits, self._expect = 4, self._hex
        elif byte in grammar.ESCAPED:
            self._expect = self._string
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
            self._expect = self._string
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
        self._value_ended()
        return position

    def _literal(self, block: bytes, position: int) -> int:
        step = min(len(self._word), len(block) - position)
        for offset in range(step):
            if block[position + offset] != self._word[offset]:
                raise Malformed(reasons.UNQUOTED, position + offset)
        self._word = self._word[step:]
        if not self._word:
            self._value_ended()
        return position + step
