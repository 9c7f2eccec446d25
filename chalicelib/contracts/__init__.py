"""Contracts: what the files of a key must be like. Their JSON files stand in this folder. Pure."""

from chalicelib.contracts.contract import Contract
from chalicelib.contracts.loading import Contracts, load
from chalicelib.contracts.mistakes import ContractError, Mistake

__all__ = ["Contract", "ContractError", "Contracts", "Mistake", "load"]
