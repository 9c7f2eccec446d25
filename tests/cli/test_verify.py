"""`verify` on a simulated AWS: its words, its JSON, its exit status, and the proof of one receipt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib import wiring
from chalicelib.aws.anchors import anchor_from
from chalicelib.aws.items import encoded
from chalicelib.aws.seals import DynamoSeals
from chalicelib.sealing import Sealer
from chalicelib.seals import HOUR, Seal, seals_key
from chalicelib.uploads import Entry, entry_of
from chalicelib.verification import Chain, Defect, Problem, Standing, Verdict
from chalicelib.verification.verdict import COUNTS
from cli.main import recibo
from cli.surroundings import Surroundings, _client
from cli.verdicts import PROBLEMS_SHOWN, answer
from cli.views import console
from infra.stages import Stage
from infra.template import LOCAL
from tests.aws import World, simulated_aws
from tests.events import BUCKET
from tests.fakes import NOON
from tests.receipts import crash, receipt

SEALS = "recibo-seals-test"
AGO = timedelta(hours=6)
STAGE = replace(LOCAL, anchor="")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        talk_to(monkeypatch, STAGE)
        yield made
    _client.cache_clear()


def talk_to(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> Stage:
    """Let the command line take the simulated AWS for the stage's."""
    _client.cache_clear()
    monkeypatch.setattr(Surroundings, "find", lambda *_: Surroundings(stage=stage, endpoint=None))
    return stage


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch, world: World) -> Stage:
    """A stage that keeps its seals in a locked bucket."""
    world.s3.create_bucket(Bucket=SEALS, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    lock: Any = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    world.s3.put_object_lock_configuration(Bucket=SEALS, ObjectLockConfiguration=lock)
    return talk_to(monkeypatch, replace(STAGE, anchor=f"s3:{SEALS}"))


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch, world: World) -> Stage:  # noqa: ARG001 - it is there
    """A stage that signs its seals."""
    kms = wiring.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/seals", TargetKeyId=key)
    return talk_to(monkeypatch, replace(STAGE, anchor="kms:alias/seals"))


def run(*arguments: str) -> Result:
    """The command as a person types it, and as the program turns mistakes into sentences."""
    return CliRunner().invoke(recibo, ["verify", *arguments])


def put(world: World, key: str, *, ago: timedelta = AGO) -> Entry:
    """An upload with its receipt, made some time ago."""
    upload = entry_of(world.upload(key, key.encode()))
    assert world.ledger.record(receipt(upload, at=datetime.now(UTC) - ago))
    return upload


def seal(stage: Stage = STAGE, *, early: bool = False) -> list[Seal]:
    """Seal what is due."""
    store = DynamoSeals(wiring.client("dynamodb"), stage.table)
    sealer = Sealer(store=store, anchor=anchor_from(stage.anchor, wiring.client))
    return list(sealer.seal_due(BUCKET, now=datetime.now(UTC), out_of_time=lambda: False, early=early))


def lines(done: Result) -> dict[str, str]:
    """The table's numbers, and what is said beside them."""
    table = [re.split(r"  +", line, maxsplit=1) for line in done.stdout.splitlines() if "  " in line]
    return {name: " ".join(rest) for name, *rest in table}


# -- in words


def test_a_stage_on_which_all_is_well_exits_0_and_says_so(world: World, locked: Stage) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        put(world, name)
    put(world, "young.csv", ago=timedelta(0))
    seal(locked)
    done = run()
    assert (done.exit_code, done.stderr) == (0, "")
    said = lines(done)
    assert said.pop("Chain").endswith(f"UTC, anchored in s3://{SEALS}/{BUCKET}/")
    wanted = {"Uploads in the bucket": "4", "Receipts": "4", "Unsealed": "0  not due yet: 1"}
    nothing = dict.fromkeys(["Missing", "Double", "Altered", "Removed", "Inserted"], "0")
    assert {name: " ".join(words.split()) for name, words in said.items()} == {
        name: " ".join(words.split()) for name, words in {**wanted, **nothing}.items()
    }
    assert done.stdout.endswith("\nAll is well.\n")


def test_a_signed_chain_is_anchored_in_its_key(world: World, signed: Stage) -> None:
    put(world, "a.csv")
    seal(signed)
    assert (run().exit_code, "anchored in KMS's key alias/seals" in run().stdout) == (0, True)


def test_what_others_keep_in_an_adopted_bucket_lacks_no_receipt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    talk_to(monkeypatch, replace(STAGE, prefix="incoming/", is_adopted=True))
    put(world, "incoming/a.csv")
    world.upload("others/b.csv", b"")
    seal()
    done = run()
    assert (done.exit_code, lines(done)["Missing"]) == (0, "0")


def test_without_an_anchor_it_says_that_the_chain_is_only_consistent(world: World) -> None:
    put(world, "a.csv")
    seal()
    assert (run().exit_code, "only consistent: the stage has no anchor" in run().stdout) == (0, True)


def test_a_bucket_of_seals_that_is_not_locked_is_told(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    world.s3.create_bucket(Bucket="loose", ObjectLockEnabledForBucket=True)
    stage = talk_to(monkeypatch, replace(STAGE, anchor="s3:loose"))
    put(world, "a.csv")
    seal(stage)
    assert "Note: s3://loose is not locked in compliance mode" in run().stdout


def test_an_altered_and_a_removed_receipt_and_a_lost_upload_exit_1_and_are_named(world: World, locked: Stage) -> None:
    altered, removed = put(world, "a\u202e.csv"), put(world, "b.csv")
    seal(locked)
    lost = entry_of(world.upload("lost.csv", b"x"))
    tamper(world, altered)
    world.dynamodb.delete_item(TableName=STAGE.table, Key=key_of(removed))
    done = run("--strict")
    assert done.exit_code == 1, done.stderr
    assert "\u202e" not in done.stdout
    said = done.stdout.splitlines()
    assert f"✗ removed  b.csv, version {removed.version_id}, inspection 1: it was sealed, and is gone." in said
    assert any(
        line.startswith(f"✗ altered  a\\u202e.csv, version {altered.version_id}, inspection 1: ") for line in said
    )
    assert any(line.startswith(f"✗ missing  lost.csv, version {lost.version_id}, inspection 1: ") for line in said)
    assert said[-1] == "NOT all is well."


def test_a_removed_seal_is_named_by_its_hour(world: World, locked: Stage) -> None:
    put(world, "a.csv")
    (first, *_) = seal(locked)
    key = encoded({"pk": seals_key(BUCKET), "sk": first.number})
    world.dynamodb.delete_item(TableName=STAGE.table, Key=key)
    done = run()
    assert (done.exit_code, "BROKEN" in done.stdout) == (1, True)
    assert f"✗ removed  the seal of {first.hour:%Y-%m-%d %H:%M} UTC: the anchor holds it" in done.stdout


def test_only_the_first_problems_are_listed() -> None:
    problems = tuple(
        Problem(defect=Defect.MISSING, pk=f"{BUCKET}/{number}.csv#v", sk="1", why="why") for number in range(30)
    )
    counts = dict.fromkeys([*COUNTS, *map(str, Defect)], 0) | {"missing": 1234}
    chain = Chain(standing=Standing.ABSENT, seals=0)
    verdict = Verdict(bucket=BUCKET, since=NOON, counts=counts, chain=chain, problems=problems)
    out = console()
    with out.capture() as captured:
        out.print(answer(verdict))
    assert captured.get().count("✗ missing") == PROBLEMS_SHOWN
    assert "and 1,214 more: --json lists them." in captured.get()
    assert "NOT all is well since 2026-11-23 12:00 UTC." in captured.get()


def test_since_a_time_only_what_is_newer_is_looked_at(world: World) -> None:
    old, _ = put(world, "old.csv", ago=timedelta(days=3)), put(world, "new.csv", ago=timedelta(0))
    world.s3.delete_object(Bucket=BUCKET, Key=old.key, VersionId=old.version_id)
    seal()
    tamper(world, old)
    assert run("--all").exit_code == 1
    done = run("--since", "1h")
    assert done.exit_code == 0
    assert re.search(r"\nAll is well since \S+ \d\d:00 UTC\.\n$", done.stdout)


# -- JSON


def test_json_is_one_object_with_all_numbers_and_problems(world: World) -> None:
    upload = put(world, "a.csv")
    seal()
    assert json.loads(run("--json").stdout)["is_well"] is True
    tamper(world, upload)
    done = run("--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (found["uploads"], found["receipts"], found["altered"], found["is_well"]) == (1, 1, 1, False)
    assert set(found) >= {*COUNTS, *map(str, Defect), "chain", "problems", "remarks", "since", "bucket"}
    assert [(problem["pk"], problem["sk"]) for problem in found["problems"]] == [(upload.identity, "1")]
    assert found["chain"]["standing"] == "consistent"


# -- what cannot be verified


def test_a_bucket_without_versions_cannot_be_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated_aws(monkeypatch, versioned=False):
        talk_to(monkeypatch, STAGE)
        done = run()
    assert (done.exit_code, done.stdout) == (2, "")
    assert "keeps no versions" in done.stderr


def test_a_stage_that_is_not_there_cannot_be_verified(world: World) -> None:
    world.dynamodb.delete_table(TableName=STAGE.table)
    done = run()
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--since", "1h", "--all"],
        ["--since", "never"],
        ["--receipt", "a.csv", "--since", "1h"],
        ["--version", "v"],
        ["--inspection", "2"],
    ],
)
def test_options_that_contradict_each_other_are_refused_with_a_sentence(world: World, arguments: list[str]) -> None:  # noqa: ARG001 - it is there
    done = run(*arguments)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)


# -- the proof of one receipt


def test_a_receipts_proof_says_where_the_seal_is_to_be_had(world: World, locked: Stage) -> None:
    put(world, "a.csv")
    (first, *_) = seal(locked)
    found = json.loads(run("--receipt", "a.csv").stdout)
    assert found["receipt"] == world.receipt("a.csv")
    assert found["seal"]["seal_hash"] == first.seal_hash
    assert found["anchored_at"] == f"s3://{SEALS}/{BUCKET}/{first.number:012}.json"
    bucket, _, place = found["anchored_at"].removeprefix("s3://").partition("/")
    held = json.loads(world.s3.get_object(Bucket=bucket, Key=place)["Body"].read())
    assert held["seal"] == found["seal"]


def test_a_signed_seals_proof_has_the_signature(world: World, signed: Stage) -> None:
    put(world, "a.csv")
    seal(signed)
    found = json.loads(run("--receipt", "a.csv").stdout)
    assert found["anchor"]["signature"]
    assert found["anchored_at"] == found["anchor"]["key_id"]


def test_a_version_and_an_inspection_can_be_asked_for(world: World) -> None:
    first = entry_of(world.upload("a.csv", b"1"))
    for number, report in ((1, crash()), (2, receipt().report)):
        assert world.ledger.record(receipt(first, report=report, at=datetime.now(UTC) - AGO, inspection=number))
    put(world, "a.csv")
    seal()
    assert json.loads(run("--receipt", "a.csv").stdout)["receipt"]["version_id"] != first.version_id
    of_first = ["--receipt", "a.csv", "--version", str(first.version_id)]
    assert json.loads(run(*of_first).stdout)["receipt"]["inspection"] == 2
    assert json.loads(run(*of_first, "--inspection", "1").stdout)["receipt"]["status"] == "failed"
    assert run(*of_first, "--inspection", "3").exit_code == 2
    assert run("--receipt", "a.csv", "--version", "none").exit_code == 2


def test_a_receipt_that_is_not_sealed_yet_is_told_when_it_will_be(world: World) -> None:
    put(world, "a.csv", ago=timedelta(0))
    seal()
    done = run("--receipt", "a.csv")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert re.search(
        r"a\.csv is in no seal yet: its hour is sealed after \S+ \d\d:20 UTC; `recibo.py seal`", done.stderr
    )
    seal(early=True)
    assert run("--receipt", "a.csv").exit_code == 0


def test_no_proof_is_given_by_a_seal_that_the_anchor_does_not_hold(world: World, locked: Stage) -> None:
    put(world, "a.csv")
    (first, *_) = seal(locked)
    forged = replace(first, sealed_at=first.sealed_at + HOUR)
    world.dynamodb.put_item(TableName=STAGE.table, Item=encoded(forged.as_item()))
    done = run("--receipt", "a.csv")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "not the one that the anchor holds" in done.stderr


# -- helpers


def key_of(upload: Entry) -> dict[str, Any]:
    return encoded({"pk": upload.identity, "sk": 1})


def tamper(world: World, upload: Entry) -> None:
    """Change a receipt behind Recibo's back."""
    world.dynamodb.update_item(
        TableName=STAGE.table,
        Key=key_of(upload),
        UpdateExpression="SET #records = :records",
        ExpressionAttributeNames={"#records": "records"},
        ExpressionAttributeValues=encoded({":records": 99}),
    )
