"""What API Gateway answers by itself, before any function is asked: problems (RFC 9457) like all others.

Chalice has no setting for it, and imports the whole API anew with each deployment: so it is set after each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chalicelib.answers import HEADERS, UNKEPT
from chalicelib.problems import MEDIA_TYPE, OF_STATUS, problem_as_json
from infra.stages import Stage, UsageError, load_config

USUAL: Mapping[str, int] = {
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "DEFAULT_4XX": 400,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
}
"""The refusals that mean what their status says, and so are told as the function itself tells them."""

NOWHERE = "There is nothing at this address, or it takes another method: api/openapi.json lists what there is."
SIGNED = "The signature is missing, not right or expired: sign the request with IAM credentials (Signature Version 4)."
BROKEN = ("internal", "Recibo's functions could not be asked: try again. What they logged, if they were, says why.")
STRANGE = "What stands before the API refuses this call: ask whoever operates it."

OTHERS: Mapping[str, tuple[str, str]] = {
    # Our authorizer lets every valid token pass, and the function knows the scopes: so whom it denies has none.
    "ACCESS_DENIED": OF_STATUS[401],
    # What API Gateway says of an address that it does not know.
    "MISSING_AUTHENTICATION_TOKEN": ("not-found", NOWHERE),
    "API_CONFIGURATION_ERROR": BROKEN,
    "AUTHORIZER_CONFIGURATION_ERROR": BROKEN,
    "AUTHORIZER_FAILURE": BROKEN,
    "DEFAULT_5XX": BROKEN,
    "EXPIRED_TOKEN": ("not-authenticated", SIGNED),
    "INVALID_SIGNATURE": ("not-authenticated", SIGNED),
    "INVALID_API_KEY": ("not-allowed", STRANGE),
    "WAF_FILTERED": ("not-allowed", STRANGE),
}
OF_IAM: Mapping[str, tuple[str, str]] = {
    "ACCESS_DENIED": ("not-allowed", "No policy lets these credentials call this: execute-api:Invoke allows it."),
    "MISSING_AUTHENTICATION_TOKEN": ("not-authenticated", f"{SIGNED} If it was signed: {NOWHERE}"),
}
"""What is meant otherwise where callers sign their requests."""

KEPT = {name: value for name, value in HEADERS.items() if "'" not in value}
"""The security headers that API Gateway can add: it takes values in quotes, and none within."""


def gateway_responses(*, is_iam: bool) -> dict[str, dict[str, Any]]:
    """For each kind of refusal what `put_gateway_response` takes."""
    kinds = {**{name: OF_STATUS[status] for name, status in USUAL.items()}, **OTHERS, **(OF_IAM if is_iam else {})}
    scheme = "AWS4-HMAC-SHA256" if is_iam else 'Bearer realm="Recibo"'
    return {name: _response(kind, detail, scheme) for name, (kind, detail) in sorted(kinds.items())}


def _response(kind: str, detail: str, scheme: str) -> dict[str, Any]:
    problem = problem_as_json(kind, detail)
    headers = {**KEPT, "Content-Type": MEDIA_TYPE, "Cache-Control": UNKEPT}
    if problem["status"] == 401:
        headers["WWW-Authenticate"] = scheme
    if problem["status"] == 429:
        headers["Retry-After"] = "2"
    return {
        "statusCode": str(problem["status"]),
        "responseParameters": {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()},
        "responseTemplates": {"application/json": json.dumps(problem)},
    }


def set_responses(gateway: Any, stage: Stage, project: Path) -> None:
    """Set them all for the API that Chalice has deployed, and deploy it once more, by which they hold."""
    api = _deployed_api(stage, project)
    for name, response in gateway_responses(is_iam=stage.is_iam).items():
        gateway.put_gateway_response(restApiId=api, responseType=name, **response)
    name = load_config(project)["stages"][stage.name].get("api_gateway_stage", "api")
    gateway.create_deployment(restApiId=api, stageName=name)


def _deployed_api(stage: Stage, project: Path) -> str:
    path = project / ".chalice" / "deployed" / f"{stage.name}.json"
    found = [one for one in json.loads(path.read_text())["resources"] if one["resource_type"] == "rest_api"]
    if not found:
        raise UsageError(f"Chalice has deployed no REST API for the stage {stage.name}: {path} names none.")
    return str(found[0]["rest_api_id"])
