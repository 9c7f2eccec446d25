"""How a stage is guarded beyond what every one is: who may upload, whose key encrypts, where reads are logged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+")
KEY = re.compile(r"kms:(alias/[A-Za-z0-9/_-]{1,250})")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """A stage's choices, each of its environment variables in .chalice/config.json; none of them by default."""

    uploaders: tuple[str, ...] = ()
    """RECIBO_UPLOADERS: the ARNs of the only roles and users that may upload, with those who send the API's forms."""
    data_key: str = ""
    """RECIBO_DATA_KEY=kms:alias/NAME: the alias of a key of the stage's own for inbox, ledger and dead letters."""
    access_logs: str = ""
    """RECIBO_ACCESS_LOGS: the bucket, which there is, that S3 writes every access to the stage's buckets into."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """What the stack takes."""
        return {
            "UploaderPrincipals": ",".join(self.uploaders),
            "DataKeyAlias": self.data_key,
            "AccessLogBucketName": self.access_logs,
        }


def guards_of(variables: Mapping[str, str]) -> Guards:
    """A stage's guards; ValueError says which of its variables is not right, and what right looks like."""
    uploaders = tuple(filter(None, re.split(r"[,\s]+", variables.get("RECIBO_UPLOADERS", ""))))
    for uploader in uploaders:
        if not PRINCIPAL.fullmatch(uploader):
            raise ValueError(
                f"RECIBO_UPLOADERS names {uploader!r}: write the ARNs of roles or users, with commas between them, as "
                "in arn:aws:iam::123456789012:role/partner."
            )
    key, logs = variables.get("RECIBO_DATA_KEY", ""), variables.get("RECIBO_ACCESS_LOGS", "")
    if key and not KEY.fullmatch(key):
        raise ValueError(f"RECIBO_DATA_KEY is {key!r}: write kms:alias/NAME, or leave it out for keys of AWS's own.")
    if logs and not BUCKET.fullmatch(logs):
        raise ValueError(f"RECIBO_ACCESS_LOGS is {logs!r}: write the name of a bucket, or leave it out.")
    return Guards(uploaders=uploaders, data_key=key.removeprefix("kms:"), access_logs=logs)
