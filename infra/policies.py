"""The least-privilege policy of each function, written to .chalice/ for Chalice to attach.

python -m infra.policies            # write the policy files of every stage
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chalicelib.announcements import DETAIL_TYPE, SOURCE
from infra.stages import ROOT, Stage, load_config, load_stage

Statement = dict[str, Any]


def policies(stage: Stage) -> dict[str, dict[str, Any]]:
    """Each function's policy document, by the name Chalice knows the function by."""
    queue = f"arn:aws:sqs:*:*:{stage.dead_letters}"
    taking_in = [_read_uploads(stage), *_write_receipts(stage)]
    return {
        "inspect": _document(stage, "inspect", *taking_in, _allow("SendDeadLetters", ["sqs:SendMessage"], [queue])),
        "last_resort": _document(
            stage,
            "last_resort",
            *taking_in,
            _allow(
                "TakeDeadLetters",
                ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                [queue],
            ),
        ),
        "batch": _document(stage, "batch", *taking_in, _look_up_receipts(stage)),
        "reconcile": _document(stage, "reconcile", *_reconcile(stage)),
        "seal": _document(stage, "seal", *_seal(stage)),
        "verify": _document(stage, "verify", *_verify(stage)),
        "announce": _document(stage, "announce", *_announce(stage)),
        "api_handler": _document(stage, "", *_api(stage), may_sign_forms=True),
        "authorize": _document(stage, "authorize", _read_tokens(stage)),
    }


def _api(stage: Stage) -> list[Statement]:
    """It reads the ledger, asks for inspections, and signs forms for uploads; it writes nothing itself."""
    table = _table(stage)
    indexes = ("journal", "failures", "sources", "history", "unfinished", "content")
    own = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"]
    kept = _keys(f"{stage.bucket}/*", "#seals/*", "#rollup/*", "#reconcile/*", "#tokens")
    return [
        _allow("ReadTheLedger", own, [table], kept),
        _allow("ReadLists", ["dynamodb:Query"], [f"{table}/index/{index}" for index in indexes]),
        _allow(
            "AskForInspections", ["lambda:InvokeFunction"], [f"arn:aws:lambda:*:*:function:{stage.function('inspect')}"]
        ),
        _allow("ListFolders", ["s3:ListBucket"], [f"arn:aws:s3:::{stage.bucket}"], _below_the_prefix(stage)),
        _allow("SignForms", ["s3:PutObject"], [stage.uploads], BY_FORM),
    ]


BY_FORM: dict[str, Any] = {"StringEquals": {"s3:authType": "POST"}}
"""A form that a caller sends: with it the function itself, whose own calls are signed in a header, can put nothing."""


def _read_tokens(stage: Stage) -> Statement:
    return _allow("ReadTokens", ["dynamodb:GetItem"], [_table(stage)], _keys("#tokens"))


def _read_uploads(stage: Stage) -> Statement:
    """ListBucket, for a missing object to be answered with 404 and not with 403."""
    bucket = f"arn:aws:s3:::{stage.bucket}"
    return _allow("ReadUploads", ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"], [bucket, stage.uploads])


def _write_receipts(stage: Stage) -> list[Statement]:
    """Only receipts and marks, whose keys begin with the bucket; of an earlier receipt, only what lists use."""
    superseded = _keys(f"{stage.bucket}/*") | {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk", "status", "failed_at", "due_at"]}
    }
    return [
        _allow("WriteReceipts", ["dynamodb:PutItem"], [_table(stage)], _keys(f"{stage.bucket}/*")),
        _allow("SupersedeReceipts", ["dynamodb:UpdateItem"], [_table(stage)], superseded),
    ]


def _look_up_receipts(stage: Stage) -> Statement:
    return _allow("LookUpReceipts", ["dynamodb:Query"], [_table(stage)], _keys(f"{stage.bucket}/*"))


def _reconcile(stage: Stage) -> list[Statement]:
    table, bucket = _table(stage), f"arn:aws:s3:::{stage.bucket}"
    return [
        _allow("ListVersions", ["s3:ListBucketVersions"], [bucket], _below_the_prefix(stage)),
        _allow("AskForVersioning", ["s3:GetBucketVersioning"], [bucket]),
        _allow("AskTheLedger", ["dynamodb:BatchGetItem", "dynamodb:Query"], [table, f"{table}/index/unfinished"]),
        _allow("KeepItsPlace", ["dynamodb:GetItem", "dynamodb:PutItem"], [table], _keys("#reconcile/*")),
        _allow(
            "AskForInspections", ["lambda:InvokeFunction"], [f"arn:aws:lambda:*:*:function:{stage.function('inspect')}"]
        ),
    ]


def _seal(stage: Stage) -> list[Statement]:
    """It reads what it seals and writes seals: it can neither write a receipt nor take back what an anchor has."""
    table = _table(stage)
    statements = [
        _allow("ReadTheJournal", ["dynamodb:Query"], [table, f"{table}/index/journal"]),
        _allow("ReadSealed", ["dynamodb:BatchGetItem"], [table], _keys("#page/*")),
        _allow("WriteSeals", ["dynamodb:PutItem"], [table], _keys("#seals/*", "#page/*", "#rollup/*")),
    ]
    if stage.seals_bucket:
        kept = f"arn:aws:s3:::{stage.seals_bucket}"
        reading = ["s3:GetObjectVersion", "s3:ListBucketVersions"]  # only versions that a list has named
        statements.append(_allow("KeepSeals", ["s3:PutObject", *reading], [kept, f"{kept}/*"]))
    if stage.seals_key:
        statements.append(_by_the_seals_key(stage, "SignSeals", ["kms:Sign", "kms:Verify"]))
    return statements


def _verify(stage: Stage) -> list[Statement]:
    """It reads the ledger, whatever stands in it, the bucket's listing and the anchor; it writes nothing anywhere."""
    table = _table(stage)
    statements = [
        _allow("ListVersions", ["s3:ListBucketVersions"], [f"arn:aws:s3:::{stage.bucket}"], _below_the_prefix(stage)),
        _allow("ReadTheLedger", ["dynamodb:BatchGetItem", "dynamodb:Query"], [table]),
        _allow("ReadLists", ["dynamodb:Query"], [f"{table}/index/{index}" for index in ("journal", "unfinished")]),
    ]
    if stage.seals_bucket:
        kept = f"arn:aws:s3:::{stage.seals_bucket}"
        reading = ["s3:GetObjectVersion", "s3:ListBucketVersions"]  # only versions that a list has named
        statements.append(_allow("ReadSeals", reading, [kept, f"{kept}/*"]))
    if stage.seals_key:
        statements.append(_by_the_seals_key(stage, "CheckSeals", ["kms:Verify"]))
    return statements


def _by_the_seals_key(stage: Stage, sid: str, actions: list[str]) -> Statement:
    condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": [stage.seals_key]}}
    return _allow(sid, actions, ["arn:aws:kms:*:*:key/*"], condition)


def _announce(stage: Stage) -> list[Statement]:
    """It reads the table's stream and puts Recibo's own events on the default bus; it cannot read the table."""
    events = {"ForAllValues:StringEquals": {"events:source": [SOURCE], "events:detail-type": [DETAIL_TYPE]}}
    reading = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
    return [
        _allow("ReadTheStream", reading, [f"{_table(stage)}/stream/*"]),
        _allow("Announce", ["events:PutEvents"], ["arn:aws:events:*:*:event-bus/default"], events),
        _allow("TellWhatWasGivenUp", ["sqs:SendMessage"], [f"arn:aws:sqs:*:*:{stage.unannounced}"]),
    ]


def _below_the_prefix(stage: Stage) -> dict[str, Any] | None:
    """In a bucket that holds others' objects too, their names are not to be listed."""
    return {"StringLike": {"s3:prefix": f"{stage.prefix}*"}} if stage.prefix else None


def _table(stage: Stage) -> str:
    return f"arn:aws:dynamodb:*:*:table/{stage.table}"


def _keys(*patterns: str) -> dict[str, Any]:
    """Only items whose partition key is like one of these."""
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(patterns)}}


def _never_delete(stage: Stage, *, may_sign_forms: bool) -> list[Statement]:
    """What no function may do even if another policy allows it: receipts are never deleted, uploads never made."""
    never = {
        "Sid": "NeverDelete",
        "Effect": "Deny",
        "Action": [
            "dynamodb:BatchWriteItem",  # can delete, whatever DeleteItem's denial says
            "dynamodb:DeleteItem",
            "dynamodb:DeleteTable",
            "dynamodb:PartiQLDelete",
            "s3:DeleteObject*",
            *([] if may_sign_forms else ["s3:PutObject"]),
        ],
        "Resource": [_table(stage), f"arn:aws:s3:::{stage.bucket}/*"],
    }
    if not may_sign_forms:
        return [never]
    otherwise = {"StringNotEquals": BY_FORM["StringEquals"]}
    uploads = [f"arn:aws:s3:::{stage.bucket}/*"]
    return [
        never,
        {
            "Sid": "NeverUpload",
            "Effect": "Deny",
            "Action": ["s3:PutObject"],
            "Resource": uploads,
            "Condition": otherwise,
        },
    ]


def _document(stage: Stage, function: str, *statements: Statement, may_sign_forms: bool = False) -> dict[str, Any]:
    name = stage.function(function).rstrip("-")  # the API's function is named for the stage alone
    logs = _allow(
        "WriteLogs",
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        [f"arn:aws:logs:*:*:log-group:/aws/lambda/{name}", f"arn:aws:logs:*:*:log-group:/aws/lambda/{name}:*"],
    )
    # X-Ray's actions know no resources.
    traces = _allow("WriteTraces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])
    never = _never_delete(stage, may_sign_forms=may_sign_forms)
    told = [logs, *([traces] if stage.is_traced else [])]
    return {"Version": "2012-10-17", "Statement": [*statements, *never, *told]}


def _allow(sid: str, actions: list[str], resources: list[str], condition: dict[str, Any] | None = None) -> Statement:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def policy_path(stage: Stage, function: str, project: Path = ROOT) -> Path:
    """Where Chalice looks for the function's policy, as .chalice/config.json says."""
    return project / ".chalice" / f"policy-{function}-{stage.name}.json"


def write_policies(stage: Stage, project: Path = ROOT) -> list[Path]:
    """Write the stage's policy files; the ones that changed."""
    changed = []
    for function, document in policies(stage).items():
        path = policy_path(stage, function, project)
        text = json.dumps(document, indent=2) + "\n"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            changed.append(path)
    return changed


if __name__ == "__main__":
    for stage_name in load_config()["stages"]:
        for written in write_policies(load_stage(stage_name)):
            print(written.relative_to(ROOT))
