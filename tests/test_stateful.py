"""Whatever happens in whatever order, every upload ends with its receipts, and all of them can be proven."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count, groupby
from typing import Any, cast

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from urllib3.exceptions import HTTPError, ProtocolError

from chalicelib import handling
from chalicelib.failures import NotHandledError
from chalicelib.inspection import inspect
from chalicelib.intake import Intake
from chalicelib.ports import Clock
from chalicelib.receipts import MAX_TRIES, entry_from, report_as_json
from chalicelib.reconcile import next_inspection
from chalicelib.sealing import NoAnchor
from chalicelib.uploads import Kind, entry_of, iso, record_of
from chalicelib.verification import Defect, Standing
from infra.template import LOCAL
from tests import events
from tests.events import BUCKET
from tests.fakes import LOG, NOON
from tests.wire import LONG, Call, Event, Wired, break_off, let_pass, throttled, wired_aws

MILLISECOND, MINUTE, HOUR = timedelta(milliseconds=1), timedelta(minutes=1), timedelta(hours=1)
MONTH = timedelta(days=30)
TRIES = 3
"""How often Lambda tries an event before it is a dead letter."""
OUT_OF_SIGHT = 90 * MINUTE
"""For how long a dead letter that was not ended does not come again."""
ROUNDS = 12
"""After how many hours without trouble everything is in order at the latest."""

GOOD = b"id,amount\n1,10\n2,20\n"
BAD = b"id,amount\n1\n"
DEADLY = b"whoever reads this dies\n"
LARGE, LARGE_AND_BAD = GOOD * 3, BAD * 5
assert len(LARGE) >= LONG <= len(LARGE_AND_BAD)

KEYS = st.sampled_from(["sales/a.csv", "sales/a b+%é.csv", "z"])
CONTENTS = st.sampled_from([GOOD, BAD, LARGE, LARGE_AND_BAD, DEADLY, b"", b"\xff\x00", b'{"a":1}\n{"a":2}\n'])
GAPS = st.sampled_from([40 * MILLISECOND, 700 * MILLISECOND, 3 * MINUTE])
JUMPS = st.sampled_from([timedelta(seconds=1), 2 * MINUTE, 21 * MINUTE, 61 * MINUTE, 5 * HOUR, MONTH])
PICKS = st.integers(0, 1 << 16)
TURNS = st.none() | st.integers(0, 5)


class KilledError(BaseException):
    """The process is gone: nothing in it catches that."""


class What(StrEnum):
    """What may happen to an invocation."""

    KILLED_BEFORE = "killed before a call"
    KILLED_AFTER = "killed after a call"
    KILLED_READING = "killed while it reads a body"
    BROKEN_READING = "the connection breaks while it reads a body"
    THROTTLED = "a call is refused on all tries"
    REFUSED_ONCE = "a call is refused once"
    ANSWER_LOST = "the answer of a call is lost"
    MEANWHILE = "something else is done between two calls"


@dataclass
class Trouble:
    """What happens to one invocation, at its `at`-th call or byte."""

    what: What
    at: int
    meanwhile: Callable[[], object] = lambda: None
    calls: int = 0
    struck: str = ""
    """The operation that was struck."""

    def __call__(self, call: Call) -> AWSResponse:
        """What comes back from a call, if anything does."""
        is_here, self.calls = self._is_here(call), self.calls + 1
        if not is_here:
            return call.carry_out()
        self.struck = call.operation
        return self._strike(call)

    def _is_here(self, call: Call) -> bool:
        match self.what:
            case What.KILLED_READING | What.BROKEN_READING:
                return call.operation == "GetObject" and not self.struck
            case What.THROTTLED if self.struck:
                return call.operation == self.struck
        return self.calls == self.at

    def _strike(self, call: Call) -> AWSResponse:
        match self.what:
            case What.KILLED_BEFORE:
                raise KilledError
            case What.KILLED_AFTER:
                call.carry_out()
                raise KilledError
            case What.KILLED_READING:
                return break_off(call.carry_out(), after=self.at, end=KilledError())
            case What.BROKEN_READING:
                return break_off(call.carry_out(), after=self.at, end=ProtocolError("connection reset"))
            case What.THROTTLED | What.REFUSED_ONCE:
                return throttled(call)
            case What.ANSWER_LOST:
                call.carry_out()
                raise ConnectionClosedError(endpoint_url="https://aws.test")
        self.meanwhile()
        return call.carry_out()


def troubles(calls: int) -> st.SearchStrategy[Trouble | None]:
    """Nothing half of the time, or something at one of so many calls."""
    return st.none() | st.builds(Trouble, what=st.sampled_from(What), at=st.integers(0, calls - 1))


@dataclass
class Time:
    """The one time of the bucket, the functions and the events."""

    now: datetime = NOON


@dataclass
class Invocation(Clock):
    """An invocation's clock; it is out of time once it was asked so often."""

    time: Time
    turns: int | None = None

    def now(self) -> datetime:
        self.time.now += MILLISECOND
        return self.time.now

    def remaining(self) -> timedelta:
        if self.turns is None:
            return 14 * MINUTE
        self.turns -= 1
        return 14 * MINUTE if self.turns >= 0 else timedelta()


REQUESTS = count(1)


@dataclass(eq=False)
class Message:
    """An event on its way to `inspect`, or a dead letter on its way to `last_resort`."""

    payload: Event
    tries: int = 0
    request_id: str = field(default_factory=lambda: f"request {next(REQUESTS)}")
    """The same on every try."""
    comes_at: datetime = NOON


@dataclass
class Done:
    """One thing that was done to the bucket."""

    identity: str
    key: str
    kind: Kind
    at: datetime
    version_id: str
    content: bytes = b""
    is_gone: bool = False
    """Whether that version was deleted for good."""

    @property
    def second(self) -> tuple[str, datetime]:
        """All that a listing tells of its time."""
        return self.key, self.at.replace(microsecond=0)


class Machine(RuleBasedStateMachine):
    """The bucket, the queues before the functions, and everything that may befall them."""

    def __init__(self, wired: Wired, time: Time, reached: Counter[str]) -> None:
        super().__init__()
        self.wired, self.time, self.reached = wired, time, reached
        self.done: list[Done] = []
        self.pending: list[Message] = []
        self.taken: list[Message] = []
        self.letters: list[Message] = []
        self.rechecked: set[str] = set()
        self.ended: set[str] = set()
        """The identities whose event, request or dead letter was handled well."""
        self.asked_at: dict[tuple[str, datetime], datetime] = {}
        """When reconcile first asked for something of a key's second."""
        self.final: dict[tuple[str, int], str] = {}
        self.is_prompt = False
        time.now = NOON
        wired.world.begin_anew()
        wired.wire.meddle, wired.wire.invoked = let_pass, self._asked

    @initialize(is_anchored=st.booleans())
    def anchor(self, is_anchored: bool) -> None:
        self.anchor_ = self.wired.locked("recibo-seals") if is_anchored else NoAnchor()

    # -- what is done to the bucket

    @rule(key=KEYS, content=CONTENTS, gap=GAPS)
    def upload(self, key: str, content: bytes, gap: timedelta) -> None:
        self.time.now += gap
        made = self.wired.world.upload(key, content)
        self._announce(made, version_id=made["s3"]["object"]["versionId"], content=content)

    @precondition(lambda self: self.versions)  # moto, unlike S3, puts none where there is nothing
    @rule(pick=PICKS, gap=GAPS)
    def put_a_delete_marker(self, pick: int, gap: timedelta) -> None:
        self.time.now += gap
        key = self.versions[pick % len(self.versions)].key
        made = self.wired.world.s3.delete_object(Bucket=BUCKET, Key=key)["VersionId"]
        self._announce(events.delete_marker(key, version_id=made), version_id=made)

    @precondition(lambda self: self.versions)
    @rule(pick=PICKS, gap=GAPS)
    def delete_a_version(self, pick: int, gap: timedelta) -> None:
        self.time.now += gap
        gone = self.versions[pick % len(self.versions)]
        gone.is_gone = True
        self.wired.world.s3.delete_object(Bucket=BUCKET, Key=gone.key, VersionId=gone.version_id)
        self._announce(events.deletion(gone.key, version_id=gone.version_id), version_id=gone.version_id)

    def _announce(self, record: Event, *, version_id: str, content: bytes = b"") -> None:
        record["eventTime"] = iso(self.time.now)
        entry = entry_of(record)
        self.done.append(
            Done(
                identity=entry.identity,
                key=entry.key,
                kind=entry.kind,
                at=entry.uploaded_at,
                version_id=version_id,
                content=content,
            )
        )
        self.pending.append(Message(events.event(record)))

    @property
    def versions(self) -> list[Done]:
        """The bucket's versions and delete markers."""
        return [done for done in self.done if done.kind is not Kind.DELETED and not done.is_gone]

    # -- what becomes of events

    @precondition(lambda self: self.pending)
    @rule(pick=PICKS, trouble=troubles(4), turns=TURNS)
    def deliver(self, pick: int, trouble: Trouble | None = None, turns: int | None = None) -> None:
        message = self.pending[pick % len(self.pending)]
        message.tries += 1
        if self._inspect(message, trouble, turns):
            self.pending.remove(message)
            self.taken.append(message)
        elif message.tries == TRIES:
            self._bury(message, events.aws_envelope(message.payload))

    @precondition(lambda self: self.pending)
    @rule(pick=PICKS, what=st.sampled_from(What), at=st.integers(0, 3))
    def deliver_into_the_same_trouble_on_every_try(self, pick: int, what: What, at: int) -> None:
        message = self.pending[pick % len(self.pending)]
        while message in self.pending:
            self.deliver(self.pending.index(message), Trouble(what, at))

    @precondition(lambda self: self.taken)
    @rule(pick=PICKS, trouble=troubles(4), turns=TURNS)
    def deliver_again(self, pick: int, trouble: Trouble | None = None, turns: int | None = None) -> None:
        self._inspect(self.taken[pick % len(self.taken)], trouble, turns)

    @precondition(lambda self: len(self.pending) > 1)
    @rule(pick=PICKS)
    def join_two_events(self, pick: int) -> None:
        one = self.pending.pop(pick % len(self.pending))
        other = self.pending.pop(pick % len(self.pending))
        self.pending.append(Message(events.event(*one.payload["Records"], *other.payload["Records"])))

    @precondition(lambda self: self.pending)
    @rule(pick=PICKS)
    def lose(self, pick: int) -> None:
        self.pending.pop(pick % len(self.pending))
        self.reached["lost"] += 1

    @precondition(lambda self: self.pending)
    @rule(pick=PICKS)
    def never_try(self, pick: int) -> None:
        message = self.pending[pick % len(self.pending)]
        self._bury(message, events.too_old(message.payload))

    def _bury(self, message: Message, envelope: Event) -> None:
        self.pending.remove(message)
        envelope["requestContext"]["requestId"] = message.request_id
        self.letters.append(Message(envelope))
        self.reached["dead letter"] += 1

    @property
    def due_letters(self) -> list[Message]:
        """The dead letters that may come now."""
        return [letter for letter in self.letters if letter.comes_at <= self.time.now]

    @precondition(lambda self: self.due_letters)
    @rule(pick=PICKS, trouble=troubles(4), turns=TURNS)
    def deliver_a_dead_letter(self, pick: int, trouble: Trouble | None = None, turns: int | None = None) -> None:
        letter = self.due_letters[pick % len(self.due_letters)]
        letter.tries, letter.comes_at = letter.tries + 1, self.time.now + OUT_OF_SIGHT
        event = events.sqs_event(letter.payload, received=letter.tries)
        again = lambda: handling.take_dead_letters(self._intake(), event, LOG)  # noqa: E731
        if self._invoke(lambda: handling.take_dead_letters(self._intake(turns), event, LOG), trouble, again):
            self.letters.remove(letter)
            self._end(letter.payload["requestPayload"])

    def _inspect(self, message: Message, trouble: Trouble | None, turns: int | None) -> bool:
        again = lambda: handling.take_event(self._intake(), message.payload, LOG)  # noqa: E731
        intake = self._intake(turns, message.request_id)
        is_well = self._invoke(lambda: handling.take_event(intake, message.payload, LOG), trouble, again)
        if is_well:
            self._end(message.payload)
        return is_well

    def _end(self, payload: Event) -> None:
        self.ended |= {entry_of(record).identity for record in payload["Records"]}

    def _intake(self, turns: int | None = None, request_id: str | None = None) -> Intake:
        return Intake(
            inbox=self.wired.inbox,
            ledger=self.wired.ledger,
            clock=Invocation(self.time, turns),
            request_id=request_id or f"request {next(REQUESTS)}",
        )

    # -- what a person asks for

    @precondition(lambda self: self.taken)
    @rule(pick=PICKS)
    def recheck(self, pick: int) -> None:
        entry = entry_of(self.taken[pick % len(self.taken)].payload["Records"][0])
        if entry.kind is Kind.UPLOAD:
            wanted = next_inspection(self.wired.ledger, entry)
            record = record_of(wanted.entry, inspection=wanted.inspection, tries=wanted.tries)
            self.pending.append(Message(events.event(record)))
            self.rechecked.add(entry.identity)

    # -- what is done by the clock

    @rule(jump=JUMPS)
    def wait(self, jump: timedelta) -> None:
        self.time.now += jump

    @rule(trouble=troubles(14), turns=TURNS, is_prompt=st.booleans())
    def reconcile(self, trouble: Trouble | None = None, turns: int | None = None, is_prompt: bool = False) -> None:
        self.is_prompt = is_prompt
        self._invoke(lambda: self._reconcile(turns), trouble, lambda: self._pass_the_time(self._reconcile))
        self.is_prompt = False

    @rule(trouble=troubles(40), turns=TURNS, is_early=st.booleans())
    def seal(self, trouble: Trouble | None = None, turns: int | None = None, is_early: bool = False) -> None:
        self._invoke(lambda: self._seal(is_early, turns), trouble, lambda: self._pass_the_time(self._seal))

    def _reconcile(self, turns: int | None = None) -> dict[str, Any]:
        return handling.reconcile(self.wired.scheduled, BUCKET, Invocation(self.time, turns), LOG)

    def _seal(self, is_early: bool = False, turns: int | None = None) -> None:
        event = {"detail": {"early": is_early}}
        handling.seal(self.wired.sealer(self.anchor_), BUCKET, Invocation(self.time, turns), event, LOG)

    def _pass_the_time(self, another: Callable[[], object]) -> None:
        """Other functions run at the same time, and the same function once more."""
        if self.pending:
            self.deliver(0)
        another()

    def _asked(self, event: Event) -> None:
        for record in event["Records"]:
            entry = entry_of(record)
            self.asked_at.setdefault((entry.key, entry.uploaded_at.replace(microsecond=0)), self.time.now)
        self.pending.append(Message(event))
        if self.is_prompt:
            self._undisturbed(lambda: self.deliver(-1))

    # -- invocations

    def _invoke(self, work: Callable[[], object], trouble: Trouble | None, meanwhile: Callable[[], object]) -> bool:
        """Whether it ended well; what is not of the trouble's making is raised."""
        before = self.wired.wire.meddle
        if trouble:
            trouble.meanwhile = lambda: self._undisturbed(meanwhile)
        self.wired.wire.meddle = self._meddler(trouble)
        try:
            work()
        except KilledError:
            self.reached["killed"] += 1
            return False
        except (NotHandledError, ClientError, HTTPClientError, HTTPError) as error:
            is_going_on = str(error).startswith("StillInspectingError")
            self.reached["still inspecting"] += is_going_on
            assert is_going_on or (trouble and trouble.struck), "nothing stood in the way"
            return False
        finally:
            self.wired.wire.meddle = before
            if trouble and trouble.struck:
                self.reached[f"{trouble.what}: {trouble.struck}"] += 1
        return True

    def _meddler(self, trouble: Trouble | None) -> Callable[[Call], AWSResponse]:
        def meddle(call: Call) -> AWSResponse:
            deadly = replace(call, carry_out=lambda: _deadly(call))
            return trouble(deadly) if trouble else deadly.carry_out()

        return meddle

    def _undisturbed(self, work: Callable[[], object]) -> None:
        """Something of its own, from within another's call."""
        before, self.wired.wire.meddle = self.wired.wire.meddle, self._meddler(None)
        try:
            work()
        except (KilledError, NotHandledError):
            self.reached["killed meanwhile"] += 1
        finally:
            self.wired.wire.meddle = before

    # -- what must be true

    @invariant()
    def nothing_final_ever_changes(self) -> None:
        """What a receipt says never changes; a later inspection adds another."""
        found = {
            key: str(item.get("content_hash") or item.get("seal_hash"))
            for key, item in self.wired.world.items.items()
            if "content_hash" in item or "seal_hash" in item
        }
        assert self.final.items() <= found.items()
        self.final = found

    @rule()
    def look(self) -> None:
        """Verification may come at any time: what is not finished yet is no harm done."""
        counts = self.verdict().counts
        assert {defect: counts[defect] for defect in Defect if counts[defect]}.keys() <= {
            Defect.MISSING,
            Defect.UNSEALED,
        }

    def verdict(self) -> Any:
        copies = None if isinstance(self.anchor_, NoAnchor) else self.anchor_
        verification = self.wired.verification(copies=copies, anchor="another bucket" if copies else None)
        return verification.verdict(BUCKET, now=self.time.now)

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:
            self.come_to_rest()
            self.check()
        self.wired.wire.meddle = let_pass

    def come_to_rest(self) -> None:
        """Hours without trouble, until reconcile has found nothing twice: once from a cursor, once from the top."""
        quiet = 0
        for _ in range(ROUNDS):
            while self.pending or self.due_letters:
                self.deliver(0) if self.pending else self.deliver_a_dead_letter(0)
            self.time.now += 61 * MINUTE
            quiet = quiet + 1 if self._is_quiet(self._reconcile()) and not self.letters else 0
            if quiet == 2:
                break
        assert quiet == 2
        self.time.now += HOUR
        self.seal()
        self.nothing_final_ever_changes()

    @staticmethod
    def _is_quiet(run: Mapping[str, Any]) -> bool:
        return bool(run["is_complete"]) and not run["missing"] + run["died"] + run["system"]

    def check(self) -> None:
        found = self._receipts()
        assert found.keys() <= {done.identity for done in self.done}
        for done in self.done:
            self._check_receipts(done, found.get(done.identity, []))
        for key in {done.key for done in self.done}:
            self._check_history(key, found)
        verdict = self.verdict()
        assert verdict.is_well, verdict.problems
        expected = (
            Standing.ABSENT if not found else Standing.CONSISTENT if verdict.chain.anchor is None else Standing.ANCHORED
        )
        assert verdict.chain.standing is expected

    def _receipts(self) -> dict[str, list[dict[str, Any]]]:
        ours = sorted((key, item) for key, item in self.wired.world.items.items() if not key[0].startswith("#"))
        return {identity: [item for _, item in some] for identity, some in groupby(ours, key=lambda found: found[0][0])}

    def _check_receipts(self, done: Done, receipts: list[dict[str, Any]]) -> None:
        assert [receipt["sk"] for receipt in receipts] == list(range(1, len(receipts) + 1))
        assert all(receipt.get("tries", 1) <= MAX_TRIES for receipt in receipts)
        if done.identity in self.ended or done in self.versions:
            assert receipts, "an upload has no receipt"
        if done.kind is not Kind.UPLOAD:
            assert all("status" not in receipt for receipt in receipts)
        elif receipts:
            is_asked = done.identity in self.rechecked
            assert is_asked or {receipt.get("cause") for receipt in receipts[:-1]} <= {"system"}
            self._check_verdict(done, receipts[-1])

    def _check_verdict(self, done: Done, receipt: dict[str, Any]) -> None:
        match receipt.get("cause"):
            case "system":
                assert receipt["tries"] == MAX_TRIES, "nobody inspected it again"
                self.reached["bound used up"] += 1
            case "unavailable":
                assert done.is_gone
                self.reached["gone"] += 1
            case _:
                report = inspect([done.content], name=done.key, declared_type=receipt.get("declared_type"))
                expected = {name: value for name, value in report_as_json(report).items() if value is not None}
                assert {name: receipt[name] for name in expected} == expected

    def _check_history(self, key: str, found: dict[str, list[dict[str, Any]]]) -> None:
        """Oldest first, in the order in which it was done, as far as anybody can know it."""
        listed = [summary["identity"] for summary in reversed(self.wired.lists.history(BUCKET, key, limit=1000))]
        once = [identity for identity, _ in groupby(listed)]
        done = [done for done in self.done if done.key == key and done.identity in found]
        blurred = {done.second for done in done if self._is_blurred(done, found)}
        told = {one.identity: str(one.second) if one.second in blurred else one.identity for one in done}
        assert [name for name, _ in groupby(told[identity] for identity in once)] == [
            name for name, _ in groupby(told[one.identity] for one in done)
        ]

    def _is_blurred(self, done: Done, found: dict[str, list[dict[str, Any]]]) -> bool:
        """Whether its second's order was lost: a listing dates to the second, and does not order all there is.

        It has no deletions, and boto3 makes two lists of its versions and its delete markers. And what comes by its
        event after others of its second were taken from a listing may belong anywhere among them.
        """
        same = [other for other in self.done if other.second == done.second and other.identity in found]
        first = {other.identity: found[other.identity][0] for other in same}
        if all("sequencer" in receipt for receipt in first.values()):
            return False
        asked = iso(self.asked_at[done.second]) if done.second in self.asked_at else ""
        is_late = any("sequencer" in receipt and receipt["finished_at"] >= asked for receipt in first.values())
        return is_late or any(other.kind is not Kind.UPLOAD for other in same)


def _deadly(call: Call) -> AWSResponse:
    """What AWS answers; a file that kills whoever reads it does."""
    answer = call.carry_out()
    if call.operation == "GetObject" and int(answer.headers.get("content-length", 0)) == len(DEADLY):
        return break_off(answer, after=5, end=KilledError())
    return answer


@dataclass
class Stage:
    """Where machines play, each in a world begun anew."""

    wired: Wired
    time: Time = field(default_factory=Time)
    reached: Counter[str] = field(default_factory=Counter)

    def machine(self) -> Machine:
        return Machine(self.wired, self.time, self.reached)

    def new_machine(self, *, is_anchored: bool = False) -> Machine:
        """One that is driven by hand."""
        made = self.machine()
        made.anchor(is_anchored)
        return made


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "4")
    with wired_aws(monkeypatch) as wired:
        made = Stage(wired)
        monkeypatch.setattr("moto.s3.models.utcnow", lambda: made.time.now.replace(tzinfo=None))
        yield made


def test_bucket_and_ledger_agree_whatever_happens(stage: Stage) -> None:
    few = settings(max_examples=25, stateful_step_count=30)
    run_state_machine_as_test(cast(Any, stage.machine), settings=few)


# -- that the machine gets where it should


def rest(machine: Machine) -> None:
    machine.come_to_rest()
    machine.check()


@pytest.mark.parametrize(
    ("what", "at", "operation"),
    [
        (What.KILLED_BEFORE, 0, "PutItem"),  # the mark
        (What.KILLED_AFTER, 0, "PutItem"),
        (What.KILLED_BEFORE, 1, "GetObject"),
        (What.KILLED_AFTER, 1, "GetObject"),
        (What.KILLED_READING, 30, "GetObject"),
        (What.KILLED_BEFORE, 2, "PutItem"),  # the receipt
        (What.KILLED_AFTER, 2, "PutItem"),
        *((what, 2, "PutItem") for what in (What.THROTTLED, What.REFUSED_ONCE, What.ANSWER_LOST, What.MEANWHILE)),
        (What.BROKEN_READING, 30, "GetObject"),
    ],
)
@pytest.mark.parametrize("is_on_every_try", [False, True])
def test_an_inspection_may_be_stopped_anywhere(
    what: What, at: int, operation: str, is_on_every_try: bool, stage: Stage
) -> None:
    """Before and after each of its three calls, and in the body; once, or until its event is a dead letter."""
    machine = stage.new_machine()
    machine.upload("sales/a.csv", LARGE, MINUTE)
    if is_on_every_try:
        machine.deliver_into_the_same_trouble_on_every_try(0, what, at)
    else:
        machine.deliver(0, Trouble(what, at))
    assert stage.reached[f"{what}: {operation}"]
    rest(machine)


@pytest.mark.parametrize("what", [What.KILLED_BEFORE, What.KILLED_AFTER, What.THROTTLED, What.ANSWER_LOST])
def test_a_later_inspection_may_be_stopped_at_its_write(what: What, stage: Stage) -> None:
    machine = stage.new_machine()
    machine.upload("sales/a.csv", GOOD, MINUTE)
    machine.deliver(0, turns=0)
    machine.wait(MINUTE)
    machine.reconcile()
    machine.deliver(0, Trouble(what, 1))
    assert stage.reached[f"{what}: TransactWriteItems"] == 1
    rest(machine)


@pytest.mark.parametrize("what", [What.KILLED_BEFORE, What.KILLED_AFTER, What.THROTTLED])
def test_a_reconcile_may_be_stopped_at_any_call(what: What, stage: Stage) -> None:
    machine = stage.new_machine()
    machine.upload("sales/a.csv", GOOD, MINUTE)
    machine.lose(0)
    machine.upload("z", LARGE, MINUTE)
    machine.deliver(0, turns=0)
    machine.wait(21 * MINUTE)
    for trouble in until_it_does_not_strike(what):
        machine.reconcile(trouble)
    operations = ("GetBucketVersioning", "ListObjectVersions", "BatchGetItem", "GetItem", "PutItem", "Query", "Invoke")
    assert [operation for operation in operations if not stage.reached[f"{what}: {operation}"]] == []
    rest(machine)


@pytest.mark.parametrize("what", [What.KILLED_BEFORE, What.KILLED_AFTER, What.THROTTLED])
def test_a_sealing_may_be_stopped_at_any_call(what: What, stage: Stage) -> None:
    machine = stage.new_machine(is_anchored=True)
    for _ in range(3):
        machine.upload("sales/a.csv", GOOD, MINUTE)
        machine.deliver(0)
        machine.seal(is_early=True)
    machine.upload("z", GOOD, MINUTE)
    machine.deliver(0)
    machine.wait(6 * HOUR)
    for trouble in until_it_does_not_strike(what):
        machine.wait(HOUR)  # there is always an hour to be sealed
        machine.seal(trouble)
    operations = ("Query", "BatchGetItem", "PutItem", "ListObjectVersions", "GetObject", "PutObject")
    assert [operation for operation in operations if not stage.reached[f"{what}: {operation}"]] == []
    rest(machine)


def until_it_does_not_strike(what: What) -> Iterator[Trouble]:
    """The same at the first call, at the second, and so on to the last."""
    for at in range(200):
        yield (trouble := Trouble(what, at))
        if not trouble.struck:
            return
    pytest.fail("there is no end of calls")


def test_a_file_that_kills_whoever_reads_it_is_inspected_as_often_as_is_said(stage: Stage) -> None:
    machine = stage.new_machine()
    machine.upload("z", DEADLY, MINUTE)
    machine.upload("sales/a.csv", DEADLY, MINUTE)
    machine.join_two_events(0)
    rest(machine)
    assert stage.reached["bound used up"] == 2
    assert stage.reached["dead letter"] == 1 + 2 * (MAX_TRIES - 1)


def test_what_was_lost_is_found_as_far_as_it_is_there(stage: Stage) -> None:
    machine = stage.new_machine()
    for _ in range(3):
        machine.upload("z", GOOD, 40 * MILLISECOND)
        machine.lose(0)
    machine.put_a_delete_marker(0, 3 * MINUTE)
    machine.lose(0)
    machine.delete_a_version(0, MINUTE)
    machine.never_try(0)
    rest(machine)
    assert len(machine._receipts()) == 4


def test_what_is_gone_before_it_is_read_is_said_to_be(stage: Stage) -> None:
    machine = stage.new_machine()
    machine.upload("z", GOOD, MINUTE)
    machine.delete_a_version(0, MINUTE)
    machine.deliver(1)
    machine.deliver(0)
    machine.deliver_again(0)
    rest(machine)
    assert stage.reached["gone"] == 1


def test_what_is_older_than_recibo_is_found_though_what_was_asked_for_is_lost(stage: Stage) -> None:
    machine = stage.new_machine()
    machine.upload("z", GOOD, MINUTE)
    machine.lose(0)
    machine.wait(MONTH)
    machine.reconcile()
    machine.lose(0)
    rest(machine)
    assert len(machine._receipts()) == 1


def test_a_dead_letter_waits_for_the_inspection_of_another_delivery(stage: Stage) -> None:
    machine = stage.new_machine()
    machine.upload("z", LARGE, MINUTE)
    machine.pending.append(Message(machine.pending[0].payload))
    machine.deliver(1, Trouble(What.KILLED_READING, 5))
    machine.deliver_into_the_same_trouble_on_every_try(0, What.KILLED_BEFORE, 1)
    machine.deliver_a_dead_letter(0)
    assert stage.reached["still inspecting"] == 1
    machine.deliver(0)
    rest(machine)
    ((receipt,),) = machine._receipts().values()
    assert receipt["status"] == "succeeded"


def test_a_dead_letter_of_an_inspection_that_died_is_ended_at_last(stage: Stage) -> None:
    """It does not come too early for ever: the mark that it meets is over when it comes again."""
    machine = stage.new_machine()
    machine.upload("z", LARGE, MINUTE)
    machine.pending.append(Message(machine.pending[0].payload))
    machine.deliver(1, Trouble(What.KILLED_READING, 5))
    machine.lose(1)
    machine.deliver_into_the_same_trouble_on_every_try(0, What.KILLED_BEFORE, 1)
    machine.deliver_a_dead_letter(0)
    machine.wait(OUT_OF_SIGHT)
    machine.deliver_a_dead_letter(0)
    assert machine.letters == []
    rest(machine)


def test_what_a_person_asks_for_leaves_recibo_all_its_tries(stage: Stage) -> None:
    machine = stage.new_machine()
    machine.upload("z", GOOD, MINUTE)
    machine.deliver(0)
    for _ in range(MAX_TRIES):
        machine.recheck(0)
        machine.deliver_into_the_same_trouble_on_every_try(0, What.KILLED_BEFORE, 0)
        machine.deliver_a_dead_letter(0)
    rest(machine)
    assert stage.reached["bound used up"] == 0


def test_a_later_inspection_of_what_has_expired_ends_with_its_receipt(stage: Stage) -> None:
    machine = stage.new_machine()
    machine.upload("z", LARGE, MINUTE)
    machine.deliver_into_the_same_trouble_on_every_try(0, What.KILLED_BEFORE, 1)
    machine.deliver_a_dead_letter(0)
    ((failed,),) = machine._receipts().values()
    machine.wired.scheduled.inspections.request(entry_from(failed), 2)
    machine.wired.world.dynamodb.delete_item(TableName=LOCAL.table, Key={"pk": {"S": failed["pk"]}, "sk": {"N": "1"}})
    machine.final = {}
    machine.deliver(0)
    ((receipt,),) = machine._receipts().values()
    assert (receipt["sk"], receipt["status"]) == (2, "succeeded")
