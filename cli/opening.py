"""`open`: the dashboard, in the browser."""

from __future__ import annotations

import json
import webbrowser

import click

from cli.options import json_option, stage_options
from infra.stages import ROOT, UsageError, load_stage
from local.embedded import LOCAL
from local.serving import running_link


@click.command("open")
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@json_option
@stage_options
def open_dashboard(*, stage: str, endpoint_url: str | None, no_browser: bool, as_json: bool) -> None:
    """Open the dashboard: that of a running `make run`, or of a deployed stage.

    On AWS it asks for a token, which `recibo.py token create NAME` makes.
    """
    load_stage(stage)
    link = _link(stage, endpoint_url)
    click.echo(json.dumps({"link": link}) if as_json else link)
    if not no_browser:
        webbrowser.open(link)


def _link(stage: str, endpoint_url: str | None) -> str:
    if stage == LOCAL or endpoint_url:
        link = running_link()
        if link is None:
            raise UsageError("No dashboard is served here: start one with `make run`, or `make serve`.")
        return link
    deployed = ROOT / ".chalice" / "deployed" / f"{stage}.json"
    resources = json.loads(deployed.read_text())["resources"] if deployed.exists() else []
    address = next((one["rest_api_url"] for one in resources if one.get("resource_type") == "rest_api"), None)
    if address is None:
        raise UsageError(f"The stage {stage} was not deployed from here: run `make deploy STAGE={stage}`.")
    return str(address)
