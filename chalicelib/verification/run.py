"""One verification, from the bucket's listing to the verdict. Nothing is changed anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain as chained

from chalicelib.access import TOKENS_KEY
from chalicelib.listing import ListedVersion, entry_of_version
from chalicelib.seals import hour_of, seals_key
from chalicelib.uploads import Kind, iso
from chalicelib.verification.chain import ChainReader
from chalicelib.verification.database import Database, batches, database
from chalicelib.verification.items import (
    Found,
    FoundMark,
    found,
    found_mark,
    is_mark,
    note_fault,
    seal_fault,
    support_faults,
    token_fault,
)
from chalicelib.verification.joins import Joins
from chalicelib.verification.pages import CountsReader, PagesReader
from chalicelib.verification.ports import Copies, Item, Key, Ledger, Signatures, Versions
from chalicelib.verification.scope import Scope
from chalicelib.verification.verdict import COUNTS, Chain, Defect, Verdict

PROBLEMS = 10_000
"""How many problems a verdict names; their numbers are exact."""

ITEMS = 1_000
EARLIER = 100
"""Of how many inspections before one the receipts are looked at, where not everything is."""

Progress = Callable[[str, int], None]
"""Is told what is being done, and how many more things it has been done to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Reads everything once, and compares it. With neither `copies` nor `signatures` the chain has no anchor.

    `anchor` says where it is, and `caveat` what is to be known of it.
    """

    ledger: Ledger
    versions: Versions
    copies: Copies | None = None
    signatures: Signatures | None = None
    anchor: str | None = None
    caveat: str | None = None
    retention_days: int | None = None

    def verdict(
        self,
        bucket: str,
        *,
        now: datetime,
        since: datetime | None = None,
        strict: bool = False,
        progress: Progress = lambda _what, _more: None,
    ) -> Verdict:
        """The verdict on all of a bucket, or on what was made since the hour that holds `since`."""
        scope = Scope(
            bucket=bucket,
            now=now,
            since=hour_of(since) if since else None,
            retention_days=self.retention_days,
            strict=strict,
        )
        remarks = [self.caveat] if self.caveat else []
        with database(bucket) as db:
            return _Run(verification=self, db=db, scope=scope, progress=progress, remarks=remarks).verdict()


@dataclass(slots=True, kw_only=True)
class _Run:
    verification: Verification
    db: Database
    scope: Scope
    progress: Progress
    remarks: list[str]
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def ledger(self) -> Ledger:
        return self.verification.ledger

    def verdict(self) -> Verdict:
        # The bucket first, the ledger last: a receipt that is made meanwhile is never missed, only not needed.
        self.db.add_versions(self._versions())
        reader = self._chain()
        pages = PagesReader(db=self.db, ledger=self.ledger, scope=self.scope, retentions=self._retentions())
        for receipts in pages.read():
            self.progress("seals", receipts)
        self._items()
        reader.read_again()
        joins = Joins(db=self.db, ledger=self.ledger, scope=self.scope, remarks=self.remarks, counts=self.counts)
        joins.ask(self._retentions())
        CountsReader(db=self.db, ledger=self.ledger, scope=self.scope, pages=pages).read()
        self._count()
        return self._answer(reader.chain(self.verification.anchor))

    # -- the bucket

    def _versions(self) -> Iterator[tuple[str, str]]:
        for page in self.verification.versions.pages(self.scope.bucket):
            self.progress("versions", len(page.versions))
            for version in page.versions:
                if self.scope.since is None or version.modified >= self.scope.since:
                    yield from self._version(version)

    def _version(self, version: ListedVersion) -> Iterator[tuple[str, str]]:
        self.counts["uploads" if version.kind is Kind.UPLOAD else "delete_markers"] += 1
        if version.kind is not Kind.UPLOAD and version.version_id == "null":
            return  # it is recorded by its sequencer, which is not listed
        yield entry_of_version(self.scope.bucket, version).identity, iso(version.modified)

    # -- the seals

    def _chain(self) -> ChainReader:
        reader = ChainReader(
            db=self.db,
            ledger=self.ledger,
            scope=self.scope,
            copies=self.verification.copies,
            signatures=self.verification.signatures,
            remarks=self.remarks,
        )
        reader.read()
        return reader

    def _retentions(self) -> frozenset[int]:
        """The days for which receipts were kept at one time or another."""
        sealed = self.db.rows("SELECT DISTINCT json_extract(content, '$.retention_days') FROM seals")
        return frozenset(days for days in (self.scope.retention_days, *(row[0] for row in sealed)) if days)

    # -- the ledger's items

    def _items(self) -> None:
        retentions = self._retentions()
        for some in batches(self._read(), ITEMS):
            ours = [item for item in some if self._is_readable(item)]
            self._supports([item for item in ours if item["pk"].startswith("#")], retentions)
            about_uploads = [item for item in ours if not item["pk"].startswith("#")]
            receipts = [item for item in about_uploads if not is_mark(item)]
            self._receipts(found(item, retentions=retentions, now=self.scope.now) for item in receipts)
            self._marks([found_mark(item, now=self.scope.now) for item in about_uploads if is_mark(item)])
            self.progress("items", len(some))

    def _read(self) -> Iterator[Item]:
        if self.scope.since is None:
            return self.ledger.everything()
        return (item for item in self.ledger.items(self._keys(self.scope.since)) if item is not None)

    def _keys(self, since: datetime) -> Iterator[Key]:
        """What the journal, the seals and the bucket name, and the inspections beside those, each once."""
        recent = self.ledger.recent(self.scope.bucket, since, self.scope.now + timedelta(days=1))
        sealed = self.db.rows("SELECT identity, inspection FROM leaves")
        listed = ((row[0], 1) for row in self.db.rows("SELECT identity FROM versions"))
        self.db.do("CREATE TABLE wanted (pk TEXT, sk INTEGER, PRIMARY KEY (pk, sk)) WITHOUT ROWID")
        keys = chained.from_iterable(map(_with_neighbours, chained(recent, sealed, listed)))
        self.db.add("INSERT OR IGNORE INTO wanted VALUES (?, ?)", keys)
        return ((pk, sk) for pk, sk in self.db.rows("SELECT pk, sk FROM wanted"))

    def _is_readable(self, item: Item) -> bool:
        if type(item["sk"]) is int and abs(item["sk"]) < 1 << 53:
            return True
        self.db.tell(Defect.INSERTED, item["pk"], item["sk"], "no item of Recibo's has such a number")
        return False

    def _receipts(self, all_found: Iterable[Found]) -> None:
        kept = []
        for one in all_found:
            kept.append(one)
            if one.faults:
                defect = Defect.INSERTED if one.is_strange else Defect.ALTERED
                self.db.tell(defect, one.pk, one.sk, "; ".join(one.faults))
        self.db.add_receipts(kept)

    def _marks(self, marks: Iterable[Found | FoundMark]) -> None:
        marks = list(marks)
        self._receipts(one for one in marks if isinstance(one, Found))
        good = [one for one in marks if isinstance(one, FoundMark)]
        self.db.add_marks(one for one in good if one.bucket == self.scope.bucket)
        self.counts["others"] += sum(one.bucket != self.scope.bucket for one in good)

    def _supports(self, items: Iterable[Item], retentions: frozenset[int]) -> None:
        for item in items:
            pk, sk = item["pk"], item["sk"]
            match pk.partition("/")[0], sk:
                case (("#page" | "#rollup"), 0):
                    self.db.do("INSERT OR IGNORE INTO supports VALUES (?)", pk)
                    if why := support_faults(item, retentions=retentions):
                        self.db.tell(Defect.ALTERED, pk, sk, why)
                case "#seals", _:
                    if pk != seals_key(self.scope.bucket) and (why := seal_fault(item)):
                        self.db.tell(Defect.INSERTED, pk, sk, why)
                case "#reconcile", 0:
                    if why := note_fault(item, now=self.scope.now):
                        self.db.tell(Defect.ALTERED, pk, sk, why)
                case "#tokens", _ if pk == TOKENS_KEY:
                    if why := token_fault(item):
                        self.db.tell(Defect.ALTERED, pk, sk, why)
                case _:
                    self.db.tell(Defect.INSERTED, pk, sk, "Recibo makes no such item")

    # -- the answer

    def _count(self) -> None:
        ours = "SELECT count(*) FROM receipts WHERE is_ours AND kind = 'upload'"
        self.counts["receipts"] = self.db.number(ours)
        self.counts["later_inspections"] = self.db.number(f"{ours} AND sk > 1")
        self.counts["deletions"] = self.db.number("SELECT count(*) FROM receipts WHERE is_ours AND kind <> 'upload'")
        if others := self.counts["others"] + self.db.number("SELECT count(*) FROM receipts WHERE NOT is_ours"):
            self.remarks.append(f"Items about other buckets, each looked at by itself: {others:,}.")
        unnamed = "SELECT count(*) FROM supports WHERE pk NOT IN (SELECT pk FROM named)"
        if self.scope.since is None and (loose := self.db.number(unnamed)):
            self.remarks.append(f"Pages or counts in no seal, as an interrupted sealing leaves them: {loose:,}.")

    def _answer(self, chain: Chain) -> Verdict:
        counts = {name: self.counts[name] for name in COUNTS} | self.db.defects()
        return Verdict(
            bucket=self.scope.bucket,
            since=self.scope.since,
            counts=counts,
            chain=chain,
            problems=tuple(self.db.problems(PROBLEMS)),
            remarks=tuple(self.remarks),
        )


def _with_neighbours(key: Key) -> Iterator[Key]:
    pk, sk = key
    return ((pk, number) for number in range(max(1, sk - EARLIER), sk + 2))
