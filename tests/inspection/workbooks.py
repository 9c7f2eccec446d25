"""Writes workbooks by hand, part by part, so that they can be as odd as writers are, and wrong in every way."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl

from tests.inspection.packing import zipped

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
ROWS = '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'


def relationships(*related: tuple[str, str, str], namespace: str = RELATED) -> str:
    """A list of identifiers, kinds and targets."""
    each = (f'<Relationship Id="{id_}" Type="{namespace}/{kind}" Target="{target}"/>' for id_, kind, target in related)
    return f'<Relationships xmlns="{PACKAGE}">{"".join(each)}</Relationships>'


def sheet(rows: str = ROWS, *, namespace: str = MAIN) -> str:
    return f'<worksheet xmlns="{namespace}"><dimension ref="A1:XFD9"/><sheetData>{rows}</sheetData></worksheet>'


def book(
    sheets: str = '<sheet name="S" sheetId="1" r:id="s1"/>', *, properties: str = "", namespace: str = MAIN
) -> str:
    return f'<workbook xmlns="{namespace}" xmlns:r="{RELATED}">{properties}<sheets>{sheets}</sheets></workbook>'


def parts_of(rows: str = ROWS, **more: str | None) -> dict[str, str]:
    """The parts of a workbook of one sheet; `strings`, `styles` and `properties` where they are said."""
    related = [("s1", "worksheet", "worksheets/sheet1.xml")]
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": relationships(("r1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": book(properties=more.get("properties") or ""),
        "xl/worksheets/sheet1.xml": sheet(rows),
    }
    for name, kind in (("strings", "sharedStrings"), ("styles", "styles")):
        if said := more.get(name):
            related.append((name, kind, f"/xl/{name}.xml"))
            parts[f"xl/{name}.xml"] = said
    parts["xl/_rels/workbook.xml.rels"] = relationships(*related)
    return parts


def packed(parts: Mapping[str, str | bytes | None]) -> bytes:
    """The archive of the parts that there are."""
    members = [(name, said.encode() if isinstance(said, str) else said) for name, said in parts.items() if said]
    return zipped(members)


def workbook(rows: str = ROWS, **more: str | None) -> bytes:
    return packed(parts_of(rows, **more))


def changed(**changes: str | bytes | None) -> bytes:
    """A workbook of which some parts are others, or none: `xl_workbook` stands for xl/workbook.xml."""
    names = {
        "types": "[Content_Types].xml",
        "root": "_rels/.rels",
        "book": "xl/workbook.xml",
        "related": "xl/_rels/workbook.xml.rels",
        "sheet": "xl/worksheets/sheet1.xml",
    }
    return packed({**parts_of(), **{names[word]: said for word, said in changes.items()}})


def strings(*texts: str) -> str:
    """Shared texts, each as it stands in its `si`."""
    return f'<sst xmlns="{MAIN}">{"".join(f"<si>{text}</si>" for text in texts)}</sst>'


def styles(*formats: str) -> str:
    """A style for each number format, behind the first, which shows numbers."""
    said = "".join(f'<numFmt numFmtId="{164 + at}" formatCode="{code}"/>' for at, code in enumerate(formats))
    each = "".join(f'<xf numFmtId="{164 + at}"/>' for at in range(len(formats)))
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{said}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        f'<cellXfs><xf numFmtId="0"/>{each}</cellXfs></styleSheet>'
    )


def written(rows: Sequence[Sequence[Any]], **more: Sequence[Sequence[Any]]) -> bytes:
    """A workbook as openpyxl writes it; more sheets by their names."""
    made = openpyxl.Workbook()
    assert made.active
    for row in rows:
        made.active.append(list(row))
    for name, others in more.items():
        other = made.create_sheet(name)
        for row in others:
            other.append(list(row))
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()
