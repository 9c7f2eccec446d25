"""A ledger with its seals, its bucket and its anchor in memory, as a verification and a sealing see them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.inspection import Report
from chalicelib.listing import Cursor, ListedPage, ListedVersion
from chalicelib.receipts import Receipt, as_item
from chalicelib.sealing import Anchor, NoAnchor, SealConflictError, Sealer, SealStore
from chalicelib.seals import (
    HOUR,
    Page,
    Seal,
    finished_hour,
    hour_of,
    page_key,
    rollup_from_item,
    rollup_item,
    rollup_key,
    seals_key,
)
from chalicelib.uploads import Entry, Kind, entry_of, iso
from chalicelib.verification import Copies, Ledger, Signatures, Signer, Verdict, Verification, Versions
from tests import events
from tests.events import BUCKET
from tests.fakes import NOON
from tests.receipts import SUCCESS, receipt

MINUTE = timedelta(minutes=1)
Item = dict[str, Any]
Key = tuple[str, int]


@dataclass
class FakeTable(SealStore):
    """The ledger's items, by their keys."""

    things: dict[Key, Item] = field(default_factory=dict)

    def record(self, made: Receipt, *, retention: timedelta | None = None) -> None:
        """Record a receipt as the ledger does."""
        item = as_item(made, retention=retention)
        self.things[item["pk"], item["sk"]] = item
        for name in ("failed_at", "due_at"):
            self.things.get((item["pk"], item["sk"] - 1), {}).pop(name, None)

    # -- for tampering

    def snapshot(self) -> dict[Key, Item]:
        return copy.deepcopy(self.things)

    def put(self, item: Item) -> None:
        self.things[item["pk"], item["sk"]] = item

    def remove(self, key: Key) -> None:
        del self.things[key]

    # -- for sealing

    def last(self, bucket: str) -> Seal | None:
        return max(self.seals(bucket), key=lambda seal: seal.number, default=None)

    def seals(self, bucket: str, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Seal]:
        found = map(Seal.from_item, FakeEvidence(self).seals(bucket))
        return (
            seal for seal in found if (not since or seal.hour >= hour_of(since)) and (not until or seal.hour < until)
        )

    def pages(self, roots: Sequence[str]) -> Iterator[Page | None]:
        found = (self.things.get((page_key(root), 0)) for root in roots)
        return (Page.from_item(item) if item else None for item in found)

    def rollups(self, hashes: Sequence[str]) -> Iterator[Mapping[str, Any] | None]:
        found = (self.things.get((rollup_key(hash_), 0)) for hash_ in hashes)
        return (rollup_from_item(item) if item else None for item in found)

    def first_hour(self, bucket: str) -> datetime | None:
        return min(map(finished_hour, self._journal(bucket)), default=None)

    def count(self, bucket: str, hour: datetime) -> int:
        return sum(1 for _ in self.entries(bucket, hour))

    def entries(self, bucket: str, hour: datetime, until: datetime | None = None) -> Iterator[dict[str, Any]]:
        end = iso(min(until or hour + HOUR, hour + HOUR))
        found = [item for item in self._journal(bucket) if iso(hour) <= item["finished_at"] < end]
        return iter(sorted(found, key=lambda item: str(item["finished_at"])))

    def put_page(self, page: Page, *, expires_at: int | None = None) -> bool:
        return self._put_new(page.as_item(expires_at=expires_at))

    def put_rollup(self, rollup: Mapping[str, Any]) -> bool:
        return self._put_new(rollup_item(rollup))

    def put_seal(self, seal: Seal) -> bool:
        return self._put_new(seal.as_item())

    def _put_new(self, item: Item) -> bool:
        is_new = (item["pk"], item["sk"]) not in self.things
        self.things.setdefault((item["pk"], item["sk"]), item)
        return is_new

    def _journal(self, bucket: str) -> Iterator[dict[str, Any]]:
        for item in self.things.values():
            if "finished_at" in item and item.get("bucket") == bucket:
                yield {**item, "identity": item["pk"], "inspection": item["sk"]}


@dataclass
class FakeEvidence(Ledger):
    """The same table as a verification reads it."""

    table: FakeTable

    def everything(self) -> Iterator[Item]:
        return iter(list(self.table.things.values()))

    def recent(self, bucket: str, since: datetime, until: datetime) -> Iterator[Key]:
        for (pk, sk), item in self.table.things.items():
            order = str(item.get("finished_at", item.get("due_at", "")))
            if str(item.get("journal_shard", "")).startswith(f"{bucket}#") and iso(since) <= order <= iso(until):
                yield pk, sk

    def items(self, keys: Iterable[Key]) -> Iterator[Item | None]:
        return (self.table.things.get(key) for key in keys)

    def seals(self, bucket: str) -> Iterator[Item]:
        found = [item for (pk, _), item in self.table.things.items() if pk == seals_key(bucket)]
        return iter(sorted(found, key=lambda item: int(item["sk"])))


@dataclass
class FakeVersions(Versions):
    """The bucket's versions."""

    versions: list[ListedVersion] = field(default_factory=list)

    def pages(self, bucket: str, *, prefix: str = "", after: Cursor | None = None) -> Iterator[ListedPage]:  # noqa: ARG002
        yield ListedPage(versions=tuple(self.versions), next=None)


@dataclass
class FakeCopies(NoAnchor, Copies):
    """A bucket that lets nobody change what it holds."""

    copies: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def keep(self, seal: Seal, pages: Iterable[Page]) -> None:
        copied = {"seal": seal.as_json(), "pages": [page.as_json() for page in pages]}
        assert self.copies.setdefault(seal.number, copy.deepcopy(copied)) == copied

    def vouches_for(self, seal: Seal) -> bool:
        held = self.copies.get(seal.number)
        if held and held["seal"] != seal.as_json():
            raise SealConflictError("another one is kept")
        return held is not None

    def holds(self, bucket: str, number: int) -> Mapping[str, Any] | None:  # noqa: ARG002
        return self.copies.get(number)

    def kept(self, bucket: str, *, since: int | None = None) -> Iterator[tuple[int, Mapping[str, Any]]]:  # noqa: ARG002
        return iter(sorted((number, held) for number, held in self.copies.items() if number >= (since or 0)))


@dataclass
class FakeSignatures(NoAnchor, Signatures):
    """A key that nobody else has."""

    key: str = "ours"

    def sign(self, seal: Seal) -> Mapping[str, str]:
        return {"kind": "kms", "key_id": self.key, "algorithm": "x", "signature": f"{self.key} {seal.seal_hash}"}

    def vouches_for(self, seal: Seal) -> bool:
        return self.signer(seal.seal_hash, seal.anchor or {}) is Signer.STAGE

    def signer(self, seal_hash: str, anchor: Mapping[str, Any]) -> Signer:
        signed = {"kind": "kms", "algorithm": "x", "key_id": anchor.get("key_id"), "signature": anchor.get("signature")}
        if anchor != signed or anchor["signature"] != f"{anchor['key_id']} {seal_hash}":
            return Signer.NOBODY
        return Signer.STAGE if anchor["key_id"] == self.key else Signer.OTHER


@dataclass
class Evidence:
    """A small world from noon on, in few words."""

    table: FakeTable = field(default_factory=FakeTable)
    versions: FakeVersions = field(default_factory=FakeVersions)
    anchor: Anchor = field(default_factory=NoAnchor)
    retention_days: int | None = None
    count: int = 0

    def entry(self, minute: int, **more: Any) -> Entry:
        self.count += 1
        made = {"key": f"sales/{self.count}.csv", "version_id": f"v{self.count}", "sequencer": f"{self.count:06}"}
        return entry_of(events.record(**{**made, "at": NOON + minute * MINUTE, **more}))

    def upload(
        self,
        minute: int,
        *,
        report: Report | None = SUCCESS,
        inspection: int = 1,
        of: Entry | None = None,
        **more: Any,
    ) -> Entry:
        """An upload with its receipt, made a minute after noon."""
        entry = of or self.entry(minute, **more)
        self.record(entry, minute, report=report, inspection=inspection)
        if of is None:
            self.land(entry)
        return entry

    def record(self, entry: Entry, minute: int, *, report: Report | None = SUCCESS, inspection: int = 1) -> None:
        """A receipt of an entry."""
        judged = report if entry.kind is Kind.UPLOAD else None
        made = receipt(entry, report=judged, at=NOON + minute * MINUTE, inspection=inspection)
        retention = timedelta(days=self.retention_days) if self.retention_days else None
        self.table.record(made, retention=retention)

    def land(self, entry: Entry) -> None:
        """A version in the bucket."""
        version = ListedVersion(
            kind=entry.kind,
            key=entry.key,
            version_id=entry.version_id or "null",
            etag=entry.etag,
            size=entry.size,
            modified=entry.uploaded_at,
            is_latest=True,
        )
        self.versions.versions.append(version)

    def delete(self, upload: Entry, minute: int) -> Entry:
        """The recorded deletion of a version."""
        gone = events.deletion(upload.key, version_id=upload.version_id, at=NOON + minute * MINUTE, sequencer="F")
        self.record(entry_of(gone), minute)
        self.versions.versions = [one for one in self.versions.versions if one.version_id != upload.version_id]
        return entry_of(gone)

    def seal(self, minute: int, *, early: bool = False, adopt: str | None = None) -> list[Seal]:
        """Seal what is due that many minutes after noon."""
        sealer = Sealer(store=self.table, anchor=self.anchor, retention_days=self.retention_days)
        now = NOON + minute * MINUTE
        return list(sealer.seal_due(BUCKET, now=now, out_of_time=lambda: False, early=early, adopt=adopt))

    def verify(self, minute: int, **more: Any) -> Verdict:
        """The verdict that many minutes after noon."""
        return self.verification.verdict(BUCKET, now=NOON + minute * MINUTE, **more)

    @property
    def verification(self) -> Verification:
        return Verification(
            ledger=FakeEvidence(self.table),
            versions=self.versions,
            copies=self.anchor if isinstance(self.anchor, FakeCopies) else None,
            signatures=self.anchor if isinstance(self.anchor, FakeSignatures) else None,
            anchor="an anchor",
            retention_days=self.retention_days,
        )
