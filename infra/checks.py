"""What is looked at before anything is deployed: each raises UsageError for what a person can mend."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.contracts import ContractError, load
from chalicelib.inspection.checking import refused_checks
from infra.stages import UsageError
from infra.target import Target


def check_contracts(target: Target) -> None:
    """Every contract can be read and its checks are accepted by the engine."""
    try:
        found = load(target.project / "chalicelib" / "contracts")
        refused = list(refused_checks({contract.name: contract for contract in found.all}))
        if refused:
            raise ContractError(*refused)
    except ContractError as error:
        raise UsageError(f"The contracts are not right: {error}") from error


CHECKS: Sequence[Callable[[Target], None]] = (check_contracts,)
