"""What an operator can count on: what was lost is found, what failed is tried again, what was altered is named."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.aws.items import encoded
from chalicelib.aws.seals import DynamoSeals
from infra.stages import ROOT
from tests.e2e.conftest import FAULTS
from tests.e2e.staging import TICK, Staged, staged
from tests.e2e.waiting import history, receipt

pytestmark = pytest.mark.e2e

GOOD = b"id,name\n1,Ana\n2,Bia\n"
LOST = ("lost.csv", "lost & found, 100%+1 ção.csv", "deep/er/lost.csv")


@pytest.fixture(scope="module")
def stage(endpoint: str) -> Iterator[Staged]:
    """A stage of its own, with a locked bucket, whose inspections of `raise/…` raise."""
    with staged("integrity", endpoint, faults=FAULTS) as made:
        yield made


def put(stage: Staged, key: str, body: bytes = GOOD) -> str:
    """Upload it; its version."""
    made = stage.aws.client("s3").put_object(Bucket=stage.aws.stage.bucket, Key=key, Body=body)
    return str(made["VersionId"])


def put_and_await(stage: Staged, key: str, body: bytes = GOOD) -> dict[str, Any]:
    put(stage, key, body)
    return receipt(stage.aws, key)


def unique(key: str) -> str:
    return f"{uuid.uuid4().hex[:8]}/{key}"


@contextmanager
def deaf(stage: Staged) -> Iterator[None]:
    """The bucket tells nobody what happens to it."""
    s3, bucket = stage.aws.client("s3"), stage.aws.stage.bucket
    told = s3.get_bucket_notification_configuration(Bucket=bucket)
    del told["ResponseMetadata"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)


# -- what was lost or failed


def test_what_no_event_told_of_is_found_and_inspected_by_reconcile(stage: Staged) -> None:
    prefix = unique("")
    keys = {f"{prefix}{name}" for name in LOST}
    with deaf(stage):
        versions = {put(stage, key) for key in keys}
        stage.aws.client("s3").delete_object(Bucket=stage.aws.stage.bucket, Key=f"{prefix}{LOST[0]}")
    assert {(each["key"], each["reason"]) for each in stage.lines("reconcile", "--dry-run", "--prefix", prefix)} == {
        (key, "missing") for key in keys
    }
    (found,) = stage.lines("reconcile", "--prefix", prefix)
    assert (found["missing"], found["succeeded"], found["recorded"], found["late"]) == (4, 3, 1, [])
    entries = [entry for key in keys for entry in history(stage.aws, key, entries=1)]
    assert {entry["version_id"] for entry in entries if entry["kind"] == "upload"} == versions
    assert {entry["status"] for entry in entries if entry["kind"] == "upload"} == {"succeeded"}
    assert [entry["key"] for entry in entries if entry["kind"] == "delete-marker"] == [f"{prefix}{LOST[0]}"]
    assert stage.lines("reconcile", "--dry-run", "--prefix", prefix) == []


def test_the_scheduled_reconcile_leaves_alone_what_just_landed(stage: Staged) -> None:
    """Its event may still be on its way."""
    key = unique("young.csv")
    with deaf(stage):
        put(stage, key)
    done = stage.invoke("reconcile", TICK)
    assert done["listed"] > 0
    assert (done["missing"], done["is_complete"]) == (0, True)
    (found,) = stage.lines("reconcile", "--prefix", key)
    assert (found["missing"], found["succeeded"]) == (1, 1)


def test_the_scheduled_reconcile_has_a_system_failure_inspected_again(stage: Staged) -> None:
    key = f"raise/{unique('scheduled.csv')}"
    assert put_and_await(stage, key)["cause"] == "system"
    assert stage.invoke("reconcile", TICK)["system"] >= 1
    newest, first = history(stage.aws, key, entries=2)
    assert (newest["inspection"], newest["cause"], first["inspection"]) == (2, "system", 1)


def test_retry_inspects_a_system_failure_again_and_tells_of_the_next_one(stage: Staged) -> None:
    key = f"raise/{unique('retried.csv')}"
    put_and_await(stage, key)
    (found,) = stage.lines("retry", "--prefix", key)
    assert (found["system"], found["asked"], found["failed"], found["late"]) == (1, 1, 1, [])
    assert [entry["inspection"] for entry in history(stage.aws, key, entries=2)] == [2, 1]
    current = [each for each in stage.aws.lists.failures(stage.aws.stage.bucket) if each["key"] == key]
    assert [each["inspection"] for each in current] == [2], "a failure that was followed by another is still listed"


def test_recheck_adds_an_inspection_and_the_first_stays(stage: Staged) -> None:
    key = unique("checked twice.csv")
    first = put_and_await(stage, key)
    (second,) = stage.lines("recheck", key)
    assert (second["inspection"], second["sha256"], second["status"]) == (2, first["sha256"], "succeeded")
    newest, oldest = history(stage.aws, key, entries=2)
    assert stage.aws.ledger.whole(newest) == second
    assert stage.aws.ledger.whole(oldest) == first


# -- what was altered


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of the ledger, and its table."""

    table: Any
    name: str
    key: dict[str, Any]

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Put it back after the block as it was."""
        before = self.table.get_item(TableName=self.name, Key=self.key, ConsistentRead=True)["Item"]
        try:
            yield
        finally:
            self.table.put_item(TableName=self.name, Item=before)

    def set(self, attribute: str, value: dict[str, Any]) -> None:
        self.table.update_item(
            TableName=self.name,
            Key=self.key,
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": attribute},
            ExpressionAttributeValues={":value": value},
        )

    def delete(self) -> None:
        self.table.delete_item(TableName=self.name, Key=self.key)


@pytest.fixture(scope="module")
def sealed(stage: Staged) -> dict[str, Any]:
    """A receipt of a failure, in a seal."""
    made = put_and_await(stage, unique("sealed.csv"), b"id,name\n1,Ana\n2\n")
    assert stage.lines("seal")
    return made


@pytest.fixture
def item(stage: Staged, sealed: dict[str, Any]) -> Item:
    """The item of that receipt."""
    (summary,) = history(stage.aws, sealed["key"], entries=1)
    key = {"pk": {"S": summary["identity"]}, "sk": {"N": "1"}}
    return Item(table=stage.aws.client("dynamodb"), name=stage.aws.stage.table, key=key)


def problems_of(stage: Staged, item: Item) -> list[str]:
    """What `verify` says is wrong: of that item, and of nothing else."""
    (verdict,) = stage.lines("verify", status=1)
    assert {problem["pk"] for problem in verdict["problems"]} == {item.key["pk"]["S"]}
    return [problem["defect"] for problem in verdict["problems"]]


def test_verify_says_that_all_is_well_once_everything_is_sealed(stage: Staged, sealed: dict[str, Any]) -> None:
    key = unique("another.csv")
    put_and_await(stage, key)
    (made,) = stage.lines("seal")
    assert made["receipts"] >= 1
    scheduled = stage.invoke("verify", TICK)
    assert (scheduled["is_well"], scheduled["verify_problems"]) == (True, 0)
    assert scheduled["verify_receipts"] >= 2
    (verdict,) = stage.lines("verify", "--strict")
    assert verdict["is_well"]
    assert (verdict["not_due"], verdict["chain"]["standing"]) == (0, "anchored")
    assert verdict["receipts"] - verdict["later_inspections"] == verdict["uploads"]
    assert sealed["key"] not in stage.recibo("verify").stdout


def test_a_receipt_altered_behind_recibos_back_is_named(stage: Staged, item: Item, sealed: dict[str, Any]) -> None:
    with item.restored():
        item.set("status", {"S": "succeeded"})
        assert problems_of(stage, item) == ["altered"]
        words = stage.recibo("verify")
    assert words.returncode == 1
    assert sealed["key"] in words.stdout
    assert stage.lines("verify")[0]["is_well"]


def test_a_receipt_removed_behind_recibos_back_is_named(stage: Staged, item: Item) -> None:
    with item.restored():
        item.delete()
        assert problems_of(stage, item) == ["removed"]
    assert stage.lines("verify")[0]["is_well"]


def test_a_receipt_made_anew_with_a_hash_that_fits_is_named(stage: Staged, item: Item, sealed: dict[str, Any]) -> None:
    """The seal knows better."""
    with item.restored():
        content = {name: value for name, value in sealed.items() if name != "content_hash"} | {"lines": 99}
        canonical = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        item.set("lines", {"N": "99"})
        item.set("content_hash", {"S": hashlib.sha256(canonical.encode()).hexdigest()})
        assert problems_of(stage, item) == ["altered"]


def test_a_last_seal_removed_from_the_ledger_is_named_from_the_locked_bucket_and_put_back_by_the_next_sealing(
    stage: Staged, sealed: dict[str, Any]
) -> None:
    assert sealed
    table, name = stage.aws.client("dynamodb"), stage.aws.stage.table
    key = {":pk": {"S": f"#seals/{stage.aws.stage.bucket}"}}
    last = table.query(
        TableName=name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=key,
        ScanIndexForward=False,
        Limit=1,
    )["Items"][0]
    seal = Item(table=table, name=name, key={"pk": last["pk"], "sk": last["sk"]})
    with seal.restored():
        seal.delete()
        assert problems_of(stage, seal) == ["unsealed"]
        put_back, *_ = stage.lines("seal")
        assert put_back["seal_hash"] == last["seal_hash"]["S"]
        assert stage.lines("verify")[0]["is_well"]


def test_a_last_seal_that_was_forged_is_not_sealed_on(stage: Staged, sealed: dict[str, Any]) -> None:
    assert sealed
    table, name = stage.aws.client("dynamodb"), stage.aws.stage.table
    store = DynamoSeals(table, name)
    last = store.last(stage.aws.stage.bucket)
    assert last
    hour, part = last.next_place
    forged = replace(last, hour=hour, part=part, previous=last.seal_hash)
    item = Item(table=table, name=name, key=encoded({"pk": forged.as_item()["pk"], "sk": forged.number}))
    assert store.put_seal(forged)
    try:
        refused = stage.recibo("seal")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"recibo.py seal --adopt {forged.seal_hash}" in refused.stderr
        assert forged.number in {int(each["sk"]) for each in stage.lines("verify", status=1)[0]["problems"]}
    finally:
        item.delete()
    assert stage.lines("verify")[0]["is_well"]


def test_a_proof_is_checked_without_recibo_by_the_script_of_its_document(
    stage: Staged, sealed: dict[str, Any], tmp_path: Path
) -> None:
    done = stage.recibo("verify", "--receipt", sealed["key"])
    assert done.returncode == 0, done.stderr
    proof = json.loads(done.stdout)
    assert proof["receipt"] == sealed
    bucket, _, key = proof["anchored_at"].removeprefix("s3://").partition("/")
    copy = json.loads(stage.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    known = copy["seal"]["seal_hash"]
    assert check_proof(tmp_path, proof, known) == 0
    assert check_proof(tmp_path, proof, "0" * 64) == 1
    assert check_proof(tmp_path, {**proof, "receipt": {**sealed, "status": "succeeded"}}, known) == 1


def check_proof(folder: Path, proof: dict[str, Any], seal_hash: str) -> int:
    """Run the script that docs/proof.md has; its exit status."""
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "proof.md").read_text(), re.DOTALL)
    (folder / "check_proof.py").write_text(script)
    (folder / "proof.json").write_text(json.dumps(proof))
    command = [sys.executable, "-I", "check_proof.py", "proof.json", seal_hash]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode
