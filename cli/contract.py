"""`contract check`: whether contracts are right, each and beside the others."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from chalicelib.contracts import Contract, ContractError, Mistake
from chalicelib.contracts.loading import checked, text_of
from cli.options import json_option
from cli.text import printable

RIGHT, WRONG, UNREADABLE = 0, 1, 2


@click.group()
def contract() -> None:
    """What files must be like: the contracts of chalicelib/contracts."""


@contract.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@json_option
def check(files: Sequence[str], as_json: bool) -> None:
    """Check contracts, each by itself and all of them side by side.

    Exit status: 0 if all are right, 1 if some are not, 2 if some could not be read.
    """
    texts: dict[str, str] = {}
    mistakes: list[Mistake] = []
    unread: dict[str, str] = {}
    for name in files:
        try:
            texts[name] = text_of(Path(name))
        except ContractError as error:
            mistakes += (Mistake(file=name, reason=mistake.reason) for mistake in error.mistakes)
        except OSError as error:
            unread[name] = error.strerror or str(error)
    contracts, more = checked(texts)
    mistakes += more
    for name in dict.fromkeys(files):
        if name in unread:
            click.echo(f"recibo: {printable(name)} could not be read: {unread[name]}.", err=True)
        else:
            wrong = [mistake for mistake in mistakes if mistake.file == name]
            (_say_as_json if as_json else _say)(name, contracts.get(name), wrong)
    sys.exit(UNREADABLE if unread else WRONG if mistakes else RIGHT)


def _say(name: str, found: Contract | None, mistakes: Sequence[Mistake]) -> None:
    if found and not mistakes:
        click.echo(
            f"{printable(name)}: {found.name} is right, for {printable(found.match.text)} (sha256 {found.sha256})"
        )
    for mistake in mistakes:
        click.echo(printable(mistake))


def _say_as_json(name: str, found: Contract | None, mistakes: Sequence[Mistake]) -> None:
    line = {
        "file": name,
        "name": found.name if found else None,
        "match": found.match.text if found else None,
        "sha256": found.sha256 if found else None,
        "mistakes": [{"place": mistake.place, "reason": mistake.reason} for mistake in mistakes],
    }
    click.echo(json.dumps(line, ensure_ascii=False))
