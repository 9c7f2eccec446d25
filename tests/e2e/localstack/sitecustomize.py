"""Runs first in the LocalStack that the tests start: its DynamoDB is atomic then, as the real one, and the disk spared.

Where DynamoDB Local cannot be installed, LocalStack asks moto, which checks a condition and writes in two steps: of two
threads that record one upload at once, both may pass the check. AWS's conditional writes are atomic, and so are
DynamoDB Local's.

LocalStack unpacks each function's zip, and the stages under test have 45 functions of 91 MB in all. Here functions of
the same zip share what is unpacked of it; Lambda, too, lets none write there.
"""

import functools
import sys
import threading
from collections.abc import Callable
from hashlib import sha256
from typing import Any

if "localstack.runtime.main" in sys.orig_argv:
    from localstack.services.lambda_.invocation.lambda_models import S3Code
    from moto.dynamodb.models import DynamoDBBackend

    one_at_a_time = threading.RLock()

    def alone(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def locked(*arguments: Any, **named: Any) -> Any:
            with one_at_a_time:
                return method(*arguments, **named)

        return locked

    for name in ("put_item", "update_item", "delete_item", "transact_write_items"):
        setattr(DynamoDBBackend, name, alone(getattr(DynamoDBBackend, name)))

    unpack = S3Code.prepare_for_execution

    def shared(code: S3Code) -> None:
        place = code.get_unzipped_code_location()
        copy = place.parents[1] / sha256(code.code_sha256.encode()).hexdigest()
        with one_at_a_time:
            if place.exists():
                return
            if not copy.exists():
                unpack(code)
                place.rename(copy)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(copy)

    S3Code.prepare_for_execution = shared
