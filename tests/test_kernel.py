"""The kernel that is in the repository is the one that its sources make."""

from __future__ import annotations

import subprocess
import sys

import pytest

from infra.stages import ROOT
from kernel import build


def test_what_is_run_was_compiled_from_these_sources() -> None:
    """Else `make kernel` was forgotten."""
    assert build.NOTE.read_text() == build.note_of(build.BUILT.read_bytes())


@pytest.mark.skipif(sys.platform != "linux", reason="only there are addresses limited")
def test_it_runs_where_a_process_may_have_few_addresses() -> None:
    """As on machines that many share: `ulimit -v`, here half a GiB."""
    code = "from chalicelib.inspection.kernel import Kernel; Kernel(), Kernel()"
    command = ["/bin/sh", "-c", f'ulimit -v 524288; exec "{sys.executable}" -c "{code}"']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
