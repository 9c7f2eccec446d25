"""Builds the collaborators from the environment, once per execution environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.config import Config

from chalicelib.aws.inbox import S3Inbox, read_without_dates
from chalicelib.aws.items import put_as_they_are
from chalicelib.aws.ledger import DynamoLedger
from chalicelib.intake import Intake
from chalicelib.logs import Log

if TYPE_CHECKING:
    from chalicelib.access import Caller
    from chalicelib.announcing import Announcer
    from chalicelib.answers import Answer
    from chalicelib.api import Api, Call
    from chalicelib.aws.tokens import DynamoTokens
    from chalicelib.backfill import Backfill
    from chalicelib.contracts import Contracts
    from chalicelib.scheduled import ScheduledReconcile
    from chalicelib.sealing import Sealer
    from chalicelib.site import Site
    from chalicelib.verification import Verification

VERDICT_RESERVE = timedelta(seconds=40)
"""How much of its time an inspection keeps back to write its verdict; a tenth of it, if that is less."""


USER_AGENT = f"recibo Boto3/{boto3.__version__}"
"""Who asks, in S3's access logs and in CloudTrail; else botocore makes it up twice for every request (0.1 ms)."""

LEAN: Mapping[str, Callable[[Any], None]] = {"s3": read_without_dates, "dynamodb": put_as_they_are}
"""What spares a client work that nobody needs, by its events: without it the same requests are made."""


SETTINGS = {"bucket": "RECIBO_BUCKET", "table": "RECIBO_TABLE", "dead_letters": "RECIBO_DEAD_LETTERS"}
HOURLY = "rate(1 hour)"
AFTER_THE_GRACE = "cron(25 * * * ? *)"
"""When an hour's seal is due: from twenty minutes past the next on (sealing.GRACE)."""

TWICE_A_DAY = "cron(40 3,15 * * ? *)"
"""When the last day is verified: so that whoever asks for a day's result finds one, however long it took."""


class Settings(NamedTuple):
    """What a stage's environment in .chalice/config.json says."""

    bucket: str
    table: str
    dead_letters: str
    anchor: str = ""
    prefix: str = ""
    """What keys begin with that are Recibo's, in a bucket that holds others' too; empty for all."""
    retention_days: int | None = None
    reconcile_schedule: str = HOURLY
    seal_schedule: str = AFTER_THE_GRACE
    verify_schedule: str = TWICE_A_DAY

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the stage's variables; KeyError names one that is missing."""
        days = os.environ.get("RECIBO_RETENTION_DAYS")
        return cls(
            **{name: os.environ[variable] for name, variable in SETTINGS.items()},
            anchor=os.environ.get("RECIBO_ANCHOR", ""),
            prefix=os.environ.get("RECIBO_PREFIX", ""),
            retention_days=int(days) if days else None,
            reconcile_schedule=os.environ.get("RECIBO_RECONCILE_SCHEDULE", HOURLY),
            seal_schedule=os.environ.get("RECIBO_SEAL_SCHEDULE", AFTER_THE_GRACE),
            verify_schedule=os.environ.get("RECIBO_VERIFY_SCHEDULE", TWICE_A_DAY),
        )

    @property
    def retention(self) -> timedelta | None:
        """How long a receipt is kept; None for ever."""
        return timedelta(days=self.retention_days) if self.retention_days else None


class LambdaClock:
    """The wall clock, and the time a Lambda invocation has left for inspecting."""

    def __init__(self, context: Any) -> None:
        left = timedelta(milliseconds=context.get_remaining_time_in_millis())
        self._verdict_by = self.now() + left - min(VERDICT_RESERVE, left / 10)

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    def remaining(self) -> timedelta:
        """How long the inspection may still take."""
        return self._verdict_by - self.now()


def intake(context: Any) -> Intake:
    """The intake for one Lambda invocation."""
    return Intake(
        inbox=inbox(),
        ledger=ledger(),
        clock=clock(context),
        contracts=contracts(),
        request_id=getattr(context, "aws_request_id", None),
    )


def log(context: Any) -> Log:
    """The log of one Lambda invocation."""
    return Log(stage=sibling("")[:-1], request_id=getattr(context, "aws_request_id", None))


def clock(context: Any) -> LambdaClock:
    """The clock of one Lambda invocation."""
    return LambdaClock(context)


@cache
def contracts() -> Contracts:
    """The deployed contracts, read once, with the first upload."""
    from chalicelib.contracts import load  # noqa: PLC0415

    return load()


@cache
def inbox() -> S3Inbox:
    """The inbox, its connection kept between invocations."""
    return S3Inbox(client("s3"))


@cache
def ledger() -> DynamoLedger:
    """The ledger, its connection kept between invocations."""
    settings = Settings.from_environment()
    return DynamoLedger(client("dynamodb"), settings.table, retention=settings.retention)


@cache
def reconcile() -> ScheduledReconcile:
    """The scheduled reconcile, its connections kept between invocations. Only that function needs its modules."""
    from chalicelib.aws.inspections import LambdaInspections  # noqa: PLC0415
    from chalicelib.aws.lists import DynamoLists  # noqa: PLC0415
    from chalicelib.aws.notes import DynamoNotes  # noqa: PLC0415
    from chalicelib.aws.versions import S3Versions  # noqa: PLC0415
    from chalicelib.reconcile import Reconciliation  # noqa: PLC0415
    from chalicelib.scheduled import ScheduledReconcile  # noqa: PLC0415

    settings, table = Settings.from_environment(), client("dynamodb")
    return ScheduledReconcile(
        reconciliation=Reconciliation(
            versions=S3Versions(client("s3"), within=settings.prefix),
            receipts=ledger(),
            unfinished=DynamoLists(table, settings.table),
        ),
        inspections=LambdaInspections(client("lambda"), sibling("inspect")),
        notes=DynamoNotes(table, settings.table),
        retention=settings.retention,
    )


@cache
def sealer() -> Sealer:
    """The sealer, its connections kept between invocations. Only that function needs its modules."""
    from chalicelib.aws.anchors import anchor_from  # noqa: PLC0415
    from chalicelib.aws.seals import DynamoSeals  # noqa: PLC0415
    from chalicelib.sealing import Sealer  # noqa: PLC0415

    settings = Settings.from_environment()
    return Sealer(
        store=DynamoSeals(client("dynamodb"), settings.table),
        anchor=anchor_from(settings.anchor, client),
        retention_days=settings.retention_days,
    )


@cache
def verification() -> Verification:
    """What verifies, its connections kept between invocations. Only that function needs its modules."""
    from chalicelib.aws.anchors import LockedBucketAnchor  # noqa: PLC0415
    from chalicelib.aws.evidence import DynamoEvidence  # noqa: PLC0415
    from chalicelib.aws.signatures import KmsSignatures  # noqa: PLC0415
    from chalicelib.aws.versions import S3Versions  # noqa: PLC0415
    from chalicelib.verification import Verification  # noqa: PLC0415

    settings = Settings.from_environment()
    kind, _, name = settings.anchor.partition(":")
    return Verification(
        ledger=DynamoEvidence(client("dynamodb"), settings.table),
        versions=S3Versions(client("s3"), within=settings.prefix),
        copies=LockedBucketAnchor(client("s3"), name) if kind == "s3" else None,
        signatures=KmsSignatures(client("kms"), name) if kind == "kms" else None,
        anchor=settings.anchor or None,
        retention_days=settings.retention_days,
    )


@cache
def announcer() -> Announcer:
    """What announces receipts, its connection kept between invocations. Only that function needs its modules."""
    from chalicelib.announcing import Announcer  # noqa: PLC0415
    from chalicelib.aws.items import decoded  # noqa: PLC0415
    from chalicelib.aws.notices import EventBridgeNotices  # noqa: PLC0415

    return Announcer(notices=EventBridgeNotices(client("events")), decoded=decoded)


@cache
def backfill() -> Backfill:
    """What a list of versions still wants, its connection kept between invocations. Only that needs its modules."""
    from chalicelib.aws.objects import S3Objects  # noqa: PLC0415
    from chalicelib.backfill import Backfill  # noqa: PLC0415

    settings = Settings.from_environment()
    return Backfill(objects=S3Objects(client("s3")), receipts=ledger(), bucket=settings.bucket, prefix=settings.prefix)


# -- the API. Only its function needs its modules


@cache
def api() -> Api:
    """The API of this stage, its connections kept between requests."""
    from chalicelib.api import Api  # noqa: PLC0415
    from chalicelib.aws.folders import S3Folders  # noqa: PLC0415
    from chalicelib.aws.forms import S3Forms  # noqa: PLC0415
    from chalicelib.aws.inspections import LambdaInspections  # noqa: PLC0415
    from chalicelib.aws.lists import DynamoLists, Period  # noqa: PLC0415
    from chalicelib.aws.notes import DynamoNotes  # noqa: PLC0415
    from chalicelib.aws.pages import DynamoPages  # noqa: PLC0415
    from chalicelib.aws.seals import DynamoSeals  # noqa: PLC0415
    from chalicelib.contracts.loading import texts  # noqa: PLC0415
    from chalicelib.queries import Browser  # noqa: PLC0415
    from chalicelib.summaries import Summaries  # noqa: PLC0415

    settings, dynamodb = Settings.from_environment(), client("dynamodb")
    bucket, table = settings.bucket, settings.table
    lists, seals = DynamoLists(dynamodb, table), DynamoSeals(dynamodb, table)

    def journal(since: datetime, until: datetime, page: int) -> Iterator[dict[str, Any]]:
        return lists.newest(bucket, Period(since=since, until=until), page=page)

    return Api(
        bucket=bucket,
        prefix=settings.prefix,
        anchor=settings.anchor,
        ledger=DynamoLedger(dynamodb, table),
        lists=lists,
        browser=Browser(pages=DynamoPages(dynamodb, table), bucket=bucket),
        summaries=Summaries(seals=seals, journal=journal, bucket=bucket),
        seals=seals,
        notes=DynamoNotes(dynamodb, table),
        inspections=LambdaInspections(client("lambda"), f"{os.environ['AWS_LAMBDA_FUNCTION_NAME']}-inspect"),
        forms=S3Forms(client("s3")),
        folders=S3Folders(client("s3"), within=settings.prefix),
        contracts=texts,
        now=now,
        unique=lambda: secrets.token_hex(4),
    )


def call(caller: Caller, request: Any) -> Call:
    """A request of Chalice's as the API takes it."""
    from chalicelib.api import Call  # noqa: PLC0415

    return Call(
        caller=caller,
        query=request.to_original_event()["multiValueQueryStringParameters"] or {},
        body=request.raw_body or b"",
        if_none_match=request.headers.get("if-none-match"),
    )


def description(if_none_match: str | None) -> Answer:
    """The API's description of itself."""
    from chalicelib.api import public  # noqa: PLC0415
    from chalicelib.openapi import description as described  # noqa: PLC0415

    return public(described(), if_none_match)


@cache
def site() -> Site:
    """The dashboard's files, which may talk to the inbox."""
    from chalicelib.aws.forms import S3Forms  # noqa: PLC0415
    from chalicelib.site import Site  # noqa: PLC0415

    return Site(inbox=S3Forms(client("s3")).origin(Settings.from_environment().bucket))


@cache
def tokens() -> DynamoTokens:
    """The API's tokens."""
    from chalicelib.aws.tokens import DynamoTokens  # noqa: PLC0415

    return DynamoTokens(client("dynamodb"), Settings.from_environment().table)


def is_iam() -> bool:
    """Whether callers sign their requests with IAM credentials instead of showing tokens."""
    return os.environ.get("RECIBO_API_ACCESS") == "iam"


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def sibling(function: str) -> str:
    """The full name of another function of this stage: Chalice names them `app-stage-function`."""
    return "-".join([*os.environ["AWS_LAMBDA_FUNCTION_NAME"].split("-")[:-1], function])


def client(service: Any) -> Any:
    """A client for AWS, or for the emulator at AWS_ENDPOINT_URL, whose host name cannot carry a bucket's."""
    config = Config(
        connect_timeout=5,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 4},
        parameter_validation=False,  # it walks through all of an item; AWS does so itself, and no name here is empty
        s3={"addressing_style": "path" if os.environ.get("AWS_ENDPOINT_URL") else "auto"},
        signature_version="s3v4" if service == "s3" else None,  # else forms are signed the old way, for one region
        user_agent=USER_AGENT,
    )
    made = boto3.client(service, config=config)
    if service in LEAN:
        LEAN[service](made.meta.events)
    return made
