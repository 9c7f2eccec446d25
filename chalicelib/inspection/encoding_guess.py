"""Which encoding a text is in that is not UTF-8 and does not say.

Each encoding decodes a sample, and the guess is the one whose text is the most likely (`likelihood`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.inspection.text_encodings import codec_of

SAMPLE_BYTES = 16 * 1024
BEFORE_BYTES = 64
PRIORS: Mapping[str, int] = {
    "windows-1252": 0,
    "windows-1250": 300,
    "windows-1251": 100,
    "windows-1253": 150,
    "windows-1254": 150,
    "windows-1255": 200,
    "windows-1256": 200,
    "shift_jis": 100,
    "gb18030": 100,
    "big5": 150,
    "euc-kr": 150,
    "euc-jp": 250,
    "koi8-r": 250,
    "tis-620": 250,
    "cp866": 350,
    "iso-8859-5": 400,
    "iso-8859-7": 350,
    "iso-8859-2": 450,
    "iso-8859-15": 300,
    "cp850": 500,
    "mac-roman": 500,
    "cp437": 700,
}
"""How rare each is, in hundredths of bits, the most common first.

ISO-8859-1 is not one: what it has beyond windows-1252 is control characters.
"""
IMPLAUSIBLE = 800
"""How much text costs for each byte, in hundredths of bits, that is of none of the languages in that encoding."""
UNSURE = 49
_WORDS = rb"[^\x00-\x2f\x3a-\x3f]*[\x80-\xff][^\x00-\x2f\x3a-\x3f]*"
"""Those that are not ASCII, cut at bytes that are no half of a character in any encoding."""
_ASCII, _NOT_ASCII = bytes(range(128)), bytes(range(128, 256))
find_beyond_ascii = re.compile(rb"[\x80-\xff]").search


class Guess(NamedTuple):
    """An encoding, and how sure it is that its text is the right one, in percent."""

    encoding: str
    confidence: int

    @property
    def values(self) -> dict[str, Any]:
        """What the finding says of it."""
        return {"encoding": self.encoding, "confidence": self.confidence}


def sample_of(text: bytes) -> bytes:
    """What a guess is made of: the first byte beyond ASCII, and what is near it."""
    first = find_beyond_ascii(text)
    at = first.start() if first else 0
    return text[max(0, at - BEFORE_BYTES) : at + SAMPLE_BYTES]


def is_legacy(data: bytes) -> bool:
    """Whether text taken for UTF-8 is not even damaged UTF-8: more of its characters are broken than valid.

    In other encodings some pairs of bytes look like valid ones: in Chinese text one of seven.
    """
    sample = sample_of(data).replace("\ufffd".encode(), b"?")  # what was replaced elsewhere is not broken here
    text = sample.decode("utf-8", "replace")
    return 2 * text.count("\ufffd") > len(text) - len(sample.translate(None, _NOT_ASCII))


def unmarked_utf16(head: bytes) -> Guess | None:
    """The guess for text in UTF-16 without a byte order mark: one half of its bytes has many zeros, the other none."""
    sample = head[: SAMPLE_BYTES // 2 * 2]
    pairs = len(sample) // 2
    zeros = (sample[: 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0))
    if pairs < 4 or min(zeros) or max(zeros) * 2 < pairs:
        return None
    encoding = "utf-16-le" if zeros[1] else "utf-16-be"
    try:
        text, _ = codec_of(encoding)(sample, "strict", False)
    except UnicodeDecodeError:
        return None
    from unicodedata import category  # noqa: PLC0415 (few files need it)

    if any(category(char) in ("Cc", "Co", "Cn") for char in set(text) - set("\t\n\r\f")):
        return None
    return Guess(encoding=encoding, confidence=min(99, 50 + 50 * max(zeros) // pairs))


def guess_encoding(data: bytes) -> Guess:
    """The guess for text that begins so, by what is not ASCII near its beginning."""
    from chalicelib.inspection.likelihood import cost  # noqa: PLC0415 (few files need it)

    words = dict.fromkeys(re.findall(_WORDS, sample_of(data)))  # a word said again tells nothing more
    sample = b"".join(word + b"\n" for word in words)
    texts: dict[str, tuple[int, str]] = {}
    for encoding, prior in PRIORS.items():
        text = _decoded(sample, encoding)
        if text not in texts:  # else a more common encoding reads the same
            texts[text] = (prior + cost(sample, text, encoding), encoding)
    best, encoding = min(texts.values())
    likelihood = sum(2.0 ** ((best - other) / 200) for other, _ in texts.values())
    most = UNSURE if best - PRIORS[encoding] > IMPLAUSIBLE * len(sample.translate(None, _ASCII)) else 99
    return Guess(encoding=encoding, confidence=max(1, min(most, round(100 / likelihood))))


def _decoded(sample: bytes, encoding: str) -> str:
    """The sample's text; a character that its end cuts is none, or what is no text there would cost nothing."""
    text, _ = codec_of(encoding)(sample, "replace", True)
    return text
