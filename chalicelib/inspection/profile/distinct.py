"""How many different values there are: exactly while they are few, then an estimate from the least of their hashes."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b
from heapq import nsmallest

_LEAST = 1_024
"""So many hashes are kept: the estimate is off by 3 % as a rule (one over its root), and rarely by 10 %."""
_HASH_BYTES = 8
_HASHES = 1 << 8 * _HASH_BYTES
_DIGITS = 3
"""As many digits of an estimate mean anything."""


class Distinct:
    """Different texts. In which order and how often they come means nothing."""

    def __init__(self, kept: int) -> None:
        self._kept = max(kept, _LEAST)
        self._texts: set[str] | None = set()
        self._least: set[int] = set()

    def add(self, texts: Collection[str]) -> None:
        """Add texts."""
        if self._texts is None:
            self._add_hashes(texts)
            return
        self._texts.update(texts)
        if len(self._texts) > self._kept:
            self._add_hashes(self._texts)
            self._texts = None

    def _add_hashes(self, texts: Collection[str]) -> None:
        hashes = {
            int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest())
            for text in texts
        }
        self._least = set(nsmallest(_LEAST, self._least | hashes))

    @property
    def is_exact(self) -> bool:
        """Whether all of them are kept."""
        return self._texts is not None

    def among(self, cells: int) -> int:
        """How many there are among so many cells; an estimate is rounded, and never more than there are cells."""
        if self._texts is not None:
            return len(self._texts)
        estimate = (_LEAST - 1) * _HASHES // max(self._least)
        rounded = round(estimate, _DIGITS - len(str(estimate)))
        return min(max(rounded, self._kept + 1), cells)
