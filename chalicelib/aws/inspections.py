"""Asks the function `inspect` for inspections (Lambda)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chalicelib.uploads import Entry, record_of

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaInspections:
    """Invokes `inspect` as S3 does: asynchronously, with retries and the dead letters after them."""

    def __init__(self, client: LambdaClient, function: str) -> None:
        self._client = client
        self._function = function

    def request(self, entry: Entry, inspection: int, *, tries: int = 1) -> None:
        """One event with one record for each inspection, so that none can take another down with it."""
        event = {"Records": [record_of(entry, inspection=inspection, tries=tries)]}
        self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=json.dumps(event))
