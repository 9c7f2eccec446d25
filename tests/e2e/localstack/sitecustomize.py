"""Runs first in the LocalStack that the tests start: makes its DynamoDB atomic, as the real one is.

Where DynamoDB Local cannot be installed, LocalStack asks moto, which checks a condition and writes in two steps: of two
threads that record one upload at once, both may pass the check. AWS's conditional writes are atomic, and so are
DynamoDB Local's.
"""

import functools
import sys
import threading
from collections.abc import Callable
from typing import Any

if "localstack.runtime.main" in sys.orig_argv:
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
