"""Loads what only some files need with the first of them: a cold start does not wait for it."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def loaded(place: str) -> Any:
    """What `module:name` of this package is."""
    module, _, name = place.partition(":")
    return getattr(import_module(f"{__package__}.{module}"), name)
