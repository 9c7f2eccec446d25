"""Who may ask the API for what: named bearer tokens, of which only hashes are kept. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from chalicelib.uploads import iso

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
PREFIX = re.compile(r"(?:[^/\x00-\x1f\x7f]+/){1,8}")
TOKEN = re.compile(r"recibo_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
SECRET_BYTES = 32
TOKENS_KEY = "#tokens"
"""The partition of all tokens. No bucket's name begins with #, so no receipt's key does."""

NO_HASH = "0" * 64
"""What is compared where there is no token, so that an unknown name takes the same time as a wrong secret."""


class Scope(StrEnum):
    """What a token allows."""

    READ = "read"
    """To see receipts, counts and contracts."""
    UPLOAD = "upload"
    """To get a form for an upload."""
    OPERATE = "operate"
    """To have an upload inspected again."""


class Denial(StrEnum):
    """Why a call is denied."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"
    SCOPE = "scope"


class DeniedError(Exception):
    """The call is not allowed: give up. `name` is the token's, where it is known to be the caller's own."""

    def __init__(self, denial: Denial, *, name: str | None = None, scope: Scope | None = None) -> None:
        super().__init__(str(denial))
        self.denial, self.name, self.scope = denial, name, scope


class Caller(NamedTuple):
    """Who makes a call: the token's name, what it allows, and where its uploads go."""

    name: str
    scopes: frozenset[Scope]
    prefix: str

    def refuse_without(self, scope: Scope) -> None:
        """Raise DeniedError unless the scope is allowed."""
        if scope not in self.scopes:
            raise DeniedError(Denial.SCOPE, name=self.name, scope=scope)


class Token(NamedTuple):
    """What is kept of a token: all but its secret, of which there is a SHA-256."""

    name: str
    secret_hash: str
    scopes: frozenset[Scope]
    prefix: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def number(self) -> int:
        """Its sort key."""
        return number_of(self.name)

    @property
    def caller(self) -> Caller:
        """Whoever shows it."""
        return Caller(name=self.name, scopes=self.scopes, prefix=self.prefix)

    def denial(self, now: datetime) -> Denial | None:
        """Why it is not valid now."""
        if self.revoked_at:
            return Denial.REVOKED
        return Denial.EXPIRED if self.expires_at and self.expires_at <= now else None

    def as_item(self) -> dict[str, Any]:
        """The item that the ledger's table keeps; DynamoDB deletes it some time after `expires_at`."""
        item = {
            "pk": TOKENS_KEY,
            "sk": self.number,
            "kind": "token",
            "name": self.name,
            "secret_hash": self.secret_hash,
            "scopes": sorted(map(str, self.scopes)),
            "prefix": self.prefix,
            "created_at": iso(self.created_at),
            "expires_at": int(self.expires_at.timestamp()) if self.expires_at else None,
            "revoked_at": iso(self.revoked_at) if self.revoked_at else None,
        }
        return {name: value for name, value in item.items() if value is not None}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Token:
        """The token out of its item, exactly; else ValueError, or another of reading."""
        token = cls(
            name=item["name"],
            secret_hash=item["secret_hash"],
            scopes=frozenset(map(Scope, item["scopes"])),
            prefix=item["prefix"],
            created_at=datetime.fromisoformat(item["created_at"]),
            expires_at=datetime.fromtimestamp(item["expires_at"], UTC) if "expires_at" in item else None,
            revoked_at=datetime.fromisoformat(item["revoked_at"]) if "revoked_at" in item else None,
        )
        is_named = NAME.fullmatch(token.name) and PREFIX.fullmatch(token.prefix) and len(token.secret_hash) == 64
        if not is_named or token.as_item() != item:
            raise ValueError("Recibo makes no such token")
        return token


class Tokens(Protocol):
    """Where tokens are kept."""

    def get(self, number: int) -> Token | None:
        """The token of that number, as it is now."""


def number_of(name: str) -> int:
    """A token's number, by its name: 48 bits, so that a name is given but once."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])


def hash_of(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def text_of(name: str, secret: str) -> str:
    """The token as its holder knows it."""
    return f"recibo_{number_of(name):012x}_{secret}"


def caller_of(authorization: str | None, tokens: Tokens, *, now: datetime) -> Caller:
    """Who sends this Authorization header; DeniedError if nobody may."""
    scheme, _, text = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise DeniedError(Denial.MISSING)
    parts = TOKEN.fullmatch(text.strip())
    if not parts:
        raise DeniedError(Denial.UNKNOWN)
    token = tokens.get(int(parts[1], 16))
    if not hmac.compare_digest(token.secret_hash if token else NO_HASH, hash_of(parts[2])) or token is None:
        raise DeniedError(Denial.UNKNOWN)
    if denial := token.denial(now):
        raise DeniedError(denial, name=token.name)
    return token.caller


# -- what an authorizer of API Gateway tells the API's function, as text


def as_context(caller: Caller) -> dict[str, str]:
    """The caller for API Gateway to pass on."""
    return {"token": caller.name, "scopes": " ".join(sorted(caller.scopes)), "prefix": caller.prefix}


def from_context(context: Mapping[str, Any]) -> Caller | None:
    """The caller that our authorizer named for this very call; None where none has run."""
    if not {"token", "scopes", "prefix"} <= context.keys():
        return None
    scopes = frozenset(map(Scope, context["scopes"].split()))
    return Caller(name=context["token"], scopes=scopes, prefix=context["prefix"])


def of_iam(identity: Mapping[str, Any]) -> Caller:
    """The caller whose signature API Gateway has checked: IAM's policies say which routes it may call."""
    arn = identity.get("userArn")
    if not arn:
        raise DeniedError(Denial.MISSING)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", arn.rpartition(":")[2])[:63]
    return Caller(name=name, scopes=frozenset(Scope), prefix=f"{name}/")
