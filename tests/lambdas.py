"""Lambda, of which the simulated AWS has none: what is invoked is done by a function of the test's."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.validate import validate_parameters

Event = dict[str, Any]


@dataclass
class Lambda:
    """Functions by their full names; what was invoked, with which payload."""

    functions: Mapping[str, Callable[[Event], Any]] = field(default_factory=dict)
    invoked: list[tuple[str, Event]] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: str) -> dict[str, Any]:
        """Asynchronously nothing is answered, and what raises is Lambda's to try again; else the answer or error."""
        event = json.loads(Payload)
        self.invoked.append((FunctionName, event))
        function: Callable[[Event], Any] = self.functions.get(FunctionName, _nothing)
        if InvocationType == "Event":
            function(event)
            return {"StatusCode": 202, "Payload": io.BytesIO()}
        try:
            return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(function(event)).encode())}
        except Exception as error:  # as Lambda's runtime does
            told = {"errorMessage": str(error), "errorType": type(error).__name__}
            return {
                "StatusCode": 200,
                "FunctionError": "Unhandled",
                "Payload": io.BytesIO(json.dumps(told).encode()),
            }


def _nothing(_: Event) -> None:
    return None


def replace_lambda(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    """Let every client's Invoke end here; AWS checks the parameters all the same."""
    made, call = Lambda(), BaseClient._make_api_call  # type: ignore[attr-defined]

    def invoked_here(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation != "Invoke":
            return call(client, operation, parameters)
        validate_parameters(parameters, client.meta.service_model.operation_model(operation).input_shape)
        return made.invoke(**parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", invoked_here)
    return made
