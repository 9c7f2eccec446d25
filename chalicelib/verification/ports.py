"""What a verification reads: the ledger's items as they are, the bucket's versions, and what the anchor holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import Enum, auto
from typing import Any, Protocol

from chalicelib.listing import Cursor, ListedPage

Item = Mapping[str, Any]
Key = tuple[str, int]


class Ledger(Protocol):
    """The ledger's items, unread: what is malformed is for the verification to say. All reads are consistent."""

    def everything(self) -> Iterator[Item]:
        """All items of the table, in any order."""

    def recent(self, bucket: str, since: datetime, until: datetime) -> Iterator[Key]:
        """The keys of the receipts finished in that time, and of what is to be inspected again."""

    def items(self, keys: Iterable[Key]) -> Iterator[Item | None]:
        """The items of these keys, in order; None where there is none."""

    def seals(self, bucket: str) -> Iterator[Item]:
        """What stands in the places of the bucket's seals, by number."""


class Versions(Protocol):
    """The bucket's versions, as S3 lists them."""

    def pages(self, bucket: str, *, prefix: str = "", after: Cursor | None = None) -> Iterator[ListedPage]:
        """Pages of at most 1,000 versions, from the cursor on."""


class Copies(Protocol):
    """An anchor that keeps copies of the seals and their pages, where nobody can change them."""

    def kept(self, bucket: str, *, since: int | None = None) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """The copies, {"seal": …, "pages": […]}, by the number of the seal, from `since` on.

        What is no copy raises MalformedSealError when its turn comes; the one after it can still be asked for.
        """


class Signer(Enum):
    """Whose a signature is."""

    STAGE = auto()
    """The stage's own key made it."""
    OTHER = auto()
    """The key that it names made it, which is not the stage's: a key that was in use before, or anybody's."""
    NOBODY = auto()
    """It is no signature of the seal."""


class Signatures(Protocol):
    """An anchor that signs the seals' hashes."""

    def signer(self, seal_hash: str, anchor: Mapping[str, Any]) -> Signer:
        """Whose the signature is."""
