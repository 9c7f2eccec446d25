"""One item of the ledger, recomputed: what it is, and whether everything in it follows from its content. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.inspection import Status
from chalicelib.receipts import INDEX_ATTRIBUTES, INSPECTING, content_hash, derived, entry_from, from_item, mark_item
from chalicelib.sealing import KEPT_LONGER
from chalicelib.seals import MalformedSealError, Page, Seal, hour_of, rollup_from_item, source_of, tally_of
from chalicelib.uploads import Entry, Kind, iso

UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError)

WHILE_CURRENT = ("failed_at", "due_at")
"""What a later inspection takes away from a receipt."""

FOLLOWING = INDEX_ATTRIBUTES - {"pk", "sk", "expires_at", *WHILE_CURRENT}

GREATEST = 1 << 53
"""No number in a receipt reaches it, nor do SQLite's integers end before it."""

AHEAD = timedelta(days=1)
DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What stands in a receipt's place. `faults` say what is wrong with it by itself.

    `is_strange` if it never was a receipt; `named` is where it belongs by its content; `hash` is recomputed, and None
    if it has no content to be hashed.
    """

    pk: str
    sk: int
    faults: tuple[str, ...] = ()
    is_strange: bool = False
    hash: str | None = None
    named: tuple[str, int] | None = None
    bucket: str | None = None
    kind: str | None = None
    uploaded_at: str | None = None
    finished_at: str | None = None
    deletion: str | None = None
    """The identity that the deletion of this version has, for an upload."""
    failure: str = ""
    """`whole` if it is in the lists of current failures, `bare` if it was taken out of them."""
    source: str | None = None
    tally: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMark:
    """A mark: an inspection was begun, and has until its deadline."""

    pk: str
    sk: int
    bucket: str
    deadline: str


def is_mark(item: Mapping[str, Any]) -> bool:
    """Whether the item says that it is a mark."""
    return item.get("status") == INSPECTING


def found_mark(item: Mapping[str, Any]) -> FoundMark | Found:
    """The mark, or a strange thing in its place."""
    try:
        entry = entry_from(item)
        started_at, deadline = (datetime.fromisoformat(item[name]) for name in ("started_at", "deadline"))
        again = mark_item(entry, item["inspection"], started_at=started_at, deadline=deadline)
    except UNREADABLE as error:
        return _strange(item, f"it is no mark: {_said(error)}")
    if different := sorted(name for name in {*again, *item} if again.get(name) != item.get(name)):
        return _strange(item, f"it is no mark as Recibo makes them: {', '.join(different)}")
    return FoundMark(pk=item["pk"], sk=item["sk"], bucket=entry.bucket, deadline=iso(deadline))


def found(item: Mapping[str, Any], *, retentions: Collection[int], now: datetime) -> Found:
    """What stands in a receipt's place; `retentions` are the days that receipts may be kept."""
    content = from_item(item)
    stated = content.pop("content_hash", None)
    try:
        return _found(item, content, stated, retentions=retentions, now=now)
    except UNREADABLE as error:
        return _strange(item, f"it is no receipt: {_said(error)}")


def _found(
    item: Mapping[str, Any], content: Mapping[str, Any], stated: Any, *, retentions: Collection[int], now: datetime
) -> Found:
    entry, number = entry_from(content), _number(content["inspection"])
    if number < 1:
        raise ValueError("inspections are numbered from 1 on")
    if entry.kind is Kind.UPLOAD:
        Status(content["status"])
    finished_at = datetime.fromisoformat(content["finished_at"])
    hour_of(finished_at)
    tally = {name: _number(count) for name, count in tally_of([{**content, "identity": item["pk"]}]).items()}
    added = derived(content)
    failure, faults = _failure(item, added)
    hash_ = content_hash(content)
    if hash_ != stated:
        faults = ("its content is not what its content hash was made of", *faults)
    return Found(
        pk=item["pk"],
        sk=item["sk"],
        faults=(*faults, *_outside(item, added), *_times(item, finished_at, retentions=retentions, now=now)),
        hash=hash_,
        named=(entry.identity, number),
        bucket=entry.bucket,
        kind=str(entry.kind),
        uploaded_at=iso(entry.uploaded_at),
        finished_at=iso(finished_at),
        deletion=_deletion(entry),
        failure=failure,
        source=source_of(entry.key),
        tally=tally,
    )


def _failure(item: Mapping[str, Any], added: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Whether it is among the current failures; both of its attributes come and go together."""
    wanted = {name: added[name] for name in WHILE_CURRENT if name in added}
    there = {name: item[name] for name in WHILE_CURRENT if name in item}
    if there == wanted:
        return ("whole" if wanted else ""), ()
    if not there:
        return "bare", ()
    return "", tuple(_unlike(name) for name in WHILE_CURRENT if there.get(name) != wanted.get(name))


def _outside(item: Mapping[str, Any], added: Mapping[str, Any]) -> Iterator[str]:
    """The attributes of the indexes that are not what the content gives."""
    return (_unlike(name) for name in sorted(FOLLOWING) if item.get(name) != added.get(name))


def _unlike(name: str) -> str:
    return f"its {name} is not the one that its content gives"


def _times(
    item: Mapping[str, Any], finished_at: datetime, *, retentions: Collection[int], now: datetime
) -> Iterator[str]:
    if finished_at > now + AHEAD:
        yield "it says that it was made in the future"
    if "expires_at" in item:
        allowed = {int(finished_at.timestamp()) + days * DAY for days in retentions}
        if item["expires_at"] not in allowed:
            yield "its expires_at is not what the time for which receipts are kept gives"


def _deletion(upload: Entry) -> str | None:
    """What S3 would announce when this version is deleted; not so if it has no version id of its own."""
    if upload.kind is not Kind.UPLOAD or upload.version_id in (None, "null"):
        return None
    gone = Entry(
        kind=Kind.DELETED,
        bucket=upload.bucket,
        key=upload.key,
        version_id=upload.version_id,
        etag=None,
        sequencer=None,
        size=None,
        uploaded_at=upload.uploaded_at,
        event=upload.event,
    )
    return gone.identity


def support_faults(item: Mapping[str, Any], *, retentions: Collection[int]) -> str | None:
    """What is wrong with a page or a rollup by itself."""
    try:
        if item["pk"].startswith("#rollup/"):
            rollup_from_item(item)
        else:
            return expiry_fault(item, Page.from_item(item), retentions=retentions)
    except MalformedSealError as error:
        return wrong_with(error)
    return None


def wrong_with(error: MalformedSealError) -> str:
    """What is wrong with the thing that could not be read, without its name."""
    return f"it is malformed: {str(error).partition('is malformed: ')[2] or error}"


def seal_fault(item: Mapping[str, Any]) -> str | None:
    """What is wrong with a seal by itself."""
    try:
        Seal.from_item(item)
    except MalformedSealError as error:
        return wrong_with(error)
    return None


def expiry_fault(item: Mapping[str, Any], page: Page, *, retentions: Collection[int]) -> str | None:
    """What is wrong with the time to live of a page."""
    kept = {int((page.hour + timedelta(days=days) + KEPT_LONGER).timestamp()) for days in retentions}
    if "expires_at" in item and item["expires_at"] not in kept:
        return "its expires_at is not what the time for which receipts are kept gives"
    return None


def _strange(item: Mapping[str, Any], why: str) -> Found:
    return Found(pk=item["pk"], sk=item["sk"], faults=(why,), is_strange="content_hash" not in item)


def _said(error: Exception) -> str:
    return f"it has no {error.args[0]}" if isinstance(error, KeyError) and error.args else f"{error}"[:200]


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < GREATEST:  # a bool is no int here
        raise ValueError(f"{value!r:.100} is no number of a receipt")
    return value
