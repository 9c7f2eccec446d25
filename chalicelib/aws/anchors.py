"""What keeps seals out of the reach of those who can write the ledger: a KMS key, or a locked bucket (S3)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.aws.signatures import ECDSA, KmsSignatures
from chalicelib.receipts import canonical
from chalicelib.sealing import Anchor, NoAnchor, SealConflictError
from chalicelib.seals import MalformedSealError, Page, Seal
from chalicelib.verification.ports import Signer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KMS_SETTING = re.compile(r"kms:(alias/[A-Za-z0-9/_-]{1,250})")
S3_SETTING = re.compile(r"s3:([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])")

TAKEN = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
"""What S3 answers when there is an object already, or one is just being put."""


def anchor_from(setting: str, client: Callable[[str], Any]) -> Anchor:
    """The anchor that a stage's RECIBO_ANCHOR names; ValueError if it names none. `client` makes one for a service."""
    if not setting:
        return NoAnchor()
    if found := KMS_SETTING.fullmatch(setting):
        return KmsAnchor(client("kms"), found[1])
    if found := S3_SETTING.fullmatch(setting):
        return LockedBucketAnchor(client("s3"), found[1])
    raise ValueError(f"RECIBO_ANCHOR is {setting!r}: leave it out, or write kms:alias/NAME or s3:BUCKET")


class KmsAnchor(NoAnchor):
    """Signs each seal's hash with an asymmetric key that nobody can read; keeps nothing."""

    def __init__(self, client: Any, key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def sign(self, seal: Seal) -> Mapping[str, str]:
        """The signature over the 32 bytes of the seal's hash, and the key that made it."""
        answer = self._client.sign(
            KeyId=self._key_id,
            Message=bytes.fromhex(seal.seal_hash),
            MessageType="DIGEST",
            SigningAlgorithm=ECDSA,
        )
        signature = base64.b64encode(answer["Signature"]).decode()
        return {"kind": "kms", "key_id": answer["KeyId"], "algorithm": ECDSA, "signature": signature}

    def vouches_for(self, seal: Seal) -> bool:
        """Whether this anchor's own key signed it: by a key that the ledger names, anybody can sign."""
        signatures = KmsSignatures(self._client, self._key_id)
        return seal.anchor is not None and signatures.signer(seal.seal_hash, seal.anchor) is Signer.STAGE


class LockedBucketAnchor(Anchor):
    """Keeps each seal with its pages in a bucket whose object lock lets nobody change or remove them.

    What the lock protects is the version: a newer one, or a delete marker, can always be put on top. So what counts
    is the oldest version of a key.
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def sign(self, seal: Seal) -> None:
        """Nothing: the copy is the proof."""

    def keep(self, seal: Seal, pages: Iterable[Page]) -> None:
        """Put the seal's copy; SealConflictError if another one is there."""
        if seal.bucket == self._bucket:
            raise ValueError(f"{self._bucket} is the inbox: nothing is ever put there, its seals' copies neither")
        body = {"seal": seal.as_json(), "pages": [page.as_json() for page in pages]}
        try:
            self._put(_key(seal.bucket, seal.number), canonical(body))
        except ClientError as error:
            held = self.holds(seal.bucket, seal.number) if error.response["Error"]["Code"] in TAKEN else None
            if held is None:
                raise
            if held != body:
                text = f"s3://{self._bucket}/{_key(seal.bucket, seal.number)} holds another seal than the ledger's"
                raise SealConflictError(text) from error

    def vouches_for(self, seal: Seal) -> bool:
        """Whether it holds this seal's copy; SealConflictError if it holds another one's in its place."""
        held = self.holds(seal.bucket, seal.number)
        if held is not None and held["seal"] != seal.as_json():
            raise SealConflictError(
                f"the ledger's seal {seal.number} of {seal.bucket} is not the one its anchor holds: take it away, and"
                " the next sealing puts the anchor's in its place"
            )
        return held is not None

    def holds(self, bucket: str, number: int) -> Mapping[str, Any] | None:
        """What is kept in a seal's place: {"seal": …, "pages": […]}; MalformedSealError if it is none."""
        key = _key(bucket, number)
        oldest = next((version for name, version in self._oldest(key) if name == key), None)
        return self._read(key, oldest) if oldest else None

    def kept(self, bucket: str, *, since: int | None = None) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """All that is kept of a bucket's chain, oldest first, from the seal number `since` on.

        What is malformed raises MalformedSealError when its turn comes; the one after it can still be asked for.
        """
        # Emulators differ on where a list goes on after a marker; all names of ten years are 90 answers of S3.
        first = "" if since is None else _key(bucket, since)
        return map(self._numbered, (found for found in self._oldest(f"{bucket}/") if found[0] >= first))

    def _numbered(self, found: tuple[str, str]) -> tuple[int, Mapping[str, Any]]:
        # A map, not a generator, goes on after an exception: hence a function for it.
        return _number(found[0]), self._read(*found)

    def _put(self, key: str, body: bytes) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=body,
            ContentType="application/json",
            # A bucket with object lock takes nothing without a checksum, and older clients send none of their own.
            ChecksumAlgorithm="SHA256",
            IfNoneMatch="*",
        )

    def _oldest(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Each key and the id of its oldest version, in the order of keys."""
        for key, versions in groupby(self._versions(prefix), key=lambda version: version[0]):
            *_, oldest = versions  # S3 lists a key's newest version first
            yield key, oldest[1]

    def _versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("list_object_versions").paginate
        for page in pages(Bucket=self._bucket, Prefix=prefix):
            for version in page.get("Versions", []):
                yield version["Key"], version["VersionId"]

    def _read(self, key: str, version: str) -> Mapping[str, Any]:
        answer = self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version)
        with answer["Body"] as body:
            return _copy_of(f"s3://{self._bucket}/{key}", body.read())


def _copy_of(place: str, content: bytes) -> Mapping[str, Any]:
    try:
        copy = json.loads(content)
    except ValueError as error:
        raise MalformedSealError(f"{place} is no JSON") from error
    if not isinstance(copy, dict) or copy.keys() != {"seal", "pages"}:
        raise MalformedSealError(f"{place} holds no seal with its pages")
    return copy


def _key(bucket: str, number: int) -> str:
    return f"{bucket}/{number:012}.json"


def _number(key: str) -> int:
    name = key.rpartition("/")[2].removesuffix(".json")
    if not name.isdecimal():
        raise MalformedSealError(f"{key} is no seal's name")
    return int(name)
