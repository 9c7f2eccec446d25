"""`doctor`: what is set up, reachable and deployed, and what to do next."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError
from packaging.requirements import Requirement
from rich.text import Text

from chalicelib.aws.seals import DynamoSeals
from chalicelib.contracts import ContractError
from chalicelib.contracts.loading import texts
from chalicelib.inspection.checking import right
from cli.options import json_option, quiet_option, stage_options
from cli.surroundings import Surroundings
from cli.text import local_time, number, printable
from cli.views import STYLES, display
from infra.stages import ROOT, Stage, UsageError, load_config, load_stage
from local.embedded import endpoint_for

API_HANDLER = "api_handler"
OLDEST_PYTHON = (3, 11)

Check = Callable[[], str]
"""Tells what is right in a few words; raises Ailment, UsageError or an error of AWS for what is not."""


class Ailment(Exception):
    """Something is not as it should be: what, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was looked at, whether it is right, and in words what it is or what to do."""

    name: str
    is_right: bool
    words: str


@click.command()
@json_option
@quiet_option
@stage_options
def doctor(*, stage: str, endpoint_url: str | None, as_json: bool) -> None:
    """Look at everything a stage needs: Python, packages, contracts, AWS, bucket, ledger, functions, seals.

    Exit status: 0 if all is right, 1 if something is not.
    """
    is_right = True
    for found in diagnoses(stage, endpoint_url):
        is_right = is_right and found.is_right
        if as_json:
            click.echo(json.dumps({"check": found.name, "ok": found.is_right, "detail": found.words}))
        else:
            display(_line(found))
    sys.exit(0 if is_right else 1)


def _line(found: Diagnosis) -> Text:
    sign, style = ("✓", STYLES["succeeded"]) if found.is_right else ("✗", STYLES["failed"])
    return Text.assemble((f"{sign} {found.name:<10}", style), "  ", printable(found.words))


def diagnoses(stage: str, endpoint_url: str | None) -> Iterator[Diagnosis]:
    """Look at one thing after another; what rests on something that is wrong is not looked at."""
    yield _looked("python", _python)
    yield _looked("packages", _packages)
    yield _looked("contracts", _contracts)
    yield (configured := _looked("stage", lambda: _stage(load_stage(stage))))
    if not configured.is_right:
        return
    yield (reached := _looked("aws", lambda: _aws(stage, endpoint_url)))
    if not reached.is_right:
        return
    aws = _Aws(Surroundings.find(stage, endpoint_url))
    yield (bucket := _looked("bucket", aws.bucket))
    yield (table := _looked("ledger", aws.ledger))
    if bucket.is_right and table.is_right:
        yield _looked("functions", aws.functions)
        yield _looked("letters", aws.dead_letters)
        yield _looked("seals", aws.seals)


def _looked(name: str, check: Check) -> Diagnosis:
    try:
        return Diagnosis(name=name, is_right=True, words=check())
    except (Ailment, UsageError, ContractError, BotoCoreError) as error:
        return Diagnosis(name=name, is_right=False, words=str(error))
    except ClientError as error:
        refusal = error.response["Error"]
        words = f"AWS refused {error.operation_name} ({refusal['Code']}): {refusal.get('Message', '')}"
        return Diagnosis(name=name, is_right=False, words=words)


# -- here


def _python() -> str:
    if sys.version_info < OLDEST_PYTHON:
        raise Ailment(f"Python {sys.version.split()[0]} is too old: use 3.11 or later, as in `make PYTHON=python3.13`.")
    return sys.version.split()[0]


def _packages() -> str:
    wanted = list(_pinned("requirements-dev.txt"))
    wrong = [f"{each.name} ({found})" for each in wanted if (found := _installed(each)) is not None]
    if wrong:
        raise Ailment(f"Not as requirements-dev.txt says: {', '.join(wrong)}. Run `make setup`.")
    return f"{len(wanted)} as pinned"


def _pinned(file: str) -> Iterator[Requirement]:
    """What a file of requirements asks for, and those that it names."""
    for line in (ROOT / file).read_text().splitlines():
        words = line.partition("#")[0].strip()
        if words.startswith("-r "):
            yield from _pinned(words.removeprefix("-r ").strip())
        elif words:
            yield Requirement(words)


def _installed(wanted: Requirement) -> str | None:
    """What is installed instead; None if it is right."""
    if wanted.marker and not wanted.marker.evaluate():
        return None
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return "missing"
    return None if wanted.specifier.contains(found) else found


def _contracts() -> str:
    return f"{len(right(texts()))} right"


def _stage(stage: Stage) -> str:
    return f"{stage.name}: bucket {stage.bucket}, table {stage.table}, seals {stage.anchor or 'not anchored'}"


def _aws(stage: str, endpoint_url: str | None) -> str:
    endpoint = endpoint_for(stage, endpoint_url)
    if endpoint:
        return f"an emulator answers at {endpoint}"
    surroundings = Surroundings.find(stage, endpoint_url)
    return f"account {surroundings.client('sts').get_caller_identity()['Account']}"


# -- there


@dataclass(frozen=True, slots=True)
class _Aws:
    surroundings: Surroundings

    def bucket(self) -> str:
        name, s3 = self.surroundings.stage.bucket, self.surroundings.client("s3")
        try:
            versioning = s3.get_bucket_versioning(Bucket=name)
        except ClientError as error:
            raise self._undeployed(error, f"There is no bucket {name}") from error
        if versioning.get("Status") != "Enabled":
            raise Ailment(f"{name} has no versioning: completeness cannot be proven. Enable it on the bucket.")
        return f"{name}, versioned"

    def ledger(self) -> str:
        name = self.surroundings.stage.table
        try:
            table = self.surroundings.client("dynamodb").describe_table(TableName=name)["Table"]
        except ClientError as error:
            raise self._undeployed(error, f"There is no table {name}") from error
        if table["TableStatus"] not in {"ACTIVE", "UPDATING"}:
            raise Ailment(f"{name} is {table['TableStatus']}: wait, then look again.")
        return name

    def functions(self) -> str:
        client, names = self.surroundings.client("lambda"), list(load_config()["lambda_functions"])
        runtimes = {self._runtime(client, name) for name in names}
        return f"{', '.join(names)} on {', '.join(sorted(runtimes))}"

    def _runtime(self, client: Any, name: str) -> str:
        stage = self.surroundings.stage
        try:
            # Chalice names the API's function after the app and the stage alone, as the stack is named.
            deployed = stage.stack if name == API_HANDLER else stage.function(name)
            return str(client.get_function_configuration(FunctionName=deployed)["Runtime"])
        except ClientError as error:
            raise self._undeployed(error, f"There is no function {deployed}") from error

    def dead_letters(self) -> str:
        queues = self.surroundings.client("sqs")
        url = queues.get_queue_url(QueueName=self.surroundings.stage.dead_letters)["QueueUrl"]
        names = ["ApproximateNumberOfMessages"]
        waiting = int(queues.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"][names[0]])
        if waiting:
            raise Ailment(f"{number(waiting)} dead letters wait: read the log of last_resort, then `recibo.py retry`.")
        return "none"

    def seals(self) -> str:
        stage = self.surroundings.stage
        last = DynamoSeals(self.surroundings.client("dynamodb"), stage.table).last(stage.bucket)
        return f"the last of {local_time(last.sealed_at.isoformat())}" if last else "none yet"

    def _undeployed(self, error: ClientError, what: str) -> Exception:
        if error.response["Error"]["Code"] not in {"NoSuchBucket", "404", "ResourceNotFoundException"}:
            return error
        return Ailment(f"{what}: run `make deploy STAGE={self.surroundings.stage.name}`.")
