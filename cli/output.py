"""Standard output and error: what their encoding lacks is escaped, and what cannot be written is given up."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from typing import TextIO

ESCAPED = "recibo-escaped"


def escape_unencodable() -> None:
    """Write characters that an encoding lacks, and bytes of names that are not UTF-8, as JSON escapes them."""
    codecs.register_error(ESCAPED, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"  # click would write UTF-8, and `?` for the rest
            stream.reconfigure(encoding="utf-8" if is_ascii else None, errors=ESCAPED)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def give_up(stream: TextIO | None) -> None:
    """Let Python write the rest to nowhere when it ends; it would complain otherwise."""
    if stream:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
