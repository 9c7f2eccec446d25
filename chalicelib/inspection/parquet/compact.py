"""Thrift's compact protocol, read within bounds: no data makes it take more memory than it is long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
_CUT = "ends in the middle of a value"
_DEEPEST = 64
_LONGEST_VARINT = 10
_INTEGERS = frozenset({BYTE, I16, I32, I64})


class CompactError(Exception):
    """The data is not of the protocol, or not what is read there; the text completes "the footer …"."""


Read = Callable[["Compact", int], Any]
"""How a value of a type is read: the reader stands before it."""


class Compact:
    """Reads values one after another from where it stands."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at

    def fields(self) -> Iterator[tuple[int, int]]:
        """The number and the type of each field of a struct; its value is to be read, or skipped, before the next."""
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 0x0F
            number = number + step if step else self.zigzag()
            yield number, kind

    def struct(self, readers: Mapping[int, Read], depth: int = 0) -> dict[int, Any]:
        """The fields of a struct that are known, by their numbers; the others are passed over."""
        found: dict[int, Any] = {}
        for number, kind in self.fields():
            read = readers.get(number)
            if read is None:
                self.skip(kind, depth + 1)
            elif number in found:
                raise CompactError("says the same thing twice")
            else:
                found[number] = read(self, kind)
        return found

    def items(self, kind: int) -> Iterator[int]:
        """The type of each item of a list; the item is to be read before the next."""
        _expect(kind in (LIST, SET))
        count, item = self._list()
        for _ in range(count):
            yield item

    def count(self, kind: int) -> int:
        """How many items the list has that begins here, which is not read."""
        _expect(kind in (LIST, SET))
        at = self.at
        count, _ = self._list()
        self.at = at
        return count

    def integer(self, kind: int) -> int:
        """A whole number of any width."""
        _expect(kind in _INTEGERS)
        if kind == BYTE:
            byte = self._byte()
            return byte - 256 if byte > 127 else byte
        return self.zigzag()

    def binary(self, kind: int) -> bytes:
        """Bytes, of a text as well."""
        _expect(kind == BINARY)
        return self._take(self._varint())

    def zigzag(self) -> int:
        """A whole number with a sign, of 64 bits at most."""
        number = self._varint()
        if number >> 64:
            raise CompactError("has a number of more than 64 bits")
        return (number >> 1) ^ -(number & 1)

    def skip(self, kind: int, depth: int = 0) -> None:
        """Pass over a value."""
        if depth > _DEEPEST:
            raise CompactError("is nested too deep")
        if kind in (I16, I32, I64):
            self._varint()
        elif kind in _FIXED:
            self._take(_FIXED[kind])
        elif kind == BINARY:
            self._take(self._varint())
        elif kind == STRUCT:
            for _, inner in self.fields():
                self.skip(inner, depth + 1)
        elif kind in (LIST, SET):
            self._skip_items(depth)
        elif kind == MAP:
            self._skip_pairs(depth)
        else:
            raise CompactError("has a value of an unknown type")

    def _skip_items(self, depth: int) -> None:
        count, item = self._list()
        if item in (TRUE, FALSE):
            self._take(count)
            return
        for _ in range(count):
            self.skip(item, depth + 1)

    def _skip_pairs(self, depth: int) -> None:
        count = self._varint()
        if not count:
            return
        kinds = self._byte()
        self._fits(count)
        for _ in range(count):
            for kind in (kinds >> 4, kinds & 0x0F):
                self.skip(BYTE if kind in (TRUE, FALSE) else kind, depth + 1)

    def _list(self) -> tuple[int, int]:
        head = self._byte()
        count = head >> 4
        if count == 0x0F:
            count = self._varint()
        self._fits(count)
        return count, head & 0x0F

    def _fits(self, count: int) -> None:
        """Each item takes a byte at least."""
        if count > len(self._data) - self.at:
            raise CompactError("lists more than it can hold")

    def _varint(self) -> int:
        data, at = self._data, self.at
        if at < len(data) and (byte := data[at]) < 0x80:  # nine in ten
            self.at = at + 1
            return byte
        number = shift = 0
        for byte in data[at : at + _LONGEST_VARINT]:
            at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.at = at
                return number
            shift += 7
        raise CompactError("has a number without an end")

    def _byte(self) -> int:
        at = self.at
        if at >= len(self._data):
            raise CompactError(_CUT)
        self.at = at + 1
        return self._data[at]

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self._data):
            raise CompactError(_CUT)
        taken = self._data[self.at : end]
        self.at = end
        return taken


_FIXED: Mapping[int, int] = {TRUE: 0, FALSE: 0, BYTE: 1, DOUBLE: 8}
"""Where a value is true or false in a field, its type says it."""


def _expect(is_right: bool) -> None:
    if not is_right:
        raise CompactError("has a value of the wrong type")


def flag(_: Compact, kind: int) -> bool:
    """True or false, which the type says."""
    _expect(kind in (TRUE, FALSE))
    return kind == TRUE


def integer(source: Compact, kind: int) -> int:
    """A whole number."""
    return source.integer(kind)


def text(source: Compact, kind: int) -> str:
    """A text."""
    return source.binary(kind).decode("utf-8", "replace")


def present(source: Compact, kind: int) -> bool:
    """That the field is there, whatever it says."""
    source.skip(kind)
    return True


def struct_of(readers: Mapping[int, Read]) -> Read:
    """How a struct with these fields is read."""

    def read(source: Compact, kind: int) -> dict[int, Any]:
        _expect(kind == STRUCT)
        return source.struct(readers)

    return read


def list_of(read_item: Read) -> Read:
    """How a list of such items is read."""
    return lambda source, kind: [read_item(source, item) for item in source.items(kind)]
