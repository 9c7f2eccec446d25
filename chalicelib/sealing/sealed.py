"""What the chain says was sealed already, read with a stop wherever something of it is gone or not as it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib.sealing.ports import SealConflictError, SealStore
from chalicelib.seals import Page, PageLine, Seal, hour_of
from chalicelib.uploads import iso

KEPT_LONGER = timedelta(days=30)
"""How much longer than its receipts a page is kept, so that none goes before them."""

Line = tuple[Seal, PageLine]
"""A page, by what its seal says of it."""


def may_be_gone(seal: Seal, line: PageLine, *, now: datetime) -> bool:
    """Whether the time for which a page of the seal is kept is over."""
    days = seal.retention_days
    return days is not None and line.hour + timedelta(days=days) + KEPT_LONGER <= now


def lines_since(store: SealStore, bucket: str, since: datetime) -> Mapping[datetime, Sequence[Line]]:
    """By hour, what the chain says was sealed of it; SealConflictError if a seal of it is gone or another's.

    The entries of an hour are in no seal of an earlier one.
    """
    lines: defaultdict[datetime, list[Line]] = defaultdict(list)
    before: Seal | None = None
    for seal in store.seals(bucket, since=since):
        if not (follows(seal, before) if before else _begins(seal, since)):
            where = f"before that of {iso(seal.hour)}, part {seal.part}"
            raise SealConflictError(f"a seal of {bucket} {where} is gone or was changed: `recibo.py verify` names it")
        for line in seal.pages:
            lines[line.hour].append((seal, line))
        before = seal
    return lines


def follows(seal: Seal, before: Seal | None) -> bool:
    """Whether the seal is the next after that one, or a chain's first after none."""
    if before is None:
        return seal.previous is None and seal.part == 0
    return seal.previous == before.seal_hash and (seal.hour, seal.part) == before.next_place


def _begins(seal: Seal, since: datetime) -> bool:
    return seal.previous is None or (seal.hour, seal.part) == (hour_of(since), 0)


def pages_of(store: SealStore, lines: Sequence[Line], *, now: datetime) -> Iterator[Page]:
    """The pages of these lines, but for those whose time is over.

    SealConflictError if one is gone before, or is not as it was sealed: what it covers would be sealed twice.
    """
    for (seal, line), page in zip(lines, store.pages([line.root for _, line in lines]), strict=True):
        if page is None and may_be_gone(seal, line, now=now):
            continue
        if page is None or page.line != line:
            what = "is gone" if page is None else "is not as it was sealed"
            raise SealConflictError(
                f"the page {line.root}, sealed by {seal.bucket}'s seal of {iso(seal.hour)}, part {seal.part}, {what}:"
                " nothing is sealed until it is back as it was, from a backup or from the anchor's copy"
            )
        yield page
