"""The documents: links and pictures that exist, two languages in step, and files that are made from the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.build import CLI, LEDGER_TABLE, PICTURES, WALKTHROUGH, cli_markdown, ledger_table_json
from docs.pictures import Mask, picture
from docs.shell import COLUMNS
from docs.walkthrough import Command, Done, commands_of, steps_of
from infra.lock import requirements_in
from infra.stages import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TRANSLATED = [page for page in PAGES if page.with_suffix(".pt-BR.md").exists()]
SVGS = sorted(PICTURES.glob("*.svg"))

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose_of(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def pictures_of(page: Path) -> list[Path]:
    return [(page.parent / target).resolve() for target in PICTURE.findall(prose_of(page))]


def anchors_of(page: Path) -> set[str]:
    """The fragments that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_broken(page: Path, link: str) -> bool:
    path, _, fragment = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return not target.exists() or bool(fragment and fragment not in anchors_of(target))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(prose_of(page)) if not re.match(r"https?:|mailto:", link)]
    assert [link for link in links if is_broken(page, link)] == []


def test_every_package_of_development_has_its_reason_and_licence_among_the_decisions() -> None:
    table = (ROOT / "docs" / "decisions.md").read_text().partition("\n## Dependencies of development\n")[2]
    rows = [line.strip("| ").split(" | ") for line in table.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    assert all(len(row) == 3 and all(row) for row in rows)
    explained = {name for row in rows for name in row[0].split(", ")}
    assert {each.name for each in requirements_in(ROOT / "requirements-dev.txt")} <= explained


def test_every_picture_is_shown_on_some_page() -> None:
    shown = {path for page in PAGES for path in pictures_of(page)}
    assert [name_of(path) for path in SVGS if path not in shown] == []


def test_the_readme_and_the_walkthrough_are_translated() -> None:
    assert {name_of(page) for page in TRANSLATED} >= {"README.md", "docs/walkthrough.md"}


@pytest.mark.parametrize("page", TRANSLATED, ids=name_of)
def test_a_page_and_its_translation_have_the_same_parts(page: Path) -> None:
    translation = page.with_suffix(".pt-BR.md")
    assert HEADING.findall(prose_of(translation)) == HEADING.findall(prose_of(page))
    assert FENCE.findall(translation.read_text()) == FENCE.findall(page.read_text())
    assert pictures_of(translation) == pictures_of(page)


def test_the_table_of_the_walkthrough_is_that_of_the_template() -> None:
    assert LEDGER_TABLE.read_text() == ledger_table_json(), "run: make docs"


def test_the_reference_of_the_command_line_is_what_help_prints() -> None:
    assert CLI.read_text() == cli_markdown(), "run: make docs"


def test_every_step_of_the_walkthrough_has_a_picture_of_its_own() -> None:
    names = [step.picture for step in steps_of(WALKTHROUGH.read_text())]
    assert [f"{name}.svg" for name in names] == [path.name for path in SVGS if path.name.startswith("walkthrough-")]


def test_every_command_of_the_walkthrough_fits_its_picture() -> None:
    lines = [line for command in commands_of(WALKTHROUGH.read_text()) for line in command.text.split("\n")]
    assert [line for line in lines if len(line) > COLUMNS - len("$ ")] == []


@pytest.mark.parametrize("path", SVGS, ids=name_of)
def test_a_picture_fetches_nothing(path: Path) -> None:
    svg = path.read_text()
    assert not re.search(r"@import|@font-face|\bsrc=|url\((?!['\"]?#)|href=['\"]http", svg)


# -- the readers and drawers of the pages themselves

PAGE = """\
```sh
make setup
echo one \\
  two   # exit status 3
```

```sh aws
make deploy
```

![What is seen](docs/pictures/first.svg)

```python
print("not a command")
```

```sh
# only a comment

true
```
"""


def test_commands_are_read_with_their_place_status_and_picture() -> None:
    first, last = steps_of(PAGE)
    assert first.picture == "first"
    assert first.commands == (
        Command(text="make setup"),
        Command(text="echo one \\\n  two", status=3),
        Command(text="make deploy", tag="aws"),
    )
    assert (last.picture, last.commands) == (None, (Command(text="true"),))


def drawn(output: str, mask: Mask) -> str:
    done = [Done(command=Command(text="true"), output=output, status=0)]
    return picture(done, title="a test", columns=COLUMNS, mask=mask)


RUN = """\
2026-01-{day} 10:00:{day}.123456 {hex}aaaaa {{"version_id": "{hex}0000000-0000-4000-8000-000000000000"}}
"duration_ms": {day}, latency_ms  {day}, "Timestamp": 17954352000{day}
at http://127.0.0.1:4{day}, done in 0.{day} s, content_hash  {hash}
"""


def test_pictures_of_two_runs_are_alike() -> None:
    monday = RUN.format(day="12", hex="a", hash="b" * 64)
    tuesday = RUN.format(day="13", hex="c", hash="d" * 64)
    assert drawn(monday, Mask()) == drawn(tuesday, Mask())


def test_what_differs_within_a_run_differs_in_its_pictures() -> None:
    mask = Mask()
    one = mask("00000000-0000-4000-8000-000000000001")
    assert one != mask("00000000-0000-4000-8000-000000000002")
    assert one == mask("00000000-0000-4000-8000-000000000001")


def test_times_keep_their_order_however_close_they_were() -> None:
    mask = Mask()
    mask.next_picture()
    assert mask("2026-01-12 10:00:01") == "2026-11-23 12:01:00"
    mask.next_picture()
    assert mask("2026-01-12T10:00:00.999Z, 2026-01-12T10:00:02Z") == "2026-11-23T12:01:00.000Z, 2026-11-23T12:02:00Z"


def test_a_long_output_is_cut_in_the_middle() -> None:
    svg = drawn("\n".join(f"line{number}." for number in range(100)), Mask())
    assert "line0." in svg
    assert "line99." in svg
    assert "56&#160;more&#160;lines" in svg
    assert "line50." not in svg


@pytest.mark.parametrize("page", ["guarantees.md", "security.md"])
def test_every_guarantee_and_control_names_tests_that_exist(page: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", (ROOT / "docs" / page).read_text())
    assert named
    for path, test in named:
        assert (ROOT / path).exists(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text(), test


def test_every_guarantee_has_a_mechanism_a_limit_and_a_test() -> None:
    text = (ROOT / "docs" / "guarantees.md").read_text().partition("# What a seal proves")[0]
    for guarantee in text.split("\n## ")[1:]:
        assert all(f"**{word}" in guarantee for word in ("Mechanism.**", "Limit.**", "Held by**")), guarantee[:60]
