"""`python -m local run|demo|serve|aws|localstack|logs`: what make runs."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.functions import script
from infra.stages import ROOT, UsageError
from local.embedded import LOCAL, endpoint_for
from local.flow import aws, demo, run, serve

COMPOSE = Path(__file__).with_name("docker-compose.yml")
INTERRUPTED = 130


def localstack(port: int | None) -> int:
    """Start the pinned LocalStack where Docker is, in the foreground; say what to do where it is not."""
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        raise UsageError(
            "LocalStack needs Docker, and no Docker engine answers here. Install and start Docker, or use the "
            "embedded AWS, which needs nothing: make run."
        )
    command = ["docker", "compose", "--file", str(COMPOSE), "up"]
    print(f"LocalStack will listen at http://127.0.0.1:{port or 4566}; then: AWS_ENDPOINT_URL=… make run", flush=True)
    return subprocess.run(command, env={**os.environ, "PORT": str(port or 4566)}, check=False).returncode


def logs(stage: str) -> int:
    """Follow the log of the function that inspects, until Ctrl-C."""
    endpoint = endpoint_for(stage, None)
    command = [script("chalice-local" if endpoint else "chalice"), "logs", "--stage", stage, "--name", "inspect"]
    environment = {**os.environ, **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})}
    return subprocess.run([*command, "--follow"], cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    """Run one of the commands; exit 2 with one sentence for what a person can mend."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = {"demo": demo, "aws": aws, "localstack": localstack}
    parser.add_argument("command", choices=["run", *commands, "logs", "serve"])
    parser.add_argument("--stage", default=LOCAL, help="of `logs` and `serve` (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, help="where the AWS listens on the loopback interface (default: a free one)"
    )
    parser.add_argument(
        "--api-port", type=int, default=0, help="where `run` and `serve` serve the API (default: a free port)"
    )
    arguments = parser.parse_args()
    for ending in (signal.SIGTERM, signal.SIGHUP):  # a supervisor, a closed terminal: as clean an end as Ctrl-C
        signal.signal(ending, _interrupt)
    commands["run"] = lambda port: run(port, arguments.api_port)
    commands["logs"] = lambda port: logs(arguments.stage)  # noqa: ARG005 - the AWS in use is found
    commands["serve"] = lambda port: serve(arguments.stage, arguments.api_port)  # noqa: ARG005 - the same
    try:
        return commands[arguments.command](arguments.port)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (UsageError, BotoCoreError, ClientError) as error:
        print(f"recibo: {error}", file=sys.stderr)
        return 2


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
