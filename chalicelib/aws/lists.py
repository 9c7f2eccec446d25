"""Lists of the ledger (DynamoDB): pages of its indexes, by queries and never by a scan."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.aws.items import decoded, encoded
from chalicelib.receipts import SHARDS, from_item
from chalicelib.uploads import in_order, iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGE = 25

BEYOND = 10
"""How many older entries of a key are looked at, for one that S3's sequencer puts before those that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """An index by its name, the name of its partition key and that of its sort key."""

    name: str
    key: str
    order: str


JOURNAL = _Index(name="journal", key="journal_shard", order="finished_at")
FAILURES = _Index(name="failures", key="journal_shard", order="failed_at")
SOURCES = _Index(name="sources", key="source_shard", order="finished_at")
HISTORY = _Index(name="history", key="of_key", order="place")
UNFINISHED = _Index(name="unfinished", key="journal_shard", order="due_at")
CONTENT = _Index(name="content", key="content_shard", order="finished_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A span of time from `since` to before `until`, both UTC; None is unbounded."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it holds no moment, to the millisecond."""
        return bool(self.since and self.until and iso(self.since) >= iso(self.until))


ALWAYS = Period()


class DynamoLists:
    """Reads lists page by page, only as far as their reader goes."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def newest(self, bucket: str, period: Period = ALWAYS, *, page: int = PAGE) -> Iterator[dict[str, Any]]:
        """Summaries of the bucket's entries, last recorded first; `page` for readers that want them all."""
        return map(_summary, self._merged(JOURNAL, f"{bucket}#", period, page))

    def failures(self, bucket: str, period: Period = ALWAYS, *, page: int = PAGE) -> Iterator[dict[str, Any]]:
        """Summaries of the uploads whose current receipt is a failure, last recorded first."""
        return map(_summary, self._merged(FAILURES, f"{bucket}#", period, page))

    def of_source(
        self, bucket: str, source: str, period: Period = ALWAYS, *, page: int = PAGE
    ) -> Iterator[dict[str, Any]]:
        """Summaries of the entries of one source, last recorded first."""
        return map(_summary, self._merged(SOURCES, f"{bucket}/{source}#", period, page))

    def due(self, bucket: str, until: datetime) -> Iterator[tuple[str, int]]:
        """Identity and number of what is to be inspected again: marks past their deadline, system failures.

        The oldest first: what fails again comes after all others.
        """
        for item in self._merged(UNFINISHED, f"{bucket}#", Period(until=until), newest_first=False):
            yield item["pk"], item["sk"]

    def same_content(self, sha256: str) -> Iterator[tuple[str, int]]:
        """Identity and number of the inspections that found these bytes, in any bucket, last recorded first."""
        for item in self._merged(CONTENT, f"{sha256}#", ALWAYS):
            yield item["pk"], item["sk"]

    def history(self, bucket: str, key: str, *, limit: int) -> list[dict[str, Any]]:
        """Summaries of a key's last `limit` entries, newest first: inspections, deletions and marks."""
        page = min(limit, PAGE) + BEYOND
        entries = itertools.islice(self._query(HISTORY, f"{bucket}/{key}", ALWAYS, page), limit + BEYOND)
        ordered = in_order(entries, place=lambda item: item["place"], sequencer=lambda item: item.get("sequencer"))
        return [_summary(item) for item in reversed(ordered[-limit:])]

    def _merged(
        self, index: _Index, prefix: str, period: Period, page: int = PAGE, *, newest_first: bool = True
    ) -> Iterator[dict[str, Any]]:
        """The shards of an index as one list; each is read as far as the reader of the list goes."""
        if period.is_empty:
            return iter(())  # DynamoDB refuses bounds that hold nothing
        shards = [
            self._query(index, f"{prefix}{shard}", period, page, newest_first=newest_first) for shard in range(SHARDS)
        ]
        return heapq.merge(*shards, key=lambda item: str(item[index.order]), reverse=newest_first)

    def _query(
        self, index: _Index, value: str, period: Period, limit: int = PAGE, *, newest_first: bool = True
    ) -> Iterator[dict[str, Any]]:
        condition, values = _condition(index, value, period)
        more: dict[str, Any] = {}
        while True:
            page = self._client.query(
                TableName=self._table,
                IndexName=index.name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=encoded(values),
                ScanIndexForward=not newest_first,
                Limit=limit,
                **more,
            )
            yield from map(decoded, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            more["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _condition(index: _Index, value: str, period: Period) -> tuple[str, dict[str, str]]:
    """A condition may bound a sort key but once: for two bounds BETWEEN, up to the last text before `until`."""
    since, until = (moment and iso(moment) for moment in (period.since, period.until))
    values, condition = {":key": value}, f"{index.key} = :key"
    if since and until:
        return f"{condition} AND {index.order} BETWEEN :since AND :until", values | {
            ":since": since,
            ":until": _before(until),
        }
    if since:
        return f"{condition} AND {index.order} >= :since", values | {":since": since}
    if until:
        return f"{condition} AND {index.order} < :until", values | {":until": until}
    return condition, values


def _before(moment: str) -> str:
    """The greatest text that sorts before a moment's but after every earlier one's: all moments end in Z."""
    return moment.removesuffix("Z")


def _summary(item: Mapping[str, Any]) -> dict[str, Any]:
    return from_item(item) | {
        "identity": item["pk"],
        "inspection": item["sk"],
        "headline": item.get("headline", ""),
    }
