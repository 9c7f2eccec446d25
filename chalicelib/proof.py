"""What shows a third party that a receipt was sealed, with the seal's hash and nothing else to trust. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib import merkle
from chalicelib.seals import Leaf, Page, Seal, finished_hour

TYPE = "recibo-inclusion-proof-1"


class NotSealedError(LookupError):
    """No seal covers the receipt yet."""


class Sealed(Protocol):
    """Where seals and their pages are read; `sealing.SealStore` is one."""

    def seals(self, bucket: str, *, since: Any = None, until: Any = None) -> Any:
        """The chain, oldest first, from the hour that holds `since`."""

    def pages(self, roots: Any) -> Any:
        """The pages of these roots, in order; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A receipt's place: which leaf of which page of which seal."""

    seal: Seal
    page: Page
    page_place: int
    leaf_place: int


def covering(sealed: Sealed, identity: str, receipt: Mapping[str, Any]) -> Covered:
    """The first seal that covers the receipt, and where; NotSealedError if none does."""
    leaf = Leaf(identity, receipt["inspection"], receipt["content_hash"])
    hour = finished_hour(receipt)
    for seal in sealed.seals(receipt["bucket"], since=hour):
        places = [place for place, line in enumerate(seal.pages) if line.hour == hour]
        for place, page in zip(places, sealed.pages([seal.pages[place].root for place in places]), strict=True):
            if page and leaf in page.leaves:
                return Covered(seal=seal, page=page, page_place=place, leaf_place=page.leaves.index(leaf))
    raise NotSealedError(identity)


def proof(receipt: Mapping[str, Any], covered: Covered, *, anchored_at: str | None = None) -> dict[str, Any]:
    """The proof as JSON values: the receipt, its way up to the root of its page, the page's up to the seal, the seal.

    `anchored_at` says where the seal's hash, or the key that signed it, is to be had from somebody else.
    """
    leaves = [leaf.data for leaf in covered.page.leaves]
    roots = [bytes.fromhex(line.root) for line in covered.seal.pages]
    found = {
        "type": TYPE,
        "receipt": dict(receipt),
        "page_index": covered.leaf_place,
        "page_size": len(leaves),
        "page_path": [beside.hex() for beside in merkle.path(leaves, covered.leaf_place)],
        "seal_index": covered.page_place,
        "seal_size": len(roots),
        "seal_path": [beside.hex() for beside in merkle.path(roots, covered.page_place)],
        "seal": covered.seal.as_json(),
        "anchor": dict(covered.seal.anchor) if covered.seal.anchor else None,
        "anchored_at": anchored_at,
    }
    return {name: value for name, value in found.items() if value is not None}
