"""The dashboard's texts: complete in both languages, and true to the catalogue of findings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.findings import CATALOGUE

WEB = Path(__file__).parents[2] / "chalicelib" / "web"
SCRIPTS = sorted((WEB / "js").glob("*.js"))
LANGUAGES = ("en", "pt-BR")
PLURAL = {"one", "other"}


def texts(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((WEB / "i18n" / f"{name}.json").read_text("utf-8"))
    return content


def places(text: str | dict[str, str]) -> set[str]:
    forms: Iterable[str] = [text] if isinstance(text, str) else text.values()
    return {place for form in forms for place in re.findall(r"\{(\w+)", form)}


def test_both_languages_say_the_same_things_with_the_same_places() -> None:
    english, portuguese = map(texts, LANGUAGES)
    assert english.keys() == portuguese.keys()
    for name, text in english.items():
        assert places(text) == places(portuguese[name]), name
        assert isinstance(text, dict) == isinstance(portuguese[name], dict), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_has_the_forms_of_its_language(language: str) -> None:
    for name, text in texts(language).items():
        assert isinstance(text, str) or text.keys() == PLURAL, name


def test_every_text_that_a_script_names_is_there() -> None:
    for script in SCRIPTS:
        for name in re.findall(r"\bt\(\s*\"([^\"]+)\"", script.read_text("utf-8")):
            assert name in texts("en"), f"{script.name} says {name}"


def test_the_page_knows_the_catalogues_messages_as_they_are() -> None:
    assert texts("findings") == {code: known.message for code, known in CATALOGUE.items()}, "run `make docs`"


def test_every_finding_is_said_in_portuguese_with_the_values_of_its_message() -> None:
    translated = texts("findings.pt-BR")["codes"]
    assert translated.keys() == CATALOGUE.keys()
    for code, known in CATALOGUE.items():
        assert places(translated[code]["message"]) == places(known.message), code
        assert translated[code]["fix"], code
        assert translated[code]["name"], code


def test_no_script_makes_elements_out_of_text() -> None:
    """What stands in a file's name or a finding can then never be markup."""
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|srcdoc")
    for script in SCRIPTS:
        assert not forbidden.search(script.read_text("utf-8")), script.name


def test_the_page_has_no_script_or_style_within_itself() -> None:
    page = (WEB / "index.html").read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
