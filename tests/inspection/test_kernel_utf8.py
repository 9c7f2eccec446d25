"""UTF-8 as the kernel judges it: Python's codec says the same of every text."""

from __future__ import annotations

import codecs
import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.inspection.kernel import Kernel, KernelUtf8

PIECES = st.one_of(
    st.text(min_size=1, max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"a" * 60, b"a" * 13, "é".encode() * 9, "€".encode() * 5, "😀".encode() * 4]),
    st.binary(min_size=1, max_size=3),
)
EDGES = bytes.fromhex("00 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 ed ef f0 f4 f5 ff")
"""The first and the last bytes of the ranges that RFC 3629's grammar has."""
PLACES = (0, 14, 15, 61, 62, 63)
"""Where what follows is cut by the edges of what is looked at together: 16 bytes, and 64."""


@pytest.fixture(scope="module")
def kernel() -> KernelUtf8:
    return KernelUtf8(Kernel())


def expected(text: bytes) -> int:
    """Where the last whole character ends, if all are valid, and what may be one goes on behind the text."""
    try:
        return codecs.utf_8_decode(text, "strict", False)[1]
    except UnicodeDecodeError:
        return 0


@given(st.lists(PIECES, max_size=12).map(b"".join))
@example(b"a" * 63 + b"\xc3")
@example(b"a" * 127 + b"\xf0\x9f\x98")
def test_text_is_valid_up_to_where_python_says_so(kernel: KernelUtf8, text: bytes) -> None:
    """But that what cannot be a character is told when it ends: Python tells of some as soon as they begin."""
    found = kernel.valid_end(text)
    if found != expected(text):
        assert expected(text) == 0
        assert expected(text[:found]) == found
        assert len(text) - found < 4


@pytest.mark.parametrize("place", PLACES)
def test_every_pair_of_bytes_is_judged_wherever_it_stands(kernel: KernelUtf8, place: int) -> None:
    pairs = (bytes(pair) for pair in itertools.product(range(256), repeat=2))
    texts = (b"a" * place + pair + b"aaa" for pair in pairs)
    assert not [text for text in texts if kernel.valid_end(text) != expected(text)]


@pytest.mark.parametrize("place", PLACES)
def test_four_bytes_at_the_edges_of_their_ranges_are_judged_wherever_they_stand(kernel: KernelUtf8, place: int) -> None:
    fours = (bytes(four) for four in itertools.product(EDGES[8:], EDGES, EDGES[1:-4], EDGES[1:-4]))
    texts = (b"a" * place + four + b"aaa" for four in fours)
    assert not [text for text in texts if kernel.valid_end(text) != expected(text)]


def test_a_text_longer_than_the_kernels_memory_is_left_to_others(kernel: KernelUtf8) -> None:
    assert kernel.valid_end(b"a" * (Kernel().text_bytes + 1)) == 0


def test_a_text_as_long_as_the_kernels_memory_is_judged_to_its_end(kernel: KernelUtf8) -> None:
    size = Kernel().text_bytes
    assert kernel.valid_end(b"a" * (size - 2) + "é".encode()) == size
    assert kernel.valid_end(b"a" * (size - 1) + b"\xe9") == size - 1
    assert kernel.valid_end(b"a" * (size - 1) + b"\xa9") == 0
