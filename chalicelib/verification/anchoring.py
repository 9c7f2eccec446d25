"""The chain of seals beside its anchor: copies that nobody can change, or signatures that nobody can forge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.seals import PARTS, MalformedSealError, Page, Seal, seal_number, seals_key
from chalicelib.verification.database import LEAVES, Database
from chalicelib.verification.ports import Copies, Ledger, Signatures, Signer
from chalicelib.verification.scope import Scope
from chalicelib.verification.verdict import Defect, hour_numbered, number_of

PUT = "INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?, ?, ?, ?)"
HELD = "SELECT number, is_held, json_extract(content, '$.adopts') FROM seals WHERE number >= ? ORDER BY number"
SIGNED = """
SELECT number, hash, anchor, json_extract(content, '$.adopts') FROM seals WHERE hash IS NOT NULL ORDER BY number
"""

OTHER = "the ledger's seal is not the one that the anchor holds"
AHEAD = (
    "the anchor holds it and the ledger does not: a sealing was cut off, or it was removed; the next one puts it there"
)
NOT_ADOPTED = "nobody has said yet that it may be gone on from (`recibo.py seal --adopt`)"
UNKNOWN = (
    "the anchor holds neither it nor what is before it, and no seal adopts it: somebody else made it, or it is from"
    f" before there was this anchor, and {NOT_ADOPTED}"
)
NOT_SIGNED = (
    "the stage's key did not sign it, and no seal that it signed adopts it: somebody else made it, or took its"
    f" signature away, or it is from before there was this key, and {NOT_ADOPTED}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """Compares the seals in the database with the anchor; what the anchor holds takes their place."""

    db: Database
    ledger: Ledger
    scope: Scope
    remarks: list[str]

    def compare(self, copies: Copies) -> Sequence[int]:
        """Compare the seals in scope with their copies; the numbers of those that the ledger did not have."""
        last = self.db.number("SELECT max(number) FROM seals")
        since = min(last, seal_number(self.scope.since, 0)) if self.scope.since else 0
        absent = [number for number, copy in self._kept(copies, since) if not self._hold(number, copy)]
        self._judge_unheld(since)
        return absent

    def _kept(self, copies: Copies, since: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
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

    def _hold(self, number: int, copy: Mapping[str, Any]) -> bool:
        """The copy is the truth, whatever the ledger has in its place; whether it has anything there."""
        seal = Seal.from_json(copy["seal"])
        ledgers = next(self.db.rows("SELECT hash, anchor FROM seals WHERE number = ?", number), None)
        if (seal.bucket, seal.number) != (self.scope.bucket, number):
            self.remarks.append(f"The anchor holds another seal in the place of {number}.")
            return True
        if ledgers and ledgers[0] != seal.seal_hash:
            self.db.tell_of_seal(Defect.ALTERED, number, OTHER)
        row = row_of(seal)
        self.db.do(PUT, *row[:4], 1, row[5], ledgers and ledgers[1])
        self._hold_pages(seal, copy["pages"])
        return ledgers is not None

    def tell_absent(self, absent: Sequence[int]) -> None:
        """Tell of the seals that are in the anchor and still not in the ledger: a sealing may have run meanwhile."""
        keys = [(seals_key(self.scope.bucket), number) for number in absent]
        gone = [number for number, item in zip(absent, self.ledger.items(keys), strict=True) if item is None]
        last = self.db.number("SELECT max(number) FROM seals")
        for number in gone:
            if gone == [last]:
                self.db.tell_of_seal(Defect.UNSEALED, number, AHEAD)
            else:
                self.db.tell_of_seal(Defect.REMOVED, number, "the anchor holds it, and it is gone from the ledger")

    def _hold_pages(self, seal: Seal, pages: Any) -> None:
        lines = {line for line in seal.pages if self.scope.holds(line.hour)}
        for content in pages if isinstance(pages, list) else []:
            try:
                page = Page.from_json(content)
            except MalformedSealError as error:
                self.remarks.append(f"The anchor's copy of the seal {seal.number} has a page that is none: {error}.")
                continue
            if page.line in lines:
                self.db.do("INSERT OR IGNORE INTO held_pages VALUES (?, ?)", seal.number, page.root)
                self.db.add(LEAVES, leaves(seal, page))

    def _judge_unheld(self, since: int) -> None:
        """Seals that the anchor does not hold are good only if the next one that it holds adopts them."""
        unheld: list[int] = []
        is_begun = False
        for number, is_held, adopts in list(self.db.rows(HELD, since)):
            if is_held:
                self._judge(unheld, number if adopts else None, is_begun=is_begun)
                unheld, is_begun = [], True
            else:
                unheld.append(number)
        self._judge(unheld, None, is_begun=is_begun)

    def _judge(self, unheld: Sequence[int], adopter: int | None, *, is_begun: bool) -> None:
        if unheld and adopter is not None:
            self._remark_on_adoption(unheld, adopter, "are not in the anchor")
        elif unheld and not is_begun:
            self.db.tell_of_seal(Defect.ALTERED, unheld[-1], UNKNOWN)
        elif unheld:
            for number in unheld:
                self.db.tell_of_seal(Defect.INSERTED, number, "the ledger has it, and the anchor does not")
                self.db.do("DELETE FROM seals WHERE number = ?", number)

    # -- the signatures

    def check(self, signatures: Signatures) -> None:
        """Check each seal's signature; the stage's key vouches for seals without one by one that adopts them."""
        unsigned: list[int] = []
        for number, hash_, anchor, adopts in list(self.db.rows(SIGNED)):
            match signatures.signer(hash_, json.loads(anchor)) if anchor else None:
                case Signer.STAGE:
                    self._judge_unsigned(unsigned, number if adopts else None)
                    unsigned = []
                case Signer.NOBODY:
                    self.db.tell_of_seal(Defect.ALTERED, number, "its signature is not the key's")
                    unsigned.append(number)
                case _:
                    unsigned.append(number)
        self._judge_unsigned(unsigned, None)

    def _judge_unsigned(self, unsigned: Sequence[int], adopter: int | None) -> None:
        if unsigned and adopter is not None:
            self._remark_on_adoption(unsigned, adopter, "are not signed by the stage's key")
        elif unsigned:
            self.db.tell_of_seal(Defect.ALTERED, unsigned[-1], NOT_SIGNED)

    def _remark_on_adoption(self, seals: Sequence[int], adopter: int, what: str) -> None:
        first, last, by = (
            f"{hour_numbered(number // PARTS):%Y-%m-%d %H:%M}" for number in (seals[0], seals[-1], adopter)
        )
        self.remarks.append(
            f"Seals from {first} to {last} UTC {what}: {len(seals):,}. Somebody asked for it"
            f" that the seal of {by} UTC adopt them (`recibo.py seal --adopt`)."
        )


def row_of(seal: Seal) -> tuple[Any, ...]:
    anchor = None if seal.anchor is None else json.dumps(dict(seal.anchor))
    content = json.dumps(seal.as_json(), ensure_ascii=False)
    return seal.number, seal.seal_hash, seal.previous, number_of(seal.hour), 0, content, anchor


def leaves(seal: Seal, page: Page) -> Iterator[Sequence[Any]]:
    """The rows of a page's leaves."""
    hour = number_of(page.hour)
    for leaf in page.leaves:
        yield seal.number, hour, leaf.identity, leaf.inspection, leaf.content_hash
