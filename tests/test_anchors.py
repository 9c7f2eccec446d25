"""Anchors: a signature by one key and no other, copies that a locked bucket keeps, and settings that name either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib import wiring
from chalicelib.aws import anchors
from chalicelib.aws.anchors import KmsAnchor, LockedBucketAnchor, anchor_from
from chalicelib.aws.seals import DynamoSeals
from chalicelib.receipts import canonical
from chalicelib.sealing import NoAnchor, SealConflictError, Sealer
from chalicelib.seals import HOUR, Leaf, MalformedSealError, Page, Seal
from chalicelib.uploads import entry_of
from infra.template import LOCAL
from tests import events
from tests.aws import World, simulated_aws
from tests.events import BUCKET
from tests.fakes import NOON
from tests.receipts import receipt

LOCKED = "recibo-seals-elsewhere"
PAGE = Page(bucket=BUCKET, hour=NOON, leaves=(Leaf("é", 1, "0" * 64),))
SEAL = Seal(
    bucket=BUCKET,
    hour=NOON,
    part=0,
    closes=True,
    sealed_at=NOON + 2 * HOUR,
    pages=(PAGE.line,),
    tallies={NOON: {"succeeded": 1}},
    rollups=(),
)
COPY = {"seal": SEAL.as_json(), "pages": [PAGE.as_json()]}
KEY = f"{BUCKET}/{SEAL.number:012}.json"
NEXT = replace(SEAL, hour=NOON + HOUR, previous=SEAL.seal_hash)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        yield made


# -- settings


def test_no_setting_is_no_anchor() -> None:
    assert isinstance(anchor_from("", pytest.fail), NoAnchor)


@dataclass
class Clients:
    """Which services' clients were made; each is its service's name."""

    made: list[str] = field(default_factory=list)

    def __call__(self, service: str) -> Any:
        self.made.append(service)
        return service


def test_a_setting_names_a_key_or_a_bucket() -> None:
    clients = Clients()
    key, bucket = anchor_from("kms:alias/recibo/seals_1-a", clients), anchor_from("s3:locked.bucket-1", clients)
    assert isinstance(key, KmsAnchor)
    assert isinstance(bucket, LockedBucketAnchor)
    assert (key._key_id, bucket._bucket) == ("alias/recibo/seals_1-a", "locked.bucket-1")
    assert clients.made == ["kms", "s3"]


@pytest.mark.parametrize(
    "setting",
    [
        *("kms", "kms:", "kms:seals", "kms:alias/", "kms:alias/a b", "KMS:alias/a", " kms:alias/a", "kms:alias/a\n"),
        *("s3:", "s3://bucket", "s3:Bucket", "s3:ab", "s3:bucket/prefix", "s3:-bucket", "s3:b" * 40, "none", " "),
    ],
)
def test_a_malformed_setting_is_refused_in_one_sentence(setting: str) -> None:
    with pytest.raises(ValueError, match=r"^RECIBO_ANCHOR is .*: leave it out, or write kms:alias/NAME or s3:BUCKET$"):
        anchor_from(setting, pytest.fail)


# -- a KMS key


@dataclass
class FakeKms:
    """Takes note of what it is asked. Moto hashes what it is told is a hash, so it cannot tell the difference."""

    asked: list[dict[str, Any]] = field(default_factory=list)

    def sign(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"KeyId": "arn:aws:kms:us-east-1:123456789012:key/1", "Signature": b"\x01signature"}

    def verify(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"KeyId": SIGNATURE["key_id"], "SignatureValid": True}


ASKED = {
    "KeyId": "alias/seals",
    "Message": bytes.fromhex(SEAL.seal_hash),
    "MessageType": "DIGEST",
    "SigningAlgorithm": "ECDSA_SHA_256",
}
SIGNATURE = {
    "kind": "kms",
    "key_id": "arn:aws:kms:us-east-1:123456789012:key/1",
    "algorithm": "ECDSA_SHA_256",
    "signature": "AXNpZ25hdHVyZQ==",
}


def test_the_thirty_two_bytes_of_the_hash_are_signed_as_a_digest() -> None:
    kms = FakeKms()
    assert KmsAnchor(kms, "alias/seals").sign(SEAL) == SIGNATURE
    assert kms.asked == [ASKED]


SIGNED = replace(SEAL, anchor=SIGNATURE)


def test_a_seal_is_vouched_for_by_the_anchors_own_key() -> None:
    kms = FakeKms()
    assert KmsAnchor(kms, "alias/seals").vouches_for(SIGNED)
    assert kms.asked == [ASKED | {"Signature": b"\x01signature"}]


def test_a_signature_that_states_another_key_than_the_one_that_made_it_is_none() -> None:
    stated = replace(SEAL, anchor=SIGNATURE | {"key_id": "arn:of:another"})
    assert not KmsAnchor(FakeKms(), "alias/seals").vouches_for(stated)


@pytest.mark.parametrize(
    "malformed",
    [
        *({"signature": ""}, {"signature": "%"}, {"signature": "é"}, {"kind": "s3"}, {"algorithm": "RSA"}),
        {"more": "x"},
    ],
    ids=str,
)
def test_what_has_not_the_form_of_a_signature_is_not_even_asked_about(malformed: dict[str, str]) -> None:
    kms = FakeKms()
    assert not KmsAnchor(kms, "alias/seals").vouches_for(replace(SEAL, anchor=SIGNATURE | malformed))
    assert not KmsAnchor(kms, "alias/seals").vouches_for(SEAL)
    assert kms.asked == []


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Verify")


def refusing(monkeypatch: pytest.MonkeyPatch, code: str) -> FakeKms:
    kms = FakeKms()

    def refuse(**_: Any) -> None:
        raise refusal(code)

    monkeypatch.setattr(kms, "verify", refuse)
    return kms


def test_kmss_word_for_an_invalid_signature_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    kms = refusing(monkeypatch, "KMSInvalidSignatureException")
    assert not KmsAnchor(kms, "alias/seals").vouches_for(SIGNED)


def test_another_refusal_of_kms_says_nothing_of_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    kms = refusing(monkeypatch, "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        KmsAnchor(kms, "alias/seals").vouches_for(SIGNED)


def key(alias: str) -> KmsAnchor:
    """An anchor with a key of its own in the simulated AWS."""
    kms = wiring.client("kms")
    made = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias, TargetKeyId=made)
    return KmsAnchor(kms, alias)


@pytest.mark.usefixtures("world")
def test_only_the_signature_of_this_hash_by_this_key_is_one() -> None:
    anchor, other = key("alias/seals"), key("alias/other")
    signature = anchor.sign(SEAL)
    assert anchor.vouches_for(replace(SEAL, anchor=signature))
    assert not anchor.vouches_for(replace(NEXT, anchor=signature))
    assert not anchor.vouches_for(replace(SEAL, anchor=other.sign(SEAL)))


def test_a_key_keeps_nothing() -> None:
    anchor = KmsAnchor(FakeKms(), "alias/seals")
    anchor.keep(SEAL, [PAGE])
    assert anchor.holds(BUCKET, SEAL.number) is None
    assert list(anchor.kept(BUCKET)) == []


# -- a locked bucket


@pytest.fixture
def locked(world: World) -> LockedBucketAnchor:
    world.s3.create_bucket(Bucket=LOCKED, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    world.s3.put_object_lock_configuration(Bucket=LOCKED, ObjectLockConfiguration=lock)
    return LockedBucketAnchor(world.s3, LOCKED)


def test_a_copy_is_the_seal_and_its_pages_in_canonical_json_under_the_buckets_lock(
    world: World, locked: LockedBucketAnchor
) -> None:
    locked.keep(SEAL, [PAGE])
    found = world.s3.get_object(Bucket=LOCKED, Key=KEY)
    assert found["Body"].read() == canonical(COPY)
    assert found["ContentType"] == "application/json"
    assert found["ObjectLockMode"] == "COMPLIANCE"


def test_a_copy_that_is_kept_can_be_kept_again(locked: LockedBucketAnchor) -> None:
    locked.keep(SEAL, [PAGE])
    locked.keep(SEAL, [PAGE])
    assert locked.holds(BUCKET, SEAL.number) == COPY


def test_a_seal_is_vouched_for_by_its_copy(locked: LockedBucketAnchor) -> None:
    assert not locked.vouches_for(SEAL)
    locked.keep(SEAL, [PAGE])
    assert locked.vouches_for(SEAL)
    with pytest.raises(SealConflictError, match=f"seal {SEAL.number} of {BUCKET} is not the one its anchor holds"):
        locked.vouches_for(replace(SEAL, closes=False))


@pytest.mark.parametrize("other", [(replace(SEAL, closes=False), [PAGE]), (SEAL, [])])
def test_another_copy_in_a_seals_place_is_a_conflict(
    locked: LockedBucketAnchor, other: tuple[Seal, list[Page]]
) -> None:
    locked.keep(*other)
    with pytest.raises(SealConflictError, match=f"s3://{LOCKED}/{KEY} holds another seal than the ledger's"):
        locked.keep(SEAL, [PAGE])


def test_a_copy_that_is_just_being_put_by_another_sealer_is_compared_too(
    world: World, locked: LockedBucketAnchor
) -> None:
    refused = {"Error": {"Code": "ConditionalRequestConflict", "Message": ""}}
    locked.keep(SEAL, [PAGE])
    world.s3.meta.events.register_first("before-call.s3.PutObject", lambda **_: (Refused(409), refused))
    locked.keep(SEAL, [PAGE])
    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        locked.keep(NEXT, [PAGE])


@dataclass
class Refused:
    status_code: int
    headers: dict[str, str] = field(default_factory=dict)


def test_a_bucket_that_cannot_be_written_is_not_taken_for_one_that_holds_the_copy(world: World) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        LockedBucketAnchor(world.s3, "no-such-bucket").keep(SEAL, [PAGE])


def test_no_copy_is_ever_put_into_the_inbox(world: World) -> None:
    with pytest.raises(ValueError, match="is the inbox"):
        LockedBucketAnchor(world.s3, BUCKET).keep(SEAL, [PAGE])
    assert "Contents" not in world.s3.list_objects_v2(Bucket=BUCKET)


def test_a_place_without_a_copy_holds_nothing(locked: LockedBucketAnchor) -> None:
    locked.keep(SEAL, [PAGE])
    assert locked.holds(BUCKET, SEAL.number + 1) is None
    assert locked.holds("another", SEAL.number) is None


def test_what_is_put_over_a_copy_or_hides_it_changes_nothing(world: World, locked: LockedBucketAnchor) -> None:
    """The lock protects a version; nothing keeps a newer one or a delete marker off it."""
    locked.keep(SEAL, [PAGE])
    locked.keep(NEXT, [PAGE])
    world.s3.put_object(Bucket=LOCKED, Key=KEY, Body=b"{}")
    world.s3.delete_object(Bucket=LOCKED, Key=KEY)
    assert locked.holds(BUCKET, SEAL.number) == COPY
    assert [number for number, _ in locked.kept(BUCKET)] == [SEAL.number, NEXT.number]
    assert [copy["seal"] for _, copy in locked.kept(BUCKET)] == [SEAL.as_json(), NEXT.as_json()]


def test_copies_are_listed_in_the_order_of_the_chain_from_any_seal_on(locked: LockedBucketAnchor) -> None:
    chain = [replace(SEAL, hour=NOON + ago * HOUR, part=part) for ago in range(3) for part in (0, 1, 10)]
    for seal in reversed(chain):
        locked.keep(seal, [])
    locked.keep(replace(SEAL, bucket=f"{BUCKET}-2"), [])
    numbers = [seal.number for seal in chain]
    assert [number for number, _ in locked.kept(BUCKET)] == numbers
    for place, number in enumerate(numbers):
        assert [found for found, _ in locked.kept(BUCKET, since=number)] == numbers[place:]
    assert [found for found, _ in locked.kept(BUCKET, since=numbers[2] + 1)] == numbers[3:]


def test_a_long_list_of_copies_is_read_to_its_end(world: World, locked: LockedBucketAnchor) -> None:
    chain = [replace(SEAL, part=part) for part in range(7)]
    for seal in chain:
        locked.keep(seal, [])
        world.s3.delete_object(Bucket=LOCKED, Key=f"{BUCKET}/{seal.number:012}.json")
    name = "provide-client-params.s3.ListObjectVersions"
    world.s3.meta.events.register(name, lambda params, **_: {**params, "MaxKeys": 2})
    assert [number for number, _ in locked.kept(BUCKET)] == [seal.number for seal in chain]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'"x"', b"{}", json.dumps({"seal": 1}).encode()])
def test_what_is_no_copy_is_told_when_its_turn_comes(world: World, locked: LockedBucketAnchor, body: bytes) -> None:
    world.s3.put_object(Bucket=LOCKED, Key=KEY, Body=body)
    locked.keep(NEXT, [PAGE])
    kept = locked.kept(BUCKET)
    with pytest.raises(MalformedSealError, match=f"s3://{LOCKED}/{KEY} "):
        next(kept)
    assert next(kept)[0] == NEXT.number
    with pytest.raises(MalformedSealError):
        locked.holds(BUCKET, SEAL.number)


def test_an_object_that_is_named_like_no_seal_is_told(world: World, locked: LockedBucketAnchor) -> None:
    world.s3.put_object(Bucket=LOCKED, Key=f"{BUCKET}/note.json", Body=b"{}")
    with pytest.raises(MalformedSealError, match=r"note\.json is no seal's name"):
        next(locked.kept(BUCKET))


def test_a_number_has_twelve_digits_so_that_names_sort_as_the_chain_does() -> None:
    assert anchors._key("b", 7) == "b/000000000007.json"


# -- sealing with them


def run(world: World, anchor: Any, *, hours: int = 1, adopt: str | None = None) -> list[Seal]:
    sealer = Sealer(store=DynamoSeals(world.dynamodb, LOCAL.table), anchor=anchor)
    now = NOON + timedelta(hours=hours + 0.5)
    return list(sealer.seal_due(BUCKET, now=now, out_of_time=lambda: False, adopt=adopt))


def test_a_sealed_chain_is_signed(world: World) -> None:
    world.ledger.record(receipt(entry_of(events.record())))
    anchor = key("alias/seals")
    made = run(world, anchor, hours=2)
    assert len(made) == 2
    assert all(map(anchor.vouches_for, made))
    assert list(DynamoSeals(world.dynamodb, LOCAL.table).seals(BUCKET)) == made


def remove(world: World, *seals: Seal) -> None:
    for seal in seals:
        gone = {"pk": {"S": f"#seals/{BUCKET}"}, "sk": {"N": str(seal.number)}}
        world.dynamodb.delete_item(TableName=LOCAL.table, Key=gone)


def test_a_sealed_chain_is_kept_and_a_removed_end_of_it_is_noticed(world: World, locked: LockedBucketAnchor) -> None:
    world.ledger.record(receipt(entry_of(events.record())))
    made = run(world, locked, hours=3)
    assert [copy["seal"] for _, copy in locked.kept(BUCKET)] == [seal.as_json() for seal in made]
    remove(world, *made[1:])
    with pytest.raises(SealConflictError, match=f"where the ledger has none after {made[0].number}"):
        run(world, locked, hours=4)


def test_a_seal_that_a_crash_kept_from_the_ledger_is_put_there_by_the_next_run(
    world: World, locked: LockedBucketAnchor
) -> None:
    world.ledger.record(receipt(entry_of(events.record())))
    made = run(world, locked, hours=2)
    remove(world, made[-1])
    assert run(world, locked, hours=2) == made[-1:]
    assert list(DynamoSeals(world.dynamodb, LOCAL.table).seals(BUCKET)) == made


def test_a_copy_under_a_delete_marker_is_never_put_over(world: World, locked: LockedBucketAnchor) -> None:
    """S3 takes what is hidden for what is not there; a chain that was cut off would be made anew over it."""
    world.ledger.record(receipt(entry_of(events.record())))
    made = run(world, locked, hours=3)
    remove(world, *made)
    for _, copy in list(locked.kept(BUCKET)):
        number = Seal.from_json(copy["seal"]).number
        world.s3.delete_object(Bucket=LOCKED, Key=f"{BUCKET}/{number:012}.json")
    with pytest.raises(SealConflictError, match="where the ledger has none at all"):
        run(world, locked, hours=4)
    assert [copy["seal"] for _, copy in locked.kept(BUCKET)] == [seal.as_json() for seal in made]


@pytest.mark.parametrize("kind", ["s3", "kms"])
def test_an_anchor_that_comes_after_seals_is_begun_by_a_person(
    kind: str, world: World, locked: LockedBucketAnchor
) -> None:
    world.ledger.record(receipt(entry_of(events.record())))
    (before,) = run(world, NoAnchor())
    anchor = locked if kind == "s3" else key("alias/seals")
    with pytest.raises(SealConflictError, match=f"recibo.py seal --adopt {before.seal_hash}"):
        run(world, anchor, hours=2)
    made = run(world, anchor, hours=2, adopt=before.seal_hash)
    assert [seal.adopts for seal in made] == [before.seal_hash]
    assert [seal.adopts for seal in run(world, anchor, hours=3)] == [None]
