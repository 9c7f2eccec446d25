"""`put`: upload files and wait for their receipts."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from boto3.exceptions import S3UploadFailedError
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeElapsedColumn

from chalicelib.uploads import Entry, Kind
from cli.checking import CONFORMS, FAILS, NOT_INSPECTED
from cli.options import aws_options, json_option, quiet_option
from cli.progress import progress, waiting
from cli.surroundings import Surroundings
from cli.text import called, printable, why
from cli.views import display, report
from infra.stages import UsageError

POLL_SECONDS = 0.3


def _readable(_ctx: click.Context, _parameter: click.Parameter, files: Sequence[str]) -> Sequence[str]:
    """Refuse what cannot be uploaded before anything is."""
    for name in files:
        try:
            if not (Path(name).is_dir() or stat.S_ISREG(os.stat(name).st_mode)):
                raise OSError("it is no regular file")
            open(name, "rb").close()
        except OSError as error:
            raise UsageError(f"{called(name)} could not be uploaded: {why(error)}.") from error
    return files


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, callback=_readable)
@click.option("--key", help="The object's key; only with one file (default: the file's name).")
@click.option("--prefix", default="", help="Put before each key, as in partner/2026/.")
@click.option("--timeout", default=300, show_default=True, help="Seconds to wait for each receipt.")
@json_option
@quiet_option
@aws_options
def put(
    surroundings: Surroundings, *, files: Sequence[str], key: str | None, prefix: str, timeout: int, as_json: bool
) -> None:
    """Upload files to the inbox, wait, and show their receipts.

    Exit status: 0 if all conform, 1 if some do not, 2 if a receipt did not come in time.
    """
    if key and len(files) > 1:
        raise UsageError("--key names one object: give one file with it, or use --prefix.")
    keys = [prefix + (key or Path(name).name) for name in files]
    _refuse_outside(surroundings, keys)
    uploads = _upload(surroundings, files, keys)
    codes = [_show(surroundings, upload, timeout, as_json=as_json) for upload in uploads]
    sys.exit(max(codes))


def _refuse_outside(surroundings: Surroundings, keys: Sequence[str]) -> None:
    """Nobody would inspect it."""
    ours = surroundings.stage.prefix
    if outside := [key for key in keys if not key.startswith(ours)]:
        raise UsageError(
            f"{printable(outside[0])} would get no receipt: in {surroundings.stage.bucket} only keys that begin with "
            f"{ours} are inspected. Add --prefix {ours}"
        )


def _upload(surroundings: Surroundings, files: Sequence[str], keys: Sequence[str]) -> list[Entry]:
    uploads = []
    with progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn()) as shown:
        for name, key in zip(files, keys, strict=True):
            task = shown.add_task(f"uploading {printable(key)}", total=Path(name).stat().st_size)
            uploads.append(upload_file(surroundings, name, key, lambda sent, task=task: shown.advance(task, sent)))
    return uploads


def upload_file(surroundings: Surroundings, name: str, key: str, advance: Any = None) -> Entry:
    """Upload one file, in parts if it is large; the upload it became."""
    s3, bucket = surroundings.client("s3"), surroundings.stage.bucket
    _send(s3, name, bucket, key, advance)
    head = s3.head_object(Bucket=bucket, Key=key)
    return Entry(
        kind=Kind.UPLOAD,
        bucket=bucket,
        key=key,
        version_id=head.get("VersionId"),
        etag=head["ETag"].strip('"'),
        sequencer=None,
        size=head["ContentLength"],
        uploaded_at=datetime.now(UTC),
        event="ObjectCreated",
    )


def _send(s3: Any, name: str, bucket: str, key: str, advance: Any) -> None:
    """Send the bytes; raises AWS's own error where boto3 wraps it in one that says less to a program."""
    try:
        s3.upload_file(name, bucket, key, Callback=advance)
    except S3UploadFailedError as error:
        raise error.__context__ or error from None


def await_receipt(surroundings: Surroundings, upload: Entry, seconds: float) -> dict[str, Any] | None:
    """The upload's final receipt, or None if it has none after that time."""
    deadline = time.monotonic() + seconds
    while True:  # once at least: it may be there already
        receipt = surroundings.ledger.current(upload.identity)
        if receipt and receipt.get("finished_at"):
            return receipt
        if time.monotonic() >= deadline:
            return None
        time.sleep(POLL_SECONDS)


def _show(surroundings: Surroundings, upload: Entry, timeout: int, *, as_json: bool) -> int:
    with waiting(f"waiting for the receipt of {printable(upload.key)}"):
        receipt = await_receipt(surroundings, upload, timeout)
    if receipt is None:
        click.echo(
            f"recibo: no receipt for {printable(upload.key)} after {timeout} s; it was uploaded, "
            f"look again with: recibo.py show {printable(upload.key)}",
            err=True,
        )
        return NOT_INSPECTED
    if as_json:
        click.echo(json.dumps(receipt, ensure_ascii=False))
    else:
        display(report(upload.key, receipt))
    return CONFORMS if receipt["status"] == "succeeded" else FAILS
