"""What the name of a file says of its content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.inspection.media_types import Format

SOURCES = (
    *(
        "bat",
        "c",
        "cfg",
        "conf",
        "cpp",
        "css",
        "dtd",
        "f",
        "go",
        "h",
        "ini",
        "java",
        "js",
        "lua",
        "php",
        "pl",
        "ps1",
        "py",
    ),
    *("r", "rb", "rs", "rst", "scss", "sh", "sql", "style", "tex", "toml", "ts", "yaml", "yml"),
)
"""What is text, with whatever delimiters and brackets."""
ZIPPED = ("apk", "ear", "egg", "epub", "jar", "kmz", "npz", "war", "whl")
"""What is kept as a zip archive and is no way to send files: it is not unpacked."""

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
    **dict.fromkeys(SOURCES, Format.TEXT),
    **dict.fromkeys(ZIPPED, "zip"),
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
    "parquet": Format.PARQUET,
    "pdf": "pdf",
    "png": "png",
    "7z": "7z",
    "sqlite": "sqlite",
    "tar": "tar",
    "tif": "tiff",
    "tiff": "tiff",
    "webp": "webp",
    **dict.fromkeys(("xlsx", "xlsm", "xltx", "xltm", "xlsb"), Format.XLSX),
    "docx": "docx",
    "pptx": "pptx",
}
SUFFIXES: Mapping[str, str] = {"gz": "gzip", "gzip": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd", "zip": "zip"}
"""Extensions that stand behind that of what is compressed."""
COMPRESSIONS = frozenset(SUFFIXES.values())
PACKED = COMPRESSIONS | {"7z"}
"""What is not unpacked a second time."""


class Name(NamedTuple):
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
