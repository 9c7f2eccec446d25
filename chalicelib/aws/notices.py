"""Announces receipts on the account's event bus (EventBridge)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.announcements import DETAIL_TYPE, SOURCE, Announcement
from chalicelib.aws.patience import PACE, Pace

BATCH = 10
"""How many entries PutEvents takes."""

TRIES = 4
"""How often an entry that EventBridge has no capacity for is sent, before the stream is to bring it again."""


class EventBridgeNotices:
    """Puts one event for each receipt on the default bus."""

    def __init__(
        self,
        client: Any,
        *,
        pace: Pace = PACE,
    ) -> None:
        self._client = client
        self._pace = pace

    def send(self, announcements: Sequence[Announcement]) -> int:
        """Send them ten at a time; how many of the first were taken, all that come before one that was not."""
        for start in range(0, len(announcements), BATCH):
            batch = announcements[start : start + BATCH]
            if refused := self._refused([_entry(announcement) for announcement in batch]):
                return start + refused[0]
        return len(announcements)

    def _refused(self, entries: Sequence[Any]) -> list[int]:
        """The places of the entries that were not taken, though they alone were sent again."""
        patience = self._pace.patience()
        left = list(range(len(entries)))
        for patience.stalled in range(TRIES):
            patience.wait(TimeoutError())  # which is never raised: this patience has all the time
            answer = self._client.put_events(Entries=[entries[place] for place in left])
            left = [place for place, of_one in zip(left, answer["Entries"], strict=True) if "ErrorCode" in of_one]
            if not left:
                break
        return left


def _entry(announcement: Announcement) -> dict[str, Any]:
    return {
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "Time": announcement.at,
        "Detail": announcement.detail,
    }
