"""XML for the tests: documents made by a generator, texts made of what means something in it, and examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "order", "_x-1.2", "é", "ação", "名前", "😀", "a\u0360", "ก็", "\u3007", "a0f600"])
CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Cs"])
CONTENTS = st.text(CHARACTERS, max_size=6) | st.sampled_from(["]]", "\n", " \t ", "&", "<", ">", "😀", "\u3007"])


@dataclass(frozen=True, slots=True)
class Tree:
    """An element, with text before, between and behind its children."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    text: str
    children: tuple[Tree, ...]

    def walk(self) -> Iterator[Tree]:
        """The element and all inside it."""
        yield self
        for child in self.children:
            yield from child.walk()


def trees(names: st.SearchStrategy[str] = NAMES) -> st.SearchStrategy[Tree]:
    """Elements of any depth, with few names, so that they are often alike."""
    attributes = st.lists(st.tuples(names, CONTENTS), max_size=3, unique_by=lambda pair: pair[0]).map(tuple)

    def around(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        return st.builds(Tree, names, attributes, CONTENTS, st.lists(inner, max_size=4).map(tuple))

    return st.recursive(st.builds(Tree, names, attributes, CONTENTS, st.just(())), around, max_leaves=12)


def written(tree: Tree) -> str:
    """The element as XML."""
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in tree.attributes)
    if not tree.children and not tree.text:
        return f"<{tree.name}{attributes}/>"
    text = escape(tree.text)
    inner = text.join(["", *map(written, tree.children), ""])
    return f"<{tree.name}{attributes}>{inner or text}</{tree.name}>"


PIECES = [
    *(
        "<a>",
        "</a>",
        "<a",
        "<b/>",
        "</b",
        ">",
        "/>",
        " a='1'",
        ' b="2"',
        "='",
        "&lt;",
        "&#65;",
        "&#0;",
        "&x;",
        "&",
        "<",
    ),
    *("<!--", "-->", "--", "<![CDATA[", "]]>", "]", "<?x y?>", "<?xml ?>", "?>", "<?", "<!DOCTYPE a [", "]>"),
    *("<!ELEMENT a (b|c)*>", "<!ATTLIST a b CDATA 'c'>", "<!ENTITY a 'b'>", "<!NOTATION n SYSTEM 'x'>", "%p;"),
    *(" ", "\n", "\r\n", "\r", "\t", "x", "é", "😀", "\ufeff", "\0", "\x0b", "xmlns:p='u'", " p:a=''", "<p:a/>", ":"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def mutated(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts that are cut, or have a piece put in or in the place of another."""

    def change(text: str, at: int, length: int, piece: str, cut: bool) -> str:
        at %= len(text) + 1
        return text[:at] if cut else text[:at] + piece + text[at + length :]

    return st.builds(change, texts, st.integers(0, 200), st.integers(0, 3), st.sampled_from(PIECES), st.booleans())


WELL_FORMED = [
    "<a/>",
    "<a></a >",
    " \t\r\n<a/>\n<!-- x --><?y?>\n",
    '<?xml version="1.0"?><a/>',
    "<?xml version = '1.0' encoding='UTF-8' standalone='yes' ?>\n<a/>",
    '<?xml version="1.1"?><a/>',
    '<?xml version="1.99"?><a/>',
    "<a>]]&gt;</a>",
    "<a><![CDATA[<&]]]]><![CDATA[>]]></a>",
    "<a b='\"' c=\"'\" d='>'/>",
    "<a b='&#x10FFFF;&#9;'>&#xD;\x7f\x85</a>",
    "<:/>",
    "<a:b:c/>",
    "<a><?xml-stylesheet href='x'?><?X?></a>",
    "<!DOCTYPE a><a/>",
    "<!DOCTYPE a []><a/>",
    "<!DOCTYPE a [<!ELEMENT a (#PCDATA|b)*><!ATTLIST a b (c|d) 'c' e NMTOKENS #REQUIRED><!-- x --><?y?>]><b/>",
    "<!DOCTYPE a [<!NOTATION gif PUBLIC 'x'><!ENTITY b SYSTEM 'b.gif' NDATA gif><!ATTLIST a b ENTITY #IMPLIED>]><a/>",
    "<!DOCTYPE a [<!ENTITY lt '&#38;#60;'><!ENTITY quot '&#34;'>]><a>&lt;</a>",
    "<!DOCTYPE a SYSTEM 'x'><a>&undeclared;</a>",
    "<!DOCTYPE a [%undeclared;]><a>&undeclared;</a>",
]

MALFORMED = [
    "",
    " ",
    "x",
    "\ufeff<a/>",
    "<a>",
    "<a/><b/>",
    "<a/>x",
    "x<a/>",
    "<a></b>",
    "<a b/>",
    "<a b=c/>",
    "<a b='<'/>",
    "<a b='1' b='2'/>",
    "<a b='1'c='2'/>",
    "< a/>",
    "<a>]]></a>",
    "<a>&</a>",
    "<a>&b;</a>",
    "<a b='&b;'/>",
    "<a>&#0;</a>",
    "<a>&#xD800;</a>",
    "<a>&#x110000;</a>",
    "<a>&#xFFFE;</a>",
    "<a>\0</a>",
    "\0<a/>",
    "<\0a/>",
    "<\0a\0/\0>\0",
    "<a>\x0b</a>",
    "<a>\ufffe</a>",
    "<a><!-- -- --></a>",
    "<a><!-- x ---></a>",
    "<a><![CDATA[x</a>",
    "<a><![cdata[x]]></a>",
    "<![CDATA[x]]>",
    "<a><?xml version='1.0'?></a>",
    "<a><?XmL?></a>",
    " <?xml version='1.0'?><a/>",
    "<?xml version='2.0'?><a/>",
    "<?xml version='1.'?><a/>",
    "<?xml version='1.0a'?><a/>",
    "<?xml encoding='UTF-8'?><a/>",
    "<?xml version='1.0' standalone='maybe'?><a/>",
    "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>",
    "<?xml version='1.0' encoding='-x'?><a/>",
    "<?XML version='1.0'?><a/>",
    "<a><!DOCTYPE a></a>",
    "<a/><!DOCTYPE a>",
    "<!DOCTYPE a><!DOCTYPE a><a/>",
    "<!doctype a><a/>",
    "<!DOCTYPE a [<!ELEMENT a (b|c,d)>]><a/>",
    "<!DOCTYPE a [<!ELEMENT a %b;>]><a/>",
    "<!DOCTYPE a [<![INCLUDE[<!ELEMENT a ANY>]]>]><a/>",
    "<!DOCTYPE a PUBLIC 'x'><a/>",
    "<!DOCTYPE a PUBLIC '{' 'x'><a/>",
    "<!DOCTYPE a [<!ATTLIST a b CDATA '<'>]><a/>",
    "<!DOCTYPE a [<!ATTLIST a b CDATA '&c;'>]><a/>",
    "<!DOCTYPE a [<!NOTATION n SYSTEM 'n'><!ENTITY b SYSTEM 'b' NDATA n>]><a>&b;</a>",
    "<?xml version='1.0' standalone='yes'?><!DOCTYPE a SYSTEM 'x'><a>&undeclared;</a>",
    "<a xmlns:b='c' b:d='' b:d=''/>",
]

ENTITIES = [
    ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "xml-entity"),
    ("<!DOCTYPE a [<!ENTITY % b 'c'>]><a/>", "xml-entity"),
    ("<!DOCTYPE a [<!ENTITY % lt 'c'>]><a/>", "xml-entity"),
    ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "xml-external-entity"),
    ("<!DOCTYPE a [<!ENTITY b PUBLIC 'x' 'http://localhost:9/'>]><a>&b;</a>", "xml-external-entity"),
    ("<!DOCTYPE a [<!ENTITY % b SYSTEM 'http://localhost:9/'> %b;]><a/>", "xml-external-entity"),
]
