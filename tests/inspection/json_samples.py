"""Texts that are JSON and texts that are not, and a strict oracle, shared by the tests of both JSON formats."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from hypothesis import strategies as st

from chalicelib.findings import Finding, Findings
from chalicelib.inspection.formats import FormatInspector
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.report import Facts
from chalicelib.inspection.text import Lines
from tests.inspection.strategies import with_kernel

VALID = (
    *("[]", "{}", "[[] ]", '[""]', "[1]", " [1] ", "[ 1 , 2 ]", "\n\t\r [] \n\t\r", '""'),
    *("0", "-0", "0.0", "-0.0", "1", "-1", "10", "1.5", "0.5", "0e1", "0e+1", "0E-1", "1e5", "1E+22", "1e-2"),
    *("123.456e78", "123.456789", "-123", "[20e1]", "[-0]", "[123e65]", "[0e+1]", "[1E22]", "[1E-2]", "[1e+2]"),
    "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]",
    *("[1.5e+9999]", "[-1e+9999]", "[123123e100000]", "[0.4e00669999999999999999999999999999999999999999]"),
    "[100000000000000000000]",
    *("true", "false", "null", "[true,false,null]", "[null,1,1,1,2]", '"asd"', "42", "-0.1", ' "a" '),
    *('{"a":1}', '{"":0}', '{"a":{}}', '{"a":[]}', '{ "a" : 1 , "b" : 2 }', '{"min":-1.0e+28,"max":1.0e+28}'),
    *('{"a":"b","asd":"c"}', '{"a":"b","a":"c"}', '{"a":"b","a":"b"}', '{"foo\\u0000bar":42}'),
    *('{"title":"\\u041f\\u043e"}', '{"a":[{"b":[{}]}]}', '{\n"a": "b"\n}', "[[[[]]]]", "[[],[[]],{}]"),
    *(r'["\""]', r'["\\"]', r'["\/"]', r'["\b\f\n\r\t"]', r'["\u0060\u012a\u12AB"]', r'["\uD801\udc37"]'),
    *(r'["\ud83d\ude39\ud83d\udc8d"]', r'["\u0000"]', r'["\uDADA"]', r'["\ud800"]', r'["\ud800\n"]', r'["\udd1ea"]'),
    *(r'["\uD800\uD800\n"]', r'["\ud800abc"]', r'["\uDd1e\uD834"]', r'["\\u0000"]', r'["\\a"]', r'["\\n"]'),
    *(r'["\uFFFF"]', r'["\uDBFF\uDFFE"]', r'["\u005C"]', r'["\u0022"]', r'["\u200B"]', r'["\u2064"]'),
    *('["é"]', '["€𝄞"]', '["\u2028\u2029"]', '["\x7f"]', '["\uffff\U0010ffff"]', '["\ufeff"]', '["a/*b*/c/*d//e"]'),
    *('["asd "]', '[ "asd"]', '["new\u00a0line"]', '[" "]', '["π"]', '["⍂㈴⍂"]', "[1\n]", "[1,\n2]", "[]\n"),
)
INVALID = (
    *(" ", "\n\n", "[", "]", "{", "}", "[1", "[1,", '["a"', '["a",', "[[]", "[[", '["', '"', '"a', "[{}", "{]", "[}"),
    *("[1,]", "[,1]", "[1,,2]", "[,]", "[,", '["",]', "[1 2]", "[1 true]", '["a" "b"]', "[3[4]]", "[[],]", "[1]]"),
    *("[1:2]", '["a":1]', "[1}", '{"a":1]', "[][]", "[]1", "{}{}", "1 2", "1,2", "{},{}", '""""', "[1]x", "[1],"),
    *('{"a"}', '{"a":}', '{"a":1,}', '{,"a":1}', '{"a":1,,"b":2}', '{"a" 1}', '{"a"::1}', "{:1}", '{"a":1 "b":2}'),
    *("{a:1}", "{'a':1}", "{1:1}", "{null:1}", "{[]:1}", '{"a', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1}}'),
    *('{"a":"b"}#', '{"a":"b"}/**/', '{"a":/*x*/1}', "[1]//x", "/*x*/[]", "#x\n[]", '{"a":"a" 123}', '{"a",1}'),
    *('{"a":1;"b":2}', '{"a"=1}', "{9999E9999:1}", '{"id":0,,,,,}', '{"a":"b",,"c":"d"}', '{"a":true} "x"'),
    *("True", "FALSE", "None", "nul", "nulll", "tru", "truee", "fals", "falsee", "[nul]", "[tru]", "[fals]", "[truth]"),
    *(
        "NaN",
        "[NaN]",
        "-NaN",
        "Infinity",
        "-Infinity",
        "[+Inf]",
        "[Inf]",
        "[-Infinity]",
        "undefined",
        "[nan]",
        "n",
        "t",
    ),
    *("01", "-01", "00", "[-012]", "[012]", "+1", "[++1]", "[+1]", "-", "[-]", "--1", "[- 1]", "-a", "[-foo]", "[-1x]"),
    *(
        "1.",
        "[1.]",
        ".5",
        "-.5",
        "[.123]",
        "[-2.]",
        "[2.e3]",
        "[2.e+3]",
        "[.2e-3]",
        "1.a",
        "[0.e1]",
        "[1.2.3]",
        "[-1.0.]",
    ),
    *(
        "1e",
        "1e+",
        "1E-",
        "[0e]",
        "[0e+]",
        "[0E+]",
        "[0.3e]",
        "[0.3e+]",
        "[1.0e]",
        "[1.0e-]",
        "[1eE2]",
        "[9.e+]",
        "[1e1e1]",
    ),
    *(
        "0x1",
        "[0x42]",
        "[1_000]",
        "[1 000.0]",
        "[1a]",
        "[1ea]",
        "[1+2]",
        "[0.1.2]",
        "[-1.2a]",
        "1f",
        "[１]",
        "[-１]",
        "[1１]",
    ),
    *(r'"\x00"', r'"\a"', r'"\'"', r'"\0"', r'"\U0041"', '"\\', '"\\"', r'"\u"', r'"\u1"', r'"\u12"', r'"\u123"'),
    *(
        r'"\u123g"',
        r'"\u+123"',
        r'"\u 123"',
        r'["\uD834\uDd"]',
        r'["\ud800\u"]',
        r'["\ud800\u1x"]',
        r'"\é"',
        r'"\	"',
    ),
    *(
        r'["\\\"]',
        r'["\{["\{',
        r"[\u000A]",
        r"[\n]",
        r'"\u00A"',
        '"\n"',
        '"\t"',
        '"\r"',
        '"\x00"',
        '"\x1f"',
        '["a\x00a"]',
    ),
    *(
        "['a']",
        "['",
        "a",
        "é",
        "[a",
        "*",
        "<.>",
        "[<null>]",
        "©",
        "⁠",
        "\u00a0[]",
        "[\u00a0]",
        "\u2003[]",
        "[\v1]",
        "\f[]",
    ),
    *("[\x00]", "\x00", "\ufeff[]", "\ufeff", "[1]\x00", "{}\v", "\x1f[]", "\x85[]", "[1\u2028]", "$", "[*]", '[1,"a'),
    *('["x"', '["x", truth]', "[1,\n1\n,1", '[{"":[{"":[{"":', "[a,b]", '{"x", null}', '["": 1]', '{"a":"b"}//', '""x'),
    *("{\U0001f1e8\U0001f1ed}", '{"asd":"asd"', "{key: 'v'}", '{"a":"a', '{0:"x"}', '{"a":b}', "2@", "{}}", '""]'),
)


class NotJsonError(ValueError):
    """The oracle's refusal of what Python's parser lets pass."""


def _refuse(constant: str) -> NoReturn:
    raise NotJsonError(constant)


def is_json(text: str) -> bool:
    """Whether Python's parser, made strict, reads the text."""
    try:
        json.loads(text, parse_constant=_refuse, parse_int=len, parse_float=len)
    except ValueError:
        return False
    return True


def repeated_names(text: str) -> int:
    """How many members of a JSON text repeat a name of their object."""
    repeated = 0

    def count(pairs: Sequence[tuple[str, object]]) -> None:
        nonlocal repeated
        repeated += len(pairs) - len(dict(pairs))

    json.loads(text, object_pairs_hook=count)
    return repeated


def member_names(values: Sequence[object]) -> list[str]:
    """The names of the members of those values that are objects, in the order they are first seen."""
    return list(dict.fromkeys(name for value in values if isinstance(value, Mapping) for name in value))


def json_type(value: object) -> str:
    """The type of a value that Python's parser has read; an integer is a number without fraction and exponent."""
    kinds = {dict: "object", list: "array", str: "string", int: "integer", float: "number", bool: "boolean"}
    return "null" if value is None else kinds[type(value)]


def types_of(values: Iterable[object]) -> dict[str, int]:
    """How many of the values are of each type."""
    return dict(Counter(map(json_type, values)))


def member_types(values: Sequence[object]) -> list[dict[str, int]]:
    """For each name of `member_names`, how many records have a value of each type."""
    records = [value for value in values if isinstance(value, Mapping)]
    return [types_of(record[name] for record in records if name in record) for name in member_names(values)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that an inspection tells."""

    facts: Facts
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]

    @property
    def codes(self) -> list[str]:
        return [finding.code for finding in self.findings]

    @property
    def only(self) -> Finding:
        (finding,) = self.findings
        return finding


def outcome(format_: Callable[[Findings, Limits], FormatInspector], blocks: Iterable[bytes], limits: Limits) -> Outcome:
    """What the inspector of a format tells of the blocks: the same with the kernel and without."""
    blocks = list(blocks)
    told = _outcome(format_, blocks, limits)
    assert _outcome(format_, blocks, with_kernel(limits)) == told
    return told


def _outcome(
    format_: Callable[[Findings, Limits], FormatInspector], blocks: Sequence[bytes], limits: Limits
) -> Outcome:
    findings, lines, told = Findings(), Lines(), Lines()
    inspector = format_(findings, limits)
    for block in blocks:
        inspector.feed(block)
        lines.feed(block, inspector.newlines)
    told.feed(b"".join(blocks))
    assert lines.kinds == told.kinds, "the line ends that were counted on the way"
    facts = inspector.finish()
    return Outcome(facts, tuple(findings), findings.counts)


def cut(text: str, size: int) -> Iterator[bytes]:
    """The text in blocks of `size` characters."""
    return (text[at : at + size].encode() for at in range(0, len(text), size))


def sizes(text: str) -> list[int]:
    """Block sizes that put the cuts everywhere, at each edge, and nowhere."""
    return [1, 2, 3, 7, max(len(text) - 1, 1), max(len(text), 1)]


NAMES = st.sampled_from(["a", "b", "", "é", "\ud83d", "a" * 65, "𝄞", '"', "\\", "id"]) | st.text(max_size=3)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "[", "{", ",", '"', "\\", "\ud800", "}\n", "é"])
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.dictionaries(NAMES, SCALARS | st.lists(SCALARS, max_size=3), max_size=4)
SPELLINGS = st.fixed_dictionaries(
    {
        "ensure_ascii": st.just(True),
        "separators": st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :\r")]),
    }
)
TOKENS = st.lists(
    st.sampled_from(
        [
            *'[]{},:"\\ \n\t-+.eE015x',
            *("true", "null", '"a"', '"a":', r"\u00", "NaN", "[{", "}]", "1.5", r"\ud83d", "é"),
        ]
    ),
    max_size=12,
).map("".join)


@st.composite
def mutated(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text with a piece replaced by another: often just not JSON."""
    text = draw(texts)
    begin = draw(st.integers(0, len(text)))
    end = draw(st.integers(begin, min(begin + 3, len(text))))
    return text[:begin] + draw(TOKENS) + text[end:]
