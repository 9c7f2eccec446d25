"""The embedded AWS for development: MiniStack, started on the loopback interface, stopped with whoever needs it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from botocore.utils import is_valid_endpoint_url, is_valid_ipv6_endpoint_url

from infra.stages import ROOT, UsageError

LOCAL = "local"
HOST = "127.0.0.1"
RUNNING = ROOT / ".local" / "endpoint"
START_SECONDS = 60
STOP_SECONDS = 10
NEEDED_BYTES = 700 << 20
"""What the zip is made in, and the functions are unpacked to: 581 MB in the temporary folder at most by `make demo`."""
CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}
ENFORCING: Mapping[str, str] = {"AUTH": "true"}


def answers(endpoint: str) -> bool:
    """Whether something speaks HTTP at the endpoint; any answer will do."""
    try:
        urllib.request.urlopen(endpoint, timeout=5).close()  # noqa: S310 (the user's own endpoint)
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError, HTTPException):  # the last: it listens, and speaks something else
        return False
    return True


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def embedded_aws(port: int | None = None, *, enforcing: bool = False) -> Iterator[str]:
    """Run MiniStack for the length of the block; its endpoint. Raises UsageError if it cannot start or has no room.

    `enforcing` lets each function do only what its policy allows. It then refuses credentials that it does not know,
    as those of your own account that may be in the environment.
    """
    if port and _is_taken(port):
        raise UsageError(f"Port {port} is busy: choose another with PORT=…, or leave it out for a free one.")
    port = port or free_port()
    if (free := shutil.disk_usage(tempfile.gettempdir()).free) < NEEDED_BYTES:
        raise UsageError(
            f"The embedded AWS needs {NEEDED_BYTES >> 20} MB for its functions, and {tempfile.gettempdir()} has "
            f"{free >> 20} MB: make room there, or set TMPDIR to a folder that has it."
        )
    folder = Path(tempfile.mkdtemp(prefix="recibo-aws-"))
    log = folder / "ministack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).with_name("emulator.py"))],
            env={**_environment(port, folder), **(ENFORCING if enforcing else {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is ours to handle; its Lambda workers are stopped with it
        )
    try:
        endpoint = f"http://{HOST}:{port}"
        _wait_until_ready(process, endpoint, log)
        yield endpoint
    finally:
        _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(port: int, folder: Path) -> dict[str, str]:
    """A clean one: MiniStack hands it on to every Lambda worker."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "PYTHONDONTWRITEBYTECODE": "1",
        **CREDENTIALS,
    }


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _wait_until_ready(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(f"{endpoint}/_localstack/health"):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-2000:]
            raise UsageError(f"The embedded AWS did not start on port {endpoint.rpartition(':')[2]}:\n{tail}")
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop MiniStack and every worker it started: all are of its session."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def running_endpoint() -> str | None:
    """The endpoint of the `make run` of this clone, if one is running."""
    try:
        endpoint = RUNNING.read_text().strip()
    except FileNotFoundError:
        return None
    return endpoint if answers(endpoint) else None


@contextmanager
def announced(endpoint: str) -> Iterator[None]:
    """Let the command line find the endpoint for the length of the block."""
    RUNNING.parent.mkdir(exist_ok=True)
    RUNNING.write_text(endpoint)
    try:
        yield
    finally:
        if RUNNING.exists() and RUNNING.read_text() == endpoint:  # a later one may have taken its place
            RUNNING.unlink()


def endpoint_for(stage: str, given: str | None) -> str | None:
    """Where a stage's AWS is: what is given, else AWS_ENDPOINT_URL, else, for `local`, a running `make run`.

    None is AWS itself, which the stage `local` is never taken for. Raises UsageError where nothing answers.
    """
    known = os.environ.get("AWS_ENDPOINT_URL") or (running_endpoint() if stage == LOCAL else None)
    endpoint = known if given is None else given
    if endpoint is None and stage == LOCAL:
        raise UsageError(
            "No AWS is running for the stage local: start one with `make run` in another terminal, "
            "or set AWS_ENDPOINT_URL."
        )
    if endpoint is not None and not _is_url(endpoint):
        is_bare = "://" not in endpoint and _is_url(f"http://{endpoint}")
        right = f"http://{endpoint}" if is_bare else f"http://{HOST}:4566"
        raise UsageError(f"{endpoint!r} is no endpoint: write it as a URL, as in {right}.")
    if endpoint and not answers(endpoint):
        raise UsageError(f"Nothing answers over HTTP at {endpoint}: start it, or give another endpoint.")
    if endpoint:
        for name, value in CREDENTIALS.items():
            os.environ.setdefault(name, value)
    return endpoint


def _is_url(endpoint: str) -> bool:
    """Whether boto3 takes it: of http or https, with the name of a host, and with a port that there can be."""
    try:
        parts = urlsplit(endpoint)
        is_host = is_valid_endpoint_url(endpoint) or is_valid_ipv6_endpoint_url(endpoint)
        return bool(is_host) and parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:  # a port that is none, brackets that do not close
        return False
