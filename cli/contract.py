"""`contract check` and `contract infer`: whether contracts are right, and a first one from samples."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import click

from chalicelib.contracts import Contract, ContractError, Mistake
from chalicelib.contracts.loading import text_of
from chalicelib.inspection.checking import judged
from cli.inference import NoContractError, Sample, Wishes, proposed
from cli.options import json_option, quiet_option
from cli.progress import waiting
from cli.text import called, printable, sentence, why
from infra.stages import UsageError

CHUNK = 1 << 20
RIGHT, WRONG, UNREADABLE = 0, 1, 2


@click.group()
def contract() -> None:
    """What files must be like: the contracts of chalicelib/contracts."""


@contract.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@json_option
@quiet_option
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
            unread[name] = why(error)
    contracts, more = judged(texts)
    mistakes += more
    for name in dict.fromkeys(files):
        if name in unread:
            click.echo(f"recibo: {called(name)} could not be read: {unread[name]}.", err=True)
        else:
            wrong = [mistake for mistake in mistakes if mistake.file == name]
            (_say_as_json if as_json else _say)(name, contracts.get(name), wrong)
    sys.exit(UNREADABLE if unread else WRONG if mistakes else RIGHT)


@contract.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--name", help="What the contract is called [default: from the files' names].")
@click.option("--match", help="The glob of keys that it is for [default: from the files' names, in any folder].")
@click.option("--no-header", is_flag=True, help="The first record of delimited text is data, not names.")
@click.option("--bounds", is_flag=True, help="Propose the least and greatest numbers and dates as bounds.")
@click.option("--enums", is_flag=True, help="Propose lists of the values of columns that have few: they go into it.")
@click.option("-o", "--output", metavar="FILE", help="Write it to a new file instead of to standard output.")
@click.option("--json", "as_json", is_flag=True, help="In one line.")
def infer(
    files: Sequence[str],
    *,
    name: str | None,
    match: str | None,
    no_header: bool,
    bounds: bool,
    enums: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Propose a contract from samples (CSV, TSV or JSON Lines) that they pass.

    It is a beginning: what it does not know, a person adds. Exit status: 0 if there is one, 1 if no contract can let
    the samples pass, 2 if a file could not be read or written.
    """
    is_named = name is not None and match is not None
    if unnameable := [file for file in files if not is_named and not _is_utf8(file)]:
        raise UsageError(f"A contract cannot be named after {printable(unnameable[0])}: add --name and --match.")
    _refuse_unrepeatable(files)
    wishes = Wishes(name=name, match=match, header=not no_header, bounds=bounds, enums=enums)
    samples = [Sample(name=file, read=partial(_chunks, file)) for file in files]
    try:
        with waiting("reading the samples"):
            found = proposed(samples, wishes)
        text = json.dumps(found, ensure_ascii=False, indent=None if as_json else 2)
        if output is not None:
            with open(output, "x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(f"{text}\n")
    except NoContractError as error:
        click.echo(f"recibo: no contract: {printable(error)}.", err=True)
        sys.exit(WRONG)
    except ContractError as error:
        raise UsageError(f"The contract would not be right: {sentence(error)}") from error
    except OSError as error:
        raise UsageError(f"{called(error.filename)} could not be read or written: {why(error)}.") from error
    if output is None:
        click.echo(text)


def _refuse_unrepeatable(files: Sequence[str]) -> None:
    """A pipe would have nothing left for the second reading."""
    for file in files:
        if os.path.exists(file) and not (os.path.isfile(file) or os.path.isdir(file)):
            raise UsageError(f"{called(file)} is no regular file, and samples are read more than once: save it as one.")


def _is_utf8(name: str) -> bool:
    """Python puts half of a surrogate pair for each byte of a file's name that is none of UTF-8's."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _chunks(file: str) -> Iterator[bytes]:
    with open(file, "rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk


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
