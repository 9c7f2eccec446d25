"""docs/contracts.md is true: each of its contracts is one, and each file below it gets the verdict that is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.contracts import Contract
from chalicelib.contracts.contract import keywords
from chalicelib.inspection import inspect
from infra.stages import ROOT

PAGE = (ROOT / "docs" / "contracts.md").read_text()
BLOCK = re.compile(
    r"^```(json|csv|tsv|jsonl)(?: (succeeds|fails)(?:: ([^\n]*))?)?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
REMARKS = {"no-final-newline", "bom-present"}


@dataclass(frozen=True)
class Example:
    """A file under a contract, and what is said of it."""

    contract: dict[str, Any]
    extension: str
    content: str
    status: str
    codes: set[str]


def examples() -> Iterator[Example]:
    """Every file of the page, with the contract that stands last above it."""
    contract: dict[str, Any] = {}
    for language, verdict, codes, content in BLOCK.findall(PAGE):
        if verdict:
            status = {"succeeds": "succeeded", "fails": "failed"}[verdict]
            yield Example(contract, language, content, status, set(codes.split()))
        else:
            contract = {"name": "example", "match": "**"} | json.loads(content)
            Contract.of(json.dumps(contract))


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: json.dumps(example.contract)[:80])
def test_a_file_of_the_reference_gets_the_verdict_that_stands_above_it(example: Example) -> None:
    contract = Contract.of(json.dumps(example.contract))
    content = example.content.encode(contract.encoding or "utf-8")
    report = inspect([content], name=f"example.{example.extension}", contract=contract)
    assert (report.status, set(report.counts) - REMARKS) == (example.status, example.codes), report.findings


def test_every_keyword_of_a_contract_has_a_section() -> None:
    headings = {
        word for heading in re.findall(r"^### (.*)$", PAGE, re.MULTILINE) for word in re.findall(r"`(.*?)`", heading)
    }
    assert headings >= keywords()
