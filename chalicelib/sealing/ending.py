"""Where the ledger's chain ends, and whether its anchor lets it be gone on from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.sealing.ports import Anchor, SealConflictError, SealStore
from chalicelib.sealing.sealed import follows, pages_of
from chalicelib.seals import Seal, seal_number


class OvertakenError(Exception):
    """Another sealer put the next seal: start again from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of a bucket's chain, in the ledger and in the anchor.

    A seal goes into the anchor first, and then into the ledger. So the anchor is at most one seal ahead, where a
    sealing was cut off; and a seal of the ledger that it does not know was made by somebody else.
    """

    store: SealStore
    anchor: Anchor
    bucket: str
    now: datetime

    def mended(self, last: Seal | None) -> Seal | None:
        """The seal that the anchor is ahead by, put into the ledger; None if there is none."""
        copy = self._ahead(last)
        if copy is None:
            return None
        seal = Seal.from_json(copy["seal"])
        is_next = seal.bucket == self.bucket and follows(seal, last)
        if not is_next or self.anchor.holds(self.bucket, seal_number(*seal.next_place)) is not None:
            self._refuse(last)
        for _ in pages_of(self.store, [(seal, line) for line in seal.pages], now=self.now):
            pass  # each is there as it was sealed
        signed = replace(seal, anchor=self.anchor.sign(seal))
        if not self.store.put_seal(signed) and not self.is_last(signed):
            raise OvertakenError
        return signed

    def _ahead(self, last: Seal | None) -> Mapping[str, Any] | None:
        if last:
            return self.anchor.holds(self.bucket, seal_number(*last.next_place))
        _, copy = next(self.anchor.kept(self.bucket), (None, None))
        return copy

    def _refuse(self, last: Seal | None) -> None:
        """Stop, as the anchor holds more than the ledger, unless another sealer was at work meanwhile."""
        if not self.is_last(last):
            raise OvertakenError
        after = f"after {last.number}" if last else "at all"
        raise SealConflictError(
            f"the anchor holds seals of {self.bucket} where the ledger has none {after}: `recibo.py verify` names them"
        )

    def is_last(self, seal: Seal | None) -> bool:
        """Whether the ledger's chain ends with this seal now."""
        last = self.store.last(self.bucket)
        return (last and last.seal_hash) == (seal and seal.seal_hash)

    def adopted(self, last: Seal, asked: str | None) -> str | None:
        """The hash that the next seal has to adopt; None if the anchor knows the last one. SealConflictError else."""
        if self.anchor.vouches_for(last):
            return None
        if asked != last.seal_hash:
            raise SealConflictError(
                f"the anchor does not know the last seal of {self.bucket}: if that is yours, made before this anchor or"
                f" key was chosen, run `recibo.py seal --adopt {last.seal_hash}`; if not, `recibo.py verify`"
            )
        if next(self.anchor.kept(self.bucket, since=last.number), None) is not None:
            if self._ahead(last) is not None:  # since `mended` looked: another sealer's, or for it to refuse
                raise OvertakenError
            self._refuse(last)
        return asked
