"""`open`: the dashboard, in the browser."""

from __future__ import annotations

import json
import re
import webbrowser

import click
from botocore.exceptions import ClientError

from cli.options import json_option, stage_options
from cli.surroundings import Surroundings
from infra.stages import UsageError
from local.embedded import LOCAL
from local.serving import running_link

API_OF = re.compile(r"arn:[\w-]+:execute-api:([\w-]+):\d+:(\w+)/")
"""Of an API, in what allows it to call a function: its region and its id."""

GATEWAY_STAGE = "api"
"""Chalice's own name for what it deploys of an API."""


@click.command("open")
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@json_option
@stage_options
def open_dashboard(*, stage: str, endpoint_url: str | None, no_browser: bool, as_json: bool) -> None:
    """Open the dashboard: that of a running `make run`, or of a deployed stage.

    A deployed one asks for a token, which `recibo.py token create NAME` makes.
    """
    link = _link(stage, endpoint_url)
    click.echo(json.dumps({"link": link}) if as_json else link)
    if not no_browser:
        webbrowser.open(link)


def _link(stage: str, endpoint_url: str | None) -> str:
    if stage == LOCAL and not endpoint_url and (link := running_link()):
        return link
    deployed = gateway_link(Surroundings.find(stage, endpoint_url))
    if deployed is None:
        raise UsageError(
            f"The stage {stage} has no dashboard yet: `make run` or `make serve` serves one here, "
            f"`make deploy STAGE={stage}` deploys one."
        )
    return deployed


def gateway_link(surroundings: Surroundings) -> str | None:
    """Where API Gateway serves the stage's API, on AWS or on an emulator; None where it is not deployed."""
    try:
        # Chalice names the API's function after the app and the stage alone, as the stack is named.
        policy = surroundings.client("lambda").get_policy(FunctionName=surroundings.stage.stack)["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    found = API_OF.search(policy)
    if not found:
        return None
    if surroundings.endpoint:
        return f"{surroundings.endpoint.rstrip('/')}/_aws/execute-api/{found[2]}/{GATEWAY_STAGE}/"
    return f"https://{found[2]}.execute-api.{found[1]}.amazonaws.com/{GATEWAY_STAGE}/"
