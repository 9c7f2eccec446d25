"""Writes the documents that are made from the code.

python -m docs.build
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from chalicelib.findings import CATALOGUE, Code
from cli.main import recibo
from docs.pictures import Mask, picture
from docs.shell import COLUMNS
from docs.walkthrough import Command, Step, run_steps, steps_of
from infra.template import table_definition

FOLDER = Path(__file__).parent
FINDINGS = FOLDER / "findings.md"
CLI = FOLDER / "cli.md"
LEDGER_TABLE = FOLDER / "ledger-table.json"
WALKTHROUGH = FOLDER / "walkthrough.md"
PICTURES = FOLDER / "pictures"
TEMPLATES = FOLDER.parent / "chalicelib" / "web" / "i18n" / "findings.json"

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


CLI_INTRODUCTION = """\
# The command line

<!-- Made by `python -m docs.build` from the commands' own --help: change it there. -->

`python recibo.py COMMAND --help` prints the same. Commands that talk to AWS take `--stage` (of `.chalice/config.json`)
and `--endpoint-url`; credentials, profile and region are the AWS CLI's (`AWS_PROFILE`, `AWS_REGION` …). `--json` prints
one object a line; `--quiet` (`-q`) nothing but errors, so that the exit status is the answer. Colour and progress are
for terminals only; `NO_COLOR` is honoured, and on a narrow terminal a table becomes a block of lines for each row. Exit
status 0: it is as it should be; 1: it is not; 2: it could not be found out, and one sentence on standard error says
why; 130: ended by Ctrl-C (`watch`, which ends in no other way: 0); 141: the reader of its output went away, as `| head`
does.

Completion, for those who put `recibo.py` on their `PATH`: `eval "$(recibo.py completion bash)"`.
"""


WIDE: dict[str, Any] = {"terminal_width": 100, "max_content_width": 100}


def cli_markdown() -> str:
    """The whole of docs/cli.md."""
    root = click.Context(recibo, info_name="recibo.py", **{**recibo.context_settings, **WIDE})
    return CLI_INTRODUCTION + "".join(_help(command, root) for command in _commands(recibo, root))


def _commands(group: click.Group, context: click.Context) -> Iterator[click.Command]:
    for name in group.list_commands(context):
        if command := group.get_command(context, name):
            yield command


def _help(command: click.Command, parent: click.Context) -> str:
    context = click.Context(command, info_name=command.name, parent=parent, **WIDE)
    mark = "#" * len(context.command_path.split())
    told = f"\n{mark} {command.name}\n\n```text\n{command.get_help(context)}\n```\n"
    below = _commands(command, context) if isinstance(command, click.Group) else ()
    return told + "".join(_help(each, context) for each in below)


def ledger_table_json() -> str:
    """The whole of docs/ledger-table.json: what `aws dynamodb create-table` takes."""
    return json.dumps(table_definition(), indent=2) + "\n"


def templates_json() -> str:
    """The whole of chalicelib/web/i18n/findings.json: by it the dashboard says a finding in another language."""
    return json.dumps({code: known.message for code, known in CATALOGUE.items()}, ensure_ascii=False, indent=1) + "\n"


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
    CLI.write_text(cli_markdown())
    LEDGER_TABLE.write_text(ledger_table_json())
    TEMPLATES.write_text(templates_json())
    draw(steps_of(WALKTHROUGH.read_text()), COLUMNS)
    draw([DEMO], DEMO_COLUMNS)


if __name__ == "__main__":
    main()
