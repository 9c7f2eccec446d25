"""The members that records have: their names in the order first seen, and of which types their values are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from chalicelib.inspection.json_names import Name, key_of, storable
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.report import JSON_TYPES, Column


class Columns:
    """Lists the first names, counts all, and counts the types of those listed.

    A record counts once for each name that it has: with the last value, if it has the name twice.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places: dict[bytes, int] = {}
        self._names: list[str] = []
        self._types: list[defaultdict[str, int]] = []
        self._record: dict[int, str] = {}
        self._record_types: defaultdict[str, int] = defaultdict(int)
        self.beyond = False
        """Whether there are more than are remembered; then none is added."""

    def know(self, keys: set[bytes]) -> bool:
        """Whether adding names with these keys would change nothing."""
        return self.beyond or keys <= self._places.keys()

    def add(self, name: Name) -> None:
        """Count the name if it is new, and list it if it is among the first."""
        if name.key in self._places:
            return
        if len(self._places) == self._limits.json_names:
            self.beyond = True
            return
        self._places[name.key] = len(self._places)
        if len(self._names) < self._limits.named_columns:
            self._names.append(storable(name.beginning))
            self._types.append(defaultdict(int))

    def note(self, key: bytes, kind: str) -> None:
        """Take note of a member of the record that is being read."""
        place = self._places.get(key)
        if place is not None and place < len(self._types):
            self._record[place] = kind

    def end_record(self, kind: str) -> None:
        """The record has ended, and is of that type."""
        for place, of_member in self._record.items():
            self._types[place][of_member] += 1
        self._record.clear()
        self._record_types[kind] += 1

    def drop_record(self) -> None:
        """Forget the record that is being read."""
        self._record.clear()

    def count(self, name: str, kind: str, records: int) -> None:
        """So many records have a member of that type, whose name is known."""
        place = self._places.get(key_of(name))
        if place is not None and place < len(self._types):
            self._types[place][kind] += records

    def count_records(self, kind: str, records: int) -> None:
        """So many records are of that type."""
        self._record_types[kind] += records

    @property
    def named(self) -> tuple[Column, ...]:
        """The first columns."""
        return tuple(
            Column(name=name, types=_in_order(types)) for name, types in zip(self._names, self._types, strict=True)
        )

    @property
    def record_types(self) -> Mapping[str, int]:
        """How many records there are of each type."""
        return _in_order(self._record_types)

    @property
    def count_of_names(self) -> int | None:
        """How many columns there are; None if more than are remembered."""
        return None if self.beyond else len(self._places)


def _in_order(types: Mapping[str, int]) -> Mapping[str, int]:
    return {name: types[name] for name in JSON_TYPES if types.get(name)}
