"""What the seals cover: their pages, and the counts that they tell."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import tee
from typing import Any

from chalicelib.receipts import content_hash
from chalicelib.sealing import may_be_gone
from chalicelib.seals import (
    MalformedSealError,
    Page,
    PageLine,
    Seal,
    page_key,
    rollup_from_item,
    rollup_key,
    rollups_of,
)
from chalicelib.uploads import LARGEST
from chalicelib.verification.anchoring import leaves
from chalicelib.verification.database import LEAVES, Database
from chalicelib.verification.items import expiry_fault, wrong_with
from chalicelib.verification.ports import Item, Ledger
from chalicelib.verification.scope import Scope
from chalicelib.verification.verdict import Defect, hour_numbered, number_of

KEPT = """
INSERT INTO kept
SELECT number, min(coalesce(days, before), coalesce(before, days)), days IS NOT before AND coalesce(before > days, 1)
FROM (SELECT number, days, lag(days, 1, days) OVER (ORDER BY number) AS before FROM (
    SELECT number, json_extract(content, '$.retention_days') AS days FROM seals
))
"""
"""For how many days what a seal covers was kept at least: it was made under this seal's retention, or the last's."""

NAMED = "INSERT OR IGNORE INTO named VALUES (?)"

TALLIED = """
SELECT l.hour, r.source, r.happened, r.bytes, r.records FROM leaves l
JOIN receipts r ON r.pk = l.identity AND r.sk = l.inspection AND r.hash = l.hash WHERE l.seal = ?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesReader:
    """Reads the pages of the chain that is to be believed, and compares them with what the seals say of them."""

    db: Database
    ledger: Ledger
    scope: Scope
    retentions: Collection[int]

    def read(self) -> Iterator[int]:
        """Read the pages in scope; yields how many receipts they cover, as it goes."""
        self.db.do(KEPT)
        lines, again = tee(self._lines())
        keys = ((page_key(line.root), 0) for _, line in again)
        for (seal, line), item in zip(lines, self.ledger.items(keys), strict=True):
            self._compare(seal, line, item)
            yield line.receipts
        self.db.do("CREATE INDEX leaves_by_name ON leaves (identity, inspection)")
        self.db.do("CREATE INDEX leaves_by_seal ON leaves (seal)")

    def seals(self) -> Iterator[Seal]:
        """The seals to be believed, oldest first."""
        question = "SELECT content FROM seals WHERE content IS NOT NULL ORDER BY number"
        return (Seal.from_json(json.loads(content)) for (content,) in self.db.rows(question))

    def _lines(self) -> Iterator[tuple[Seal, PageLine]]:
        for seal in self.seals():
            for line in seal.pages:
                if self.scope.holds(line.hour):
                    yield seal, line

    def _compare(self, seal: Seal, line: PageLine, item: Item | None) -> None:
        question = "SELECT count(*) FROM held_pages WHERE seal = ? AND root = ?"
        is_held = self.db.number(question, seal.number, line.root) > 0
        self.db.do(NAMED, page_key(line.root))
        page = self._page(seal, line, item)
        if is_held:
            return
        if page is not None:
            self.db.add(LEAVES, leaves(seal, page))
        elif not may_be_gone(seal, line, now=self.scope.now) or self._is_outlived(seal):
            self.db.damage(number_of(line.hour))

    def _page(self, seal: Seal, line: PageLine, item: Item | None) -> Page | None:
        """The ledger's page, if it is the one that was sealed."""
        if item is None:
            if not may_be_gone(seal, line, now=self.scope.now):
                self._tell(Defect.REMOVED, seal, line, "a seal names it, and it is gone")
            return None
        try:
            page = Page.from_item(item)
        except MalformedSealError as error:
            self._tell(Defect.ALTERED, seal, line, wrong_with(error))
            return None
        is_sealed = self._is_sealed(page, line)
        fault = None if is_sealed else "it is not as its seal says"
        if fault := fault or expiry_fault(item, page, retentions=self.retentions):
            self._tell(Defect.ALTERED, seal, line, fault)
        return page if is_sealed else None

    def _is_sealed(self, page: Page, line: PageLine) -> bool:
        is_readable = all(0 < leaf.inspection <= LARGEST for leaf in page.leaves)
        return is_readable and page.bucket == self.scope.bucket and page.line == line

    def _is_outlived(self, seal: Seal) -> bool:
        """Whether receipts may be kept longer than the page: made before the time to live was shortened."""
        return self.db.number("SELECT is_lowered FROM kept WHERE seal = ?", seal.number) == 1

    def _tell(self, defect: Defect, seal: Seal, line: PageLine, why: str) -> None:
        self.db.tell_of_page(defect, line.root, why, hour=number_of(seal.hour))


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsReader:
    """Compares what the seals and their rollups count with the receipts that were found."""

    db: Database
    ledger: Ledger
    scope: Scope
    pages: PagesReader

    def read(self) -> None:
        """Tell of counts that are not those of the receipts, and of rollups that are not as they were sealed."""
        named, again = tee((seal, hash_) for seal in self._in_scope() for hash_ in seal.rollups)
        keys = ((rollup_key(hash_), 0) for _, hash_ in again)
        for (seal, hash_), item in zip(named, self.ledger.items(keys), strict=True):
            self.db.do(NAMED, rollup_key(hash_))
            self._compare_rollup(seal, hash_, item)
        for seal in self._in_scope():
            self._compare_counts(seal)

    def _in_scope(self) -> Iterator[Seal]:
        return (seal for seal in self.pages.seals() if self.scope.holds(seal.hour))

    def _compare_rollup(self, seal: Seal, hash_: str, item: Item | None) -> None:
        hour = number_of(seal.hour)
        if item is None:
            self.db.tell_of_rollup(Defect.REMOVED, hash_, "a seal names it, and it is gone", hour=hour)
            return
        try:
            rollup_from_item(item)
        except MalformedSealError as error:
            self.db.tell_of_rollup(Defect.ALTERED, hash_, wrong_with(error), hour=hour)

    def _compare_counts(self, seal: Seal) -> None:
        tallies, receipts = self._tallies(seal)
        if receipts != seal.receipts:
            return  # some expired, or what is wrong with them was told
        by_hour: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
        for hour, source in tallies:
            by_hour[hour].update(tallies[hour, source])
        rollups = [content_hash(rollup) for rollup in rollups_of(self.scope.bucket, tallies)]
        if (by_hour, rollups) != (seal.tallies, list(seal.rollups)):
            self.db.tell_of_seal(Defect.ALTERED, seal.number, "its counts are not those of its receipts")

    def _tallies(self, seal: Seal) -> tuple[Mapping[tuple[datetime, str], Counter[str]], int]:
        tallies: defaultdict[tuple[datetime, str], Counter[str]] = defaultdict(Counter)
        receipts = 0
        for hour, source, happened, bytes_, records in self.db.rows(TALLIED, seal.number):
            counts: dict[str, Any] = {happened: 1, "bytes": bytes_, "records": records}
            tallies[hour_numbered(hour), source].update({name: count for name, count in counts.items() if count})
            receipts += 1
        return tallies, receipts
