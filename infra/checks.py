"""What is looked at before anything is deployed: each raises UsageError for what a person can mend."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import boto3
import botocore.session
from botocore.exceptions import ClientError, NoCredentialsError
from chalice.deploy.packager import LambdaDeploymentPackager

from chalicelib.contracts import ContractError
from chalicelib.contracts.loading import texts
from chalicelib.inspection.checking import right
from infra.buckets import check_inbox, check_notifications, check_seals_bucket
from infra.stages import UsageError
from infra.target import Target


def check_contracts(target: Target) -> None:
    """Every contract can be read and its checks are accepted by the engine."""
    try:
        right(texts(target.project / "chalicelib" / "contracts"))
    except ContractError as error:
        raise UsageError(f"The contracts are not right: {error}") from error


def check_runtime(_: Target) -> None:
    """Chalice deploys for the Python it runs on: Lambda, and Chalice, must know it."""
    refuse_runtime(sys.version_info[:2])


def refuse_runtime(version: tuple[int, int]) -> None:
    """Raise UsageError unless both botocore, for Lambda, and Chalice know a runtime of this Python."""
    runtimes: Any = botocore.session.Session().get_service_model("lambda").shape_for("Runtime")
    name = "python{}.{}".format(*version)
    if name not in runtimes.enum or name not in LambdaDeploymentPackager._RUNTIME_TO_ABI:
        raise UsageError(
            f"Lambda has no runtime {name}, which .venv was made with: "
            "make it anew with one that it has, as in `make clean && make setup PYTHON=python3.13`."
        )


def check_account(target: Target) -> None:
    """The credentials work and there is a region; it is said whose they are."""
    region = boto3.Session().region_name
    if region is None:
        raise UsageError("No region is chosen: set AWS_DEFAULT_REGION, as in AWS_DEFAULT_REGION=eu-west-1, or PROFILE.")
    try:
        identity = target.client("sts").get_caller_identity()
    except NoCredentialsError as error:
        raise UsageError("There are no credentials: sign in as for the AWS CLI, or choose PROFILE=NAME.") from error
    except ClientError as error:
        raise UsageError(f"The credentials do not work ({error.response['Error']['Code']}): sign in again.") from error
    where = f"the emulator at {target.endpoint}" if target.endpoint else f"account {identity['Account']}"
    target.say(f"stage {target.stage.name}: {where}, region {region}, as {identity['Arn']}")


CHECKS: Sequence[Callable[[Target], None]] = (
    check_contracts,
    check_runtime,
    check_account,
    check_inbox,
    check_seals_bucket,
    check_notifications,
)


def check(target: Target) -> None:
    """All of them."""
    for one in CHECKS:
        one(target)
