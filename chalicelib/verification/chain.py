"""The chain of seals: beside its anchor, link by link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.seals import PARTS, MalformedSealError, Seal, seals_key
from chalicelib.verification.anchoring import PUT, Anchoring, row_of
from chalicelib.verification.database import Database
from chalicelib.verification.items import wrong_with
from chalicelib.verification.ports import Copies, Ledger, Signatures
from chalicelib.verification.scope import Scope
from chalicelib.verification.verdict import Chain, Defect, Standing, hour_numbered

LATE = """
SELECT count(*) FROM seals
WHERE julianday(json_extract(content, '$.sealed_at')) - julianday(json_extract(content, '$.hour')) > 1 + 2 / 24.0
"""
"""A day, and what an hour and its sealing take."""

LINKS = "SELECT number, hash, previous, hour, json_extract(content, '$.closes') FROM seals ORDER BY number"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReader:
    """Reads the chain into the database: what is there after it is what is to be believed."""

    db: Database
    ledger: Ledger
    scope: Scope
    copies: Copies | None = None
    signatures: Signatures | None = None
    remarks: list[str] = field(default_factory=list)
    absent: list[int] = field(default_factory=list)

    def read(self) -> None:
        """Read all seals, and the copies of those in scope; tell what is wrong with them."""
        self.db.add(PUT, self._ledgers())
        if self.copies:
            self.absent.extend(self._anchoring.compare(self.copies))
        self._follow()
        if self.signatures:
            self._anchoring.check(self.signatures)
        elif count := self.db.number("SELECT count(*) FROM seals WHERE anchor IS NOT NULL"):
            self.remarks.append(f"Seals with a signature that was not checked, as the stage names no key: {count:,}.")
        if count := self.db.number(LATE):
            why = "the sealing stood still, or was made to begin again"
            self.remarks.append(f"Seals made more than a day after their hour, as {why}: {count:,}.")

    def read_again(self) -> None:
        """Look once more for what was in the anchor and not in the ledger."""
        self._anchoring.tell_absent(self.absent)

    @property
    def _anchoring(self) -> Anchoring:
        return Anchoring(db=self.db, ledger=self.ledger, scope=self.scope, remarks=self.remarks)

    # -- the ledger's

    def _ledgers(self) -> Iterator[Sequence[Any]]:
        for item in self.ledger.seals(self.scope.bucket):
            if type(item["sk"]) is not int or not 0 <= item["sk"] < self.scope.end_of_seals:
                self.db.tell(Defect.INSERTED, item["pk"], item["sk"], "it stands among the seals and is none")
                continue
            try:
                yield row_of(Seal.from_item(item))
            except MalformedSealError as error:
                self.db.tell_of_seal(Defect.ALTERED, item["sk"], wrong_with(error))
                yield item["sk"], None, None, item["sk"] // PARTS, 0, None, None

    # -- link by link

    def _follow(self) -> None:
        before: _Link | None = None
        is_broken = False
        for link in [_Link(*row) for row in self.db.rows(LINKS)]:
            if link.hash is None:
                self.db.damage(link.hour)
                is_broken = True
                continue
            if not is_broken:
                self._follows(before, link)
            before, is_broken = link, False

    def _follows(self, before: _Link | None, link: _Link) -> None:
        if before is None:
            if link.previous is not None or link.number % PARTS:
                self.db.tell_of_seal(Defect.REMOVED, link.number - 1, "the seals before the first one there are gone")
            return
        if link.previous == before.hash and link.number == before.next_number:
            return
        if earlier := self._earlier(link, before):
            self._refuse_between(earlier, link)
        elif link.number == before.next_number:
            why = "it is not the seal that the next one was made after"
            self.db.tell_of_seal(Defect.ALTERED, before.number, why)
            self.db.damage(before.hour)
        else:
            self._tell_gone(before, link)

    def _earlier(self, link: _Link, before: _Link) -> int | None:
        question = "SELECT number FROM seals WHERE hash = ? AND number < ?"
        return next((row[0] for row in self.db.rows(question, link.previous, before.number)), None)

    def _refuse_between(self, earlier: int, link: _Link) -> None:
        between = "SELECT number FROM seals WHERE number > ? AND number < ?"
        for (number,) in list(self.db.rows(between, earlier, link.number)):
            self.db.tell_of_seal(Defect.INSERTED, number, "the seals before and after it follow on each other")
            self.db.do("DELETE FROM seals WHERE number = ?", number)

    def _tell_gone(self, before: _Link, link: _Link) -> None:
        gone = before.next_number
        why = f"the chain has nothing from here to the seal of {hour_numbered(link.hour):%Y-%m-%d %H:%M} UTC"
        if link.number <= gone:
            self.db.tell_of_seal(Defect.INSERTED, link.number, "it does not follow on the seal before it")
            return
        self.db.tell_of_seal(Defect.REMOVED, gone, why)
        for hour in range(gone // PARTS, link.hour + 1):
            self.db.damage(hour)

    # -- the answer

    def chain(self, anchor: str | None) -> Chain:
        """What the chain is worth, once it was read."""
        count, first, last = next(self.db.rows("SELECT count(*), min(hour), max(hour) FROM seals"))
        return Chain(
            standing=self._standing(count),
            seals=count,
            first=None if first is None else hour_numbered(first),
            last=None if last is None else hour_numbered(last),
            anchor=anchor,
        )

    def _standing(self, count: int) -> Standing:
        if self.db.number("SELECT count(*) FROM problems WHERE pk = ?", seals_key(self.scope.bucket)):
            return Standing.BROKEN
        if not count:
            return Standing.ABSENT
        is_held = self.db.number("SELECT count(*) FROM seals WHERE is_held") > 0
        return Standing.ANCHORED if is_held or self.signatures else Standing.CONSISTENT


@dataclass(frozen=True, slots=True)
class _Link:
    number: int
    hash: str | None
    previous: str | None
    hour: int
    closes: int | None

    @property
    def next_number(self) -> int:
        return (self.hour + 1) * PARTS if self.closes else self.number + 1
