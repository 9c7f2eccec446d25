"""The chain of seals beside its anchor: copies that nobody can change, or signatures that nobody can forge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.receipts import content_hash
from chalicelib.seals import PARTS, MalformedSealError, Page, Seal, seal_number, seals_key
from chalicelib.verification.database import LEAVES, Database
from chalicelib.verification.ports import Copies, Ledger, Signatures, Signer
from chalicelib.verification.scope import Scope
from chalicelib.verification.verdict import Defect, hour_numbered, number_of

PUT = "INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?, ?, ?, ?)"
OTHER = "the ledger's seal is not the one that the anchor holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """Compares the seals in the database with the anchor; what the anchor holds takes their place."""

    db: Database
    ledger: Ledger
    scope: Scope
    remarks: list[str]

    def compare(self, copies: Copies) -> None:
        """Compare the seals in scope with their copies."""
        last = self.db.number("SELECT max(number) FROM seals")
        since = min(last, seal_number(self.scope.since, 0)) if self.scope.since else None
        first = None
        for number, copy in self._kept(copies, since):
            first = number if first is None else first
            self._hold(number, copy)
        if first is not None:
            self._refuse_unheld(first, last)
        elif last:
            self._tell_nothing_held(last)

    def _kept(self, copies: Copies, since: int | None) -> Iterator[tuple[int, Mapping[str, Any]]]:
        kept = copies.kept(self.scope.bucket, since=since)
        while True:
            try:
                number, copy = next(kept)
                Seal.from_json(copy["seal"])
            except StopIteration:
                return
            except MalformedSealError as error:
                self.remarks.append(f"The anchor holds something that is no copy of a seal: {error}.")
            else:
                yield number, copy

    def _hold(self, number: int, copy: Mapping[str, Any]) -> None:
        """The copy is the truth, whatever the ledger has in its place."""
        seal = Seal.from_json(copy["seal"])
        ledgers = next(self.db.rows("SELECT hash, anchor FROM seals WHERE number = ?", number), None)
        if (seal.bucket, seal.number) != (self.scope.bucket, number):
            self.remarks.append(f"The anchor holds another seal in the place of {number}.")
            return
        if ledgers is None:
            if self._is_there_now(number):
                return
            self.db.tell_of_seal(Defect.REMOVED, number, "the anchor holds it, and it is gone from the ledger")
        elif ledgers[0] != seal.seal_hash:
            self.db.tell_of_seal(Defect.ALTERED, number, OTHER)
        row = row_of(seal)
        self.db.do(PUT, *row[:4], 1, row[5], ledgers and ledgers[1])
        self._hold_pages(seal, copy["pages"])

    def _is_there_now(self, number: int) -> bool:
        """Whether the seal was made after the ledger's were read; then it seals nothing that is looked at here."""
        return next(iter(self.ledger.items([(seals_key(self.scope.bucket), number)])), None) is not None

    def _hold_pages(self, seal: Seal, pages: Any) -> None:
        lines = {line.root for line in seal.pages if self.scope.holds(line.hour)}
        for content in pages if isinstance(pages, list) else []:
            try:
                page = Page.from_json(content)
            except MalformedSealError as error:
                self.remarks.append(f"The anchor's copy of the seal {seal.number} has a page that is none: {error}.")
                continue
            if (root := page.root) in lines:
                hash_ = content_hash(page.as_json())
                self.db.do("INSERT OR IGNORE INTO held_pages VALUES (?, ?, ?)", seal.number, root, hash_)
                self.db.add(LEAVES, leaves(seal, page))

    def _refuse_unheld(self, first: int, last: int) -> None:
        """Seals of the ledger that are not in the anchor: those before the first copy are vouched for by the chain."""
        for (number,) in list(self.db.rows("SELECT number FROM seals WHERE number > ? AND NOT is_held", first)):
            if number == last and self._is_young(number):
                self.remarks.append("The last seal is not in the anchor yet: the next sealing keeps it there.")
                continue
            self.db.tell_of_seal(Defect.INSERTED, number, "the ledger has it, and the anchor does not")
            self.db.do("DELETE FROM seals WHERE number = ?", number)

    def _tell_nothing_held(self, last: int) -> None:
        if self._is_young(last):
            self.remarks.append("No seal is in the anchor yet: the next sealing keeps the last one there.")
        else:
            self.db.tell_of_seal(Defect.INSERTED, last, "the anchor holds no seal at all, and so not this one")

    def _is_young(self, number: int) -> bool:
        return not self.scope.is_overdue(hour_numbered(number // PARTS))

    # -- the signatures

    def check(self, signatures: Signatures) -> None:
        """Check each seal's signature; a later one vouches for the seals before it, through the chain."""
        unsigned, others, is_begun = 0, 0, False
        pending: list[int] = []
        question = "SELECT number, hash, anchor FROM seals WHERE hash IS NOT NULL ORDER BY number"
        for number, hash_, anchor in list(self.db.rows(question)):
            signer = signatures.signer(hash_, json.loads(anchor)) if anchor else None
            match signer:
                case Signer.STAGE:
                    is_begun, pending = True, []
                case Signer.OTHER:
                    others += 1
                    pending.append(number)
                case None if not is_begun:
                    unsigned += 1
                    pending.append(number)
                case _:
                    why = "its signature is not the key's" if anchor else "its signature is gone"
                    self.db.tell_of_seal(Defect.ALTERED, number, why)
        self._remark_on_signatures(unsigned, others, pending)

    def _remark_on_signatures(self, unsigned: int, others: int, pending: Sequence[int]) -> None:
        if unsigned:
            self.remarks.append(f"Seals without a signature of their own, as before there was a key: {unsigned:,}.")
        if others:
            self.remarks.append(f"Seals signed by another key than the stage's: {others:,}.")
        if pending:
            # Nothing after them vouches for these.
            why = "neither it nor a seal after it is signed by the stage's key"
            self.db.tell_of_seal(Defect.ALTERED, pending[-1], why)


def row_of(seal: Seal) -> tuple[Any, ...]:
    anchor = None if seal.anchor is None else json.dumps(dict(seal.anchor))
    content = json.dumps(seal.as_json(), ensure_ascii=False)
    return seal.number, seal.seal_hash, seal.previous, number_of(seal.hour), 0, content, anchor


def leaves(seal: Seal, page: Page) -> Iterator[Sequence[Any]]:
    """The rows of a page's leaves."""
    root, hour = page.root, number_of(page.hour)
    for leaf in page.leaves:
        yield seal.number, root, hour, leaf.identity, leaf.inspection, leaf.content_hash
