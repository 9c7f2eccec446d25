"""What several commands share: the stage, the endpoint, and JSON instead of tables."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from cli.progress import be_quiet
from cli.surroundings import Surroundings
from local.embedded import LOCAL

STAGE = "recibo.stage"

json_option = click.option("--json", "as_json", is_flag=True, help="JSON, one object a line, instead of tables.")


quiet_option = click.option(
    "--quiet",
    "-q",
    is_flag=True,
    expose_value=False,
    callback=be_quiet,
    help="Nothing but errors: the exit status is the answer.",
)


def stage_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the keyword arguments `stage` and `endpoint_url`."""
    stage = click.option(
        "--stage", default=LOCAL, show_default=True, callback=_remembered, help="A stage of .chalice/config.json."
    )
    endpoint = click.option(
        "--endpoint-url",
        help="An emulator [default: AWS_ENDPOINT_URL; for the stage local that of a running `make run`].",
    )
    return stage(endpoint(command))


def _remembered(context: click.Context, _: click.Parameter, stage: str) -> str:
    """Let whoever tells that it is not deployed name it."""
    context.meta[STAGE] = stage
    return stage


def aws_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its first argument, the surroundings, by --stage and --endpoint-url."""

    @stage_options
    @functools.wraps(command)
    def with_surroundings(stage: str, endpoint_url: str | None, **options: Any) -> None:
        command(Surroundings.find(stage, endpoint_url), **options)

    return with_surroundings
