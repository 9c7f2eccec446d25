"""The names of a table's columns, where they are not read from delimited text."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.findings import Findings


def judge_names(names: Sequence[str], findings: Findings, *, longest: int, line: int | None = None) -> None:
    """Report what is blank, and what is there twice; names are cut to the `longest`."""
    row = None if line is None else 0
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if not name.strip():
            findings.add("blank-header", row=row, line=line, position=position)
        elif seen.setdefault(name, position) != position:
            first = seen[name]
            findings.add("duplicate-header", row=row, line=line, field=name[:longest], position=position, first=first)
