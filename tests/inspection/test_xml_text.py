"""XmlText accepts exactly XML 1.0, fifth edition, within its limits, and tells the same whatever the blocks."""

from __future__ import annotations

import io
import xml.sax
from collections import Counter
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.findings import Finding, Findings
from chalicelib.inspection import Facts, Limits, Status, inspect
from chalicelib.inspection.xml_text import XmlText, looks_like_xml
from tests.inspection.xml_samples import ENTITIES, MALFORMED, NAMES, TEXTS, WELL_FORMED, Tree, mutated, trees, written


class Told:
    """What XmlText says of a document that is fed in blocks of `size` characters."""

    def __init__(self, text: str, size: int = 1 << 20, limits: Limits | None = None) -> None:
        collector = Findings(per_code=10_000)
        inspector = XmlText(collector, limits or Limits())
        for begin in range(0, len(text), size):
            inspector.feed(text[begin : begin + size].encode())
        self.facts: Facts = inspector.finish()
        self.findings: list[Finding] = list(collector)
        self.codes = set(collector.counts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Told) and (self.facts, self.findings) == (other.facts, other.findings)

    def __hash__(self) -> int:
        return hash(self.facts)

    def __repr__(self) -> str:
        return f"{self.facts} {self.findings}"

    @property
    def place(self) -> tuple[str, int | None, int | None]:
        found = self.findings[0]
        return found.code, found.line, found.column


def is_xml_to_python(text: str) -> bool:
    """What the standard library's own reader, which is not told of namespaces, says."""
    try:
        xml.sax.parse(io.BytesIO(text.encode()), xml.sax.ContentHandler())  # noqa: S317 - of the test itself
    except xml.sax.SAXException:
        return False
    return True


# -- what is well-formed


@given(trees(), st.integers(1, 40))
def test_a_document_that_was_generated_is_accepted_with_its_counts(tree: Tree, size: int) -> None:
    told = Told(written(tree), size)
    assert not told.findings
    assert told.facts.root == tree.name
    assert told.facts.elements == sum(1 for _ in tree.walk())
    names = Counter(element.name for element in tree.walk())
    assert {element.name: element.count for element in told.facts.element_counts} == names


@given(trees(names=st.sampled_from(["a", "b", "order", "order-line", "_1"])))
def test_elements_are_those_that_element_tree_reads(tree: Tree) -> None:
    root = ElementTree.fromstring(written(tree))  # noqa: S314 - what the test has written
    counted = Counter(element.tag for element in root.iter())
    facts = Told(written(tree)).facts
    assert {element.name: element.count for element in facts.element_counts} == counted
    children = [child.tag for child in root]
    assert facts.records == (len(children) if len(set(children)) == 1 else None)


@given(st.one_of(mutated(trees(names=NAMES.filter(str.isascii)).map(written)), TEXTS))
def test_a_changed_document_is_accepted_exactly_where_another_reader_accepts_it(text: str) -> None:
    told = Told(text)
    if not told.codes & {"xml-entity", "xml-external-entity"} and text.isascii():
        assert ("malformed-xml" not in told.codes) == is_xml_to_python(text)


@given(st.one_of(mutated(trees().map(written)), TEXTS), st.integers(1, 9))
@example("<b/>a/>", 1)
@example("<b/>\n\nab\x01", 1)
@example("<p:a/> ]]", 1)
@example("<b/>\n]", 2)
@example("<b/>\n<!-- ", 3)
def test_the_outcome_does_not_depend_on_the_blocks(text: str, size: int) -> None:
    limits = Limits(record_bytes=60, xml_depth=4, columns=3, xml_names=900)
    assert Told(text, size) == Told(text)
    assert Told(text, size, limits) == Told(text, limits=limits)


@pytest.mark.parametrize("text", WELL_FORMED)
def test_what_the_standard_allows_is_accepted(text: str) -> None:
    for size in (1, 7, 1 << 20):
        assert "malformed-xml" not in Told(text, size).codes


@pytest.mark.parametrize("text", MALFORMED)
def test_what_the_standard_forbids_is_malformed(text: str) -> None:
    for size in (1, 7, 1 << 20):
        told = Told(text, size)
        assert "malformed-xml" in told.codes
        assert (told.facts.elements, told.facts.records, told.facts.element_counts) == (None, None, ())


# Sections 2.3 of the fifth edition, as it prints them.
NAME_START = [
    *((ord(char), ord(char)) for char in ":_"),
    *((ord("A"), ord("Z")), (ord("a"), ord("z")), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2FF), (0x370, 0x37D)),
    *((0x37F, 0x1FFF), (0x200C, 0x200D), (0x2070, 0x218F), (0x2C00, 0x2FEF), (0x3001, 0xD7FF), (0xF900, 0xFDCF)),
    *((0xFDF0, 0xFFFD), (0x10000, 0xEFFFF)),
]
NAME_ONLY = [*((ord(char), ord(char)) for char in "-."), (ord("0"), ord("9")), (0xB7, 0xB7), (0x300, 0x36F)]
NAME_ONLY += [(0x203F, 0x2040)]
EDGES = sorted({edge + near for low, high in NAME_START + NAME_ONLY for edge in (low, high) for near in (-1, 0, 1)})
AROUND = [*EDGES, *range(0x80, 0xD800, 7), *range(0xE000, 0x10000, 7), *range(0x10000, 0x110000, 4_099)]


def within(point: int, ranges: list[tuple[int, int]]) -> bool:
    return any(low <= point <= high for low, high in ranges)


def test_names_have_the_characters_of_the_fifth_edition_and_no_others() -> None:
    for point in AROUND:
        if chr(point) not in "<>/ \t\n\r\"'=&" and not 0xD800 <= point < 0xE000:
            begins, goes_on = within(point, NAME_START), within(point, NAME_START + NAME_ONLY)
            first, second = f"<{chr(point)}></{chr(point)}>", f"<a{chr(point)}></a{chr(point)}>"
            assert ("malformed-xml" not in Told(first).codes) == begins, hex(point)
            assert ("malformed-xml" not in Told(second).codes) == goes_on, hex(point)


def test_text_has_the_characters_of_the_standard_and_no_others() -> None:
    for point in [*range(0x20), *AROUND, 0xFFFE, 0xFFFF]:
        if not 0xD800 <= point < 0xE000 and chr(point) not in "<&":
            is_character = point in (9, 10, 13) or 0x20 <= point <= 0xFFFD or point > 0xFFFF
            if point not in (0xFFFE, 0xFFFF):
                assert ("malformed-xml" not in Told(f"<a>{chr(point)}</a>").codes) == is_character, hex(point)
            assert ("malformed-xml" not in Told(f"<a>&#{point};</a>").codes) == is_character, hex(point)


def test_names_that_are_respelled_for_expat_are_told_as_they_are() -> None:
    told = Told("<😀 ๐='1'><\u3007/><\u3007/></😀>")
    assert told.facts.root == "😀"
    assert [element.name for element in told.facts.element_counts] == ["😀", "\u3007"]
    assert Told("<a 😀='' 😁=''/>").codes == set()
    assert Told("<a 😀='' 😀=''/>").codes == {"malformed-xml"}
    assert Told("<😀></😁>").codes == {"malformed-xml"}


# -- where


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("<a>\n  <b>é</c>\n</a>", 2, 9),
        ("<a>\r\n<b>\r\n &</a>", 3, 3),
        ("<a>\rx<b></a>", 2, 7),
        ("<a>😀😀<b 😀='😀' 😀=''/></a>", 1, 15),
        ("<a>😀\n😀<b\n😀='😀'\n\n/>😀</b></a>", 5, 6),
        ("<a/>\r\nmore", 2, None),
        ("<a>", 1, 4),
        ("<!DOCTYPE a [\n <!ENTITY b 'c'>\n]><a/>", 2, 13),
    ],
)
def test_the_place_of_an_error_is_told_in_characters_of_the_file(text: str, line: int, column: int | None) -> None:
    for size in (1, 2, 3, 1 << 20):
        assert Told(text, size).place[1:] == (line, column)


# -- what is refused


@pytest.mark.parametrize(("text", "code"), ENTITIES)
def test_an_entity_is_refused_where_it_is_declared(text: str, code: str) -> None:
    told = Told(text)
    assert code in told.codes
    assert told.facts.elements is None


def test_a_document_type_elsewhere_is_not_read_and_said_so() -> None:
    told = Told('<!DOCTYPE a PUBLIC "-//X//Y" "http://localhost:9/y.dtd"><a>&unknown;<x:b/></a>')
    assert told.codes == {"xml-external-dtd"}
    assert told.facts.elements == 2


def test_laughs_cost_nothing() -> None:
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(30))
    told = Told(f'<!DOCTYPE l [<!ENTITY l0 "ha">{laughs}]><l a="&l30;">&l30;</l>')
    assert told.codes == {"xml-entity"}


def test_long_defaults_of_attributes_are_not_made_for_each_element() -> None:
    text = f"<!DOCTYPE a [<!ATTLIST b c CDATA '{'x' * 900_000}'>]><a>{'<b/>' * 20_000}</a>"
    assert Told(text).facts.elements == 20_001


def test_attributes_that_are_declared_for_an_element_are_bounded() -> None:
    declared = "<!ATTLIST b c{} CDATA ''>"
    text = f"<!DOCTYPE a [{''.join(declared.format(number) for number in range(1_000))}]><a><b/></a>"
    assert Told(text).facts.elements == 2
    assert Told(text.replace("]", declared.format("x") + "]")).codes == {"xml-too-complex"}


# -- limits


def test_the_deepest_level_is_read_and_no_deeper() -> None:
    limits = Limits(xml_depth=3)
    assert not Told("<a><b><c/><c/></b><b/></a>", limits=limits).findings
    told = Told("<a><b/>\n<b><c/><c><d/></c></b></a>", limits=limits)
    assert told.place == ("xml-too-deep", 2, 11)


def test_depth_is_that_of_open_elements_however_many_have_ended() -> None:
    assert not Told(f"<a>{'<b><c/></b>' * 5_000}</a>", limits=Limits(xml_depth=3)).findings


@pytest.mark.parametrize("size", [1, 10, 99, 100_000])
@pytest.mark.parametrize("token", ["<b c='{}'/>", "<!--{}-->", "<?b {}?>", "<b{}/>"])
def test_a_token_longer_than_a_record_may_be_is_refused(size: int, token: str) -> None:
    limits = Limits(record_bytes=200)
    short, long = f"<a>{token.format('x' * 150)}</a>", f"<a>\n{token.format('x' * 250)}</a>"
    assert not Told(short, size, limits).findings
    assert Told(long, size, limits).place == ("xml-too-complex", 2, 1)


def test_text_between_tags_may_be_of_any_length() -> None:
    text = "x\n" * 1_000
    assert not Told(f"<a>{text}<![CDATA[{text}]]>{text}</a>", limits=Limits(record_bytes=200)).findings


def test_a_long_token_is_not_read_again_with_each_block() -> None:
    text = f"<a b='{'x' * 8_000_000}'/>"
    assert not Told(text, 1_000).findings  # read again 8,000 times, it would take a minute


@pytest.mark.parametrize("size", [1_000, 1 << 20])
def test_attributes_are_bounded(size: int) -> None:
    tag = "".join(f" a{number}=''" for number in range(20_000))
    assert Told(f"<a{tag}/>", size).codes == {"xml-too-complex"}
    assert not Told(f"<a b='{'=' * 100_000}'><!--{'a=' * 100_000}--></a>", size).findings


def test_names_are_bounded_by_what_they_take() -> None:
    limits = Limits(xml_names=10 * 103)
    assert not Told(f"<a>{''.join(f'<b0{number}/>' for number in range(9))}</a>", limits=limits).findings
    told = Told(f"<a>{''.join(f'<b0{number}/>' for number in range(10))}</a>", limits=limits)
    assert told.codes == {"xml-too-complex"}


@pytest.mark.parametrize("size", [7, 1 << 20])
def test_a_document_type_is_bounded(size: int) -> None:
    text = f"<!DOCTYPE a [{'<!ELEMENT a (b)>' * 20}]><a/>"
    assert not Told(text, size, Limits(xml_dtd_bytes=400)).findings
    assert Told(text, size, Limits(xml_dtd_bytes=200)).codes == {"xml-too-complex"}


def test_names_are_listed_up_to_the_limits_and_all_counted() -> None:
    facts = Told("<abcde><b/><b/><c/></abcde>", limits=Limits(named_columns=2, name_length=3)).facts
    assert [(element.name, element.count) for element in facts.element_counts] == [("abc", 1), ("b", 2)]
    assert facts.elements == 4


# -- records


@pytest.mark.parametrize(
    ("text", "records"),
    [("<a><b/><b><c/></b></a>", 2), ("<a><b/></a>", 1), ("<a/>", None), ("<a>x</a>", None), ("<a><b/><c/></a>", None)],
)
def test_records_are_the_roots_children_if_they_are_alike(text: str, records: int | None) -> None:
    assert Told(text).facts.records == records


# -- what is taken for XML without a name


@pytest.mark.parametrize("text", ["<?xml version='1.0'?>", " <a/>", "<!-- x --><a>", "<a b='c", "<!DOCTYPE a"])
def test_the_beginning_of_a_document_looks_like_xml(text: str) -> None:
    assert looks_like_xml(text, whole=False)


@pytest.mark.parametrize("text", ["", "x", "<ana@example.com> wrote: hello", "< a", "<a>&b;", "<a></b>", "<1>"])
def test_what_cannot_be_a_document_does_not_look_like_xml(text: str) -> None:
    assert not looks_like_xml(text, whole=False)


@pytest.mark.parametrize("text", ["<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "<!DOCTYPE a [<!ENTITY e SYSTEM 'x'>]>"])
def test_a_document_that_is_refused_before_its_root_is_no_plain_text(text: str) -> None:
    report = inspect([text.encode()])
    assert (report.format, report.status) == ("xml", Status.FAILED)


@pytest.mark.parametrize("text", ["<a>", "<!-- x -->", "<a/>x"])
def test_a_whole_text_looks_like_xml_only_if_it_is_one_document(text: str) -> None:
    assert not looks_like_xml(text, whole=True)


@pytest.mark.parametrize("whole", [False, True])
def test_many_words_in_angle_brackets_are_no_document_unless_one_ends(whole: bool) -> None:
    assert not looks_like_xml("<U4E00> /x81\n" * 2_000, whole=whole)
    assert looks_like_xml("<a>" * 1_001 + "</a>" * 1_001, whole=whole)
