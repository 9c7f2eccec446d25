"""Names of XML 1.0's fifth edition, respelled for expat, which knows those of the fourth.

The fifth edition allows nearly every character in a name. Those that expat would refuse there become, wherever they
stand, a character that it takes, and five digits: two names are as different as before, no other text is changed in
what it means to expat, and a name begins with a respelled character only if it may begin with the original.
"""

from __future__ import annotations

import re

from chalicelib.inspection.patterns import compiled

_BEGINS, _GOES_ON = "\u3007", "\u0360"
"""Where both editions agree: one may begin a name, the other only go on. Both are respelled themselves."""

# What NameStartChar and NameChar have beyond ASCII but for the longer runs of characters that both editions agree on.
_NAME_START = (
    "\u0132-\u0149\u017f\u01c4-\u024f\u02a9-\u02ff\u0370-\u037d\u037f-\u03a2\u03cf-\u040d\u0450-\u048f\u04c5-\u0670"
    "\u06b8-\u0904\u093a-\u0e00\u0e2f-\u1dff\u1e9c-\u1e9f\u1efa-\u1f7f\u1fb5-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\u3040\u3095-\u30a0\u30fb-\u3104\u312d-\u4dff\u9fa6-\uabff\ud7a4-\ud7ff\uf900-\ufdcf"
    "\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME_ONLY = "\u0346-\u036f\u203f-\u2040"

_split = re.compile(f"([{_NAME_ONLY}{_NAME_START}])").split
_is_name_only = re.compile(f"[{_NAME_ONLY}]").match
_original = re.compile(f"[{_BEGINS}{_GOES_ON}]([0-9a-f]{{5}})").sub
_find_beyond_latin = compiled(b"[\xc4-\xff]").search

ADDED = 5
"""How many characters a respelled one has more."""


class _Spellings(dict[str, str]):
    """Each character's, once it was asked for: text in some scripts is full of them."""

    def __missing__(self, char: str) -> str:
        self[char] = spelling = f"{_GOES_ON if _is_name_only(char) else _BEGINS}{ord(char):05x}"
        return spelling


_SPELLINGS = _Spellings()


def respelled(block: bytes) -> bytes:
    """A piece of UTF-8, cut between characters, as expat is to read it; the very same object if nothing changes."""
    if block.isascii() or not _find_beyond_latin(block):
        return block
    parts = _split(block.decode("utf-8"))
    if len(parts) == 1:
        return block
    parts[1::2] = map(_SPELLINGS.__getitem__, parts[1::2])
    return "".join(parts).encode()


def original(name: str) -> str:
    """What was respelled, as it was."""
    return _original(lambda found: chr(int(found[1], 16)), name) if not name.isascii() else name


def count_respelled(block: bytes) -> int:
    """How many characters of a respelled block are respelled."""
    return block.count(_BEGINS.encode()) + block.count(_GOES_ON.encode())
