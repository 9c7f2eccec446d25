"""What a text is: by its name, then by how it looks."""

from __future__ import annotations

import json

from chalicelib.inspection.dialect import DELIMITERS, Dialect, detect_dialect, is_convincing
from chalicelib.inspection.media_types import TABLES, TEXTS, Format


def text_format(
    sample: str, named: str | None, *, whole: bool, may_have_title: bool = True
) -> tuple[str, Dialect | None]:
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
        dialect = detect_dialect(sample, whole=whole, delimiters=order, may_have_title=may_have_title)
    is_table = named in TABLES or is_convincing(dialect)
    return (_table(dialect), dialect) if is_table else (Format.TEXT, None)


def _marked_up(sample: str, *, whole: bool) -> str | None:
    begins = sample.lstrip()[:1]
    if begins == "<":
        from chalicelib.inspection.markup import markup_format  # noqa: PLC0415 (on first use)

        return markup_format(sample, whole=whole)
    if begins not in ("{", "["):
        return None
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
