"""Proposes a contract from samples, and makes sure that they pass it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from os.path import commonprefix
from typing import Any

from chalicelib.contracts import Contract
from chalicelib.contracts.contract import ENCODINGS
from chalicelib.inspection import Expectation, Limits, Report, Status, inspect
from cli.fields import Proposal, of_column, of_member
from cli.text import printable

EVERYTHING = Limits(
    profiled_characters=1 << 62, profiled_values=2_000_000, named_columns=16_384, name_length=1 << 20, common_values=50
)
"""All of a sample is profiled, and every column named."""
FORMATS = ("csv", "tsv", "jsonl")
KEY_WITHIN = 3
"""Among how many of the first columns a key is looked for."""
REFUSED_ENCODING = frozenset({"unexpected-encoding", "invalid-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A file of the kind that the contract is for; it may be read more than once."""

    name: str
    read: Callable[[], Iterator[bytes]]

    @property
    def base(self) -> str:
        """Its name without folders."""
        return self.name.rpartition("/")[2]


class NoContractError(Exception):
    """There is no contract that the samples pass; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asks of the proposal."""

    name: str | None = None
    match: str | None = None
    header: bool = True
    bounds: bool = False
    enums: bool = False


def proposed(samples: Sequence[Sample], wishes: Wishes) -> dict[str, Any]:
    """A contract, as its JSON says it, that all samples pass; raises NoContractError."""
    expectation = Expectation(header=wishes.header, samples=True)
    reports = [
        inspect(sample.read(), name=sample.base, expectation=expectation, limits=EVERYTHING) for sample in samples
    ]
    for sample, report in zip(samples, reports, strict=True):
        _refuse(sample, report)
    form = _form(reports, wishes)
    fields, match = _fields(reports, wishes)
    while True:
        contract = _contract(samples, wishes, form, fields, match)
        judged = [_judged(sample, contract) for sample in samples]
        weaker = _weaker(fields, judged)
        is_encoded = not any(REFUSED_ENCODING & report.counts.keys() for report in judged)
        if all(report.status is Status.SUCCEEDED for report in judged):
            return contract
        if weaker == fields and (is_encoded or "encoding" not in form):
            codes = sorted({code for report in judged for code in report.counts})
            raise NoContractError(f"the samples have findings that no contract can allow: {', '.join(codes)}")
        fields = weaker
        if not is_encoded:
            form.pop("encoding", None)


def _refuse(sample: Sample, report: Report) -> None:
    name, found = sample.name, report.facts.record_types
    if report.status is not Status.SUCCEEDED:
        raise NoContractError(f"{name} has errors of its own, which `recibo.py check` tells: correct them first")
    if report.format not in FORMATS:
        raise NoContractError(
            f"{name} is {report.format or 'of an unknown format'}: a contract is inferred from csv, tsv and jsonl"
        )
    if not report.facts.columns:
        raise NoContractError(f"{name} has no columns")
    if found and found.keys() != {"object"}:
        raise NoContractError(f"{name} has lines that are no objects: such records have no columns")


def _judged(sample: Sample, contract: dict[str, Any]) -> Report:
    return inspect(sample.read(), name=sample.base, contract=Contract.of(json.dumps(contract)))


def _form(reports: Sequence[Report], wishes: Wishes) -> dict[str, Any]:
    """What the samples have in common: format, dialect, encoding, and that there are rows."""
    formats = {str(report.format) for report in reports}
    if len(formats) > 1:
        raise NoContractError(f"the samples are of several formats: {', '.join(sorted(formats))}")
    form: dict[str, Any] = {"format": formats.pop()}
    # A table of one column does not tell which delimiter others have.
    delimiters = {report.facts.delimiter for report in reports if len(report.facts.columns) > 1} or {","}
    dialect: dict[str, Any] = {} if wishes.header or form["format"] == "jsonl" else {"header": False}
    if len(delimiters) == 1 and form["format"] == "csv":
        dialect = {"delimiter": delimiters.pop(), **dialect}
    encodings = {report.encoding for report in reports}
    form |= {"dialect": dialect} if dialect else {}
    form |= {"encoding": encodings.pop()} if len(encodings) == 1 and encodings <= {*ENCODINGS} else {}
    return form | ({"rows": {"atLeast": 1}} if all(report.facts.records for report in reports) else {})


def _fields(reports: Sequence[Report], wishes: Wishes) -> tuple[list[Proposal], str]:
    """The fields of all samples, and how they match the columns."""
    tables = [_proposals(report, wishes) for report in reports]
    names = [[field.name for field in fields] for fields in tables]
    if reports[0].format != "jsonl" and all(each == names[0] for each in names):
        return [reduce(Proposal.merged, fields) for fields in zip(*tables, strict=True)], "exact"
    merged: dict[tuple[str, int], list[Proposal]] = {}
    for fields in tables:
        seen: Counter[str] = Counter()
        for field in fields:
            merged.setdefault((field.name, seen[field.name]), []).append(field)
            seen[field.name] += 1
    together = [_merged(found, everywhere=len(found) == len(tables)) for found in merged.values()]
    if reports[0].format == "jsonl":
        return together, _match_of_members(reports, len(together))
    known = sorted(name for name, _ in merged)
    return together, "equal" if all(sorted(each) == known for each in names) else "superset"


def _match_of_members(reports: Sequence[Report], fields: int) -> str:
    """How records of JSON match the fields: whether all have all, and whether all are known."""
    facts = [report.facts for report in reports]
    if any(each.column_count != len(each.columns) for each in facts):
        return "partial"
    in_all = all(
        len(each.columns) == fields
        and all(sum((column.types or {}).values()) == each.records for column in each.columns)
        for each in facts
    )
    return "equal" if in_all else "superset"


def _merged(found: Sequence[Proposal], *, everywhere: bool) -> Proposal:
    """What holds of all columns of a name; it is not required if some samples lack it."""
    field = reduce(Proposal.merged, found)
    return field if everywhere else field.without("constraint-required")


def _proposals(report: Report, wishes: Wishes) -> list[Proposal]:
    records = report.facts.records or 0
    if report.format == "jsonl":
        return [of_member(column, records) for column in report.facts.columns]
    return [of_column(column, records, bounds=wishes.bounds, enums=wishes.enums) for column in report.facts.columns]


def _weaker(fields: Sequence[Proposal], judged: Sequence[Report]) -> list[Proposal]:
    """The fields without the rules that a sample breaks."""
    broken = {(rule.field, rule.code) for report in judged if report.contract for rule in report.contract.broken_rules}
    weaker = []
    for field in fields:
        for code in sorted(code for name, code in broken if name == field.name):
            field = field.without(code)  # noqa: PLW2901 - rule by rule
        weaker.append(field)
    return weaker


def _contract(
    samples: Sequence[Sample], wishes: Wishes, form: dict[str, Any], fields: Sequence[Proposal], match: str
) -> dict[str, Any]:
    key = next((at for at, field in enumerate(fields[:KEY_WITHIN]) if field.unique and field.required), None)
    described = [field.descriptor(unique=at == key) for at, field in enumerate(fields)]
    glob = glob_of([sample.base for sample in samples]) if wishes.match is None else wishes.match
    name = name_of(glob) if wishes.name is None else wishes.name
    names = ", ".join(printable(sample.base) for sample in samples[:3]) + (" and others" if len(samples) > 3 else "")
    return {
        "name": name,
        "title": name,
        "description": f"Proposed from {names}. Say here what these files are, and who sends them.",
        "match": glob,
        **form,
        "schema": {"fieldsMatch": match, "fields": described},
    }


def glob_of(names: Sequence[str]) -> str:
    """A glob for files that are named as these are, in any folder: what differs, and numbers, may be anything."""
    first = names[0]
    if len(set(names)) > 1:
        start = commonprefix(names)  # noqa: RUF071 - of characters, as is meant
        rest = [name[len(start) :][::-1] for name in names]
        first = f"{start}\0{commonprefix(rest)[::-1]}"  # noqa: RUF071
    pieces = re.split(r"[0-9]*\0[0-9]*|[0-9]+(?:[-_.T]?[0-9]+)*", first)
    glob = "*".join(re.sub(r"[*?\[]", lambda found: f"[{found[0]}]", piece) for piece in pieces)
    return "**/" + re.sub(r"\*(?:[-_.]?\*)+", "*", glob)


def name_of(glob: str) -> str:
    """What a contract for such files may be called."""
    stem = glob.rpartition("/")[2].partition(".")[0]
    words = re.findall(r"[A-Za-z0-9]+", stem.encode("ascii", "ignore").decode())
    return "-".join(words).lower()[:100] or "contract"
