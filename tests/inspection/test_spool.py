"""A stream on disk: its last bytes are kept as they were, and nothing of it stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection.spool import Spool
from tests.inspection.strategies import cut


@given(st.binary(max_size=60), st.integers(1, 40), st.integers(1, 70), st.integers(0, 60), st.integers(0, 60))
def test_what_is_kept_is_the_end_of_the_stream_however_it_came(
    content: bytes, size: int, limit: int, offset: int, length: int
) -> None:
    with Spool(limit) as spool:
        for block in cut(content, size):
            spool.write(block)
        assert (spool.size, spool.is_whole) == (len(content), len(content) <= limit)
        if max(len(content) - limit, 0) <= offset <= offset + length <= len(content):
            assert spool.read(offset, length) == content[offset : offset + length]
            assert b"".join(spool.pieces(offset, length)) == content[offset : offset + length]
        else:
            with pytest.raises(ValueError, match="not kept"):
                spool.read(offset, length)


def test_no_file_has_a_name_while_it_is_used_and_its_descriptor_is_closed_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Spool(100) as spool:
        spool.write(b"abc")
        assert list(tmp_path.iterdir()) == []
        descriptor = spool.descriptor
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
