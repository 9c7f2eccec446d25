"""Whose a seal's signature is (KMS)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.verification.ports import Signer

ECDSA = "ECDSA_SHA_256"
NO_SIGNATURE = {"KMSInvalidSignatureException", "ValidationException"}
NO_KEY = {
    "InvalidKeyUsageException",
    "NotFoundException",
    "AccessDeniedException",
    "DisabledException",
    "KMSInvalidStateException",
}


class KmsSignatures:
    """Asks KMS about each signature: the private key never left it, and neither need the public one."""

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key

    def signer(self, seal_hash: str, anchor: Mapping[str, Any]) -> Signer:
        """Whose the signature is: the stage's key's, that of the key that it names, or nobody's."""
        try:
            signature = base64.b64decode(anchor["signature"], validate=True)
        except (KeyError, TypeError, ValueError):
            return Signer.NOBODY
        if not signature or (anchor.get("kind"), anchor.get("algorithm")) != ("kms", ECDSA) or len(anchor) != 4:
            return Signer.NOBODY
        stated, digest = str(anchor.get("key_id")), bytes.fromhex(seal_hash)
        if made_by := self._key_of(self._key, digest, signature):
            return Signer.STAGE if made_by == stated else Signer.NOBODY
        return Signer.OTHER if stated and self._key_of(stated, digest, signature, may_be_gone=True) else Signer.NOBODY

    def _key_of(self, key: str, digest: bytes, signature: bytes, *, may_be_gone: bool = False) -> str | None:
        """The key's ARN if it made the signature."""
        try:
            answer = self._client.verify(
                KeyId=key, Message=digest, Signature=signature, MessageType="DIGEST", SigningAlgorithm=ECDSA
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in (NO_SIGNATURE | NO_KEY if may_be_gone else NO_SIGNATURE):
                return None
            raise
        return str(answer["KeyId"]) if answer["SignatureValid"] else None
