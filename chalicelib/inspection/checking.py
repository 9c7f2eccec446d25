"""Whether the checks of contracts can be evaluated: only the engine can tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalicelib.contracts import Contract, ContractError, Mistake
from chalicelib.contracts.loading import checked


def judged(texts: Mapping[str, str]) -> tuple[dict[str, Contract], list[Mistake]]:
    """The contracts among some texts by the names of their files, and every mistake, those in their checks included."""
    contracts, mistakes = checked(texts)
    return contracts, [*mistakes, *refused_checks(contracts)]


def right(texts: Mapping[str, str]) -> dict[str, Contract]:
    """The contracts among some texts by the names of their files; raises ContractError, with every mistake, if any."""
    contracts, mistakes = judged(texts)
    if mistakes:
        raise ContractError(*mistakes)
    return contracts


def refused_checks(contracts: Mapping[str, Contract]) -> Iterator[Mistake]:
    """The mistakes in the checks of some contracts, by the names of their files."""
    for name, contract in contracts.items():
        if contract.checks and contract.schema:
            from chalicelib.inspection.sql import mistakes  # noqa: PLC0415 - few contracts have checks

            for check, reason in mistakes(contract.checks, contract.schema.fields):
                yield Mistake(file=name, place=f"checks.{check}", reason=reason)
