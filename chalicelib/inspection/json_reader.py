"""One JSON value, read block by block exactly as RFC 8259 defines it, without recursion and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.inspection import json_grammar as grammar
from chalicelib.inspection import json_reasons as reasons
from chalicelib.inspection.json_members import Members
from chalicelib.inspection.json_names import Position, Spelling
from chalicelib.inspection.json_reasons import Malformed, TooDeep
from chalicelib.inspection.json_scalars import ScalarReader
from chalicelib.inspection.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What holds the one value: how it is called, what to say of a second value, and if it may hold a table."""

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

    With a unit that may hold a table it stops early after the commas of each outermost array (`at_element`), so that
    whole elements can be read otherwise. It does not stop in arrays within that array.
    """

    def __init__(self, unit: Unit, limits: Limits, members: Members) -> None:
        self._unit = unit
        self._limits = limits
        self._members = members
        self._expect: Callable[[bytes, int], int] = self._begin
        self._open = bytearray()
        self._scalar = ScalarReader()
        self._spelling: Spelling | None = None
        self._name_at: int | Position = 0
        self._columns_depth = 1
        self._column: bytes | None = None
        self._record_type = ""
        self.is_table = False
        self.top_level: str | None = None
        self.elements = 0
        self.at_element = False
        self.array_depth = 0
        """The depth of the outermost array that is open; 0 for none, and where no stops are made."""

    def restart(self) -> None:
        """Expect a value, and nothing before it."""
        self._expect = self._begin
        self._spelling = None
        self._open.clear()
        self._members.clear()
        self._column = None
        self.top_level = None
        self.elements = 0
        self.at_element = False

    def read(self, block: bytes, position: int) -> int:
        """Read on in the block; gives where it stopped: at its end or at an element."""
        self.at_element = False
        end = len(block)
        while position < end and not self.at_element:
            position = self._expect(block, position)
        if self._spelling is not None and isinstance(self._name_at, int):
            self._name_at = self._members.position.at(block, self._name_at)
        return position

    def finish(self, offset: int) -> None:
        """Judge the end of the text, at `offset` of the last block."""
        if self._expect == self._begin:
            raise Malformed("there is no value", offset)
        inside = self._scalar.inside if self._expect in (self._scalar_value, self._spelled_name) else None
        if inside is None and self._open:
            inside = "an array" if self._open[-1] == grammar.OPEN_ARRAY else "an object"
        if inside is not None:
            raise Malformed(f"{self._unit.called} ends inside {inside}", offset)
        if not self._scalar.ended and self._expect == self._scalar_value:
            self._tell(self._scalar.type)
        if not self.is_table:
            self._members.columns.end_record(self._record_type)

    def _begin(self, block: bytes, position: int) -> int:
        position = grammar.skip_space(block, position).end()
        if position < len(block):
            self.top_level = grammar.TYPES.get(block[position])
            self.is_table = self._unit.table and self.top_level == "array"
            self._columns_depth = 2 if self.is_table else 1
            return self._value(block, position, reasons.not_a_value)
        return position

    def _value(self, block: bytes, position: int, explain: Callable[[str], str]) -> int:
        byte = block[position]
        if byte in grammar.CLOSERS:
            return self._descend(byte, position)
        if byte == grammar.QUOTE:
            self._scalar.begin_string(None)
            self._expect = self._scalar_value
            return position + 1
        if self._scalar.begin(byte):
            self._expect = self._scalar_value
            return position
        raise Malformed(explain(reasons.character(block, position)), position)

    def _scalar_value(self, block: bytes, position: int) -> int:
        position = self._scalar.read(block, position)
        if self._scalar.ended:
            self._tell(self._scalar.type)
            self._value_ended()
        return position

    def _tell(self, kind: str) -> None:
        """Take note of the type of a record, or of a value directly in one."""
        if self._column is not None:
            self._members.columns.note(self._column, kind)
            self._column = None
        elif len(self._open) == self._columns_depth - 1:
            self._record_type = kind

    def _descend(self, opener: int, position: int) -> int:
        if len(self._open) == self._limits.json_depth:
            raise TooDeep(position)
        self._tell(grammar.TYPES[opener])
        self._open.append(opener)
        if opener == grammar.OPEN_OBJECT:
            self._members.open()
            self._expect = self._first_name
        else:
            self._expect = self._first_element
            if self._unit.table and not self.array_depth:
                self.array_depth = len(self._open)
        return position + 1

    def _ascend(self) -> None:
        if len(self._open) == self.array_depth:
            self.array_depth = 0
        if self._open.pop() == grammar.OPEN_OBJECT:
            self._members.close()
        self._value_ended()

    def _value_ended(self) -> None:
        if self._in_table():
            self._members.columns.end_record(self._record_type)
        self._expect = self._after if self._open else self._end

    def _in_table(self) -> bool:
        return self.is_table and len(self._open) == 1

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
            self._tell_scalars(block[position:after])
            self.at_element = True
            return after
        position = grammar.skip_space(block, position).end()
        return self._value(block, position, reasons.not_an_element) if position < len(block) else position

    def _tell_scalars(self, run: bytes) -> None:
        """Tell the types of elements of which none is a string."""
        columns = self._members.columns
        nulls, booleans = run.count(b"n"), run.count(b"t") + run.count(b"f")
        numbers = run.count(b",") - nulls - booleans
        fractional = len(grammar.find_fractional(run)) if numbers else 0
        kinds = {"null": nulls, "boolean": booleans, "number": fractional, "integer": numbers - fractional}
        for kind, records in kinds.items():
            columns.count_records(kind, records)

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
        self._scalar.begin_string(self._spelling)
        self._expect = self._spelled_name
        return position + 1

    def _spelled_name(self, block: bytes, position: int) -> int:
        position = self._scalar.read(block, position)
        if self._scalar.ended and self._spelling is not None:
            name, is_column = self._spelling.name(), self._is_column()
            self._members.add(name, is_column, block, self._name_at)
            self._column = name.key if is_column else None
            self._spelling = None
            self._expect = self._colon
        return position

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
            self.at_element = len(self._open) == self.array_depth
            self.elements += self._in_table()
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
