"""`open`: the dashboard, in the browser."""

from __future__ import annotations

import json
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import click

from cli.options import json_option, stage_options
from infra.stages import ROOT, UsageError, load_stage
from local.embedded import LOCAL, endpoint_for
from local.serving import running_link


@click.command("open")
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@json_option
@stage_options
def open_dashboard(*, stage: str, endpoint_url: str | None, no_browser: bool, as_json: bool) -> None:
    """Open the dashboard: that of a running `make run`, or of a deployed stage.

    A deployed one asks for a token, which `recibo.py token create NAME` makes.
    """
    load_stage(stage)
    link = _link(stage, endpoint_url)
    click.echo(json.dumps({"link": link}) if as_json else link)
    if not no_browser:
        webbrowser.open(link)


def _link(stage: str, endpoint_url: str | None) -> str:
    if stage == LOCAL and not endpoint_url and (link := running_link()):
        return link
    endpoint = endpoint_for(stage, endpoint_url)
    api = deployed_api(stage)
    if api is None:
        raise UsageError(
            f"No dashboard of the stage {stage} is known here: `make run` or `make serve` serves one, "
            f"`make deploy STAGE={stage}` deploys one."
        )
    return gateway_link(api, endpoint)


def gateway_link(api: Mapping[str, str], endpoint: str | None) -> str:
    """Where API Gateway serves a deployed API: that of AWS, or of the emulator at the endpoint."""
    address = api["rest_api_url"]
    if endpoint is None:
        return address
    return f"{endpoint.rstrip('/')}/_aws/execute-api/{api['rest_api_id']}{urlsplit(address).path}"


def deployed_api(stage: str, project: Path = ROOT) -> Mapping[str, str] | None:
    """What Chalice noted of the API that was deployed from this clone."""
    deployed = project / ".chalice" / "deployed" / f"{stage}.json"
    resources = json.loads(deployed.read_text())["resources"] if deployed.exists() else []
    return next((one for one in resources if one.get("resource_type") == "rest_api"), None)
