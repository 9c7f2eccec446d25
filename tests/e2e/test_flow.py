"""Upload → inspection → receipt, on a running AWS."""

from __future__ import annotations

import concurrent.futures
import hashlib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.contracts import load
from chalicelib.inspection import Limits, inspect
from chalicelib.receipts import content_hash, report_as_json
from cli.surroundings import Surroundings
from cli.uploading import await_receipt, upload_file
from infra.deploy import deploy
from local.samples import Sample, samples
from tests.e2e.waiting import SECONDS, history, receipt, until

pytestmark = pytest.mark.e2e

CSV = b"id,name\n1,Ana\n2,Jo\xc3\xa3o\n"


def put(aws: Surroundings, key: str, body: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = aws.client("s3").put_object(Bucket=aws.stage.bucket, Key=key, Body=body)
    return answer


def unique(key: str) -> str:
    """The key under a prefix of its own: the tests share a bucket."""
    return f"{uuid.uuid4().hex[:8]}/{key}"


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.key)
def test_each_sample_gets_the_receipt_that_is_declared_of_it(aws: Surroundings, sample: Sample) -> None:
    upload = upload_file(aws, str(sample.path), sample.key)
    assert sample.differences(await_receipt(aws, upload, SECONDS)) == []


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.key)
def test_the_cloud_says_of_a_file_what_check_says_of_it(aws: Surroundings, sample: Sample) -> None:
    made = await_receipt(aws, upload_file(aws, str(sample.path), sample.key), SECONDS)
    assert_same(made, sample.path.read_bytes(), sample.key)


LONG = {
    "quoted.csv": "id,name\n" + "".join(f'{n},"a ""name"", {n}"\n' if n % 90_000 else f"{n}\n" for n in range(400_000)),
    "lines.jsonl": "".join(f'{{"id":{n},"name":"a name"}}\n' if n % 90_000 else "{]\n" for n in range(300_000)),
    "umbrella/payments-long.csv": "payment,paid_on,amount,currency\n"
    + "".join(f"P-{n % 9_000:04},2026-11-{n % 31:02},{n},BRL\n" for n in range(300_000)),
}


@pytest.mark.parametrize("name", LONG)
def test_the_cloud_says_of_a_long_file_what_check_says_of_it(aws: Surroundings, name: str) -> None:
    """Such are read by what small files never load: where a function runs, it must be there and work."""
    content = LONG[name].encode()
    assert len(content) > 2 * Limits().kernel_load_bytes
    key = name if load().choose(name) else unique(name)
    put(aws, key, content)
    assert_same(receipt(aws, key), content, key)


def assert_same(made: Mapping[str, Any] | None, content: bytes, key: str) -> None:
    """The receipt tells what an inspection here says."""
    checked = report_as_json(inspect([content], name=key, contract=load().choose(key)))
    known = {name: value for name, value in checked.items() if value is not None}
    assert made is not None
    assert {name: made.get(name) for name in known} == known


@pytest.mark.parametrize(
    "name",
    [
        "with spaces and  two.csv",
        "plus+and%2B.csv",
        "100%.csv",
        "percent%20encoded.csv",
        "ação ñ 日本語 🧾.csv",
        "a&b=c?d#e;f.csv",
        "deep/er/and/deeper.csv",
        "quote'\"<script>.csv",
    ],
)
def test_a_key_with_odd_characters_keeps_its_name(aws: Surroundings, name: str) -> None:
    key = unique(name)
    put(aws, key, CSV)
    made = receipt(aws, key)
    assert (made["key"], made["status"], made["records"]) == (key, "succeeded", 2)


def test_a_key_of_1024_bytes_has_its_receipt(aws: Surroundings) -> None:
    key = unique("é" * 500)
    key += "x" * (1024 - len(key.encode()))
    put(aws, key, CSV)
    assert receipt(aws, key)["key"] == key


def test_a_multipart_upload_is_read_whole_and_its_hash_is_of_its_bytes(aws: Surroundings, tmp_path: Path) -> None:
    body = b"n,square\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(800_000))
    file = tmp_path / "squares.csv"
    file.write_bytes(body)
    upload = upload_file(aws, str(file), unique("squares.csv"))
    made = await_receipt(aws, upload, SECONDS)
    assert made is not None
    assert "-" in (upload.etag or ""), "the upload was not made in parts"
    assert (made["bytes"], made["records"]) == (len(body), 800_000)
    assert made["sha256"] == hashlib.sha256(body).hexdigest()


def test_the_same_key_uploaded_five_times_quickly_has_five_receipts_in_order(aws: Surroundings) -> None:
    key = unique("again.csv")
    bodies = [b"a\n" + b"1\n" * count for count in range(1, 6)]
    versions = [put(aws, key, body)["VersionId"] for body in bodies]
    entries = history(aws, key, entries=5)
    assert [entry["version_id"] for entry in reversed(entries)] == versions
    assert [entry["records"] for entry in reversed(entries)] == [1, 2, 3, 4, 5]


def test_a_file_deleted_at_once_still_ends_with_a_receipt_and_the_deletion_is_kept(aws: Surroundings) -> None:
    key = unique("gone.csv")
    version = put(aws, key, CSV)["VersionId"]
    aws.client("s3").delete_object(Bucket=aws.stage.bucket, Key=key, VersionId=version)
    entries = {entry["kind"]: entry for entry in history(aws, key, entries=2)}
    assert set(entries) == {"upload", "deleted"}
    assert entries["deleted"]["version_id"] == version
    made = aws.ledger.whole(entries["upload"])
    if made["status"] == "failed":
        assert (made["cause"], list(made["finding_counts"])) == ("unavailable", ["object-missing"])


def test_a_delete_marker_is_an_entry_and_erases_nothing(aws: Surroundings) -> None:
    key = unique("hidden.csv")
    put(aws, key, CSV)
    history(aws, key, entries=1)
    aws.client("s3").delete_object(Bucket=aws.stage.bucket, Key=key)
    newest, oldest = history(aws, key, entries=2)
    assert (newest["kind"], oldest["kind"], oldest["status"]) == ("delete-marker", "upload", "succeeded")


def test_an_upload_whose_inspection_always_raises_ends_with_a_receipt_that_says_why(faulty_aws: Surroundings) -> None:
    put(faulty_aws, "raise/orders.csv", CSV)
    made = receipt(faulty_aws, "raise/orders.csv")
    assert (made["status"], made["cause"]) == ("failed", "system")
    assert [finding["code"] for finding in made["findings"]] == ["inspection-crashed"]
    assert "RuntimeError at app.py" in made["findings"][0]["message"]


def test_an_upload_whose_inspection_kills_its_process_ends_with_a_receipt(faulty_aws: Surroundings) -> None:
    put(faulty_aws, "exit/orders.csv", CSV)
    made = receipt(faulty_aws, "exit/orders.csv")
    assert (made["status"], made["cause"]) == ("failed", "system")


def test_a_faulty_key_does_not_keep_others_from_their_receipts(faulty_aws: Surroundings) -> None:
    put(faulty_aws, "raise/again.csv", CSV)
    put(faulty_aws, "fine/orders.csv", CSV)
    assert receipt(faulty_aws, "fine/orders.csv")["status"] == "succeeded"


def test_files_that_arrive_at_once_have_one_receipt_each(aws: Surroundings, emulator: str) -> None:
    count = 500 if emulator == "embedded" else 60  # LocalStack runs fewer workers, and the sum is what is at stake
    prefix = unique("")
    keys = [f"{prefix}{number}.csv" for number in range(count)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: put(aws, key, b"k\n" + key.encode() + b"\n"), keys))
    source = prefix.rstrip("/")

    def all_there() -> list[dict[str, Any]] | None:
        found = list(aws.lists.of_source(aws.stage.bucket, source))
        return found if len(found) >= count else None

    entries = until(all_there, what=f"{count} receipts", seconds=300)
    assert sorted(entry["key"] for entry in entries) == sorted(keys)
    assert {entry["status"] for entry in entries} == {"succeeded"}


def test_the_hash_of_a_receipt_is_over_what_the_ledger_holds(aws: Surroundings) -> None:
    key = unique("hashed.csv")
    put(aws, key, CSV)
    made = receipt(aws, key)
    assert content_hash({name: value for name, value in made.items() if name != "content_hash"}) == made["content_hash"]


def test_deploying_again_changes_nothing(aws: Surroundings, project: Path) -> None:
    assert deploy("local", project, aws.endpoint, say=lambda _: None) is False
