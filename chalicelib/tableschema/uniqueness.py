"""Which values were there before, exactly, until the memory for them is used up."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable

_BYTES_EACH = 144
"""What a value takes at most: an integer of 128 bits, and its place in a set that is growing, beside the old one."""
_HASH_BYTES = 16


class Uniqueness:
    """Remembers keys within a budget of bytes, as hashes of 128 bits. That is exact enough: of a thousand million keys
    two have the same hash once in 10^20 files, and to find two on purpose takes some 2^64 tries.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.room = budget_bytes // _BYTES_EACH
        """How many more keys there is room for."""
        self._seen: dict[int, set[int]] = {}

    def seen(self, rule_index: int, key: Hashable) -> bool | None:
        """Whether the rule has had the key before; None if that is not known, for there was no room to remember."""
        seen = self._seen.setdefault(rule_index, set())
        known = _hash(key)
        if known in seen:
            return True
        if not self.room:
            return None
        self.room -= 1
        seen.add(known)
        return False


def _hash(key: Hashable) -> int:
    digest = hashlib.blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES)
    return int.from_bytes(digest.digest())
