"""AWS answered at the wire: requests are made and signed in full, answers are parsed in full, nothing is sent."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.handlers import BUILTIN_HANDLERS

_EMPTY = b"{}"


class _Raw(io.BytesIO):
    """A body as urllib3 gives it to botocore."""

    def stream(self, amount: int = 1 << 16, **_: Any) -> Iterator[bytes]:
        while piece := self.read(amount):
            yield piece


def answer(content: bytes) -> None:
    """From now on, clients of S3 get this content, and those of DynamoDB that all is well."""

    def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return _response(request.url, _EMPTY) if _is_dynamodb(request) else _response(request.url, content, s3=True)

    BUILTIN_HANDLERS.append(("before-send", before_send))


def _is_dynamodb(request: AWSPreparedRequest) -> bool:
    return "X-Amz-Target" in request.headers


def _response(url: str, body: bytes, *, s3: bool = False) -> AWSResponse:
    headers: Any = {"Content-Length": str(len(body)), "x-amz-request-id": "0" * 16, "x-amzn-RequestId": "0" * 52}
    if s3:
        headers |= {"Content-Type": "text/csv", "ETag": f'"{"0" * 32}"', "x-amz-version-id": "v" * 32}
        headers |= {"Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT", "x-amz-meta-sender": "acme"}
    else:
        headers |= {"Content-Type": "application/x-amz-json-1.0", "x-amz-crc32": str(zlib.crc32(body))}
    return AWSResponse(url, 200, headers, _Raw(body))
