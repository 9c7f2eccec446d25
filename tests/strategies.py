"""What the property tests draw from: awkward keys, entries, reports, receipts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from chalicelib.findings import CATALOGUE, Finding
from chalicelib.inspection import JSON_TYPES, Column, Facts, Profile, Report, Status
from chalicelib.inspection.report import Histogram
from chalicelib.inspection.report_parts import BrokenRule, Common, Judged
from chalicelib.receipts import Receipt
from chalicelib.uploads import Entry, Kind

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
"""Any text that UTF-8 can hold: control characters and NUL included, half surrogate pairs not."""

KEYS = st.one_of(
    st.sampled_from(
        ["a b", "a+b", "100%", "%2B", "a%20b", "/", "a//b", "../x", "é\n", "#", "a#b&c=d", "\0", "𝒳" * 256]
    ),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=256),  # 256 characters have at most 1,024 bytes
)
VERSIONS = st.one_of(
    st.sampled_from(
        ["v1", "v2", "3HL4kqtJvjVBH40Nrjfkd", "a#b", "deleted&v1", "deleted&sequencer=00A", "sequencer=00A", "v 1"]
    ),
    TEXT,
).filter(lambda text: text not in ("", "null"))
SEQUENCERS = st.text("0123456789ABCDEF", min_size=1, max_size=40)
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC)) | st.datetimes(  # noqa: DTZ001 - bounds are naive
    datetime(2020, 1, 1),  # noqa: DTZ001
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.timezones(),
)


def entries(**fixed: Any) -> st.SearchStrategy[Entry]:
    """Entries with few values for each member, so that two often agree in some; `fixed` members are given."""
    members: dict[str, st.SearchStrategy[Any]] = {
        "kind": st.sampled_from(Kind),
        "bucket": st.sampled_from(["b", "b2"]),
        "key": st.sampled_from(["k", "k#v1", "k/é"]) | KEYS,
        "version_id": st.sampled_from([None, "null"]) | VERSIONS,
        "etag": st.sampled_from(["e1", "e2", "e1&sequencer=00A"]),
        "sequencer": st.none() | st.sampled_from(["00A", "00B", "00A0"]),
        "size": st.none() | st.integers(0, 5 << 40),
        "uploaded_at": MOMENTS,
        "event": st.just("ObjectCreated:Put"),
        "principal": st.none() | TEXT,
        "source_address": st.none() | TEXT,
    }
    return st.builds(Entry, **members | {name: st.just(value) for name, value in fixed.items()})


POSITIONS = st.none() | st.integers(0, 1 << 40)
FINDINGS = st.sampled_from(sorted(CATALOGUE)).flatmap(
    lambda code: st.builds(
        Finding,
        code=st.just(code),
        severity=st.just(CATALOGUE[code].severity),
        message=TEXT,
        row=POSITIONS,
        line=POSITIONS,
        column=POSITIONS,
        field=st.none() | TEXT,
    )
)
TYPES = st.dictionaries(st.sampled_from(JSON_TYPES), st.integers(1, 1 << 40), min_size=1, max_size=3)
COUNTS = st.integers(0, 1 << 40)
HISTOGRAMS = st.builds(Histogram, begin=TEXT, width=TEXT, counts=st.lists(COUNTS, min_size=2, max_size=3).map(tuple))
PROFILES = st.builds(
    Profile,
    type=st.none() | st.sampled_from(["integer", "date", "string"]),
    format=st.none() | TEXT,
    share=st.none() | st.integers(0, 10_000),
    nulls=COUNTS,
    minimum=st.none() | TEXT,
    maximum=st.none() | TEXT,
    mean=st.none() | TEXT,
    histogram=st.none() | HISTOGRAMS,
    longest=COUNTS,
    distinct=COUNTS,
    common=st.lists(st.builds(Common, value=TEXT, count=COUNTS), max_size=2).map(tuple),
)
COLUMNS = st.builds(Column, name=TEXT, types=st.none() | TYPES, profile=st.none() | PROFILES)
FACTS = st.builds(
    Facts,
    records=POSITIONS,
    columns=st.lists(COLUMNS, max_size=3).map(tuple),
    record_types=st.none() | TYPES,
    column_count=POSITIONS,
    delimiter=st.none() | st.sampled_from([",", "\t"]),
    header=st.none() | st.booleans(),
)
RULES = st.builds(
    BrokenRule,
    code=st.sampled_from(sorted(CATALOGUE)),
    field=st.none() | TEXT,
    count=st.integers(1, 1 << 40),
)
CONTRACTS = st.builds(
    Judged, name=st.just("orders"), sha256=st.just("0" * 64), broken_rules=st.lists(RULES, max_size=3).map(tuple)
)
REPORTS = st.builds(
    Report,
    status=st.sampled_from(Status),
    cause=st.none(),
    format=st.none() | TEXT,
    sha256=st.none() | st.just("0" * 64),
    bytes=POSITIONS,
    lines=POSITIONS,
    facts=FACTS,
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    counts=st.dictionaries(st.sampled_from(sorted(CATALOGUE)), st.integers(1, 1 << 40), max_size=3),
    contract=st.none() | CONTRACTS,
)


def receipts(entry: st.SearchStrategy[Entry] | None = None) -> st.SearchStrategy[Receipt]:
    """Receipts of any entry, with any report or, as a deletion's, none."""
    moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
    return st.builds(
        Receipt,
        entry=entries() if entry is None else entry,
        inspection=st.integers(1, 99),
        received_at=moments,
        finished_at=moments.map(lambda moment: moment + timedelta(milliseconds=3)),
        report=st.none() | REPORTS,
        declared_type=st.none() | TEXT,
        metadata=st.dictionaries(TEXT, TEXT, max_size=3),
        request_id=st.none() | TEXT,
        inspector=st.just("1"),
    )
