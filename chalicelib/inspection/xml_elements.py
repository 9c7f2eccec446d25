"""The elements of an XML document: counted by name, as deep as allowed, with names that are bounded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pyexpat import XMLParserType
from sys import maxsize

from chalicelib.inspection.limits import Limits
from chalicelib.inspection.xml_namespaces import Namespaces
from chalicelib.inspection.xml_source import TOO_COMPLEX, Refused, check_attributes

_EACH_NAME = 100
"""How many bytes a name is taken to cost beside its length."""


class Elements:
    """Sees every start of an element; what it learns of a name is not asked again while the name means the same."""

    def __init__(self, parser: XMLParserType, limits: Limits, namespaces: Namespaces) -> None:
        self._parser = parser
        self._limits = limits
        self._namespaces = namespaces
        self._names: set[str] = set()
        self._cost = 0
        self.counts: defaultdict[str, int] = defaultdict(int)
        """How many elements of each name there are, by their first appearance."""
        self.children: defaultdict[str, int] = defaultdict(int)
        """The same for the children of the root."""
        parser.ordered_attributes = True
        parser.specified_attributes = True  # defaults would be handed over with every element, however long they are
        # Ends are counted by an iterator, which no Python code runs for: how deep it is, is asked at each start.
        ended = iter(range(maxsize))
        parser.EndElementHandler = partial(next, ended)
        self._remaining: Callable[[], int] = ended.__length_hint__  # type: ignore[attr-defined]
        parser.StartElementHandler = self._start_handler(self._remaining)

    @property
    def root(self) -> str | None:
        """The name of the outermost element, if there is one."""
        return next(iter(self.counts), None)

    @property
    def are_over(self) -> bool:
        """Whether the outermost element has ended."""
        return 0 < sum(self.counts.values()) == maxsize - self._remaining()

    def _start_handler(self, remaining: Callable[[], int]) -> Callable[[str, list[str]], None]:
        counts, children, namespaces = self.counts, self.children, self._namespaces
        deepest, started = self._limits.xml_depth, -maxsize

        def start(name: str, attributes: list[str]) -> None:
            nonlocal started
            started += 1
            level = started + remaining()
            if level <= namespaces.edge:
                namespaces.leave(level)
            if level == 2:
                children[name] += 1
            elif level > deepest:
                raise Refused(self._parser, "xml-too-deep", limit=deepest)
            counts[name] += 1
            known = namespaces.known
            if name not in known or (attributes and not known.issuperset(attributes[::2])):
                self._learn(level, name, attributes)

        return start

    def _learn(self, level: int, name: str, attributes: list[str]) -> None:
        names = attributes[::2]
        check_attributes(self._parser, len(names), self._limits)
        new = {name, *names} - self._names
        if new:
            self._names |= new
            self._cost += sum(len(one) + _EACH_NAME for one in new)
            if self._cost > self._limits.xml_names:
                reason = f"its different names take more than {self._limits.xml_names:,} bytes"
                raise Refused(self._parser, TOO_COMPLEX, reason=reason)
        self._namespaces.enter(level, name, names, attributes[1::2])
