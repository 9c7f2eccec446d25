"""What a sealing reads and writes: the ledger's journal and seals, and the anchor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from chalicelib.seals import Page, Seal


class SealConflictError(Exception):
    """The ledger's chain is not the one its anchor knows: somebody removed or changed a seal. No retry helps."""


class SealStore(Protocol):
    """Where the journal is read, and where seals are kept. Malformed items raise MalformedSealError."""

    def last(self, bucket: str) -> Seal | None:
        """The last seal of the chain; strongly consistent."""

    def seals(self, bucket: str, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Seal]:
        """The chain, oldest first: from the hour that holds `since`, hours that begin before `until`."""

    def pages(self, roots: Sequence[str]) -> Iterator[Page | None]:
        """The pages of these roots, in order; None where there is none."""

    def rollups(self, hashes: Sequence[str]) -> Iterator[Mapping[str, Any] | None]:
        """The rollups of these hashes, in order; None where there is none."""

    def first_hour(self, bucket: str) -> datetime | None:
        """The hour of the journal's oldest entry."""

    def count(self, bucket: str, hour: datetime) -> int:
        """How many entries of the journal were finished in the hour."""

    def entries(self, bucket: str, hour: datetime, until: datetime | None = None) -> Iterator[dict[str, Any]]:
        """Summaries of the entries finished in the hour, and before `until`, in the order of `finished_at`."""

    def put_page(self, page: Page, *, expires_at: int | None = None) -> bool:
        """Write the page unless it is there; `expires_at` is in seconds since 1970."""

    def put_rollup(self, rollup: Mapping[str, Any]) -> bool:
        """Write the rollup unless it is there."""

    def put_seal(self, seal: Seal) -> bool:
        """Write the seal unless its place is taken; whether it was written."""


class Anchor(Protocol):
    """What holds or signs seals where nobody who can change the ledger can do the same."""

    def sign(self, seal: Seal) -> Mapping[str, str] | None:
        """A signature to be kept with the seal, if this anchor makes any."""

    def keep(self, seal: Seal, pages: Iterable[Page]) -> None:
        """Keep the seal before it is in the ledger; SealConflictError if another one is kept in its place."""

    def vouches_for(self, seal: Seal) -> bool:
        """Whether it has kept or signed this seal; SealConflictError if it keeps another one in its place."""

    def holds(self, bucket: str, number: int) -> Mapping[str, Any] | None:
        """What is kept in a seal's place: {"seal": …, "pages": […]}."""

    def kept(self, bucket: str, *, since: int | None = None) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """All that is kept of a bucket's chain, oldest first, from the seal number `since` on."""


class NoAnchor(Anchor):
    """Nothing but the chain itself."""

    def sign(self, seal: Seal) -> Mapping[str, str] | None:  # noqa: ARG002 - the port's
        return None

    def keep(self, seal: Seal, pages: Iterable[Page]) -> None:
        pass

    def vouches_for(self, seal: Seal) -> bool:  # noqa: ARG002 - the port's
        return True

    def holds(self, bucket: str, number: int) -> Mapping[str, Any] | None:  # noqa: ARG002 - the port's
        return None

    def kept(self, bucket: str, *, since: int | None = None) -> Iterator[tuple[int, Mapping[str, Any]]]:  # noqa: ARG002
        return iter(())
