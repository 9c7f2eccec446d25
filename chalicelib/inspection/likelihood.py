"""How improbable a text is: by how often its characters are met in a language, and how they stand together.

All is counted in hundredths of bits, so in integers.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache

from chalicelib.inspection import alphabets

# What characters cost, in hundredths of bits.
SYMBOL, FOREIGN, CONTROL, BOX, INVALID = 1300, 1150, 2600, 1000, 2500
HIRAGANA, KATAKANA, COMMON, KNOWN, RARE, RAREST = 650, 750, 750, 1150, 1500, 1800
PUNCTUATION = 600
OF_ALL = 20  # what leaves room for the characters that are not listed
EATEN = 300  # a letter of ASCII that is the second half of a character
_NO_LETTERS = bytes(byte for byte in range(256) if not chr(byte).isalpha() or byte > 127)
_runs = re.compile(r"([^\x00-\x7f\ufffd])\1+").sub
"""Such as spaces that do not break, and dots up to the page's number."""


def cost(sample: bytes, text: str, encoding: str) -> int:
    """What it costs to believe that the bytes are that text, in the language that fits it best."""
    eaten = EATEN * _eaten(sample, text)
    text = _said_once(text)
    found = {char: count for char, count in Counter(text).items() if char > "\x7f"}
    languages = LANGUAGES_OF.get(encoding) or SMALL
    in_language = min(_language_cost(found, language) for language in languages)
    return in_language + _disorder(text) + eaten


def _said_once(text: str) -> str:
    """The text without what tells nothing more because it is said again: runs of one character, and then words."""
    words = _runs("\\1", text).split("\n")
    broken = [word for word in words if "\ufffd" in word]  # each was of other bytes
    return "\n".join([*dict.fromkeys(word for word in words if "\ufffd" not in word), *broken])


def _language_cost(found: Mapping[str, int], language: str) -> int:
    model = _model(language)
    return sum(count * (model.get(char) or _unknown(char, language)) for char, count in found.items())


def _eaten(sample: bytes, text: str) -> int:
    """How many letters of ASCII are the second halves of characters."""
    letters = len(sample.translate(None, _NO_LETTERS))
    return letters - len(text.encode("ascii", "ignore").translate(None, _NO_LETTERS))


SMALL: Mapping[str, str] = {**alphabets.LATIN, **alphabets.OTHERS}
LANGUAGES_OF: Mapping[str, tuple[str, ...]] = {
    "shift_jis": ("Japanese",),
    "euc-jp": ("Japanese",),
    "gb18030": ("Chinese",),
    "big5": ("Traditional Chinese",),
    "euc-kr": ("Korean",),
}


@cache
def _model(language: str) -> dict[str, int]:
    """What each character of a language costs."""
    costs = dict.fromkeys(alphabets.PUNCTUATION, PUNCTUATION)
    if language in alphabets.COMMON:
        return costs | dict.fromkeys(alphabets.COMMON[language], COMMON)
    shares = {word[0]: float(word[1:]) for word in SMALL[language].split()}
    total = sum(shares.values())
    for char, share in shares.items():
        costs[char] = round(-100 * math.log2(share / total)) + OF_ALL
        if len(char.upper()) == 1:  # no ß
            costs[char.upper()] = costs[char]
    return costs


@lru_cache(4096)
def _unknown(char: str, language: str) -> int:
    if char == "\ufffd":
        return INVALID
    if language in alphabets.COMMON:
        return _of_many(char, language)
    if "\u2500" <= char <= "\u259f":
        return BOX
    category = unicodedata.category(char)
    return CONTROL if category in ("Cc", "Co", "Cn") else FOREIGN if category.startswith("L") else SYMBOL


def _of_many(char: str, language: str) -> int:
    """The cost of a character that is not one of the most common of its language."""
    if "\u3000" <= char <= "\u3002" or char in ",。、「」:;()!?・ー":
        return COMMON
    if "\u3041" <= char <= "\u30ff":
        return RARE if language != "Japanese" else HIRAGANA if char < "\u30a0" else KATAKANA
    if "\uff01" <= char <= "\uff5e":
        return KNOWN
    encoding = NATIONAL[language]
    try:
        written = char.encode(encoding)
    except UnicodeEncodeError:
        return RAREST
    if len(written) != 2:
        return RAREST
    first, last = COMMON_ROWS[language]
    return KNOWN if first <= written[0] <= last else RARE


NATIONAL: Mapping[str, str] = {
    "Chinese": "gb2312",
    "Traditional Chinese": "big5",
    "Japanese": "euc_jp",
    "Korean": "euc_kr",
}
COMMON_ROWS: Mapping[str, tuple[int, int]] = {
    "Chinese": (0xB0, 0xD7),
    "Traditional Chinese": (0xA4, 0xC6),
    "Japanese": (0xB0, 0xCF),
    "Korean": (0xB0, 0xC8),
}
"""The first bytes of the national standard's characters in everyday use."""


# -- how the characters stand together


class _Kinds(dict[int, str]):
    """The kind of each character: a letter for a script's lower case, its capital for the upper."""

    def __missing__(self, code: int) -> str:
        self[code] = kind = _kind(chr(code))
        return kind


@lru_cache(4096)
def _kind(char: str) -> str:
    if char in "'’·-\u00ad":
        return "-"
    if "0" <= char <= "9":
        return "0"
    if not char.isalpha() or char in "ªº":
        return " " if char.isascii() or char.isspace() or char in "ªº" else "s"
    if char.isascii():
        return "A" if char.isupper() else "a"
    script = "L" if char < "\u0370" else "G" if char < "\u0400" else "C" if char < "\u0530" else "x"
    return script if script == "x" or char.isupper() else script.lower()


DISORDERS: Mapping[re.Pattern[str], int] = {
    re.compile("(?<=[al])L|(?<=l)A|(?<=c)C|(?<=g)G"): 500,  # a capital inside of a word
    re.compile("(?<=[AL][AL])l|(?<=[AL]L)a|(?<=CC)c|(?<=GG)g"): 400,  # no capital inside of capitals
    re.compile("(?<![AL])L|(?<!C)C|(?<!G)G"): 250,  # the first capital of a word
    re.compile("(?<=[aAlLcCgG])s+(?=[aAlLcCgG])"): 500,  # a symbol inside of a word
    re.compile("(?<=[aAlL])[cCgG]|(?<=[cCgG])[aAlL]|(?<=[cC])[gG]|(?<=[gG])[cC]"): 500,  # two scripts in a word
    re.compile("(?<=[aAlL])x|x(?=[aAlL])"): 300,
    re.compile("(?<=0)[lLcCgG]|[lLcCgG](?=0)"): 400,  # a letter beside a digit
}


def _disorder(text: str) -> int:
    kinds = text.translate(_Kinds())
    return sum(cost * sum(1 for _ in pattern.finditer(kinds)) for pattern, cost in DISORDERS.items())
