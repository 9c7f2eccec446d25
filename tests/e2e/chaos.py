"""Uploads while everything about them fails, what an operator does then, and what is there in the end."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chalicelib.aws.evidence import DynamoEvidence
from chalicelib.receipts import entry_from
from chalicelib.uploads import record_of
from docs.shell import processes_with
from tests.e2e.chaos_files import Tally, body_of, tally_of
from tests.e2e.faults import Fate, fate_of
from tests.e2e.staging import Staged, staged
from tests.e2e.waiting import until

STAGE = "chaos"
FAULTS = "\n\nfrom chalicelib import faults  # noqa\n\nfaults.install()\n"
ANCHOR = "kms:alias/recibo-seals-chaos"

BATCH = 20
"""After how many uploads a worker is killed, and the uploads wait for the functions."""

AHEAD = 20
"""How many uploads may be on their way then: each takes a process of its own, and all of them two cores."""

THREADS = 8  # below botocore's ten connections
VISIBILITY_SECONDS = 5
SECONDS = 600
QUIET_SECONDS = 60
ROUNDS = 10

Say = Callable[[str], None]


@contextlib.contextmanager
def chaos(endpoint: str, uploads: int, *, kills: bool, say: Say) -> Iterator[Chaos]:
    """A stage whose functions fail, ready for so many uploads; `kills` if its workers are to be killed as well."""
    with staged(STAGE, endpoint, faults=FAULTS, anchor=ANCHOR) as stage:
        # A message whose function died comes again after so long: on AWS after an hour and a half.
        attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        made = Chaos(stage=stage, uploads=uploads, kills=kills, say=say)
        made.queues.set_queue_attributes(QueueUrl=made.dead_letters, Attributes=attributes)
        yield made


@dataclass(kw_only=True)
class Chaos:
    """A run of `run`; `tally` and `verdict` tell what there is then."""

    stage: Staged
    uploads: int
    kills: bool
    say: Say
    killed: int = 0
    awaited: list[str] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - dice

    @property
    def keys(self) -> list[str]:
        """Of all uploads."""
        return [f"{STAGE}/{number:06}.csv" for number in range(self.uploads)]

    @property
    def queues(self) -> Any:
        return self.stage.aws.client("sqs")

    @property
    def dead_letters(self) -> str:
        return str(self.queues.get_queue_url(QueueName=self.stage.aws.stage.dead_letters)["QueueUrl"])

    # -- what happens

    def upload(self) -> None:
        """Upload everything, never far ahead of the functions; workers are killed meanwhile."""
        for start in range(0, self.uploads, BATCH):
            keys = self.keys[start : start + BATCH]
            with ThreadPoolExecutor(THREADS) as pool:
                self.awaited += [name for key, name in zip(keys, pool.map(self._put, keys), strict=True) if _heard(key)]
            self._kill()
            self._await(AHEAD)
            self.say(f"{start + len(keys)} uploaded, {self.killed} workers killed")
        self._await(0)
        self._drain()

    def deliver_late(self) -> None:
        """Deliver events once more whose receipts are sealed by now."""
        late = [key for key in self.keys if fate_of(key) is Fate.LATE]
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self._deliver, late))
        self.say(f"{len(late)} delivered once more")

    def operate(self) -> None:
        """What an operator types until nothing is left to do."""
        for _ in range(ROUNDS):
            for command in ("reconcile", "retry"):
                done = self.stage.recibo(command)
                assert done.returncode == 0, done.stderr
                self.say(f"{command}: {done.stdout.strip()}")
            self._drain()
            if not any(self.stage.lines(command, "--dry-run") for command in ("reconcile", "retry")):
                return
        raise AssertionError(f"after {ROUNDS} rounds something is left to be inspected")

    def seal(self) -> None:
        """Seal everything."""
        self.say(until(self._sealed, what="seal"))

    def _put(self, key: str) -> str:
        """Upload a file; its name in the ledger."""
        bucket = self.stage.aws.stage.bucket
        made = self.stage.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body_of(key))
        return f"{bucket}/{key}#{made['VersionId']}"

    def _deliver(self, key: str) -> None:
        """Deliver the event of a recorded upload until that ends well, as Lambda would: its function may die."""
        summary = self.stage.aws.lists.history(self.stage.aws.stage.bucket, key, limit=1)[0]
        record = record_of(entry_from(self.stage.aws.ledger.whole(summary)))
        del record["recibo"]
        call = {"FunctionName": self.stage.aws.stage.function("inspect"), "Payload": json.dumps({"Records": [record]})}
        functions = self.stage.aws.client("lambda")
        until(lambda: "FunctionError" not in functions.invoke(**call), what=f"second delivery of {key}")

    def _kill(self) -> None:
        """Kill a process that inspects, or that ends dead letters, as the kernel kills it for its memory."""
        found = [pid for name in ("inspect", "last_resort") for pid in self._workers(name)] if self.kills else []
        if found:
            with contextlib.suppress(ProcessLookupError):  # it died by itself
                os.kill(self.dice.choice(sorted(found)), signal.SIGKILL)
                self.killed += 1

    def _workers(self, function: str) -> Iterator[int]:
        """The processes of a function: those of the emulator at this port that run its code."""
        folder = f"/ministack-lambda-{self.stage.aws.stage.function(function)}-".encode()
        for pid in processes_with(f"GATEWAY_PORT={urlsplit(str(self.stage.aws.endpoint)).port}"):
            with contextlib.suppress(OSError):
                if folder in Path(f"/proc/{pid}/cmdline").read_bytes() and _has_begun(pid):
                    yield pid

    # -- what is waited for

    def _await(self, left: int) -> None:
        """Wait until no more than these lack a receipt, or no more come: what an emulator lost, reconcile finds."""
        heard = time.monotonic()

        def are_over() -> bool:
            nonlocal heard
            before, self.awaited = len(self.awaited), self._lacking()
            heard = time.monotonic() if len(self.awaited) < before else heard
            return len(self.awaited) <= left or time.monotonic() - heard > QUIET_SECONDS

        until(are_over, what=f"receipts of all but {left}", seconds=SECONDS)
        if len(self.awaited) > left:
            self.say(f"{len(self.awaited)} got no receipt for {QUIET_SECONDS} s: {self.awaited}")
            self.awaited = []

    def _lacking(self) -> list[str]:
        """Which of those awaited have no receipt."""
        ledger = DynamoEvidence(self.stage.aws.client("dynamodb"), self.stage.aws.stage.table)
        items = ledger.items((name, 1) for name in self.awaited)
        return [name for name, item in zip(self.awaited, items, strict=True) if not item or "finished_at" not in item]

    def _drain(self) -> None:
        """Wait until no dead letter is left."""
        until(self._is_drained, what="empty queue of dead letters", seconds=SECONDS)

    def _is_drained(self) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        waiting = self.queues.get_queue_attributes(QueueUrl=self.dead_letters, AttributeNames=names)["Attributes"]
        return not any(int(waiting[name]) for name in names)

    def _sealed(self) -> str | None:
        """What was sealed; none if the ledger was too throttled, which an operator answers by trying again."""
        done = self.stage.recibo("seal")
        if done.returncode:
            self.say(f"seal: {done.stderr.strip()}")
            return None
        return done.stdout.strip()

    # -- what is there

    def verdict(self) -> dict[str, Any]:
        """What `recibo.py verify` says."""
        done = self.stage.recibo("verify", "--strict", "--json")
        assert done.stdout, done.stderr
        verdict: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert (done.returncode == 0) == verdict["is_well"], done.stderr
        return verdict

    def tally(self) -> Tally:
        """What there is, found without any code of `verify`."""
        return tally_of(self.stage.aws)


def _has_begun(pid: int) -> bool:
    """Whether a worker has spoken to AWS. When one dies as it starts, MiniStack ends all others of the function."""
    return any(os.readlink(opened).startswith("socket:") for opened in Path(f"/proc/{pid}/fd").iterdir())


def _heard(key: str) -> bool:
    """Whether an event will tell of the upload."""
    return fate_of(key) is not Fate.LOST


def run(chaos: Chaos) -> None:
    """All of it, up to the last seal."""
    began = time.monotonic()
    for step in (chaos.upload, chaos.seal, chaos.deliver_late, chaos.operate, chaos.seal):
        step()
        chaos.say(f"{step.__name__}: done after {time.monotonic() - began:.0f} s")
