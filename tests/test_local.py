"""What the project starts on a machine, and what it says when it cannot."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from infra.stages import ROOT, UsageError
from local import embedded, flow
from local.embedded import answers, embedded_aws, free_port
from local.samples import FOLDER, samples


def processes_of(session: int) -> list[str]:
    """The living processes of a session."""
    listed = subprocess.run(["ps", "-eo", "sid=,pid="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split()[0] == str(session)]


def test_the_embedded_aws_answers_while_it_runs_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Spied(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Spied)
    with embedded_aws() as endpoint:
        assert answers(endpoint)
        assert endpoint.startswith("http://127.0.0.1:")
    assert not answers(endpoint)
    assert processes_of(started[0].pid) == []


def test_the_embedded_aws_listens_on_the_loopback_interface_only() -> None:
    with embedded_aws() as endpoint:
        port = int(endpoint.rpartition(":")[2])
        listeners = Path("/proc/net/tcp").read_text().splitlines()[1:]
        bound = {line.split()[1] for line in listeners if line.split()[1].endswith(f":{port:04X}")}
    assert bound == {f"0100007F:{port:04X}"}


def test_a_busy_port_gives_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} is busy"), embedded_aws(port):
            pass


def test_make_demo_on_a_busy_port_exits_2_without_a_traceback() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "local", "demo", "--port", str(taken.getsockname()[1])]
        environment = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is busy" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_room_for_its_functions_the_embedded_aws_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=60 << 20))
    with pytest.raises(UsageError, match=r"needs 700 MB for its functions, and /.* has 60 MB"), embedded_aws():
        pass


def test_an_embedded_aws_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_environment", lambda port, folder: {"PYTHONPATH": str(folder / str(port))})
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(UsageError, match="did not start"), embedded_aws():
        pass


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_it_the_embedded_aws_is_stopped_with_it(ending: signal.Signals) -> None:
    port = free_port()
    command = [sys.executable, "-u", "-m", "local", "aws", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert any("Ctrl-C stops it" in line for line in running.stdout)
        running.send_signal(ending)
    assert running.returncode == 0
    assert not answers(f"http://127.0.0.1:{port}")


def test_a_free_port_is_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))


def test_an_old_python_gives_one_sentence() -> None:
    code = "import sys, runpy; sys.version_info = (3, 10, 4); runpy.run_path('local/setup.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "3.11" in done.stderr


def test_localstack_without_docker_says_what_to_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local", "localstack"]
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "make run" in done.stderr


def test_every_sample_is_declared_and_every_declared_sample_exists() -> None:
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()} - {"expected.json"}
    assert files == {sample.key for sample in samples()}


def test_samples_without_receipts_are_waited_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "RECEIPT_SECONDS", 100)
    monkeypatch.setattr(flow, "upload_file", lambda _aws, _name, key: key)
    waited: list[float] = []

    def never(_: object, __: object, seconds: float) -> None:
        clock.now += seconds
        waited.append(seconds)

    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(flow, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(flow, "await_receipt", never)
    assert set(flow._receipts_of(cast(Any, None), samples()).values()) == {None}
    assert sum(waited) == 100


def test_the_demo_fails_where_a_receipt_differs_from_what_is_declared() -> None:
    sample = samples()[0]
    size = sample.path.stat().st_size
    right = {"status": sample.status, "cause": sample.cause, "finding_counts": dict.fromkeys(sample.findings, 1)}
    assert sample.differences({**right, "bytes": size}) == []
    assert sample.differences({**right, "bytes": size + 1})
    assert sample.differences({**right, "bytes": size, "status": "inspecting"})
    assert sample.differences(None)
