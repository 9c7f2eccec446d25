"""The page on the architecture: it shows what the code has, and the rooms are as it says."""

from __future__ import annotations

import re

import pytest

from docs.architecture import PAGE, ROOMS, arrows, functions, modules, reaches, room_of, written
from infra.stages import ROOT, load_config, load_stage


def test_the_page_is_what_the_code_makes_of_it() -> None:
    assert PAGE.read_text() == written(PAGE.read_text()), "run: python -m docs.architecture"


def test_every_function_that_is_deployed_is_on_the_page() -> None:
    assert functions().keys() == load_config()["lambda_functions"].keys()


@pytest.mark.parametrize("function", functions())
def test_a_function_that_is_called_by_something_reaches_something(function: str) -> None:
    """A resource or an action that the page has no word for fails here."""
    assert reaches(load_stage("local"), function)


def test_rooms_know_only_rooms_that_lie_further_in() -> None:
    order = list(ROOMS)
    assert {(one, other) for one, other in arrows() if order.index(one) > order.index(other)} == set()


def test_every_room_has_modules_and_every_folder_is_a_room() -> None:
    assert {room_of(module) for module in modules()} == set(ROOMS)
    folders = {path.parent.name for path in (ROOT / "chalicelib").glob("*/__init__.py")}
    assert folders <= set(ROOMS)


def test_the_rules_that_the_page_names_have_their_tests() -> None:
    told = PAGE.read_text()
    held = (ROOT / "tests" / "test_architecture.py").read_text()
    for rule in (
        "test_only_the_app_and_its_routes_know_chalice",
        "test_only_the_adapters_and_the_wiring_know_aws",
        "test_only_the_wiring_reads_the_environment",
        "test_only_the_wiring_looks_at_the_clock",
        "test_only_the_room_of_the_engine_knows_it",
    ):
        assert f"def {rule}(" in held
    assert re.search(r"Four rules do the work", told)
