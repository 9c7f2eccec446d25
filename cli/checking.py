"""`check`: the verdict the cloud would give, with no AWS at all."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from errno import ENOENT
from functools import partial
from pathlib import Path
from typing import IO, Any

import click
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from chalicelib.contracts import Contract, ContractError, load
from chalicelib.contracts.loading import text_of
from chalicelib.inspection import Expectation, Report, inspect
from chalicelib.inspection.checking import right
from chalicelib.inspection.media_types import Format
from chalicelib.receipts import report_as_json
from cli.options import quiet_option
from cli.progress import progress
from cli.text import NAMELESS, called, printable, sentence, why
from cli.views import display, report
from infra.stages import UsageError

CHUNK = 1 << 20
FORMATS = [str(name) for name in (Format.CSV, Format.TSV, Format.JSON, Format.JSONL, Format.XML, Format.TEXT)]
CONFORMS, FAILS, NOT_INSPECTED = 0, 1, 2
COLUMNS = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--as", "as_format", type=click.Choice(FORMATS), help="Judge as this format, whatever name and content say."
)
@click.option("--no-header", is_flag=True, help="The first record of delimited text is data, not names.")
@click.option("--contract", "contract_file", metavar="FILE", help="Judge by this contract, whatever it matches.")
@click.option("--key", help="Judge as an upload of this key: by its name, and by the contract that is deployed for it.")
@click.option("--profile", "profiled", is_flag=True, help="Show what the cells of each column are like.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each file.")
@quiet_option
def check(
    files: Sequence[str],
    *,
    as_format: str | None,
    no_header: bool,
    contract_file: str | None,
    key: str | None,
    profiled: bool,
    as_json: bool,
) -> None:
    """Inspect files here, with no AWS: the verdict the cloud would give. `-` is standard input.

    Exit status: 0 if all conform, 1 if some do not, 2 if some could not be inspected.
    """
    if files.count("-") > 1:
        raise UsageError("Standard input can be read only once: give - once.")
    contract = _contract(contract_file, key)
    if contract and (as_format or no_header):
        raise UsageError(f"The contract {contract.name} says how to read a file: leave out --as and --no-header.")
    expectation = Expectation(format=Format(as_format) if as_format else None, header=not no_header)
    judge = partial(inspect, contract=contract, expectation=None if contract else expectation)
    show = _say_as_json if as_json else partial(_say, profiled=profiled)
    codes = [_check(name, partial(judge, name=key or _name(name)), show, as_json=as_json) for name in files]
    sys.exit(max(codes))


def _contract(file: str | None, key: str | None) -> Contract | None:
    try:
        if file is not None:
            return _right(file)
        return load().choose(key) if key else None
    except OSError as error:
        raise UsageError(f"The contract {called(file)} could not be read: {why(error)}.") from error
    except ContractError as error:
        raise UsageError(f"The contract is not right: {sentence(error)}") from error


def _right(file: str) -> Contract:
    """The contract of a file; raises ContractError, which names it, if it is not right."""
    if not file:
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT))  # not the folder that Path takes it for
    try:
        return right({file: text_of(Path(file))})[file]
    except ContractError as error:  # text_of knows no folder
        raise ContractError(*(replace(mistake, file=file) for mistake in error.mistakes)) from error


def _check(
    name: str,
    judge: Callable[[Iterator[bytes]], Report],
    show: Callable[[str, Mapping[str, Any]], None],
    *,
    as_json: bool,
) -> int:
    try:
        with _opened(name) as file, _watched(file, name) as chunks:
            found = report_as_json(judge(chunks))
    except OSError as error:
        _say_not_inspected(name, error, as_json=as_json)
        return NOT_INSPECTED
    show(name, found)
    return CONFORMS if found["status"] == "succeeded" else FAILS


def _say_as_json(name: str, found: Mapping[str, Any]) -> None:
    click.echo(json.dumps({"file": name, **found}, ensure_ascii=False))


def _say(name: str, found: Mapping[str, Any], *, profiled: bool) -> None:
    display(report(_title(name), found, profiled=profiled))


def _name(file: str) -> str:
    """By which name it is judged; standard input has none."""
    return "" if file == "-" else file


def _title(name: str) -> str:
    return "standard input" if name == "-" else name or NAMELESS


@contextlib.contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        if sys.stdin is None:  # Python's way to say that it was started without one
            raise OSError("it is closed")
        yield sys.stdin.buffer
        return
    with open(name, "rb") as file:  # a folder is refused here as well
        yield file


@contextlib.contextmanager
def _watched(file: IO[bytes], name: str) -> Iterator[Iterator[bytes]]:
    """The file's bytes; a person is shown how far their inspection has got."""
    total = _size(file)
    with progress(*COLUMNS) as shown:
        task = shown.add_task(_title(printable(os.path.basename(name))), total=total)
        yield _chunks(file, lambda read: shown.advance(task, read))


def _size(file: IO[bytes]) -> int | None:
    """How many bytes there are to read; None if nobody knows, as of a pipe."""
    try:
        found = os.fstat(file.fileno())
    except OSError:  # standard input that is no file of the system
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _chunks(file: IO[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk
        advance(len(chunk))


def _say_not_inspected(name: str, error: OSError, *, as_json: bool) -> None:
    reason = why(error)
    click.echo(f"recibo: {_title(printable(name))} could not be inspected: {reason}.", err=True)
    if as_json:
        line: dict[str, Any] = {"file": name, "status": None, "cause": None, "error": reason}
        click.echo(json.dumps(line, ensure_ascii=False))
