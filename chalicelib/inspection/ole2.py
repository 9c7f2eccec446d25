"""Office documents of the older container: whether what is in it is encrypted."""

from __future__ import annotations

from collections.abc import Iterable

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The name of the stream that holds an encrypted document, in the container's directory."""


def is_encrypted(blocks: Iterable[bytes]) -> bool:
    """Whether a container holds an encrypted document; all of it is read."""
    found, before = False, b""
    for block in blocks:
        found = found or _ENCRYPTED in before + block
        before = (before + block)[1 - len(_ENCRYPTED) :]
    return found
