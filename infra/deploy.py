"""The one deploy step, the same for every stage: stack, then Chalice, then what Chalice cannot set.

    python -m infra.deploy --stage local

Running it again changes nothing and is quick: what is deployed carries the fingerprint of what it was made from.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.contracts import ContractError, load
from chalicelib.inspection.checking import refused_checks
from infra.gateway import gateway_responses, set_responses
from infra.package import build_zip
from infra.policies import write_policies
from infra.stages import ROOT, Stage, UsageError, load_stage
from local.embedded import endpoint_for

FINGERPRINT_TAG = "recibo-fingerprint"
RETRIES = 2
EVENT_AGE_SECONDS = 6 * 3600  # the longest Lambda allows: throttling alone should not end in the dead letters
STACK_POLL_SECONDS = 1.0
PATIENT = Config(retries={"mode": "standard", "max_attempts": 8})  # API Gateway deploys once in five seconds
EMULATOR_WAITERS = ROOT / "infra" / "emulator"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment of `project` as `stage`, to AWS or to the emulator at `endpoint`."""

    stage: Stage
    project: Path
    endpoint: str | None
    say: Say

    def run(self) -> bool:
        """Bring everything up to date; whether anything had to change."""
        self._check_contracts()
        with self._step("policies"):
            write_policies(self.stage, self.project)
        with self._step(f"stack {self.stage.stack}"):
            stack_changed = self._deploy_stack()
            self._check_lock()
        if self._deployed_fingerprint() == self._fingerprint():
            self.say("functions: up to date")
            return stack_changed
        with self._step("zip"):
            build_zip(self.project, self.stage.name)
        with self._step("functions (chalice deploy)"):
            self._run_chalice()
        with self._step("the gateway's own answers"):
            set_responses(self._client("apigateway"), self.stage, self.project)
        with self._step("retries and dead letters"):
            self._join()
        return True

    def _check_contracts(self) -> None:
        try:
            found = load(self.project / "chalicelib" / "contracts")
            refused = list(refused_checks({contract.name: contract for contract in found.all}))
            if refused:
                raise ContractError(*refused)
        except ContractError as error:
            raise UsageError(f"The contracts are not right: {error}") from error

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.say(f"{name}: done in {time.monotonic() - began:.1f} s")

    def _client(self, service: Any) -> Any:
        return boto3.client(service, endpoint_url=self.endpoint, config=PATIENT)

    # -- the stack

    def _deploy_stack(self) -> bool:
        cloudformation = self._client("cloudformation")
        request = {
            "StackName": self.stage.stack,
            "TemplateBody": (self.project / "infra" / "template.yaml").read_text(),
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value} for name, value in self._parameters().items()
            ],
        }
        digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        request["Tags"] = [{"Key": FINGERPRINT_TAG, "Value": digest}]
        stack = self._stack()
        up_to_date = {"Key": FINGERPRINT_TAG, "Value": digest} in (stack or {}).get("Tags", [])
        if stack is None:
            cloudformation.create_stack(**request, EnableTerminationProtection=self.endpoint is None)
        elif (up_to_date and _is_complete(stack)) or not _update(cloudformation, request):
            return False
        self._wait_for_stack()
        return True

    def _parameters(self) -> Mapping[str, str]:
        return {
            "BucketName": self.stage.bucket,
            "TableName": self.stage.table,
            "DeadLetterQueueName": self.stage.dead_letters,
            "RequireTls": "false" if self.endpoint else "true",
            "SealsBucketName": self.stage.seals_bucket,
            "SealsKeyAlias": self.stage.seals_key,
        }

    def _check_lock(self) -> None:
        """A seal in a bucket without a lock proves nothing: set it where an emulator's stack left it out."""
        if not self.stage.seals_bucket:
            return
        s3 = self._client("s3")
        try:
            s3.get_object_lock_configuration(Bucket=self.stage.seals_bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ObjectLockConfigurationNotFoundError" or not self.endpoint:
                raise
            lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}}
            s3.put_object_lock_configuration(Bucket=self.stage.seals_bucket, ObjectLockConfiguration=lock)

    def _stack(self) -> dict[str, Any] | None:
        try:
            found = self._client("cloudformation").describe_stacks(StackName=self.stage.stack)
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise
        stacks: list[dict[str, Any]] = found["Stacks"]
        return stacks[0] if stacks else None

    def _wait_for_stack(self) -> None:
        while True:
            stack = self._stack() or {"StackStatus": "missing"}
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                break
            time.sleep(STACK_POLL_SECONDS)
        if not _is_complete(stack):
            raise UsageError(
                f"The stack {self.stage.stack} ended as {stack['StackStatus']}: "
                f"{stack.get('StackStatusReason') or self._first_failure()}"
            )

    def _first_failure(self) -> str:
        events = self._client("cloudformation").describe_stack_events(StackName=self.stage.stack)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
        return str(failed[-1].get("ResourceStatusReason")) if failed else "no reason was given."

    # -- the functions

    def _fingerprint(self) -> str:
        """A hash over everything that `chalice deploy` and the join make the functions from."""
        files = [self.project / "app.py", self.project / "requirements.txt", self.project / ".chalice" / "config.json"]
        files += sorted((self.project / "chalicelib").rglob("*"))
        files += sorted((self.project / ".chalice").glob(f"policy-*-{self.stage.name}.json"))
        refusals = json.dumps(gateway_responses(is_iam=self.stage.is_iam))
        digest = hashlib.sha256(f"{sys.version_info[:2]} {RETRIES} {EVENT_AGE_SECONDS} {refusals}".encode())
        for path in files:
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path.relative_to(self.project)}\0".encode() + path.read_bytes() + b"\0")
        return digest.hexdigest()

    def _deployed_fingerprint(self) -> str | None:
        try:
            function = self._client("lambda").get_function(FunctionName=self.stage.function("inspect"))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        tags: dict[str, str] = function.get("Tags", {})
        return tags.get(FINGERPRINT_TAG)

    def _run_chalice(self) -> None:
        command = [script("chalice-local" if self.endpoint else "chalice"), "deploy", "--stage", self.stage.name]
        # Without bytecode beside the sources, Chalice finds them as `build_zip` left them, and so uses its zip.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        if self.endpoint:
            environment["AWS_ENDPOINT_URL"] = self.endpoint
            # Chalice looks every 5 s whether a function is ready, which an emulator's is in less than one: botocore
            # merges this folder's settings into its own, for as long a wait in steps of 0.5 s.
            data_paths = [str(EMULATOR_WAITERS), os.environ.get("AWS_DATA_PATH", "")]
            environment["AWS_DATA_PATH"] = os.pathsep.join(filter(None, data_paths))
        done = subprocess.run(command, cwd=self.project, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip() or "it gave no reason").splitlines()[-1]
            raise UsageError(f"chalice deploy failed: {reason} (to see all of it: {' '.join(command)})")

    def _join(self) -> None:
        """Retries and the dead-letter queue, which Chalice has no setting for; then the fingerprint, last."""
        functions = self._client("lambda")
        name = self.stage.function("inspect")
        functions.put_function_event_invoke_config(
            FunctionName=name,
            MaximumRetryAttempts=RETRIES,
            MaximumEventAgeInSeconds=EVENT_AGE_SECONDS,
            DestinationConfig={"OnFailure": {"Destination": self._dead_letter_arn()}},
        )
        arn = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        functions.tag_resource(Resource=arn, Tags={FINGERPRINT_TAG: self._fingerprint()})

    def _dead_letter_arn(self) -> str:
        queues = self._client("sqs")
        url = queues.get_queue_url(QueueName=self.stage.dead_letters)["QueueUrl"]
        attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return str(attributes["QueueArn"])


def _update(cloudformation: Any, request: Mapping[str, Any]) -> bool:
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in error.response["Error"]["Message"]:
            return False
        raise
    return True


def _is_complete(stack: Mapping[str, Any]) -> bool:
    return str(stack["StackStatus"]) in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def script(name: str) -> str:
    """A command of the environment that runs this one, wherever the shell's PATH points."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def main() -> int:
    """Deploy a stage; exit 2 with one sentence for what a person can mend."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__.partition("\n")[0])
    parser.add_argument("--stage", default="local", help="a stage of .chalice/config.json (default: %(default)s)")
    parser.add_argument("--project", type=Path, default=ROOT, help="the project's folder (default: this one)")
    parser.add_argument("--endpoint-url", help="an emulator (default: AWS_ENDPOINT_URL; for local a running make run)")
    arguments = parser.parse_args()
    try:
        endpoint = endpoint_for(arguments.stage, arguments.endpoint_url)
        deploy(arguments.stage, arguments.project.resolve(), endpoint, say=print)
    except (UsageError, BotoCoreError, ClientError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 2
    return 0


def deploy(stage: str, project: Path = ROOT, endpoint: str | None = None, *, say: Say) -> bool:
    """Deploy the stage; whether anything changed. Raises UsageError for what a person can mend."""
    loaded = load_stage(stage, project)
    return Deployment(stage=loaded, project=project, endpoint=endpoint or None, say=say).run()


if __name__ == "__main__":
    sys.exit(main())
