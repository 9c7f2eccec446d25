"""The files of chaos, each with its own content, and what became of them."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from chalicelib.aws.items import decoded
from chalicelib.inspection import inspect
from chalicelib.receipts import from_item, report_as_json
from cli.surroundings import Surroundings

BIG_EVERY, BIG_ROWS = 100, 200_000


def body_of(key: str) -> bytes:
    """The file of an upload: every kind of verdict, and now and then a body of several reads."""
    number = int(PurePosixPath(key).stem)
    if number % BIG_EVERY == BIG_EVERY // 2:
        return b"n,square\n" + b"".join(b"%d,%d\n" % (n, n * number) for n in range(BIG_ROWS))
    bodies = (
        f"id,name\n{number},Ana\n{number + 1},João\n",
        f"id,name\n{number},Ana\n{number}\n",
        f"id;nome;saldo\n{number};Zé;1,5\n{number};Bia;2,5\n",
        f'{{"id": {number}}}\n{{"id": {number + 1}}}\n',
    )
    body = bodies[number % len(bodies)].encode()
    return gzip.compress(body, mtime=0) if number % 5 == 0 else body


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What is there in the end: `receipts` are those of first inspections, `later` those of the others."""

    uploads: int
    receipts: int
    later: int
    missing: int
    double: int
    altered: int

    @property
    def is_well(self) -> bool:
        """Whether every upload has its one receipt, which says what it should."""
        return self.uploads == self.receipts and not (self.missing or self.double or self.altered)

    def beside(self, verdict: Mapping[str, Any]) -> Tally:
        """The same with what only `verify` saw."""
        worse = {name: max(getattr(self, name), verdict[name]) for name in ("missing", "double", "altered")}
        return replace(self, **worse)

    def __str__(self) -> str:
        return (
            f"{self.uploads} uploads, {self.receipts} receipts, {self.missing} missing, {self.double} double, "
            f"{self.altered} altered"
        )


def tally_of(aws: Surroundings) -> Tally:
    """What a stage has, without any code of `verify`: versions, items, and verdicts beside those of an inspection here.

    The stage has nothing but files of `body_of`.
    """
    versions, receipts = Counter(_versions(aws)), list(_receipts(aws))
    names = Counter((made["key"], made["version_id"], made["inspection"]) for made in receipts)
    first = [(key, version) for key, version, inspection in names if inspection == 1]
    in_order = sorted(receipts, key=lambda made: int(made["inspection"]))
    current = {(made["key"], made["version_id"]): made for made in in_order}
    return Tally(
        uploads=versions.total(),
        receipts=len(first),
        later=len(receipts) - len(first),
        missing=len(versions.keys() - set(first)),
        double=names.total() - len(names),
        altered=sum(bool(_differences(made)) for made in current.values()),
    )


def _versions(aws: Surroundings) -> Iterable[tuple[str, str]]:
    pages = aws.client("s3").get_paginator("list_object_versions")
    for page in pages.paginate(Bucket=aws.stage.bucket):
        yield from ((version["Key"], version["VersionId"]) for version in page.get("Versions", []))


def _receipts(aws: Surroundings) -> Iterator[dict[str, Any]]:
    pages = aws.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=aws.stage.table, ConsistentRead=True):
        items = map(decoded, page["Items"])
        yield from (from_item(item) for item in items if not item["pk"].startswith("#"))


def _differences(receipt: Mapping[str, Any]) -> list[str]:
    """In which members a receipt is not what an inspection here says of the same bytes."""
    report = report_as_json(inspect([body_of(receipt["key"])], name=receipt["key"]))
    return [name for name in report if report[name] != receipt.get(name)]
