"""The picture of the speeds: it shows what the document tells, and no older run."""

from __future__ import annotations

from xml.etree.ElementTree import XML as parsed

from bench.plot import DOCUMENT, PICTURE, Group, groups, svg

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_drawn_from_the_document_as_it_stands() -> None:
    assert PICTURE.read_text() == svg(list(groups(DOCUMENT.read_text()))), "draw it again: python -m bench.plot"


def test_every_table_of_speeds_is_read_with_its_rows() -> None:
    text = "**One, 1 MB**\n\n|  | MB/s | x |\n| --- | ---: | ---: |\n| Recibo | 1,024 | 1 |\n| wc -l | 9.5 | 2 |\n\n"
    assert list(groups(text)) == [Group(title="One, 1 MB", speeds=[("Recibo", 1024.0), ("wc -l", 9.5)])]


def test_the_picture_is_well_formed_whatever_a_name_holds_and_stays_in_its_frame() -> None:
    drawn = svg([Group(title="a<b & c", speeds=[("Recibo", 0.001), ("other", 1e9)])])
    bars = [float(bar.get("width", "0")) for bar in parsed(drawn).iter(f"{SVG}rect")]
    assert bars[1] == 0
    assert bars[2] <= bars[0]
