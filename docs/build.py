"""Writes the documents that are made from the code.

python -m docs.build
"""

from __future__ import annotations

import json
from pathlib import Path

from chalicelib.findings import CATALOGUE, Code
from docs.pictures import Mask, picture
from docs.shell import COLUMNS
from docs.walkthrough import Command, Step, run_steps, steps_of
from infra.template import table_definition

FOLDER = Path(__file__).parent
FINDINGS = FOLDER / "findings.md"
LEDGER_TABLE = FOLDER / "ledger-table.json"
WALKTHROUGH = FOLDER / "walkthrough.md"
PICTURES = FOLDER / "pictures"

DEMO = Step(commands=(Command(text="make demo"),), picture="demo")
DEMO_COLUMNS = 130

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


def ledger_table_json() -> str:
    """The whole of docs/ledger-table.json: what `aws dynamodb create-table` takes."""
    return json.dumps(table_definition(), indent=2) + "\n"


def draw(steps: list[Step], columns: int) -> None:
    """Run the steps and draw a picture of each; raises if one does not end as declared."""
    mask = Mask()
    for step, done in run_steps(steps, columns):
        wrong = [each for each in done if each.status != each.command.status]
        if wrong:
            raise SystemExit(f"{wrong[0].command.text}\nended with status {wrong[0].status}:\n{wrong[0].output}")
        if step.picture:
            path = PICTURES / f"{step.picture}.svg"
            path.write_text(picture(done, title=step.picture, columns=columns, mask=mask))
            print(path.relative_to(FOLDER.parent))


def main() -> None:
    """Write them."""
    FINDINGS.write_text(findings_markdown())
    LEDGER_TABLE.write_text(ledger_table_json())
    draw(steps_of(WALKTHROUGH.read_text()), COLUMNS)
    draw([DEMO], DEMO_COLUMNS)


if __name__ == "__main__":
    main()
