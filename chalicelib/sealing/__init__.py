"""The use case: what the journal has got is sealed, hour by hour, each seal chained to the one before."""

from chalicelib.sealing.ports import Anchor, NoAnchor, SealConflictError, SealStore
from chalicelib.sealing.sealed import KEPT_LONGER, may_be_gone
from chalicelib.sealing.sealer import GRACE, LOOK_BACK, SEAL_LEAVES, Sealer

__all__ = [
    "GRACE",
    "KEPT_LONGER",
    "LOOK_BACK",
    "SEAL_LEAVES",
    "Anchor",
    "NoAnchor",
    "SealConflictError",
    "SealStore",
    "Sealer",
    "may_be_gone",
]
