"""The use cases behind the API's routes: each takes a call and gives its answer, or raises what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Protocol

from chalicelib.access import Caller
from chalicelib.answers import FRESH, PUBLIC, Answer, answer_of, unless_known
from chalicelib.browsing import id_of, place_of, receipt_of
from chalicelib.parameters import (
    FILTERS,
    LISTED,
    LONGEST_CURSOR,
    LONGEST_KEY,
    MOST_LISTED,
    MOST_OF_A_KEY,
    MOST_UPLOADED,
    Query,
    filters_of,
    span_of,
    wish_of,
)
from chalicelib.problems import ProblemError
from chalicelib.queries import Browser
from chalicelib.receipts import INSPECTING, entry_from
from chalicelib.reconcile import Receipts, next_inspection
from chalicelib.scheduled import Inspections, Notes
from chalicelib.sealing import SealStore
from chalicelib.seals import MalformedSealError, Seal
from chalicelib.summaries import Summaries
from chalicelib.uploads import Kind, iso

FORM_SECONDS = 900
DUE_COUNTED = 100


class Ledger(Receipts, Protocol):
    """Where receipts are read by their identity."""

    def found(self, identity: str, inspection: int) -> dict[str, Any] | None:
        """The receipt of an inspection, or its mark."""


class Lists(Protocol):
    """Where a key's history is read, and what is to be inspected again."""

    def history(self, bucket: str, key: str, *, limit: int) -> list[dict[str, Any]]:
        """Summaries of a key's last entries, newest first."""

    def due(self, bucket: str, until: datetime) -> Iterator[tuple[str, int]]:
        """What is to be inspected again."""


class Forms(Protocol):
    """Where forms for uploads are signed."""

    def form(
        self, bucket: str, key: str, fields: Mapping[str, str], *, smallest: int, largest: int, seconds: int
    ) -> dict[str, Any]:
        """The address and the fields of a form."""


class Folders(Protocol):
    """Where folders are listed."""

    def below(self, bucket: str, prefix: str) -> tuple[list[str], bool]:
        """The folders right below a prefix, and whether there may be more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, decoded, and who makes it."""

    caller: Caller
    query: Mapping[str, Sequence[str]]
    body: bytes = b""
    if_none_match: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What can be asked of one stage. Time and randomness are passed in."""

    bucket: str
    prefix: str
    """What every upload's key begins with, before what its token adds."""
    anchor: str
    ledger: Ledger
    lists: Lists
    browser: Browser
    summaries: Summaries
    seals: SealStore
    notes: Notes
    inspections: Inspections
    forms: Forms
    folders: Folders
    contracts: Callable[[], Mapping[str, str]]
    now: Callable[[], datetime]
    unique: Callable[[], str]

    # -- receipts

    def receipts(self, call: Call) -> Answer:
        """A page of receipts, the newest first."""
        query = Query(call.query, FILTERS)
        filters, limit = filters_of(query), query.number("limit", LISTED, 1, MOST_LISTED)
        cursor = query.text("cursor", longest=LONGEST_CURSOR)
        try:
            after = place_of(filters, cursor) if cursor else None
        except (ValueError, TypeError) as error:
            raise ProblemError(
                "invalid-cursor",
                "This cursor goes on in no such list: repeat the filters it came with, or leave it out.",
            ) from error
        page = self.browser.page(filters, limit=limit, after=after)
        content = {"receipts": list(page.entries), "cursor": page.cursor}
        return unless_known(answer_of(content, kept=FRESH), call.if_none_match)

    def receipt(self, call: Call, id_: str) -> Answer:
        """One receipt in full, and whether it is its upload's last."""
        Query(call.query, ())
        identity, receipt, current = self._found(id_)
        number = current["inspection"] if current else receipt["inspection"]
        content = {
            "id": id_,
            "identity": identity,
            "is_current": receipt["inspection"] == number,
            "current_id": id_of(self.bucket, identity, number),
            "receipt": receipt,
        }
        return unless_known(answer_of(content, kept=FRESH), call.if_none_match)

    def history_of(self, call: Call, id_: str) -> Answer:
        """All that happened to a receipt's key."""
        query = Query(call.query, ("limit",))
        return self._history(self._found(id_)[1]["key"], query, call)

    def history(self, call: Call) -> Answer:
        """All that happened to a key."""
        query = Query(call.query, ("key", "limit"))
        key = query.text("key", longest=LONGEST_KEY)
        if key is None:
            raise ProblemError("invalid-parameter", "Say which key: api/history?key=orders/day.csv.", parameter="key")
        return self._history(key, query, call)

    def folders_below(self, call: Call) -> Answer:
        """The folders right below a prefix, of what is in the bucket now."""
        prefix = Query(call.query, ("prefix",)).text("prefix", longest=LONGEST_KEY) or ""
        found, has_more = self.folders.below(self.bucket, prefix)
        content = {"prefix": prefix, "folders": found, "more": has_more}
        return unless_known(answer_of(content, kept=FRESH), call.if_none_match)

    def recheck(self, call: Call, id_: str) -> Answer:
        """Have the upload inspected once more."""
        Query(call.query, ())
        identity, receipt, current = self._found(id_)
        if receipt["kind"] != Kind.UPLOAD:
            raise ProblemError("not-an-upload", "This is the record of a deletion: only an upload can be inspected.")
        if current and current.get("status") == INSPECTING and current["deadline"] > iso(self.now()):
            raise ProblemError(
                "still-inspecting", f"It is being inspected until {current['deadline']} at the latest: wait for that."
            )
        wanted = next_inspection(self.ledger, entry_from(receipt))
        self.inspections.request(wanted.entry, wanted.inspection)
        id_ = id_of(self.bucket, identity, wanted.inspection)
        return answer_of({"id": id_, "inspection": wanted.inspection, "key": wanted.entry.key}, status=202)

    def _found(self, id_: str) -> tuple[str, dict[str, Any], dict[str, Any] | None]:
        """The identity, the receipt that is meant, and the current one."""
        try:
            identity, inspection = receipt_of(self.bucket, id_)
        except ValueError as error:
            raise _no_such(id_) from error
        current = self.ledger.current(identity)
        if current and current["inspection"] == inspection:
            return identity, current, current
        if receipt := self.ledger.found(identity, inspection):
            return identity, receipt, current
        raise _no_such(id_)

    def _history(self, key: str, query: Query, call: Call) -> Answer:
        limit = query.number("limit", 50, 1, MOST_OF_A_KEY)
        found = self.lists.history(self.bucket, key, limit=limit + 1)
        entries = [{"id": id_of(self.bucket, one["identity"], one["inspection"]), **one} for one in found[:limit]]
        content = {"key": key, "entries": entries, "more": len(found) > limit}
        return unless_known(answer_of(content, kept=FRESH), call.if_none_match)

    # -- figures

    def summary(self, call: Call) -> Answer:
        """A period in figures."""
        query = Query(call.query, ("day", "from", "to", "by", "utc_offset_minutes"))
        content = self.summaries.summary(span_of(query, self.now()))
        return unless_known(answer_of(content, kept=FRESH), call.if_none_match)

    def verification(self, call: Call) -> Answer:
        """How far the ledger is sealed and compared with the bucket. It is what these last said of themselves:
        only `recibo.py verify` recomputes."""
        Query(call.query, ())
        now = self.now()
        try:
            last = self.seals.last(self.bucket)
        except MalformedSealError as error:
            raise ProblemError(
                "seals-malformed", "The last seal is malformed: run `recibo.py verify`, which says what is wrong."
            ) from error
        due = len(list(islice(self.lists.due(self.bucket, now), DUE_COUNTED + 1)))
        note = self.notes.read(self.bucket)
        content = {
            "sealed_until": iso(last.next_place[0]) if last else None,
            "last_seal": _brief(last) if last else None,
            "anchor": self.anchor or None,
            "reconcile": {name: note[name] for name in ("through", "whole_at", "begun_at") if name in note} or None,
            "due": min(due, DUE_COUNTED),
            "more_due": due > DUE_COUNTED,
        }
        return unless_known(answer_of(content, kept=FRESH), call.if_none_match)

    def contract_list(self, call: Call) -> Answer:
        """The deployed contracts, as their files say them."""
        Query(call.query, ())
        content = [json.loads(text) for _, text in sorted(self.contracts().items())]
        return unless_known(answer_of({"contracts": content}, kept=FRESH), call.if_none_match)

    # -- uploads

    def upload(self, call: Call) -> Answer:
        """A form for one upload, under a key that nobody has."""
        Query(call.query, ())
        wish, now = wish_of(call.body), self.now()
        if (wish.size or 0) > MOST_UPLOADED:
            raise ProblemError(
                "unprocessable", "A form takes 5 GiB at most: upload larger files in parts (`recibo.py put`)."
            )
        key = self.prefix + call.caller.prefix + named_once(wish.name, now, self.unique())
        if len(key.encode()) > LONGEST_KEY:
            raise ProblemError("unprocessable", "With the prefix of this token the key is longer than S3 takes.")
        fields = {f"x-amz-meta-{name}": value for name, value in wish.metadata.items()}
        if wish.content_type:
            fields["Content-Type"] = wish.content_type
        smallest, largest = (wish.size, wish.size) if wish.size is not None else (0, MOST_UPLOADED)
        form = self.forms.form(self.bucket, key, fields, smallest=smallest, largest=largest, seconds=FORM_SECONDS)
        expires_at = iso(now + timedelta(seconds=FORM_SECONDS))
        return answer_of({"key": key, **form, "largest": largest, "expires_at": expires_at}, status=201)

    # -- the API itself

    def me(self, call: Call) -> Answer:
        """Who calls, and what it may do."""
        Query(call.query, ())
        caller = call.caller
        content = {"name": caller.name, "scopes": sorted(map(str, caller.scopes)), "prefix": caller.prefix}
        return answer_of(content)


def named_once(name: str, now: datetime, unique: str) -> str:
    """The file's name with the time and something unique before its endings, by which its format is told."""
    folder, slash, file = name.rpartition("/")
    stem, dot, endings = file.partition(".") if file.strip(".") == file else (file, "", "")
    return f"{folder}{slash}{stem}-{now:%Y%m%dT%H%M%SZ}-{unique}{dot}{endings}"


def public(content: Any, if_none_match: str | None) -> Answer:
    """What anybody may have, and keep for a while."""
    return unless_known(answer_of(content, kept=PUBLIC), if_none_match)


def _no_such(id_: str) -> ProblemError:
    return ProblemError("no-such-receipt", f"There is no receipt {id_[:100]!r}: api/receipts lists what there is.")


def _brief(seal: Seal) -> dict[str, Any]:
    return {
        "hour": iso(seal.hour),
        "part": seal.part,
        "closes": seal.closes,
        "sealed_at": iso(seal.sealed_at),
        "receipts": seal.receipts,
        "late": seal.late,
        "seal_hash": seal.seal_hash,
    }
