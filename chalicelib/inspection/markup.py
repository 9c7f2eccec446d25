"""Text that is marked up: HTML or XML by its first words, whatever its name."""

from __future__ import annotations

import re

from chalicelib.inspection.media_types import Format
from chalicelib.inspection.patterns import compiled
from chalicelib.inspection.xml_text import looks_like_xml

_HTML = compiled(r"(?>\s+|<\?xml\s.*?\?>|<!--.*?-->)*+<(?:!doctype\s+html|html)\b", re.DOTALL | re.IGNORECASE)


def markup_format(sample: str, *, whole: bool) -> str | None:
    """What a text is that begins with the sample, and with an angle bracket before all else; None for neither."""
    if _HTML.match(sample):
        return "html"
    return Format.XML if looks_like_xml(sample, whole=whole) else None
