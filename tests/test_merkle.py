"""Merkle trees beside an independent reading of RFC 9162, section 2.1, and the test vectors of RFC 6962's authors."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.merkle import path, root

# The leaves and roots of certificate-transparency's own tests (trees of one to eight leaves).
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

TREES = st.lists(st.binary(max_size=40), min_size=1, max_size=70)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) word for word."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    k = split(len(leaves))
    return sha256(b"\1" + naive_root(leaves[:k]) + naive_root(leaves[k:]))


def naive_path(leaves: list[bytes], m: int) -> list[bytes]:
    """PATH(m, D[n]) word for word."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*naive_path(leaves[:k], m), naive_root(leaves[k:])]
    return [*naive_path(leaves[k:], m - k), naive_root(leaves[:k])]


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    return max(1 << power for power in range(n.bit_length()) if 1 << power < n)


def is_proven(data: bytes, index: int, leaves: list[bytes], beside: list[bytes]) -> bool:
    """Whether the path leads from a leaf to the root of the leaves: section 2.1.3.2 word for word."""
    fn, sn, r = index, len(leaves) - 1, sha256(b"\0" + data)
    for p in beside:
        if sn == 0:
            return False
        if fn % 2 or fn == sn:
            r = sha256(b"\1" + p + r)
            while fn and not fn % 2:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\1" + r + p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root(leaves)


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert root([]).hex() == EMPTY


@given(TREES)
def test_roots_and_paths_are_the_rfcs(leaves: list[bytes]) -> None:
    assert root(leaves) == naive_root(leaves)
    for index in range(len(leaves)):
        assert path(leaves, index) == naive_path(leaves, index)


@given(TREES)
def test_every_leaf_is_proven_by_its_path(leaves: list[bytes]) -> None:
    for index, data in enumerate(leaves):
        assert is_proven(data, index, leaves, path(leaves, index))


@given(TREES, st.data(), st.binary(max_size=40))
def test_no_other_leaf_is_proven_by_a_path(leaves: list[bytes], data: st.DataObject, other: bytes) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert is_proven(other, index, leaves, path(leaves, index)) == (other == leaves[index])


@given(TREES.filter(lambda leaves: len(leaves) > 1), st.data())
def test_no_altered_path_proves_anything(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    beside = path(leaves, index)
    place, bit = data.draw(st.integers(0, len(beside) - 1)), data.draw(st.integers(0, 255))
    flipped = int.from_bytes(beside[place], "big") ^ (1 << bit)
    beside[place] = flipped.to_bytes(32, "big")
    assert not is_proven(leaves[index], index, leaves, beside)


@given(TREES, st.data(), st.lists(st.binary(min_size=32, max_size=32), max_size=9))
def test_no_longer_or_shorter_path_proves_anything(leaves: list[bytes], data: st.DataObject, more: list[bytes]) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    beside = path(leaves, index)
    kept = data.draw(st.integers(0, len(beside)))
    wrong = [*beside[:kept], *more]
    assert is_proven(leaves[index], index, leaves, wrong) == (wrong == beside)


@pytest.mark.parametrize("index", [-1, 3, 99])
def test_a_leaf_that_is_not_there_has_no_path(index: int) -> None:
    with pytest.raises(IndexError, match="there is no leaf"):
        path(LEAVES[:3], index)


@given(st.lists(st.binary(max_size=8), unique=True, min_size=2, max_size=20))
def test_the_order_of_leaves_is_part_of_the_root(leaves: list[bytes]) -> None:
    assert root(leaves) != root(list(reversed(leaves)))
