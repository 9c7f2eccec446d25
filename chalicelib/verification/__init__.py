"""The use case: everything that is kept is recomputed, and compared with the bucket and with the anchor."""

from chalicelib.verification.ports import Copies, Ledger, Signatures, Signer, Versions
from chalicelib.verification.run import Verification
from chalicelib.verification.verdict import Chain, Defect, Problem, Standing, Verdict

__all__ = [
    "Chain",
    "Copies",
    "Defect",
    "Ledger",
    "Problem",
    "Signatures",
    "Signer",
    "Standing",
    "Verdict",
    "Verification",
    "Versions",
]
