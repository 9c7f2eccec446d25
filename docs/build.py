"""Writes the documents that are made from the code.

python -m docs.build
"""

from __future__ import annotations

from pathlib import Path

from chalicelib.findings import CATALOGUE, Code

FINDINGS = Path(__file__).with_name("findings.md")

FINDINGS_INTRODUCTION = """\
# Findings

<!-- Made by `python -m docs.build` from chalicelib/findings.py: change it there. -->

Everything Recibo can say of an upload. A code is never renamed or given another meaning: receipts hold it for years.

The *severity* decides the verdict. **error**: a reader that follows the format's standard would fail, or read other
data than was sent; the upload fails. **warning**: readable, but suspicious. **info**: worth knowing.

The *cause* of a failure is **content** (the file does not conform), **unavailable** (its bytes are gone, replaced or
archived) or **system** (the inspection did not finish; the file may be good). The *scope* is what a finding speaks
of: its position is as exact as that allows.

| code | severity | cause | scope | meaning | how to fix it |
|---|---|---|---|---|---|
"""


def findings_markdown() -> str:
    """The whole of docs/findings.md."""
    return FINDINGS_INTRODUCTION + "".join(map(_row, CATALOGUE.values()))


def _row(code: Code) -> str:
    cause = code.cause if code.severity == "error" else "–"
    cells = (f"`{code.slug}`", code.severity, cause, code.scope, code.meaning, code.fix)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def main() -> None:
    """Write them."""
    FINDINGS.write_text(findings_markdown())


if __name__ == "__main__":
    main()
