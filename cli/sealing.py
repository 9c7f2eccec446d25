"""`seal`: has the function `seal` seal what there is, now and not when the hour is over."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any

import boto3
import click
from botocore.config import Config

from chalicelib.uploads import iso
from cli.options import aws_options, json_option, quiet_option
from cli.progress import waiting
from cli.surroundings import Surroundings, answering_as_aws
from cli.text import number, printable
from infra.stages import UsageError

FUNCTION_SECONDS = 900
REASON_SHOWN = 500
SEAL_HASH = re.compile(r"[0-9a-f]{64}")
HASH_SHOWN = 16


@click.command()
@click.option(
    "--adopt",
    metavar="SEAL_HASH",
    help="Go on from this last seal, though the anchor does not know it: it is yours, and older than anchor or key.",
)
@json_option
@quiet_option
@aws_options
def seal(surroundings: Surroundings, *, adopt: str | None, as_json: bool) -> None:
    """Seal all receipts there are, those of the hour that is not over included.

    Exit status: 0 if it is done, 2 if the function failed.
    """
    if adopt is not None and not SEAL_HASH.fullmatch(adopt):
        raise UsageError("--adopt takes the hash of the last seal: 64 digits from 0 to 9 and a to f.")
    made = _invoked(surroundings, adopt)
    for one in made:
        click.echo(json.dumps(one) if as_json else _line(one))
    if not made and not as_json:
        click.echo("Nothing to seal.")


def _invoked(surroundings: Surroundings, adopt: str | None) -> list[dict[str, Any]]:
    """What the function answers: the seals that it made."""
    client, name = _patient_client(surroundings), surroundings.stage.function("seal")
    event = json.dumps(_event(client.meta.region_name, adopt))
    with waiting(f"{name} is sealing"):
        answer = client.invoke(FunctionName=name, InvocationType="RequestResponse", Payload=event)
    payload = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer or not isinstance(payload, list):
        reason = payload.get("errorMessage") if isinstance(payload, dict) else payload
        raise UsageError(f"The function {name} failed: {printable(reason or 'it gave no reason')[:REASON_SHOWN]}.")
    return payload


def _patient_client(surroundings: Surroundings) -> Any:
    """One that waits for as long as a function may last, and never asks twice."""
    config = Config(read_timeout=FUNCTION_SECONDS + 10, retries={"total_max_attempts": 1}, tcp_keepalive=True)
    client = boto3.client("lambda", endpoint_url=surroundings.endpoint, config=config)
    return answering_as_aws(client, surroundings.endpoint)


def _event(region: str, adopt: str | None) -> dict[str, Any]:
    """A scheduled event, complete, as Chalice wants it; its detail asks for the open hour as well."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Seal",
        "source": "recibo.seal",
        "account": "",
        "time": iso(datetime.now(UTC)),
        "region": region,
        "resources": [],
        "detail": {"early": True} | ({"adopt": adopt} if adopt else {}),
    }


def _line(made: dict[str, Any]) -> str:
    """A seal in one line."""
    hour = datetime.fromisoformat(made["hour"]).astimezone(UTC)
    late = f" ({number(made['late'])} late)" if made["late"] else ""
    part = f" part {made['part']}" if made["part"] else ""
    state = "closed" if made["closes"] else "open"
    receipts = f"{number(made['receipts'])} receipt{'' if made['receipts'] == 1 else 's'}{late}"
    return f"{hour:%Y-%m-%d %H:%M} UTC{part}: {receipts}, {state}, seal {made['seal_hash'][:HASH_SHOWN]}…"
