"""The use case: pages of receipts by any filters, one receipt, a key's history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from chalicelib.browsing import Filters, Listing, Place, cursor_of, id_of

EXAMINED = 2_000
"""How many entries of an index a request looks at: about a megabyte of them."""

EXAMINED_WHOLE = 500
"""How many of them where each must be read whole: findings and contracts are in no index."""

BATCH = 100
"""How many receipts are read at once: what a BatchGetItem takes."""

Entry = dict[str, Any]
Found = tuple[Place, Entry]


class Pages(Protocol):
    """Where lists are read from a place on."""

    def entries(
        self,
        listing: Listing,
        owner: str,
        *,
        since: str | None = None,
        until: str | None = None,
        after: Place | None = None,
        page: int,
    ) -> Iterator[Found]:
        """The entries of an index with their places, from `since` to before `until`, the newest first."""

    def details(self, keys: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Entry]:
        """What lists show and look for of these receipts; one that is gone is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some receipts, and where the list goes on; None at its end. A page may be short, or empty, and not the last."""

    entries: tuple[Entry, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Reads lists of one bucket's receipts."""

    pages: Pages
    bucket: str
    examined: int = EXAMINED
    examined_whole: int = EXAMINED_WHOLE

    def page(self, filters: Filters, *, limit: int, after: Place | None = None) -> Page:
        """The next receipts that the filters hold, at most `limit`.

        However few they hold, no more than `examined` entries are read: then the page is short, and its cursor goes on.
        Each receipt that is there throughout is on one page, and on no second, whatever comes in meanwhile.
        """
        budget = self.examined_whole if filters.needs_details else self.examined
        left = self._entries(filters, limit, budget, after)
        looked_at = self._looked_at(filters, islice(left, budget), limit)
        entries: list[Entry] = []
        last = after
        for place, entry in looked_at:
            last = place
            if entry is not None and filters.hold(entry, self.bucket):
                entries.append(self._named(entry))
            if len(entries) == limit:
                break
        more = next(looked_at, None) or next(left, None)
        return Page(entries=tuple(entries), cursor=cursor_of(filters, last) if more and last else None)

    def _entries(self, filters: Filters, limit: int, budget: int, after: Place | None) -> Iterator[Found]:
        """An eighth of the page is in each shard, more or less; more than what is asked for must be read if most of it
        is left out."""
        page = max(limit // 4 + 5, budget // 8 if filters.narrows else 0)
        return self.pages.entries(
            filters.listing,
            filters.owner(self.bucket),
            since=filters.since,
            until=filters.until,
            after=after,
            page=page,
        )

    def _looked_at(self, filters: Filters, found: Iterable[Found], limit: int) -> Iterator[tuple[Place, Entry | None]]:
        """The entries, with their details where these are needed; None for one that is gone since."""
        if not filters.needs_details:
            yield from found
            return
        rest = iter(found)
        while some := list(islice(rest, BATCH if filters.narrows else min(BATCH, limit + 1))):
            details = self.pages.details([(place.pk, place.sk) for place, _ in some])
            yield from ((place, details.get((place.pk, place.sk))) for place, _ in some)

    def _named(self, entry: Mapping[str, Any]) -> Entry:
        shown = {name: value for name, value in entry.items() if name not in ("is_current", "finding_counts", "sha256")}
        return {"id": id_of(self.bucket, entry["identity"], entry["inspection"]), **shown}
