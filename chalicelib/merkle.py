"""Merkle trees as RFC 9162, section 2.1, defines them, with SHA-256. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence


def root(leaves: Sequence[bytes]) -> bytes:
    """The 32 bytes that stand for all of the leaves, in their order."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    # Level by level, an odd one out rising as it is, gives the RFC's tree: left halves are powers of two.
    level = [_leaf(data) for data in leaves]
    while len(level) > 1:
        level = list(_joined(level))
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """What proves that a leaf is in the tree: the hashes beside its way up to the root, the lowest first."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} among {len(leaves)}")
    beside = []
    level = [_leaf(data) for data in leaves]
    while len(level) > 1:
        if index ^ 1 < len(level):
            beside.append(level[index ^ 1])
        level, index = list(_joined(level)), index // 2
    return beside


def _joined(level: Sequence[bytes]) -> Iterator[bytes]:
    for place in range(0, len(level), 2):
        pair = level[place : place + 2]
        yield _node(*pair) if len(pair) == 2 else pair[0]


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
