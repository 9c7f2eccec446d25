"""One item of the ledger, recomputed: what it is, and whether everything in it follows from its content. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.access import Token
from chalicelib.inspection import Status
from chalicelib.progress import is_credible
from chalicelib.receipts import INDEX_ATTRIBUTES, INSPECTING, content_hash, derived, entry_from, from_item, mark_item
from chalicelib.sealing import KEPT_LONGER
from chalicelib.seals import MalformedSealError, Page, Seal, differing, hour_of, rollup_from_item, source_of, tally_of
from chalicelib.uploads import LARGEST, Entry, Kind, entry_of, iso, record_of

UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError)

WHILE_CURRENT = ("failed_at", "due_at")
"""What a later inspection takes away from a receipt."""

FOLLOWING = INDEX_ATTRIBUTES - {"pk", "sk", "expires_at", *WHILE_CURRENT}

AHEAD = timedelta(days=1)
"""How far after its beginning a verification may still read what is new."""

LONGEST = timedelta(minutes=15, seconds=1)
"""How long an inspection may last: Lambda's most, and more than what rounding adds to it."""

DAY = 86_400

BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""No name of a bucket has a slash in it: with one, items of two buckets could have one identity."""


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


def found_mark(item: Mapping[str, Any], *, now: datetime) -> FoundMark | Found:
    """The mark, or a strange thing in its place."""
    try:
        entry = entry_of(record_of(entry_from(item)))  # as it once came: what no event says is not in it
        started_at, deadline = (datetime.fromisoformat(item[name]) for name in ("started_at", "deadline"))
        if not started_at <= deadline <= started_at + LONGEST or started_at > now + AHEAD:
            raise ValueError("no inspection has such a time")
        again = mark_item(
            entry,
            _inspection(item),
            tries=item.get("tries", 1),
            started_at=started_at,
            deadline=deadline,
            request_id=item.get("request_id"),
            may_expire="expires_at" in item,
        )
    except UNREADABLE as error:
        return _strange(item, f"it is no mark: {_said(error)}")
    if entry.kind is not Kind.UPLOAD or not BUCKET_NAME.fullmatch(entry.bucket):
        return _strange(item, "it is no mark of an upload to a bucket")
    if different := differing(again, item):
        return _strange(item, f"it is no mark as Recibo makes them: {', '.join(different)}")
    return FoundMark(pk=item["pk"], sk=item["sk"], bucket=entry.bucket, deadline=iso(deadline))


def found(item: Mapping[str, Any], *, retentions: Collection[int], now: datetime) -> Found:
    """What stands in a receipt's place; `retentions` are the days that receipts may be kept."""
    content = from_item(item)
    stated = content.pop("content_hash", None)
    if isinstance(bucket := item.get("bucket"), str) and not BUCKET_NAME.fullmatch(bucket):
        return _strange(item, "no bucket has such a name", is_strange=True)
    try:
        return _found(item, content, stated, retentions=retentions, now=now)
    except UNREADABLE as error:
        return _strange(item, f"it is no receipt: {_said(error)}")


def _found(
    item: Mapping[str, Any], content: Mapping[str, Any], stated: Any, *, retentions: Collection[int], now: datetime
) -> Found:
    entry, number = entry_from(content), _inspection(content)
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
    different = differing(there, wanted)
    if not different:
        return ("whole" if wanted else ""), ()
    return ("", tuple(map(_unlike, different))) if there else ("bare", ())


def _outside(item: Mapping[str, Any], added: Mapping[str, Any]) -> Iterator[str]:
    """The attributes of the indexes that are not what the content gives."""
    return (_unlike(name) for name in differing(item, added) if name in FOLLOWING)


def _unlike(name: str) -> str:
    return f"its {name} is not the one that its content gives"


def _times(
    item: Mapping[str, Any], finished_at: datetime, *, retentions: Collection[int], now: datetime
) -> Iterator[str]:
    if finished_at > now + AHEAD:
        yield "it says that it was made in the future"
    if "expires_at" in item:
        allowed = [int(finished_at.timestamp()) + days * DAY for days in retentions]
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


def note_fault(item: Mapping[str, Any], *, now: datetime) -> str | None:
    """What is wrong with the word that reconcile leaves for its next run."""
    note = {name: value for name, value in item.items() if name not in ("pk", "sk")}
    return None if is_credible(note, now=now + AHEAD) else "reconcile leaves no such note, or not yet"


def token_fault(item: Mapping[str, Any]) -> str | None:
    """What is wrong with a token of the API."""
    try:
        Token.from_item(item)
    except UNREADABLE:
        return "Recibo makes no such token"
    return None


def seal_fault(item: Mapping[str, Any]) -> str | None:
    """What is wrong with a seal by itself."""
    try:
        Seal.from_item(item)
    except MalformedSealError as error:
        return wrong_with(error)
    return None


def expiry_fault(item: Mapping[str, Any], page: Page, *, retentions: Collection[int]) -> str | None:
    """What is wrong with the time to live of a page."""
    kept = [int((page.hour + timedelta(days=days) + KEPT_LONGER).timestamp()) for days in retentions]
    if "expires_at" in item and item["expires_at"] not in kept:
        return "its expires_at is not what the time for which receipts are kept gives"
    return None


def _strange(item: Mapping[str, Any], why: str, *, is_strange: bool = False) -> Found:
    return Found(pk=item["pk"], sk=item["sk"], faults=(why,), is_strange=is_strange or "content_hash" not in item)


def _said(error: Exception) -> str:
    return f"it has no {error.args[0]}" if isinstance(error, KeyError) and error.args else f"{error}"[:200]


def _inspection(content: Mapping[str, Any]) -> int:
    if number := _number(content["inspection"]):
        return number
    raise ValueError("inspections are numbered from 1 on")


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST:  # a bool is no int here
        raise ValueError(f"{value!r:.100} is no number of a receipt")
    return value
