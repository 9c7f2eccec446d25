"""The whole flow on one machine: an AWS, the deployment, the samples and their receipts."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from chalicelib.access import Scope, number_of
from chalicelib.aws.tokens import DynamoTokens
from cli.reading import arrivals, print_arrivals
from cli.surroundings import Surroundings
from cli.token import made
from cli.uploading import await_receipt, upload_file
from cli.views import console, receipts
from infra.deploy import deploy
from infra.stages import UsageError
from local.embedded import CREDENTIALS, LOCAL, announced, answers, embedded_aws
from local.samples import Sample, samples
from local.serving import link_of, linked, serving

RECEIPT_SECONDS = 120
"""For the receipts of all samples together."""


def demo(port: int | None) -> int:
    """Run the flow once: 0 if every sample has the receipt that is declared of it, else 1."""
    with _aws(port) as endpoint:
        return _show_samples(_deployed(endpoint))


def run(port: int | None, api_port: int = 0) -> int:
    """Run the flow and serve the API, then stay up for the user's own files until Ctrl-C."""
    with _aws(port) as endpoint, announced(endpoint):
        surroundings = _deployed(endpoint)
        with serving(surroundings.stage, endpoint, api_port) as address:
            return _stay_up(surroundings, address)


def _stay_up(surroundings: Surroundings, address: str) -> int:
    _show_samples(surroundings)
    _say_how_to_upload(surroundings)
    token = _own_token(surroundings)
    _say_how_to_ask(address, token)
    with contextlib.suppress(KeyboardInterrupt), linked(address, token):
        print_arrivals(arrivals(surroundings, datetime.now(UTC)))
    console().print("\nStopping …")
    return 0


def serve(stage: str, port: int = 0) -> int:
    """Serve the dashboard and the API of a stage that is deployed to the emulator in use, until Ctrl-C."""
    surroundings = Surroundings.find(stage, None)
    if surroundings.endpoint is None:
        raise UsageError("On AWS the dashboard is served by API Gateway: `python recibo.py open` says where.")
    with serving(surroundings.stage, surroundings.endpoint, port) as address:
        token = _own_token(surroundings)
        _say(f"The dashboard: {link_of(address, token)}\nCtrl-C stops it.")
        with contextlib.suppress(KeyboardInterrupt), linked(address, token):
            signal.pause()
    return 0


def aws(port: int | None) -> int:
    """Only the embedded AWS, empty, until Ctrl-C: to deploy to and to look around by hand."""
    with _embedded(port) as endpoint, announced(endpoint), contextlib.suppress(KeyboardInterrupt):
        _say(f"In another terminal:\n\n{_exports(endpoint)}\n\nCtrl-C stops it; it keeps nothing.")
        signal.pause()
    return 0


@contextlib.contextmanager
def _aws(port: int | None) -> Iterator[str]:
    """The AWS at AWS_ENDPOINT_URL if it answers, else the embedded one."""
    given = os.environ.get("AWS_ENDPOINT_URL")
    if given and answers(given):
        _say(f"Using the AWS that answers at {given}.")
        yield given
        return
    if given:
        _say(f"Nothing answers at AWS_ENDPOINT_URL ({given}): the embedded AWS is used instead.")
    with _embedded(port) as endpoint:
        _say(f"  It listens at {endpoint} and keeps nothing when it stops.")
        yield endpoint


@contextlib.contextmanager
def _embedded(port: int | None) -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        with _step("Starting the embedded AWS"):
            endpoint = stack.enter_context(embedded_aws(port))
        yield endpoint


def _deployed(endpoint: str) -> Surroundings:
    _say("Deploying the stage local with CloudFormation and chalice-local …")
    surroundings = Surroundings.find(LOCAL, endpoint)
    deploy(LOCAL, endpoint=endpoint, say=lambda line: _say(f"  {line}"))
    return surroundings


def _show_samples(surroundings: Surroundings) -> int:
    declared = samples()
    with _step(f"Uploading {len(declared)} samples and waiting for their receipts"):
        found = _receipts_of(surroundings, declared)
    shown = [receipt for receipt in found.values() if receipt]
    _out().print()
    _out().print(receipts(shown, title="Receipts"))
    differences = [line for sample in declared for line in sample.differences(found[sample.key])]
    for line in differences:
        _say(line)
    if not differences:
        _say(f"\nAll {len(declared)} receipts are as declared in samples/expected.json.")
    return 1 if differences else 0


def _receipts_of(surroundings: Surroundings, declared: list[Sample]) -> dict[str, dict[str, Any] | None]:
    uploads = {sample.key: upload_file(surroundings, str(sample.path), sample.key) for sample in declared}
    deadline = time.monotonic() + RECEIPT_SECONDS
    return {
        key: await_receipt(surroundings, upload, max(0.0, deadline - time.monotonic()))
        for key, upload in uploads.items()
    }


def _exports(endpoint: str | None) -> str:
    """What a shell must know to talk to the emulator."""
    variables = " ".join(f"{name}={value}" for name, value in CREDENTIALS.items())
    return f"  export AWS_ENDPOINT_URL={endpoint} {variables}"


def _say_how_to_upload(surroundings: Surroundings) -> None:
    bucket, endpoint = surroundings.stage.bucket, surroundings.endpoint
    _say(
        f"""
Upload a file of yours, in another terminal, in any of three ways:

  python recibo.py put FILE

{_exports(endpoint)}
  .venv/bin/aws --endpoint-url {endpoint} s3 cp FILE s3://{bucket}/

  .venv/bin/python -c 'import boto3
  boto3.client("s3", endpoint_url="{endpoint}").upload_file("FILE", "{bucket}", "FILE")'

See what became of it: python recibo.py ls, python recibo.py show KEY.
"""
    )


def _own_token(surroundings: Surroundings) -> str:
    """A new token for whoever started this; an earlier one ends."""
    tokens = DynamoTokens(surroundings.client("dynamodb"), surroundings.stage.table)
    if earlier := tokens.get(number_of(LOCAL)):
        tokens.revoke(earlier._replace(revoked_at=datetime.now(UTC)))
    return made(surroundings, LOCAL, [str(scope) for scope in Scope])


def _say_how_to_ask(address: str, token: str) -> None:
    _say(
        f"""Or ask the API (docs/api.md), with the token of this run:

  curl -H 'Authorization: Bearer {token}' {address}/api/receipts

Or drop it on the dashboard:

  {link_of(address, token)}

Receipts appear here as they are made; Ctrl-C stops everything.
"""
    )


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    began = time.monotonic()
    _say(f"{name} …")
    yield
    _say(f"  done in {time.monotonic() - began:.1f} s")


def _say(line: str) -> None:
    _out().print(line, markup=False)


def _out() -> Console:
    return console()
