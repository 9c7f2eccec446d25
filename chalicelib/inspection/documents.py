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


def document_format(head: bytes) -> str | None:
    """The format of a document whose parts are zipped; an archive of anything else has none."""
    if marked := _OPEN_DOCUMENT.match(head):
        return OPEN_DOCUMENT[marked[1]]
    part = _OFFICE_PART.search(head) if _OFFICE.match(head) else None
    return OFFICE[part[1]] if part else None
