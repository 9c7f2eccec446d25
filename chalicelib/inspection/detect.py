"""What a file is: by its first bytes, then by its name, then by how its text looks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.inspection.dialect import DELIMITERS, Dialect, detect_dialect, is_convincing
from chalicelib.inspection.patterns import compiled
from chalicelib.inspection.xml_text import looks_like_xml


class Format(StrEnum):
    """The formats that are judged; any other file gets the name of its content, with size, hash and media type."""

    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    JSONL = "jsonl"
    XML = "xml"
    TEXT = "text"
    BINARY = "binary"
    FOLDER = "folder-marker"


MEDIA_TYPES: Mapping[str, str] = {
    Format.CSV: "text/csv",
    Format.TSV: "text/tab-separated-values",
    Format.JSON: "application/json",
    Format.JSONL: "application/jsonl",
    Format.XML: "application/xml",
    Format.TEXT: "text/plain",
    Format.BINARY: "application/octet-stream",
    "avro": "application/vnd.apache.avro",
    "arrow": "application/vnd.apache.arrow.file",
    "bzip2": "application/x-bzip2",
    "elf": "application/x-elf",
    "gif": "image/gif",
    "gzip": "application/gzip",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "ole2": "application/x-ole-storage",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "orc": "application/vnd.apache.orc",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "png": "image/png",
    "7z": "application/x-7z-compressed",
    "sqlite": "application/vnd.sqlite3",
    "tar": "application/x-tar",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xz": "application/x-xz",
    "zip": "application/zip",
    "zstd": "application/zstd",
}

MAGIC: Mapping[bytes, str] = {
    b"Obj\x01": "avro",
    b"ARROW1\0\0": "arrow",
    b"BZh": "bzip2",
    b"\x7fELF": "elf",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"\x1f\x8b": "gzip",
    b"\xff\xd8\xff": "jpeg",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "ole2",
    b"ORC": "orc",
    b"PAR1": "parquet",
    b"%PDF-": "pdf",
    b"\x89PNG\r\n\x1a\n": "png",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"SQLite format 3\0": "sqlite",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes((first, 0x2A, 0x4D, 0x18)): "zstd" for first in range(0x50, 0x60)},  # a frame to skip
}
MAY_BE_TEXT = frozenset({"bzip2", "gif", "orc", "parquet"})
"""Formats whose magic is letters that a text may begin with, a table's first name for one."""
OFFICE: Mapping[bytes, str] = {b"xl": "xlsx", b"word": "docx", b"ppt": "pptx"}
OPEN_DOCUMENT: Mapping[bytes, str] = {b"spreadsheet": "ods", b"text": "odt", b"presentation": "odp"}
# What a member is called tells, first of all the first: a document that is a member of an archive makes it no document.
_OFFICE = compiled(rb"PK\x03\x04.{26}(?:\[Content_Types\]|_rels/|docProps/|customXml/|xl/|word/|ppt/)", re.DOTALL)
_OFFICE_PART = compiled(
    rb"PK\x03\x04.{26}(xl|word|ppt)/(?:workbook|document|presentation|worksheets/|slides/|styles|theme/|_rels/)",
    re.DOTALL,
)
_OPEN_DOCUMENT = compiled(
    rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument\.(spreadsheet|text|presentation)", re.DOTALL
)
_HTML = compiled(r"(?>\s+|<\?xml\s.*?\?>|<!--.*?-->)*+<(?:!doctype\s+html|html)\b", re.DOTALL | re.IGNORECASE)

EXTENSIONS: Mapping[str, str] = {
    "csv": Format.CSV,
    "psv": Format.CSV,
    "ssv": Format.CSV,
    "tsv": Format.TSV,
    "tab": Format.TSV,
    "json": Format.JSON,
    "geojson": Format.JSON,
    "jsonl": Format.JSONL,
    "ndjson": Format.JSONL,
    "jsonlines": Format.JSONL,
    **dict.fromkeys(
        ("xml", "atom", "gml", "gpx", "kml", "rdf", "rss", "svg", "wsdl", "xhtml", "xsd", "xsl", "xslt"), Format.XML
    ),
    "log": Format.TEXT,
    "md": Format.TEXT,
    "avro": "avro",
    "arrow": "arrow",
    "gif": "gif",
    "htm": "html",
    "html": "html",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "xls": "ole2",
    "doc": "ole2",
    "odp": "odp",
    "ods": "ods",
    "odt": "odt",
    "orc": "orc",
    "parquet": "parquet",
    "pdf": "pdf",
    "png": "png",
    "7z": "7z",
    "sqlite": "sqlite",
    "tar": "tar",
    "tif": "tiff",
    "tiff": "tiff",
    "webp": "webp",
    "xlsx": "xlsx",
    "docx": "docx",
    "pptx": "pptx",
}
SUFFIXES: Mapping[str, str] = {"gz": "gzip", "gzip": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd", "zip": "zip"}
"""Extensions that stand behind that of what is compressed."""
COMPRESSIONS = frozenset(SUFFIXES.values())
PACKED = COMPRESSIONS | {"7z"}
"""What is not unpacked a second time."""
TABLES = frozenset({Format.CSV, Format.TSV})
TEXTS = TABLES | {Format.JSON, Format.JSONL, Format.XML, Format.TEXT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a file's name says: the format of its content and whether it is compressed; None if it says nothing."""

    format: str | None
    compression: str | None

    @classmethod
    def of(cls, path: str) -> Name:
        """Read the extensions of the last segment of `path`, whatever their case."""
        _, *extensions = path.rpartition("/")[2].lower().split(".")
        compression = SUFFIXES.get(extensions[-1]) if extensions else None
        if compression:
            extensions.pop()
        return cls(format=EXTENSIONS.get(extensions[-1]) if extensions else None, compression=compression)


def binary_format(head: bytes) -> str | None:
    """The format of binary content by its first bytes; None for what may be text."""
    found = next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)
    if found == "zip":
        return _document_format(head) or found
    if found in MAY_BE_TEXT and b"\0" not in head and head.isascii():
        return None
    if found is None and head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if found is None and head[257:262] == b"ustar":
        return "tar"
    return found


def _document_format(head: bytes) -> str | None:
    """The format of a document whose parts are zipped; an archive of anything else has none."""
    if marked := _OPEN_DOCUMENT.match(head):
        return OPEN_DOCUMENT[marked[1]]
    part = _OFFICE_PART.search(head) if _OFFICE.match(head) else None
    return OFFICE[part[1]] if part else None


def compression_of(head: bytes, name: Name) -> str | None:
    """How a file that begins so is compressed; None if it is not."""
    if name.compression == "bzip2" and head.startswith(b"BZh"):  # letters: without such a name it may be text
        return "bzip2"
    found = binary_format(head)
    return found if found in COMPRESSIONS else None


def looks_binary(head: bytes) -> bool:
    """Whether unmarked content is no text: it has control characters that no text has."""
    controls = head.translate(None, bytes(range(32, 256)) + b"\t\n\r\f\v\b\x1b")
    return len(controls) * 50 > len(head)


def text_format(sample: str, named: str | None, *, whole: bool) -> tuple[str, Dialect | None]:
    """The format of text, with its dialect if it is a table.

    The name decides between formats that only differ in structure: what claims to be JSON is judged as JSON,
    however broken. Content overrules it only where it cannot be what the name says: JSON, XML or HTML in a table's
    place.
    """
    if named in TEXTS - TABLES and named is not None:
        return named, None
    if found := _marked_up(sample, whole=whole):
        return found, None
    # A name that promises tabs is believed where the first row has one.
    order = ("\t", *DELIMITERS) if named == Format.TSV else DELIMITERS
    dialect = detect_dialect(sample, whole=whole, delimiters=("\t",)) if named == Format.TSV else None
    if dialect is None or dialect.columns == 1:
        dialect = detect_dialect(sample, whole=whole, delimiters=order)
    is_table = named in TABLES or is_convincing(dialect)
    return (_table(dialect), dialect) if is_table else (Format.TEXT, None)


def _marked_up(sample: str, *, whole: bool) -> str | None:
    if _HTML.match(sample):
        return "html"
    if looks_like_xml(sample, whole=whole):
        return Format.XML
    if _is_json_lines(sample, whole=whole):
        return Format.JSONL
    return Format.JSON if _is_json(sample, whole=whole) else None


def _table(dialect: Dialect) -> Format:
    return Format.TSV if dialect.delimiter == "\t" else Format.CSV


def _is_json(sample: str, *, whole: bool) -> bool:
    """Whether the sample is one JSON object or array, or the beginning of one that is longer."""
    text = sample.strip(" \t\n\r")
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except RecursionError:
        return True
    except json.JSONDecodeError as error:
        return not whole and error.pos > len(text) - 1024
    except ValueError:  # a number too long for Python to convert
        return True
    return True


def _is_json_lines(sample: str, *, whole: bool) -> bool:
    """Whether the first lines, at least two, are each a JSON object or array."""
    lines = sample.split("\n")
    if not whole:
        lines.pop()
    filled = [line for line in lines if line.strip()][:20]
    return len(filled) > 1 and all(_is_json(line, whole=True) for line in filled)


UNTELLING = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-www-form-urlencoded"})
"""Declared types that are what a client sends when it does not know."""

ALSO_DECLARED_AS: Mapping[str, frozenset[str]] = {
    # Windows registers .csv for Excel; browsers there send its type.
    Format.CSV: frozenset({"text/plain", "application/csv", "text/x-csv", "application/vnd.ms-excel"}),
    Format.TSV: frozenset({"text/plain", "text/csv", "application/vnd.ms-excel"}),
    Format.JSON: frozenset({"text/plain", "text/json", "application/geo+json", "application/ld+json"}),
    Format.JSONL: frozenset(
        {"text/plain", "application/json", "application/x-ndjson", "application/x-jsonlines", "application/json-lines"}
    ),
    Format.XML: frozenset({"text/plain", "text/xml"}),
    "gzip": frozenset({"application/x-gzip"}),
    "html": frozenset({"application/xhtml+xml"}),
    "ole2": frozenset({"application/vnd.ms-excel", "application/msword", "application/vnd.ms-powerpoint"}),
    "sqlite": frozenset({"application/x-sqlite3"}),
    "zip": frozenset({"application/x-zip-compressed"}),
}


def fits_declared(declared: str, found: str, compression: str | None) -> bool:
    """Whether the media type declared with an upload can be that of its content, packed or unpacked."""
    if declared in UNTELLING or (found == Format.TEXT and declared.startswith(("text/", "application/"))):
        return True
    if found == Format.XML and declared.endswith("+xml"):
        return True
    names = {found, compression} - {None}
    return any(
        declared == MEDIA_TYPES.get(name or "") or declared in ALSO_DECLARED_AS.get(name or "", ()) for name in names
    )
