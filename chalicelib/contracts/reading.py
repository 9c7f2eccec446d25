"""Reads the JSON of a contract member by member, and collects every mistake with its place."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from chalicelib.contracts.mistakes import ContractError, Mistake, unknown
from chalicelib.tableschema.exact import json_number


class Members:
    """The members of one object of a contract, each read once; what is wrong is noted and read as absent."""

    def __init__(self, members: Mapping[str, Any], mistakes: list[Mistake], place: str = "") -> None:
        self._members = members
        self._mistakes = mistakes
        self._place = place
        self._known: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def known(self) -> frozenset[str]:
        """The names that were asked for."""
        return frozenset(self._known)

    def refuse(self, name: str, reason: str) -> None:
        """Note what is wrong with a member; no name stands for the object itself."""
        place = ".".join(filter(None, (self._place, name)))
        self._mistakes.append(Mistake(place=place, reason=reason))

    def text(self, name: str) -> str | None:
        """A text that is not empty."""
        found: str | None = self._typed(
            name, lambda value: isinstance(value, str) and value != "", "a text that is not empty"
        )
        return found

    def flag(self, name: str) -> bool | None:
        """True or false."""
        found: bool | None = self._typed(name, lambda value: isinstance(value, bool), "true or false")
        return found

    def count(self, name: str) -> int | None:
        """A whole number, 0 or more."""
        found: int | None = self._typed(
            name, lambda value: type(value) is int and value >= 0, "a whole number, 0 or more"
        )
        return found

    def share(self, name: str) -> float | None:
        """A number from 0 to 1."""
        found: float | None = self._typed(
            name, lambda value: type(value) in (int, float) and 0 <= value <= 1, "a number from 0 to 1"
        )
        return found

    def choice(self, name: str, choices: Collection[str], *, kind: str) -> str | None:
        """One of some words."""
        found = self.text(name)
        if found is None or found in choices:
            return found
        self.refuse(name, unknown(found, choices, kind=kind))
        return None

    def members(self, name: str) -> Members | None:
        """The members of an object within."""
        found = self.mapping(name)
        return None if found is None else Members(found, self._mistakes, ".".join(filter(None, (self._place, name))))

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """An object, taken as it is."""
        found: Mapping[str, Any] | None = self._typed(name, lambda value: isinstance(value, dict), "an object")
        return found

    def given(self, name: str) -> object:
        """A member of any kind."""
        return self._typed(name, lambda _: True, "")

    def names(self) -> Sequence[str]:
        """The names of all members."""
        return list(self._members)

    def end(self) -> None:
        """Refuse the members that nobody asked for."""
        for name in self._members.keys() - self._known:
            self.refuse(name, unknown(name, self._known))

    def _typed(self, name: str, is_right: Any, wanted: str) -> Any:
        self._known.add(name)
        if name not in self._members:
            return None
        if is_right(self._members[name]):
            return self._members[name]
        self.refuse(name, f"must be {wanted}")
        return None


def parsed(text: str) -> Any:
    """The value that a JSON text holds, strictly: no name twice in an object, no NaN. Raises ContractError."""
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_float=_number, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ContractError(Mistake(place=place, reason=f"this is not JSON: {error.msg}")) from None
    except RecursionError:
        raise ContractError(Mistake(reason="the JSON is nested too deep")) from None
    except UnicodeEncodeError:
        raise ContractError(Mistake(reason="a text has half of a surrogate pair")) from None
    except ValueError as error:
        raise ContractError(Mistake(reason=str(error))) from None
    return value


def _number(text: str) -> float | Decimal:
    """A float where that is the number: as a bound no digit is lost."""
    number, exact = float(text), json_number(text)
    return number if exact == Decimal(repr(number)) else exact


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'an object has the name "{twice[:60]}" twice')
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
