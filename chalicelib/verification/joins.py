"""The questions asked of everything that was found: what is there twice, gone, altered, not sealed, or missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from chalicelib.reconcile import MIN_AGE
from chalicelib.sealing import GRACE
from chalicelib.seals import PARTS
from chalicelib.uploads import iso
from chalicelib.verification.database import Database
from chalicelib.verification.items import found, is_mark
from chalicelib.verification.ports import Ledger
from chalicelib.verification.scope import Scope
from chalicelib.verification.verdict import Defect, hour_numbered, number_of

MISPLACED = """
SELECT m.pk, m.sk, m.named_pk, m.named_sk, EXISTS (
    SELECT 1 FROM receipts r WHERE r.pk = m.named_pk AND r.sk = m.named_sk AND r.named_pk IS NULL
) OR EXISTS (
    SELECT 1 FROM receipts r WHERE r.named_pk = m.named_pk AND r.named_sk = m.named_sk AND r.pk <> m.pk
) FROM receipts m WHERE m.named_pk IS NOT NULL
"""

SUPERSEDED = """
SELECT r.pk, r.sk, r.failure, r.finished_at, (
    SELECT min(finished_at) FROM receipts l
    WHERE l.pk = r.pk AND l.sk > r.sk AND l.hash IS NOT NULL AND l.named_pk IS NULL
) FROM receipts r WHERE r.failure <> ''
"""

GAPS = """
SELECT pk, sk, uploaded_at FROM receipts WHERE pk IN (
    SELECT pk FROM receipts GROUP BY pk
    HAVING count(*) <> max(CASE WHEN hash IS NOT NULL AND named_pk IS NULL THEN sk END)
    UNION SELECT m.pk FROM marks m WHERE m.sk <> 1 + (SELECT count(*) FROM receipts r WHERE r.pk = m.pk)
) UNION SELECT m.pk, m.sk, NULL FROM marks m
WHERE m.sk <> 1 + (SELECT count(*) FROM receipts r WHERE r.pk = m.pk) ORDER BY pk, sk
"""

SEALED_OTHERWISE = """
SELECT l.identity, l.inspection, l.hour + 24 * k.days, r.pk IS NOT NULL, r.hour
FROM leaves l LEFT JOIN kept k ON k.seal = l.seal
LEFT JOIN receipts r ON r.pk = l.identity AND r.sk = l.inspection WHERE r.hash IS NOT l.hash
"""

SEALED_TWICE = """
SELECT l.identity, l.inspection, count(*) FROM leaves l LEFT JOIN kept k ON k.seal = l.seal
WHERE k.days IS NULL OR l.hour + 24 * k.days > ? GROUP BY l.identity, l.inspection HAVING count(*) > 1
"""

NOT_SEALED = """
SELECT r.pk, r.sk, r.hour, r.finished_at FROM receipts r
LEFT JOIN leaves l ON l.identity = r.pk AND l.inspection = r.sk AND l.hash = r.hash
WHERE l.identity IS NULL AND r.hash IS NOT NULL AND r.is_ours AND r.named_pk IS NULL
AND NOT EXISTS (SELECT 1 FROM problems p WHERE p.pk = r.pk AND p.sk = CAST(r.sk AS TEXT))
"""

LAST_SEAL = """
SELECT hour + coalesce(json_extract(content, '$.closes'), 1), json_extract(content, '$.sealed_at')
FROM seals ORDER BY number DESC LIMIT 1
"""

UNRECORDED = """
SELECT v.identity, v.landed, EXISTS (SELECT 1 FROM marks m WHERE m.pk = v.identity) FROM versions v
WHERE NOT EXISTS (SELECT 1 FROM receipts r WHERE r.pk = v.identity)
"""

GONE = """
SELECT count(*) FROM receipts r WHERE r.sk = 1 AND r.is_ours AND r.deletion IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.identity = r.pk)
AND NOT EXISTS (SELECT 1 FROM receipts d WHERE d.pk = r.deletion)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joins:
    """Asks the questions, in the order in which the first answer about an item says most."""

    db: Database
    ledger: Ledger
    scope: Scope
    remarks: list[str]
    counts: Counter[str] = field(default_factory=Counter)

    def ask(self, retentions: Collection[int]) -> None:
        """Tell of everything that is wrong, and count what is not; `retentions` are as `items.found` takes them."""
        self._doubles()
        self._strangers()
        self._superseded(retentions)
        self._sealed_otherwise()
        self._sealed_twice()
        self._gaps()
        self._marks()
        self._unrecorded()
        self._not_sealed()
        if self.scope.since is None and (gone := self.db.number(GONE)):
            self.remarks.append(f"Receipts of versions that are gone without a recorded deletion: {gone:,}.")

    # -- items among each other

    def _doubles(self) -> None:
        for pk, sk, named, number, is_double in self.db.rows(MISPLACED):
            whose = f"{named}, inspection {number}"
            if is_double:
                self.db.tell(Defect.DOUBLE, pk, sk, f"another item is about the same: {whose}")
            else:
                self.db.tell(Defect.ALTERED, pk, sk, f"its content is that of {whose}")

    def _strangers(self) -> None:
        """What is no receipt, in the place of one that was sealed, is that one, altered."""
        self.db.do(
            "UPDATE problems SET defect = ? WHERE defect = ? AND EXISTS "
            "(SELECT 1 FROM leaves WHERE identity = pk AND inspection = CAST(sk AS INTEGER))",
            str(Defect.ALTERED),
            str(Defect.INSERTED),
        )

    def _superseded(self, retentions: Collection[int]) -> None:
        # Both are written at once, but not read at once: of what was just made the one may be old, the other new.
        recent = iso(self.scope.now - GRACE)
        for pk, sk, failure, finished_at, followed_at in self.db.rows(SUPERSEDED):
            if failure == "whole" and followed_at is not None and followed_at < recent:
                self.db.tell(Defect.ALTERED, pk, sk, "it is among the current failures, though a later inspection is")
            # The later one may have expired first: in no order does a time to live take items away.
            is_last = failure == "bare" and followed_at is None and not self._is_expired(finished_at)
            if is_last and not self._is_followed(pk, sk, retentions):
                self.db.tell(Defect.ALTERED, pk, sk, "it is not among the current failures, though it is the last")

    def _is_followed(self, pk: str, sk: int, retentions: Collection[int]) -> bool:
        item = next(iter(self.ledger.items([(pk, sk + 1)])))
        if item is None or is_mark(item):
            return False
        following = found(item, retentions=retentions, now=self.scope.now)
        return not following.faults and following.named == (pk, sk + 1)

    def _gaps(self) -> None:
        """The first inspection that is not there, of those before one that is."""
        for pk, rows in groupby(self.db.rows(GAPS), key=lambda row: str(row[0])):
            numbered = {sk: uploaded_at for _, sk, uploaded_at in rows}
            gap = next(number for number in range(1, len(numbered) + 2) if number not in numbered)
            uploaded_at = next((moment for moment in numbered.values() if moment), None)
            if gap > max(numbered) or self._is_sealed(pk, gap) or self._is_expired(uploaded_at):
                continue
            self.db.tell(Defect.REMOVED, pk, gap, "a later inspection is there, and this one is not")

    def _is_sealed(self, pk: str, sk: int) -> bool:
        question = "SELECT count(*) FROM leaves WHERE identity = ? AND inspection = ?"
        return self.db.number(question, pk, sk) > 0

    def _is_expired(self, moment: str | None) -> bool:
        """Whether receipts of that time need not be there any more."""
        if moment is None:
            return False
        then = self.db.days_kept(number_of(datetime.fromisoformat(moment)))
        days = min((days for days in (then, self.scope.retention_days) if days is not None), default=None)
        return days is not None and moment <= iso(self.scope.now - timedelta(days=days))

    # -- items beside what was sealed

    def _sealed_otherwise(self) -> None:
        for pk, sk, gone_from, is_there, made_at in self.db.rows(SEALED_OTHERWISE):
            may_be_gone = gone_from is not None and gone_from <= number_of(self.scope.now)
            if is_there and not (may_be_gone and made_at is not None and made_at >= gone_from):
                self.db.tell(Defect.ALTERED, pk, sk, "it is not what was sealed")
            elif may_be_gone:
                self.counts["expired"] += 1
            else:
                self.db.tell(Defect.REMOVED, pk, sk, "it was sealed, and is gone")

    def _sealed_twice(self) -> None:
        for pk, sk, times in self.db.rows(SEALED_TWICE, number_of(self.scope.now)):
            self.db.tell(Defect.DOUBLE, pk, sk, f"it is sealed {times} times, and counted as often")

    def _not_sealed(self) -> None:
        chain_ends, settled = self._last_seal()
        damaged = {hour for (hour,) in self.db.rows("SELECT hour FROM damaged")}
        overdue = None
        for pk, sk, hour, finished_at in self._in_scope():
            if hour in damaged:
                self.counts["uncompared"] += 1
            elif hour < chain_ends and finished_at <= settled:
                self.db.tell(Defect.UNSEALED, pk, sk, "made in a sealed hour, but in no seal: late, or inserted")
            elif self.scope.is_overdue(hour_numbered(hour)):
                self.counts["overdue"] += 1
                overdue = min(hour, overdue or hour)
            else:
                self.counts["not_due"] += 1
        self._tell_overdue(chain_ends if self._has_chain() else overdue)

    def _in_scope(self) -> Iterator[tuple[str, int, int, str]]:
        first = number_of(self.scope.since) if self.scope.since else 0
        return ((pk, sk, hour, at) for pk, sk, hour, at in self.db.rows(NOT_SEALED) if hour >= first)

    def _has_chain(self) -> bool:
        return self.db.number("SELECT count(*) FROM seals WHERE hash IS NOT NULL") > 0

    def _last_seal(self) -> tuple[int, str]:
        """The first hour that no seal closes, and until when what was made had to be in the last seal.

        A seal that was asked for early may close an hour before the journal's index has all of it.
        """
        ends, sealed_at = next(self.db.rows(LAST_SEAL), (0, None))
        return ends, iso((datetime.fromisoformat(sealed_at) if sealed_at else self.scope.now) - GRACE)

    def _tell_overdue(self, hour: int | None) -> None:
        if hour is not None and self.scope.is_overdue(hour_numbered(hour)):
            why = "this hour, or a later one, should be sealed by now: the sealing does not run, or seals were removed"
            self.db.tell_of_seal(Defect.UNSEALED, hour * PARTS, why)

    # -- items beside the bucket

    def _marks(self) -> None:
        late = iso(self.scope.now - MIN_AGE)
        for pk, sk, deadline in self.db.rows("SELECT pk, sk, deadline FROM marks"):
            if deadline < late:
                self.db.tell(Defect.MISSING, pk, sk, "its inspection died: reconcile has it inspected again")
            elif self.scope.strict:
                self.db.tell(Defect.MISSING, pk, sk, "it is still being inspected")
            else:
                self.counts["waiting"] += 1

    def _unrecorded(self) -> None:
        young = iso(self.scope.now - MIN_AGE)
        for identity, landed, is_marked in self.db.rows(UNRECORDED):
            if is_marked:
                continue
            if self._is_expired(landed):
                self.counts["expired"] += 1
            elif landed > young and not self.scope.strict:
                self.counts["waiting"] += 1
            else:
                self.db.tell(Defect.MISSING, identity, 1, "the bucket has it, and it has no receipt")
