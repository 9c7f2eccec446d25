"""The contracts that stand beside this module: read once, checked as a set, and chosen by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from chalicelib.contracts.contract import Contract
from chalicelib.contracts.mistakes import ContractError, Mistake

FOLDER = Path(__file__).parent
"""Where the deployed contracts are."""


@dataclass(frozen=True, slots=True)
class Contracts:
    """Contracts of which no key has two that are as good for it."""

    all: tuple[Contract, ...] = ()

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Contracts:
        """The set of some texts by the names of their files; raises ContractError with all that is wrong in any."""
        contracts, mistakes = checked(texts)
        if mistakes:
            raise ContractError(*mistakes)
        return cls(tuple(contracts.values()))

    def choose(self, key: str) -> Contract | None:
        """The contract for a key: of those that match, the one with the longest literal prefix."""
        matching = (contract for contract in self.all if contract.match.matches(key))
        return max(matching, key=lambda contract: len(contract.match.literal_prefix), default=None)


def checked(texts: Mapping[str, str]) -> tuple[dict[str, Contract], list[Mistake]]:
    """The contracts among some texts by the names of their files, and every mistake in one or between two."""
    contracts: dict[str, Contract] = {}
    mistakes: list[Mistake] = []
    for name, text in texts.items():
        try:
            contracts[name] = Contract.of(text)
        except ContractError as error:
            mistakes += (replace(mistake, file=name) for mistake in error.mistakes)
    for (first, one), (second, two) in combinations(contracts.items(), 2):
        mistakes += (Mistake(file=second, place=place, reason=reason) for place, reason in _clashes(first, one, two))
    return contracts, mistakes


def _clashes(first: str, one: Contract, two: Contract) -> Iterator[tuple[str, str]]:
    """What keeps a contract from standing beside the first: its name, or keys for which there would be a tie."""
    if one.name == two.name:
        yield "name", f'"{two.name}" is the name of {first} already'
    if one.match.literal_prefix == two.match.literal_prefix and one.match.meets(two.match):
        yield "match", f'some keys match both "{two.match.text}" and "{one.match.text}" of {first}, equally well'


def load(folder: Path = FOLDER) -> Contracts:
    """The contracts of a folder; raises ContractError if they are not right, each and together."""
    return Contracts.of(texts(folder))


def texts(folder: Path = FOLDER) -> dict[str, str]:
    """The texts of a folder's contracts by the names of their files."""
    return {path.name: text_of(path) for path in sorted(folder.glob("*.json"))}


def text_of(path: Path) -> str:
    """A contract's text; raises ContractError if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContractError(Mistake(file=path.name, reason=f"is not UTF-8, at byte {error.start:,}")) from None
