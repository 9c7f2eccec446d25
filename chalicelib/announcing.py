"""The use case: every final receipt that the ledger's stream tells of is announced, at least once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.announcements import Announcement, NotAReceiptError, announcement_of, is_announced


class Notices(Protocol):
    """Where receipts are announced."""

    def send(self, announcements: Sequence[Announcement]) -> int:
        """Send them in order, each at least once; how many of the first were taken. Raises what AWS answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What came of a batch: how many receipts were announced, what was none, and from where it is to come again."""

    announced: int
    strange: tuple[str, ...] = ()
    """Why each of those items is not announced, now or ever."""
    again_from: str | None = None
    """The sequence number of the first record whose event was not taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcer:
    """Announces receipts. `decoded` makes an item of what the stream has of it."""

    notices: Notices
    decoded: Callable[[Mapping[str, Any]], dict[str, Any]]

    def announce(self, records: Iterable[Mapping[str, Any]]) -> Announced:
        """Announce the receipts among the stream's records. What was made by nobody we know keeps no other back."""
        waiting: list[tuple[str, Announcement]] = []
        strange: list[str] = []
        for record in records:
            change = record["dynamodb"]
            item = self.decoded(change.get("NewImage", {}))
            if is_announced(item):
                try:
                    waiting.append((change["SequenceNumber"], announcement_of(item)))
                except NotAReceiptError as error:
                    strange.append(str(error))
        taken = self.notices.send([announcement for _, announcement in waiting])
        again = waiting[taken][0] if taken < len(waiting) else None
        return Announced(announced=taken, strange=tuple(strange), again_from=again)
