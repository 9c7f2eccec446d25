"""Whatever is done to a sealed item behind Recibo's back, seals included, a verification names it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from chalicelib import wiring
from chalicelib.aws.anchors import KmsAnchor, LockedBucketAnchor
from chalicelib.aws.evidence import DynamoEvidence
from chalicelib.aws.items import encoded
from chalicelib.aws.signatures import KmsSignatures
from chalicelib.receipts import as_item, content_hash, entry_from, from_item, mark_item
from chalicelib.sealing import Anchor, NoAnchor, SealConflictError
from chalicelib.seals import PARTS, MalformedSealError, seals_key
from chalicelib.uploads import Kind
from chalicelib.verification import Standing, Verdict, Verification
from chalicelib.verification.verdict import number_of
from infra.template import LOCAL
from tests.aws import World, simulated_aws
from tests.events import BUCKET
from tests.evidence import MINUTE, Evidence, FakeCopies, FakeSignatures, Item, Key
from tests.fakes import NOON
from tests.receipts import SUCCESS, crash, failure, receipt

SEALED, VERIFIED = 379, 395
"""Minutes after noon: everything is sealed, to the hour from 16:00 on; and 16:00 is overdue if it is not."""

ANCHORS: dict[str, Callable[[], Anchor]] = {"copies": FakeCopies, "signatures": FakeSignatures, "nothing": NoAnchor}

STEPS = st.tuples(
    st.integers(0, 170), st.sampled_from(["good", "bad", "crash", "again", "delete", "marker"]), st.integers(0, 9)
)
BEGINNINGS = st.sampled_from([0, 0, 85, 145])
"""When the anchor begins, in minutes after noon: mostly before there is a seal."""
PLANS = st.lists(STEPS, min_size=1, max_size=8).map(lambda steps: sorted(steps, key=lambda step: step[0]))


Plan = list[tuple[int, str, int]]


def world(plan: Plan, anchor: Anchor, *, begun_at: int = 0) -> Evidence:
    """A sealed ledger to a plan: minute, what happened, and to which of the uploads.

    With `begun_at` what was sealed by then was sealed without an anchor, and then adopted.
    """
    made = Evidence(anchor=anchor)
    uploads = [made.upload(0)]
    inspections = [1]
    for minute, what, which in plan:
        chosen = which % len(uploads)
        match what:
            case "again":
                inspections[chosen] += 1
                made.upload(minute, of=uploads[chosen], inspection=inspections[chosen])
            case "delete":
                made.delete(uploads[chosen], minute)
            case _:
                report = {"bad": failure(), "crash": crash()}.get(what, SUCCESS)
                uploads.append(made.upload(minute, report=report))
                inspections.append(1)
    made.anchor = NoAnchor()
    made.seal(begun_at)
    made.anchor, last = anchor, made.table.last(BUCKET)
    made.seal(SEALED, adopt=last.seal_hash if last else None)
    return made


@dataclass(frozen=True)
class Deed:
    """What was done, and the items of which one at least must be named."""

    said: str
    items: frozenset[Key]


def alter(items: dict[Key, Item], draw: Any) -> tuple[Deed, list[Item], list[Key]]:
    """Change, remove or add one attribute."""
    key = draw(st.sampled_from(sorted(items)))
    item = copy.deepcopy(items[key])
    name = draw(st.sampled_from(sorted({*item, "expires_at", "added", "failed_at", "due_at", "anchor"} - {"pk", "sk"})))
    if draw(st.booleans()):
        item[name] = disguised(item.get(name))
        return Deed(f"{key} with {name} {item[name]!r:.60}", frozenset({key})), [item], []
    if name in item and draw(st.booleans()):
        del item[name]
        return Deed(f"{key} without {name}", frozenset({key})), [item], []
    item[name] = altered(item.get(name))
    return Deed(f"{key} with {name} {item[name]!r:.60}", frozenset({key})), [item], []


def altered(value: Any) -> Any:
    """Another value, of the same type where it can be."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value[:-1] + ("0" if value[-1:] != "0" else "1")
        case list() if value:
            return value[1:]
        case dict() if value:
            return {name: altered(value[name]) for name in value}
    return 1


def disguised(value: Any) -> Any:
    """What Python takes for the same value, or for nothing, and DynamoDB does not."""
    return bool(value) if type(value) is int and value in (0, 1) else None


def delete(items: dict[Key, Item], draw: Any) -> tuple[Deed, list[Item], list[Key]]:
    """Take one away."""
    key = draw(st.sampled_from(sorted(items)))
    return Deed(f"no {key}", frozenset({key})), [], [key]


def insert(items: dict[Key, Item], draw: Any) -> tuple[Deed, list[Item], list[Key]]:
    """Put a copy where there is none."""
    pk, sk = draw(st.sampled_from(sorted(items)))
    place = draw(st.sampled_from([(pk, sk + 1), (pk + "x", sk), (pk, sk + PARTS), ("#else", sk), (pk[:-1], sk)]))
    if place in items:
        place = (pk + "y", sk)
    return (
        Deed(f"{(pk, sk)} at {place} as well", frozenset({place})),
        [{**items[pk, sk], "pk": place[0], "sk": place[1]}],
        [],
    )


def forge_bucket(items: dict[Key, Item], draw: Any) -> tuple[Deed, list[Item], list[Key]]:
    """Put a receipt, or a mark, of a bucket that has a slash in its name: its identity is that of another's."""
    pk, sk = draw(st.sampled_from(sorted(key for key in items if not key[0].startswith("#"))))
    upload = entry_from(items[pk, sk])
    head, _, tail = upload.key.partition("/")
    forged = upload._replace(bucket=f"{upload.bucket}/{head}", key=tail)
    number = draw(st.sampled_from([sk, sk + 1]))
    if draw(st.booleans()):
        item = as_item(receipt(forged, inspection=number, report=SUCCESS if upload.kind is Kind.UPLOAD else None))
    else:
        began = NOON + VERIFIED * MINUTE
        item = mark_item(forged, number, started_at=began, deadline=began + draw(st.sampled_from([0, 15])) * MINUTE)
    return Deed(f"a {item.get('status')} of {forged.bucket}", frozenset({(pk, sk), (pk, number)})), [item], []


def swap(items: dict[Key, Item], draw: Any) -> tuple[Deed, list[Item], list[Key]]:
    """Exchange two items' contents."""
    one, other = draw(st.permutations(sorted(items)))[:2]
    first, second = ({**items[here], "pk": there[0], "sk": there[1]} for here, there in ((one, other), (other, one)))
    return Deed(f"{one} for {other}", frozenset({one, other})), [first, second], []


def truncate(items: dict[Key, Item], draw: Any) -> tuple[Deed, list[Item], list[Key]]:
    """Cut off the chain's end."""
    seals = sorted(key for key in items if key[0] == seals_key(BUCKET))
    gone = seals[draw(st.integers(0, len(seals) - 1)) :]
    return Deed(f"nothing from {gone[0]}", frozenset(gone)), [], gone


class Table(Protocol):
    """Items that can be tampered with."""

    def snapshot(self) -> dict[Key, Item]: ...
    def put(self, item: Item) -> None: ...
    def remove(self, key: Key) -> None: ...


TAMPERING = st.sampled_from([alter, delete, insert, forge_bucket, swap, truncate])


def hour_of_seals(items: dict[Key, Item], key: Key) -> set[int]:
    """The hours of the seals that an item belongs to, if it is a seal or what one names."""
    if key[0] == seals_key(BUCKET):
        return {key[1] // PARTS}
    name = key[0].partition("/")[2]
    seals = [item for (pk, _), item in items.items() if pk == seals_key(BUCKET)]
    return {
        seal["sk"] // PARTS
        for seal in seals
        if name in seal["rollups"] or name in {page["root"] for page in seal["pages"]}
    }


def names(verdict: Verdict, deed: Deed, before: dict[Key, Item]) -> bool:
    """Whether the verdict names one of the items, or the hour of its seal."""
    told = {(problem.pk, problem.sk) for problem in verdict.problems}
    hours = {number_of(problem.hour) for problem in verdict.problems if problem.hour}
    return any((pk, str(sk)) in told or hours & hour_of_seals(before, (pk, sk)) for pk, sk in deed.items)


def is_only_a_seals_anchor(before: dict[Key, Item], after: dict[Key, Item]) -> bool:
    """Whether the only difference is what lies outside a seal's hash: what the chain vouches for is all there."""

    def inside(items: dict[Key, Item]) -> dict[Key, Item]:
        return {
            key: {name: value for name, value in item.items() if name != "anchor" or key[0] != seals_key(BUCKET)}
            for key, item in items.items()
        }

    return inside(before) == inside(after)


def tamper(table: Table, data: Any) -> tuple[Deed, dict[Key, Item]]:
    """Do one thing to the table; what was done, and what was there before."""
    before = table.snapshot()
    deed, put, gone = data.draw(TAMPERING)(before, data.draw)
    for key in gone:
        table.remove(key)
    for item in put:
        table.put(item)
    return deed, before


def check(
    verdict: Verdict, deed: Deed, before: dict[Key, Item], after: dict[Key, Item], *, is_signing: bool = False
) -> None:
    if verdict.remarks and not is_signing and is_only_a_seals_anchor(before, after):
        return
    assert not verdict.is_well, deed
    assert names(verdict, deed, before), (deed, verdict.problems)


@pytest.mark.parametrize("anchor", ANCHORS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=PLANS, begun_at=BEGINNINGS, data=st.data())
def test_whatever_is_done_to_one_item_it_is_named(anchor: str, plan: Plan, begun_at: int, data: Any) -> None:
    made = world(plan, ANCHORS[anchor](), begun_at=begun_at)
    assert made.verify(VERIFIED).is_well, made.verify(VERIFIED).problems
    deed, before = tamper(made.table, data)
    check(made.verify(VERIFIED), deed, before, made.table.things, is_signing=anchor == "signatures")


FREE = {"etag", "event", "principal", "size", "source_address"}
"""What a mark says of an upload that nothing else in it tells, and nobody relies on: the receipt has it anew."""


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=PLANS, data=st.data())
def test_a_mark_that_recibo_could_not_have_made_is_named(plan: Plan, data: Any) -> None:
    made = world(plan, FakeCopies())
    upload = made.entry(VERIFIED - 30)
    made.land(upload)
    began = NOON + (VERIFIED - 1) * MINUTE
    mark = mark_item(upload, 1, started_at=began, deadline=began + 15 * MINUTE)
    made.table.put(mark)
    assert made.verify(VERIFIED).is_well
    name = data.draw(st.sampled_from(sorted({*mark, "added", "expires_at"} - {"pk", "sk"})))
    values = [disguised(mark.get(name)), [], {}, 1.5, *([] if name in FREE else [altered(mark.get(name)), ""])]
    mark[name] = data.draw(st.sampled_from(values))
    verdict = made.verify(VERIFIED)
    assert [(problem.pk, problem.sk) for problem in verdict.problems] == [(upload.identity, "1")], (name, mark[name])


@pytest.mark.parametrize("anchor", ANCHORS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=PLANS, data=st.data())
def test_what_is_taken_away_while_the_sealing_runs_and_put_back_is_named(anchor: str, plan: Plan, data: Any) -> None:
    made = world(plan, ANCHORS[anchor]())
    before = made.table.snapshot()
    taken = data.draw(st.sets(st.sampled_from(sorted(before)), min_size=1))
    for key in taken:
        made.table.remove(key)
    made.upload(SEALED + 1)
    with suppress(MalformedSealError, SealConflictError):
        made.seal(SEALED + 120)
    for key in taken:
        made.table.put(before[key])
    verdict = made.verify(SEALED + 121)
    counted = sum(seal.receipts for seal in made.table.seals(BUCKET))
    assert not verdict.is_well or counted <= verdict.counts["receipts"] + verdict.counts["deletions"]


# -- whoever can write the ledger can also make everything anew


@pytest.mark.parametrize("anchor", ANCHORS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=PLANS, data=st.data())
def test_a_ledger_made_anew_as_a_whole_is_told_by_its_anchor_and_by_nothing_else(
    anchor: str, plan: Plan, data: Any
) -> None:
    made = world(plan, ANCHORS[anchor]())
    forged = forge(made, data.draw)
    verdict = made.verify(VERIFIED)
    match anchor:
        case "copies":
            assert forged in {(problem.pk, problem.sk) for problem in verdict.problems}
        case "signatures":
            assert verdict.chain.standing is Standing.BROKEN
        case _:
            # This is what "only consistent" means.
            assert verdict.is_well
            assert verdict.chain.standing is Standing.CONSISTENT


@pytest.mark.parametrize("anchor", ["copies", "signatures"])
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=PLANS, begun_at=BEGINNINGS, data=st.data())
def test_a_chain_made_anew_is_not_sealed_on(anchor: str, plan: Plan, begun_at: int, data: Any) -> None:
    """Neither signed nor locked: what is forged stays forged, and `seal` says so."""
    made = world(plan, ANCHORS[anchor](), begun_at=begun_at)
    known = list(made.anchor.kept(BUCKET))
    forge(made, data.draw)
    forged = made.table.snapshot()
    adopt = data.draw(st.sampled_from([None, next(iter(forged.values()))["content_hash"]]))
    with pytest.raises(SealConflictError):
        made.seal(SEALED + 120, adopt=adopt)
    assert list(made.anchor.kept(BUCKET)) == known
    assert made.table.things == forged
    assert made.verify(SEALED + 120).chain.standing is Standing.BROKEN


@pytest.mark.parametrize("anchor", ["copies", "signatures"])
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=PLANS, data=st.data())
def test_a_last_seal_that_was_forged_is_not_sealed_on_and_told_for_ever(anchor: str, plan: Plan, data: Any) -> None:
    """In the place of the last one, or after it; with an old signature, or another's, or none."""
    made = world(plan, ANCHORS[anchor]())
    last = made.table.last(BUCKET)
    assert last
    others = [{"sealed_at": last.sealed_at - MINUTE}, {"closes": not last.closes}, {"tallies": {}}, {"rollups": ()}]
    forged = replace(last, **data.draw(st.sampled_from(others)))
    if data.draw(st.booleans()):
        hour, part = last.next_place
        forged = replace(forged, hour=hour, part=part, previous=last.seal_hash)
        forged = replace(forged, adopts=data.draw(st.sampled_from([None, last.seal_hash])))
    signer = data.draw(st.sampled_from([NoAnchor(), FakeSignatures("another's")]))
    forged = replace(forged, anchor=data.draw(st.sampled_from([last.anchor, signer.sign(forged)])))
    assume(forged.seal_hash != last.seal_hash)
    made.table.put(forged.as_item())
    with pytest.raises(SealConflictError):
        made.seal(SEALED + 120)
    verdict = made.verify(VERIFIED)
    assert str(forged.number) in {problem.sk for problem in verdict.problems}
    assert made.table.last(BUCKET) == forged


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=PLANS, data=st.data())
def test_old_signatures_vouch_for_nothing_new(plan: Plan, data: Any) -> None:
    made = world(plan, FakeSignatures())
    signed = {key: item["anchor"] for key, item in made.table.things.items() if key[0] == seals_key(BUCKET)}
    forge(made, data.draw)
    for key, anchor in signed.items():
        made.table.things[key]["anchor"] = anchor
    assert made.verify(VERIFIED).chain.standing is Standing.BROKEN


def forge(made: Evidence, draw: Any) -> tuple[str, str]:
    """Alter a receipt, and make its hash, its page and all seals anew."""
    pk, sk = draw(st.sampled_from(sorted(key for key in made.table.things if not key[0].startswith("#"))))
    item = made.table.things[pk, sk]
    del item["content_hash"]
    item["principal"] = "nobody"
    item["content_hash"] = content_hash(from_item(item))
    for key in [key for key in made.table.things if key[0].startswith("#")]:
        made.table.remove(key)
    anchor, made.anchor = made.anchor, NoAnchor()
    made.seal(SEALED)
    made.anchor = anchor
    return pk, str(sk)


# -- the same on AWS


@dataclass
class DynamoTable:
    """The table as it is in DynamoDB, for tampering."""

    world: World

    def snapshot(self) -> dict[Key, Item]:
        evidence = DynamoEvidence(self.world.dynamodb, LOCAL.table)
        return {(item["pk"], item["sk"]): item for item in evidence.everything()}

    def put(self, item: Item) -> None:
        try:
            self.world.dynamodb.put_item(TableName=LOCAL.table, Item=encoded(item))
        except self.world.dynamodb.exceptions.ClientError as error:
            if "Type mismatch for Index Key" in str(error):
                reject()  # what DynamoDB keeps from being put needs no finding
            raise

    def remove(self, key: Key) -> None:
        self.world.dynamodb.delete_item(TableName=LOCAL.table, Key=encoded({"pk": key[0], "sk": key[1]}))


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        yield made


@pytest.mark.parametrize("kind", ["s3", "kms"])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=PLANS, data=st.data())
def test_on_aws_as_well_whatever_is_done_to_one_item_is_named(kind: str, aws: World, plan: Plan, data: Any) -> None:
    aws.begin_anew()
    anchor, more = anchor_on(aws, kind)
    made, table = world(plan, anchor), DynamoTable(aws)
    for item in made.table.things.values():
        table.put(item)
    verification = Verification(
        ledger=DynamoEvidence(aws.dynamodb, LOCAL.table), versions=made.versions, anchor=kind, **more
    )
    now = NOON + VERIFIED * MINUTE
    untouched = verification.verdict(BUCKET, now=now)
    assert (untouched.problems, untouched.chain.standing) == ((), Standing.ANCHORED)
    deed, before = tamper(table, data)
    check(verification.verdict(BUCKET, now=now), deed, before, table.snapshot(), is_signing=kind == "kms")


def anchor_on(aws: World, kind: str) -> tuple[Anchor, dict[str, Any]]:
    """An anchor on the simulated AWS, and what a verification needs of it."""
    if kind == "s3":
        aws.s3.create_bucket(Bucket="seals", ObjectLockEnabledForBucket=True)
        copies = LockedBucketAnchor(aws.s3, "seals")
        return copies, {"copies": copies}
    kms = wiring.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    return KmsAnchor(kms, key), {"signatures": KmsSignatures(kms, key)}


def test_a_copy_put_on_top_of_the_anchors_counts_for_nothing(aws: World) -> None:
    """An object lock keeps a version; it does not keep others, or a delete marker, from being put on top."""
    aws.s3.create_bucket(Bucket="seals", ObjectLockEnabledForBucket=True)
    made = world([(10, "good", 0)], LockedBucketAnchor(aws.s3, "seals"))
    (*_, key) = sorted(item["Key"] for item in aws.s3.list_objects_v2(Bucket="seals")["Contents"])
    aws.s3.put_object(Bucket="seals", Key=key, Body=b"{}", ChecksumAlgorithm="SHA256")
    aws.s3.delete_object(Bucket="seals", Key=key)
    verification = replace(made.verification, copies=LockedBucketAnchor(aws.s3, "seals"))
    assert verification.verdict(BUCKET, now=NOON + VERIFIED * MINUTE).is_well
