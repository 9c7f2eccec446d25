"""Names and declarations that readers who know namespaces refuse are warned of, and no others."""

from __future__ import annotations

from pyexpat import ExpatError, ParserCreate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.findings import Finding, Findings
from chalicelib.inspection import Limits
from chalicelib.inspection import xml_namespaces as namespaces
from chalicelib.inspection.xml_text import XmlText

PREFIXES = st.sampled_from(["", "", "p", "q", "xml", "r"])
URIS = st.sampled_from(["u", "v", "", namespaces.XML, namespaces.XMLNS, "w" * 300])


def findings_of(text: str) -> list[Finding]:
    findings = Findings(per_code=1_000)
    inspector = XmlText(findings, Limits())
    inspector.feed(text.encode())
    inspector.finish()
    return list(findings)


def has_warning(text: str) -> bool:
    codes = {found.code for found in findings_of(text)}
    assert codes <= {"xml-namespace"}
    return bool(codes)


def is_right_to_expat(text: str) -> bool:
    try:
        ParserCreate("utf-8", " ").Parse(text, True)
    except ExpatError:
        return False
    return True


def qualified(prefix: str, local: str) -> str:
    return f"{prefix}:{local}" if prefix else local


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> str:
    """An element with prefixes that may or may not be declared; no attribute is written twice."""
    name = qualified(draw(PREFIXES), draw(st.sampled_from("ab")))
    declared = draw(st.dictionaries(PREFIXES, URIS, max_size=2))
    names = draw(st.sets(st.tuples(PREFIXES, st.sampled_from("cd")), max_size=3))
    attributes = [f" {qualified('xmlns', prefix) if prefix else 'xmlns'}='{uri}'" for prefix, uri in declared.items()]
    attributes += [f" {qualified(*attribute)}=''" for attribute in sorted(names)]
    inner = draw(st.lists(elements(depth - 1), max_size=3)) if depth else []
    return f"<{name}{''.join(attributes)}>{''.join(inner)}</{name}>"


@given(elements())
def test_what_is_warned_of_is_what_expat_refuses_when_it_is_told_of_namespaces(text: str) -> None:
    assert has_warning(text) != is_right_to_expat(text)


@given(elements(), st.integers(0, 3_000))
def test_each_of_two_alike_is_warned_of_as_the_first_is_whatever_is_remembered(text: str, remembered: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(namespaces, "_MOST_REMEMBERED", remembered)
        once, twice = findings_of(f"<r>{text}</r>"), findings_of(f"<r>{text}{text}</r>")
    assert [found.field for found in twice] == 2 * [found.field for found in once]


@pytest.mark.parametrize(
    "text",
    [
        "<p:a/>",
        "<a p:b=''/>",
        "<a><b xmlns:p='u'/><p:b/></a>",
        "<a><b xmlns:p='u'><c/></b><c/><d p:b=''/></a>",
        "<a:b:c xmlns:a='u'/>",
        "<:a/>",
        "<a: xmlns:a='u'/>",
        "<a:1 xmlns:a='u'/>",
        "<xmlns:a/>",
        "<a xmlns:p=''/>",
        "<a xmlns:xmlns='u'/>",
        "<a xmlns:='u'/>",
        "<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>",
        "<a xmlns:p='u'><b xmlns:q='u'><c p:b=''/><c p:b='' q:b=''/></b></a>",
        "<a xmlns:p='u' xmlns:q='u'><p:b/><q:b/><c/><c p:b='' q:b=''/></a>",
        "<xmlns><xmlns/><a xmlns='http://www.w3.org/2000/xmlns/'/></xmlns>",
        "<a><?b:c?></a>",
        "<!DOCTYPE a [<!NOTATION b:c SYSTEM 'd'>]><a/>",
    ],
)
def test_what_breaks_the_rules_is_warned_of(text: str) -> None:
    assert has_warning(text)


@pytest.mark.parametrize(
    "text",
    [
        "<p:a xmlns:p='u'><p:b/><c p:d=''/></p:a>",
        "<a xml:lang='pt' xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='u' xmlns:p='u' b='' p:b=''/>",
        "<a xmlns:p='u'><b xmlns:p='v'><p:c/></b><p:c/></a>",
        "<a xmlns:p='u'><b xmlns:p='u'/><b xmlns:p='u' p:c=''/><p:c/></a>",
        "<p:é xmlns:p='u' p:😀=''/>",
        "<!DOCTYPE a [<!ATTLIST a xmlns:p CDATA 'u'>]><a><p:b/></a>",
        "<!DOCTYPE a [%p;]><a/>",
        "<xmlnsy/>",
    ],
)
def test_what_keeps_to_the_rules_is_not(text: str) -> None:
    assert not has_warning(text)


def test_each_use_is_counted_with_its_name_and_place() -> None:
    first, second = findings_of("<a>\n<😀 p:😀=''/><p:😀/></a>")
    assert (first.line, first.column, first.field) == (2, 1, "p:😀")
    assert (second.line, second.column, second.field) == (2, 12, "p:😀")


def test_more_declarations_than_are_remembered_are_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "_MOST_OPEN", 2)
    assert not has_warning("<a xmlns:p='u'><b xmlns:q='u' xmlns:r='u'><x:c/></b><y:d/></a>")
    assert has_warning("<a xmlns:p='u'><b xmlns:q='u'><x:c/></b></a>")
