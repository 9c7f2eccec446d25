"""The use case: a version that a list names, and no event told of, is wanted unless it has its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.listing import ListedVersion, entry_of_version
from chalicelib.receipts import INSPECTING
from chalicelib.tasks import Task
from chalicelib.wanted import Reason, Wanted


class NothingToInspectError(Exception):
    """There is nothing that could be inspected, now or later: give up. The text is one sentence for a person."""


class Objects(Protocol):
    """Single versions, as S3 knows them."""

    def version(self, bucket: str, key: str, version_id: str | None) -> ListedVersion | None:
        """A version of a key, or its current one; None if there is none that has bytes."""


class Receipts(Protocol):
    """What the ledger knows of an upload."""

    def current(self, identity: str) -> Mapping[str, Any] | None:
        """The receipt of the last inspection, or its mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """Finds which inspection a version still wants, in the inbox and below the prefix that are Recibo's."""

    objects: Objects
    receipts: Receipts
    bucket: str
    prefix: str = ""

    def wanted(self, task: Task) -> Wanted | None:
        """The inspection that is wanting; None if there is a receipt. Raises NothingToInspectError."""
        self._refuse_others(task)
        version = self.objects.version(task.bucket, task.key, task.version_id)
        if version is None:
            raise NothingToInspectError("The bucket has no such version any more, or it is a delete marker.")
        if not version.version_id:
            raise NothingToInspectError(f"The bucket {task.bucket} keeps no versions: enable its versioning first.")
        entry = entry_of_version(task.bucket, version)
        item = self.receipts.current(entry.identity)
        if item is None:
            return Wanted(entry=entry, inspection=1, reason=Reason.MISSING)
        if item.get("status") != INSPECTING:
            return None
        # Whoever left the mark may have died: double work is harmless, and whoever ends first writes the receipt.
        return Wanted(entry=entry, inspection=item["inspection"], reason=Reason.DIED, tries=item.get("tries", 1))

    def _refuse_others(self, task: Task) -> None:
        if task.bucket != self.bucket:
            raise NothingToInspectError(f"The bucket {task.bucket} is not this stage's inbox, which is {self.bucket}.")
        if not task.key.startswith(self.prefix):
            raise NothingToInspectError(f"The key does not begin with {self.prefix}, as all of this stage's do.")
