"""What is wrong with a contract, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong in a contract, and where: `schema.fields[2].type`, or line and column of what is no JSON."""

    file: str = ""
    place: str = ""
    reason: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.file, self.place, self.reason)))


class ContractError(ValueError):
    """A contract, or a set of them, that is refused; it has every mistake that was found."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("; ".join(map(str, mistakes)))
        self.mistakes = mistakes


def unknown(word: str, known: Iterable[str], *, kind: str = "keyword") -> str:
    """The reason for a word that is not known, with the nearest that is."""
    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1) or [name for name in choices if name.lower() == word.lower()]
    hint = f'; did you mean "{near[0]}"?' if near else f"; known are {', '.join(choices)}"
    return f'there is no {kind} "{word[:60]}"{hint}'
