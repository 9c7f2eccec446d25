"""The commands a person types against a running AWS: recibo.py, chalice-local and the AWS CLI."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from cli.surroundings import Surroundings
from infra.stages import ROOT
from local.embedded import CREDENTIALS
from tests.e2e.waiting import receipt, until

pytestmark = pytest.mark.e2e

GOOD = b"id,name\n1,Ana\n2,Bia\n"
BAD = b"id,name\n1,Ana\n2\n"
BIN = Path(sys.executable).parent


def environment(aws: Surroundings) -> dict[str, str]:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": str(aws.endpoint), "PATH": path}


def run(aws: Surroundings, *command: str, cwd: Path = ROOT, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=environment(aws), capture_output=True, text=True, check=False, input=stdin
    )


def recibo(aws: Surroundings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(aws, sys.executable, str(ROOT / "recibo.py"), *arguments)


def lines_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def record_of(bucket: str, key: str) -> dict[str, Any]:
    """An S3 event's record of an upload."""
    return {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-11-23T08:00:00.000Z",
        "s3": {
            "bucket": {"name": bucket},
            "object": {"key": quote_plus(key, safe="/"), "versionId": "null", "eTag": "0" * 32, "size": 1},
        },
    }


@pytest.fixture(scope="module")
def source(aws: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A source with one good file and one bad, uploaded by `put`."""
    folder, name = tmp_path_factory.mktemp("files"), uuid.uuid4().hex[:8]
    (folder / "good file.csv").write_bytes(GOOD)
    (folder / "bad+file.csv").write_bytes(BAD)
    files = [str(folder / "good file.csv"), str(folder / "bad+file.csv")]
    done = recibo(aws, "put", "--prefix", f"{name}/", *files)
    assert done.returncode == 1, done.stderr
    assert "✓ succeeded  " in done.stdout
    assert "row 2, line 3" in done.stdout
    return name


def test_put_shows_the_receipt_as_json_and_exits_0_if_the_file_conforms(aws: Surroundings, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    key = f"{uuid.uuid4().hex}.csv"
    (made,) = lines_of(recibo(aws, "put", "--json", "--key", key, str(tmp_path / "a.csv")))
    assert (made["key"], made["status"], made["records"]) == (key, "succeeded", 2)


def test_ls_lists_newest_first_by_source(aws: Surroundings, source: str) -> None:
    listed = lines_of(recibo(aws, "ls", "--json", "--source", source))
    assert {entry["key"] for entry in listed} == {f"{source}/good file.csv", f"{source}/bad+file.csv"}
    assert listed == sorted(listed, key=lambda entry: entry["finished_at"], reverse=True)
    assert "bad+file.csv" in recibo(aws, "ls", "--source", source).stdout


def test_ls_failed_lists_failures_only(aws: Surroundings, source: str) -> None:
    listed = lines_of(recibo(aws, "ls", "--json", "--failed", "--source", source))
    assert [entry["key"] for entry in listed] == [f"{source}/bad+file.csv"]


def test_ls_pages_without_losing_or_repeating_a_receipt(aws: Surroundings, source: str) -> None:
    pages = [
        lines_of(recibo(aws, "ls", "--json", "--source", source, "--limit", "1", "--page", str(page)))
        for page in (1, 2, 3)
    ]
    assert [len(page) for page in pages] == [1, 1, 0]
    assert pages[0] != pages[1]
    assert "--page 2" in recibo(aws, "ls", "--source", source, "--limit", "1").stdout


def test_ls_since_leaves_out_what_is_older(aws: Surroundings, source: str) -> None:
    assert lines_of(recibo(aws, "ls", "--json", "--source", source, "--since", "2100-01-01")) == []
    assert len(lines_of(recibo(aws, "ls", "--json", "--source", source, "--since", "1h"))) == 2


def test_show_shows_one_receipt_in_full_and_the_history(aws: Surroundings, source: str) -> None:
    key = f"{source}/bad+file.csv"
    (made,) = lines_of(recibo(aws, "show", "--json", key))
    assert made == receipt(aws, key)
    assert made["content_hash"] in recibo(aws, "show", key).stdout
    assert len(lines_of(recibo(aws, "show", "--json", "--history", key))) == 1


def test_show_of_an_unknown_key_exits_2_with_one_sentence(aws: Surroundings) -> None:
    done = recibo(aws, "show", "nowhere.csv")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "Traceback" not in done.stderr


def test_watch_shows_receipts_as_they_appear_and_stops_cleanly_on_ctrl_c(aws: Surroundings) -> None:
    key = f"{uuid.uuid4().hex}/watched.csv"
    command = [sys.executable, str(ROOT / "recibo.py"), "watch", "--json", "--since", "1m"]
    with subprocess.Popen(command, env=environment(aws), stdout=subprocess.PIPE, text=True) as watching:
        aws.client("s3").put_object(Bucket=aws.stage.bucket, Key=key, Body=GOOD)
        assert watching.stdout is not None
        seen = next(line for line in watching.stdout if json.loads(line)["key"] == key)
        watching.send_signal(signal.SIGINT)
    assert json.loads(seen)["status"] == "succeeded"
    assert watching.returncode == 0


def test_watch_count_ends_by_itself(aws: Surroundings, source: str) -> None:
    assert source
    assert len(lines_of(recibo(aws, "watch", "--json", "--since", "1h", "--count", "2"))) == 2


def test_an_endpoint_where_nothing_answers_gives_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "recibo.py"), "ls", "--endpoint-url", "http://127.0.0.1:9"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_stage_that_is_not_deployed_says_how_to_deploy_it(aws: Surroundings) -> None:
    done = recibo(aws, "ls", "--stage", "dev")
    assert done.returncode == 2
    assert "make deploy" in done.stderr


def test_chalice_local_logs_read_one_line_for_each_upload_without_content(aws: Surroundings, project: Path) -> None:
    key, secret = f"{uuid.uuid4().hex}/logged.csv", uuid.uuid4().hex
    aws.client("s3").put_object(Bucket=aws.stage.bucket, Key=key, Body=f"id,name\n1,{secret}\n{secret}".encode())
    receipt(aws, key)

    def logged() -> str | None:
        printed = run(aws, "chalice-local", "logs", "--stage", "local", "--name", "inspect", cwd=project).stdout
        return printed if key in printed else None

    printed = until(logged, what="log line")
    assert secret not in printed
    (line,) = [line for line in printed.splitlines() if key in line]
    told = json.loads(line[line.index("{") :])
    assert {"bucket", "key", "version_id", "status", "bytes", "records", "duration_ms", "request_id"} <= set(told)
    assert told["findings"]


def test_chalice_local_invoke_runs_the_function(aws: Surroundings, project: Path) -> None:
    key = f"{uuid.uuid4().hex}/never uploaded.csv"
    event = json.dumps({"Records": [record_of(aws.stage.bucket, key)]})
    done = run(aws, "chalice-local", "invoke", "--stage", "local", "--name", "inspect", cwd=project, stdin=event)
    assert done.returncode == 0, done.stderr
    assert list(receipt(aws, key)["finding_counts"]) == ["object-missing"]


def test_the_aws_cli_uploads_and_finds_the_receipt(aws: Surroundings, tmp_path: Path) -> None:
    key = f"{uuid.uuid4().hex}/by hand.csv"
    (tmp_path / "file.csv").write_bytes(GOOD)
    url = ["--endpoint-url", str(aws.endpoint)]
    copied = run(aws, "aws", *url, "s3", "cp", str(tmp_path / "file.csv"), f"s3://{aws.stage.bucket}/{key}")
    assert copied.returncode == 0, copied.stderr
    receipt(aws, key)
    values = json.dumps({":key": {"S": f"{aws.stage.bucket}/{key}"}})
    query = ["dynamodb", "query", "--table-name", aws.stage.table, "--index-name", "history"]
    condition = ["--key-condition-expression", "of_key = :key", "--expression-attribute-values", values]
    found = run(aws, "aws", *url, *query, *condition)
    assert json.loads(found.stdout)["Items"][0]["status"] == {"S": "succeeded"}
