"""`verify`: recomputes everything, and says in plain words whether all is well; or proves one receipt."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from chalicelib.aws.anchors import LockedBucketAnchor
from chalicelib.aws.evidence import DynamoEvidence
from chalicelib.aws.locks import caveat_of_lock
from chalicelib.aws.seals import DynamoSeals
from chalicelib.aws.signatures import KmsSignatures
from chalicelib.proof import Covered, NotSealedError, covering, proof
from chalicelib.receipts import INSPECTING
from chalicelib.sealing import GRACE
from chalicelib.seals import HOUR, MalformedSealError, Seal, finished_hour
from chalicelib.verification import Verdict, Verification
from chalicelib.verification.run import Progress as Told
from chalicelib.wanted import NotVersionedError, refuse_unversioned
from cli.options import aws_options, quiet_option
from cli.progress import progress
from cli.surroundings import Surroundings
from cli.text import bound, printable
from cli.verdicts import answer
from cli.views import display
from infra.stages import UsageError

WELL, NOT_WELL = 0, 1
HISTORY_READ = 1_000

STEPS: Mapping[str, str] = {"versions": "the bucket's versions", "seals": "sealed receipts", "items": "the ledger"}


@click.command()
@click.option("--since", help="Only what was made since then (its whole hour): 2026-11-23T08:00, or 90m, 6h, 2d ago.")
@click.option("--all", "everything", is_flag=True, help="Everything there is (the default).")
@click.option("--strict", is_flag=True, help="Uploads that just landed, or are being inspected, count as missing.")
@click.option("--receipt", "key", metavar="KEY", help="Print one receipt's proof instead (docs/proof.md).")
@click.option("--version", help="With --receipt: a version of the key, by its id (default: the latest).")
@click.option("--inspection", type=click.IntRange(1), help="With --receipt: which inspection (default: the last).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")
@quiet_option
@aws_options
def verify(
    surroundings: Surroundings,
    *,
    since: str | None,
    everything: bool,
    strict: bool,
    key: str | None,
    version: str | None,
    inspection: int | None,
    as_json: bool,
) -> None:
    """Recompute everything, and compare ledger, bucket and seals. Nothing is changed.

    Exit status: 0 if all is well, 1 if it is not, 2 if it could not be verified.
    """
    if since and everything:
        raise UsageError("--since and --all contradict each other: give one of them.")
    if key is not None:
        if since or strict or everything:
            raise UsageError("--receipt proves one receipt: it takes --version and --inspection, nothing else.")
        click.echo(json.dumps(_proof(surroundings, key, version, inspection), ensure_ascii=False, indent=2))
        return
    if version or inspection:
        raise UsageError("--version and --inspection say which receipt: give --receipt KEY with them.")
    verdict = _verdict(surroundings, bound(since), strict=strict)
    if as_json:
        click.echo(json.dumps(verdict.as_json(), ensure_ascii=False))
    else:
        display(answer(verdict))
    sys.exit(WELL if verdict.is_well else NOT_WELL)


# -- everything


def _verdict(surroundings: Surroundings, since: datetime | None, *, strict: bool) -> Verdict:
    stage, versions = surroundings.stage, surroundings.versions
    try:
        refuse_unversioned(stage.bucket, versions.is_versioned(stage.bucket))
    except NotVersionedError as error:
        raise UsageError(str(error)) from error
    ledger = DynamoEvidence(surroundings.client("dynamodb"), stage.table)
    verification = Verification(
        ledger=ledger,
        versions=versions,
        copies=_copies(surroundings),
        signatures=_signatures(surroundings),
        anchor=_anchor(surroundings),
        caveat=_caveat(surroundings),
        retention_days=stage.retention_days,
    )
    with _progress(None if since else ledger.size()) as told:
        return verification.verdict(stage.bucket, now=datetime.now(UTC), since=since, strict=strict, progress=told)


def _copies(surroundings: Surroundings) -> LockedBucketAnchor | None:
    bucket = surroundings.stage.seals_bucket
    return LockedBucketAnchor(surroundings.client("s3"), bucket) if bucket else None


def _signatures(surroundings: Surroundings) -> KmsSignatures | None:
    key = surroundings.stage.seals_key
    return KmsSignatures(surroundings.client("kms"), key) if key else None


def _anchor(surroundings: Surroundings) -> str | None:
    stage = surroundings.stage
    if stage.seals_bucket:
        return f"s3://{stage.seals_bucket}/{stage.bucket}/"
    return f"KMS's key {stage.seals_key}" if stage.seals_key else None


def _caveat(surroundings: Surroundings) -> str | None:
    bucket = surroundings.stage.seals_bucket
    return caveat_of_lock(surroundings.client("s3"), bucket) if bucket else None


@contextmanager
def _progress(items: int | None) -> Iterator[Told]:
    """A bar for each step, on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with progress(*columns) as shown:
        tasks = {
            step: shown.add_task(words, total=items if step == "items" else None, start=False)
            for step, words in STEPS.items()
        }

        def told(step: str, more: int) -> None:
            shown.start_task(tasks[step])
            shown.advance(tasks[step], more)

        yield told


# -- one receipt


def _proof(surroundings: Surroundings, key: str, version: str | None, inspection: int | None) -> dict[str, Any]:
    summary = _summary(surroundings, key, version, inspection)
    receipt = surroundings.ledger.whole(summary)
    seals = DynamoSeals(surroundings.client("dynamodb"), surroundings.stage.table)
    try:
        covered = covering(seals, summary["identity"], receipt)
    except NotSealedError as error:
        due = finished_hour(receipt) + HOUR + GRACE
        raise UsageError(
            f"{printable(key)} is in no seal yet: its hour is sealed after {due:%Y-%m-%d %H:%M} UTC; "
            "`recibo.py seal` seals it now."
        ) from error
    except MalformedSealError as error:
        raise UsageError(f"{printable(str(error))}: `recibo.py verify` says what is wrong.") from error
    return proof(receipt, covered, anchored_at=_anchored_at(surroundings, covered))


def _summary(surroundings: Surroundings, key: str, version: str | None, inspection: int | None) -> dict[str, Any]:
    """The receipt in question: as `show` chooses, of the version and the inspection that are asked for."""
    history = surroundings.lists.history(surroundings.stage.bucket, key, limit=HISTORY_READ)
    final = [
        entry for entry in history if entry.get("status") != INSPECTING and version in (None, entry.get("version_id"))
    ]
    uploads = [entry for entry in final if entry["kind"] == "upload"]
    for entry in uploads or final:
        # An upload's inspections come one after the other, the last one first.
        if inspection in (None, entry["inspection"]) and entry["identity"] == (uploads or final)[0]["identity"]:
            return entry
    which = f"the version {version} of {key}" if version else key
    asked = f", inspection {inspection}" if inspection else ""
    raise UsageError(f"The ledger has no receipt of {printable(which)}{asked}: `recibo.py ls` lists what it has.")


def _anchored_at(surroundings: Surroundings, covered: Covered) -> str | None:
    """Where the seal is to be had from somebody else; raises UsageError if it is another one there."""
    copies, seal = _copies(surroundings), covered.seal
    if copies is None:
        return seal.anchor.get("key_id") if seal.anchor else None
    held = copies.holds(seal.bucket, seal.number)
    if held is None:
        return None
    if held.get("seal") != seal.as_json():
        raise UsageError("The seal is not the one that the anchor holds: `recibo.py verify` says what is wrong.")
    return _place(surroundings.stage.seals_bucket, seal)


def _place(bucket: str, seal: Seal) -> str:
    return f"s3://{bucket}/{seal.bucket}/{seal.number:012}.json"
