"""`token`: who may ask the API for what."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from chalicelib.access import NAME, PREFIX, SECRET_BYTES, Scope, Token, hash_of, number_of, text_of
from chalicelib.aws.tokens import DynamoTokens
from chalicelib.uploads import iso
from cli.options import aws_options, json_option, quiet_option
from cli.surroundings import Surroundings
from cli.tables import Fitting
from cli.text import UNITS, local_time, printable
from cli.views import display
from infra.stages import UsageError


@click.group()
def token() -> None:
    """Make, list and revoke the tokens that the API asks for."""


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([str(scope) for scope in Scope]),
    default=["read"],
    show_default=True,
    help="What it allows; may be given several times.",
)
@click.option("--prefix", help="Where its uploads go [default: NAME/].")
@click.option("--expires", metavar="DURATION", help="How long it is valid, as in 12h or 90d (default: for ever).")
@json_option
@aws_options
def create(
    surroundings: Surroundings,
    *,
    name: str,
    scopes: Sequence[str],
    prefix: str | None,
    expires: str | None,
    as_json: bool,
) -> None:
    """Make a token and print it, once: only a hash of it is kept."""
    text = made(surroundings, name, scopes, prefix=prefix, expires=None if expires is None else _duration(expires))
    click.echo(json.dumps({"name": name, "token": text}) if as_json else text)


@token.command("ls")
@json_option
@aws_options
def list_tokens(surroundings: Surroundings, *, as_json: bool) -> None:
    """List the tokens: their names and what they allow, never their text."""
    tokens = sorted(_tokens(surroundings).all(), key=lambda one: one.name)
    if as_json:
        for one in tokens:
            click.echo(json.dumps(_members(one)))
    elif tokens:
        display(_table(tokens))
    else:
        click.echo("No tokens: `recibo.py token create NAME` makes one.")


@token.command()
@click.argument("name")
@json_option
@quiet_option
@aws_options
def revoke(surroundings: Surroundings, *, name: str, as_json: bool) -> None:
    """Refuse a token from now on, for the very next call."""
    tokens = _tokens(surroundings)
    found = tokens.get(number_of(name))
    revoked = found and found._replace(revoked_at=datetime.now(UTC))
    if revoked is None or not tokens.revoke(revoked):
        raise UsageError(f"There is no valid token {printable(name)}: `recibo.py token ls` lists what there is.")
    click.echo(json.dumps(_members(revoked)) if as_json else f"The token {printable(name)} is revoked.")


def made(
    surroundings: Surroundings,
    name: str,
    scopes: Sequence[str],
    *,
    prefix: str | None = None,
    expires: timedelta | None = None,
) -> str:
    """A new token's text. Raises UsageError if it cannot be made."""
    now, secret = datetime.now(UTC), secrets.token_urlsafe(SECRET_BYTES)
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a token: use a-z, 0-9, ., _ and -, 63 at most.")
    prefix = f"{name}/" if prefix is None else prefix
    if not PREFIX.fullmatch(prefix):
        raise UsageError(f"{prefix!r} is no prefix: write one or more folders, as in partner/2026/.")
    new = Token(
        name=name,
        secret_hash=hash_of(secret),
        scopes=frozenset(map(Scope, scopes)),
        prefix=prefix,
        created_at=now,
        expires_at=(now + expires).replace(microsecond=0) if expires else None,
    )
    if not _tokens(surroundings).add(new):
        raise UsageError(f"There is a token {name} already: revoke it first (`recibo.py token revoke {name}`).")
    return text_of(name, secret)


def _tokens(surroundings: Surroundings) -> DynamoTokens:
    return DynamoTokens(surroundings.client("dynamodb"), surroundings.stage.table)


def _duration(text: str) -> timedelta:
    parts = re.fullmatch(r"(\d{1,5})([smhdw])", text.strip())
    if not parts or not int(parts[1]):
        raise UsageError(f"{text!r} is no duration: write it as in 12h or 90d.")
    return timedelta(**{UNITS[parts[2]]: int(parts[1])})


def _members(one: Token) -> dict[str, Any]:
    return {
        "name": one.name,
        "scopes": sorted(map(str, one.scopes)),
        "prefix": one.prefix,
        "created_at": iso(one.created_at),
        "expires_at": iso(one.expires_at) if one.expires_at else None,
        "revoked_at": iso(one.revoked_at) if one.revoked_at else None,
        "state": _state(one),
    }


def _state(one: Token) -> str:
    return str(one.denial(datetime.now(UTC)) or "valid")


def _table(tokens: Sequence[Token]) -> Fitting:
    table = Table(header_style="bold", box=None, padding=(0, 2, 0, 0))
    for name in ("token", "allows", "uploads to", "made", "expires", "state"):
        table.add_column(name, overflow="fold")
    for one in tokens:
        expires = local_time(iso(one.expires_at)) if one.expires_at else "never"
        state = Text(_state(one), style="green" if _state(one) == "valid" else "dim")
        allows = ", ".join(sorted(one.scopes))
        table.add_row(one.name, allows, printable(one.prefix), local_time(iso(one.created_at)), expires, state)
    return Fitting(table, untitled={"state"})
