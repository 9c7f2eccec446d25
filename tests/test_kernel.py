"""The kernel that is in the repository is the one that its sources make."""

from __future__ import annotations

from kernel import build


def test_what_is_run_was_compiled_from_these_sources() -> None:
    """Else `make kernel` was forgotten."""
    assert build.NOTE.read_text() == build.note_of(build.BUILT.read_bytes())
