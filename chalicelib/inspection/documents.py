"""What documents are made of zipped parts: those of office programs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from chalicelib.inspection.patterns import compiled

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
_WORKBOOK = compiled(rb"PK\x03\x04.{26}(?:[\w.-]+[/\\])*workbook\.xml", re.DOTALL | re.IGNORECASE)
"""In whichever folder: relationships lead to the parts of a package (ECMA-376 part 2), and their order is free."""


def document_format(head: bytes, named: str | None = None) -> str | None:
    """The format of a document whose parts are zipped; an archive of anything else has none."""
    if marked := _OPEN_DOCUMENT.match(head):
        return OPEN_DOCUMENT[marked[1]]
    part = _OFFICE_PART.search(head) if _OFFICE.match(head) else None
    if part:
        return OFFICE[part[1]]
    return "xlsx" if named == "xlsx" and _first_is_part(head) and _WORKBOOK.search(head) else None


def _first_is_part(head: bytes) -> bool:
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return name.lower().endswith((b".xml", b".rels"))
