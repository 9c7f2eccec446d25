"""The formats and their media types, and what an upload may be declared as."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Format(StrEnum):
    """The formats that are judged; any other file gets the name of its content, with size, hash and media type."""

    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    JSONL = "jsonl"
    XML = "xml"
    PARQUET = "parquet"
    XLSX = "xlsx"
    TEXT = "text"
    BINARY = "binary"
    FOLDER = "folder-marker"


TABLES = frozenset({Format.CSV, Format.TSV})
TEXTS = TABLES | {Format.JSON, Format.JSONL, Format.XML, Format.TEXT}

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
    Format.PARQUET: "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "png": "image/png",
    "7z": "application/x-7z-compressed",
    "sqlite": "application/vnd.sqlite3",
    "tar": "application/x-tar",
    "tiff": "image/tiff",
    "webp": "image/webp",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xz": "application/x-xz",
    "zip": "application/zip",
    "zstd": "application/zstd",
}

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
    Format.XLSX: frozenset(
        {
            "application/vnd.ms-excel",
            "application/vnd.ms-excel.sheet.macroenabled.12",
            "application/vnd.ms-excel.sheet.binary.macroenabled.12",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
        }
    ),
    "zip": frozenset(
        {
            "application/x-zip-compressed",
            "application/epub+zip",
            "application/java-archive",
            "application/vnd.android.package-archive",
            "application/vnd.google-earth.kmz",
        }
    ),
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
