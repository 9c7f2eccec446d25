"""Where fuzzing begins: small files of every format, right and wrong."""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from infra.stages import ROOT
from tests.fuzz.cases import WAYS, written
from tests.inspection.packing import PACKS
from tests.inspection.workbooks import MAIN, RELATED, book, relationships, sheet, strings, styles, workbook

LONGEST = 6_000

TABLE = b'a,b,c\n1,"2",true\n3,4.5,no\r\n-,"x ""y""\n",0\n'
TEXTS: dict[str, bytes] = {
    "a.csv": TABLE,
    "a.tsv": b"a\tb\tc\n1\t2\t3\n",
    "a.json": b'[{"a": 1, "b": [true, null, -1.5e3]}, {"a": "\\u00e9\\ud83d\\ude00", "c": {}}]',
    "a.jsonl": b'{"a": 1, "b": "x"}\n{"a": 2.5, "c": null}\n\n[1]\n"\\ud800"\n',
    "a.xml": (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE a [<!ELEMENT a (b*)><!ATTLIST b c CDATA #IMPLIED>'
        b'<!ENTITY d "e">]>\n<a xmlns:x="urn:x"><!-- f --><b c="&lt;&#65;"/><x:g><![CDATA[]]]]></x:g><?h i?></a>'
    ),
    "a.txt": "Olá, mundo.\nE mais uma linha.\n".encode("cp1252"),
    "": "a;b\n1;é\n".encode("utf-16"),
}
SHEETS: dict[str, bytes] = {
    "as a sheet": sheet(
        '<row r="1"><c r="A1" t="inlineStr"><is><r><t>a</t></r></is></c><c r="B1" t="b"><v>1</v></c></row>'
        '<row r="3" hidden="1"><c r="C3" t="e"><v>#N/A</v></c><c t="str"><f>A1</f><v>x</v></c></row>'
    ).encode(),
    "as a workbook": book(
        '<sheet name="S" sheetId="1" r:id="s1"/><sheet name="T" sheetId="2" state="hidden" r:id="s1"/>',
        properties='<workbookPr date1904="1"/>',
    ).encode(),
    "as relationships": relationships(("s1", "worksheet", "worksheets/sheet1.xml")).encode(),
    "as shared texts": strings("<t>a</t>", "<r><t>b</t></r><rPh><t>c</t></rPh>").encode(),
    "as styles": styles("yyyy-mm-dd", "0.00%").encode(),
}
WORKBOOK = workbook(f'<row r="1"><c r="A1" t="inlineStr"><is><t>{MAIN[-4:]}</t></is></c></row>' + RELATED[:0])


def seeds() -> Iterator[bytes]:
    """Every seed as a fuzzer's bytes."""
    for name, content in TEXTS.items():
        yield from (written(content, name=name, way=way.name) for way in WAYS[:22])
    for way, content in SHEETS.items():
        yield written(content, name="a.xlsx", way=way)
    yield from (written(content, name=name) for name, content in _binaries())
    for made in _parquet():
        yield written(made, name="a.parquet")
        yield written(made[:-8][-int.from_bytes(made[-8:-4], "little") :], way="as a footer of Parquet")
        yield written(made, name="a.parquet", way="under numbers, by the engine")
    for path in sorted((ROOT / "samples").rglob("*")):
        if path.is_file() and path.stat().st_size <= LONGEST:
            yield written(path.read_bytes())


def _binaries() -> Iterator[tuple[str, bytes]]:
    yield "a.xlsx", WORKBOOK
    for suffix, pack in PACKS.values():
        yield "a.zip" if suffix == "zip" else "", pack(TABLE)
    yield "a.xml.xz", lzma.compress(TEXTS["a.xml"])
    yield "a.png", b"\x89PNG\r\n\x1a\n" + bytes(20)
    yield "a.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)


def _parquet() -> Iterator[bytes]:
    columns = {"a": [1, 2, None], "b": [1.5, None, 2.5], "c": [True, False, None], "d": ["x", "y", None]}
    for codec in ("none", "snappy", "zstd"):
        target = io.BytesIO()
        pq.write_table(pa.table({**columns, "e": [[1], [], None]}), target, compression=codec, store_schema=False)
        yield target.getvalue()
