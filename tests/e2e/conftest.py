"""A running AWS for the end-to-end tests: the embedded one, LocalStack where it can be started, or the one given."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.access import Scope
from cli.opening import gateway_link
from cli.surroundings import Surroundings
from cli.token import made
from infra.deploy import deploy
from infra.stages import ROOT
from local.embedded import CREDENTIALS, answers, embedded_aws, free_port
from tests.e2e.staging import staged

LOCALSTACK = ROOT.parent / "shared" / "localstack" / "start"
ATOMIC = Path(__file__).with_name("localstack")  # its sitecustomize makes conditional writes atomic
SERVER_SECONDS = 60
LOCALSTACK_SECONDS = 600  # its first start installs it
FAULTY = "faulty"
GIVEN = os.environ.get("AWS_ENDPOINT_URL", "")

# Appended to the app of the stage `faulty`: what an inspection does to its function, by the key's first segment.
FAULTS = """

def _make_faulty() -> None:
    import os

    from chalicelib.intake import Intake

    take = Intake.take

    def faulty(self, entry, **more):
        if entry.source == "raise":
            raise RuntimeError("this inspection always raises")
        if entry.source == "exit":
            os._exit(1)
        return take(self, entry, **more)

    Intake.take = faulty


_make_faulty()
"""


def emulators() -> list[str]:
    """Which AWS to test on: the one at AWS_ENDPOINT_URL if it answers, else all that can be started here."""
    if GIVEN and answers(GIVEN):
        return ["given"]
    return ["embedded", "localstack"] if LOCALSTACK.exists() else ["embedded"]


@pytest.fixture(scope="session", params=emulators())
def emulator(request: pytest.FixtureRequest) -> str:
    """The name of the AWS under test."""
    return str(request.param)


@pytest.fixture(scope="session")
def endpoint(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the AWS under test listens."""
    run = tmp_path_factory.getbasetemp().parent  # all workers'
    (run / f"{emulator} of {os.environ.get('PYTEST_XDIST_WORKER')}").touch()
    assert len(list(run.glob(f"{emulator} of *"))) == 1, "two workers test on one emulator: see tests/conftest.py"
    with contextlib.ExitStack() as stack:
        if emulator == "given":
            yield GIVEN
        elif emulator == "embedded":
            yield stack.enter_context(embedded_aws(enforcing=True))
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="localstack-", ignore_cleanup_errors=True))
            yield stack.enter_context(_localstack(Path(folder)))


@contextlib.contextmanager
def _localstack(folder: Path) -> Iterator[str]:
    """Run it; all that it keeps is in the folder."""
    port, log = free_port(), folder / "log"
    environment = {
        **os.environ,
        "PORT": str(port),
        "TMPDIR": str(folder),
        "LAMBDA_RETRY_BASE_DELAY": "1",
        "PYTHONPATH": str(ATOMIC),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(LOCALSTACK)], env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        url = f"http://localhost:{port}"
        deadline = time.monotonic() + LOCALSTACK_SECONDS
        while not answers(f"{url}/_localstack/health"):
            assert process.poll() is None, f"LocalStack stopped:\n{log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"LocalStack is not ready:\n{log.read_text()[-3000:]}"
            time.sleep(0.5)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):  # one that still works on, or hangs
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project to deploy from, so that a test never touches what the clone has deployed."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("app.py", "requirements.txt", "requirements.lock"):
        shutil.copy(ROOT / name, copy)
    for name in ("chalicelib", "infra"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".chalice", copy / ".chalice", ignore=shutil.ignore_patterns("deployed", "deployments"))
    return copy


@pytest.fixture(scope="session")
def aws(endpoint: str, project: Path) -> Surroundings:
    """The stage `local`, deployed."""
    os.environ.update(CREDENTIALS)
    deploy("local", project, endpoint, say=_say)
    return Surroundings.find("local", endpoint)


@pytest.fixture(scope="session")
def faulty_aws(endpoint: str) -> Iterator[Surroundings]:
    """A stage beside it whose inspections raise or die, by the key."""
    with staged(FAULTY, endpoint, faults=FAULTS) as made:
        yield made.aws


@pytest.fixture(scope="session")
def link(aws: Surroundings, emulator: str) -> Iterator[str]:
    """The dashboard's address with a token: as `make run` serves it, and through LocalStack's API Gateway."""
    if emulator == "localstack":
        token = made(aws, "browser", [str(scope) for scope in Scope])
        yield f"{gateway_link(aws)}?token={token}"
        return
    with _served(str(aws.endpoint)) as address:
        yield address


@contextlib.contextmanager
def _served(endpoint: str) -> Iterator[str]:
    command = [sys.executable, "-u", "-m", "local", "serve"]
    environment = {**os.environ, "AWS_ENDPOINT_URL": endpoint}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = (re.search(r"http://\S+token=\S+", line) for line in process.stdout)
            yield next(match[0] for match in found if match)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(SERVER_SECONDS)


def _say(line: str) -> None:
    print(line, file=sys.stderr)
