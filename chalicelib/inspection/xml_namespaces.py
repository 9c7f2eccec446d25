"""Namespaces in XML 1.0 (third edition): what readers that know them refuse, though it is well-formed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from chalicelib.inspection.limits import MIB

XML = "http://www.w3.org/XML/1998/namespace"
XMLNS = "http://www.w3.org/2000/xmlns/"
_LONG = 200
_MOST_OPEN = 1_000
"""How many declarations may hold at a time; namespaces are not judged beyond."""
_MOST_REMEMBERED = 32 * MIB

Declarations = tuple[tuple[str, str], ...]
"""The attributes of a tag that declare namespaces, with their values."""


class Scope:
    """What prefixes stand for where an element is, and which names are known to be right there."""

    def __init__(self, bound: Mapping[str, str]) -> None:
        self.bound = bound
        # The default namespace is not that of attributes, so it is no second name of theirs.
        prefixed = [namespace for prefix, namespace in bound.items() if prefix]
        self.has_aliases = len(set(prefixed)) < len(prefixed)
        self.known: set[str] = set()
        self.inner: dict[Declarations, Scope] = {}


class Namespaces:
    """Judges the names and declarations of elements; `report` is told a reason and the name it is about.

    With `may_default` a prefix may be declared by a default of the document type: then none is missed. What was
    learnt of a scope is kept for the next element with the same declarations in the same place.
    """

    def __init__(self, report: Callable[[str, str], None], may_default: Callable[[], bool]) -> None:
        self._report = report
        self._may_default = may_default
        self._scopes = [(0, 0, Scope({"xml": XML}))]
        self._open = 0
        self._remembered = 0
        self._gave_up = False
        self.edge = 0
        """The level of the innermost element that still declares something."""
        self.known = self._scopes[-1][-1].known
        """Names that are right wherever they stand, until a declaration begins or ends to hold."""

    def enter(self, level: int, name: str, attributes: Sequence[str], values: Sequence[str]) -> None:
        """Judge a start tag."""
        declared = tuple(one for one in zip(attributes, values, strict=True) if _is_declaration(one[0]))
        if declared:
            self._declare(level, declared)
        if self._gave_up:
            return
        scope = self._scopes[-1][-1]
        for one in (name, *(other for other in attributes if not _is_declaration(other))):
            if one not in scope.known:
                self._judge(one, scope)
        if scope.has_aliases:
            self._judge_same(attributes, scope)

    def leave(self, level: int) -> None:
        """Forget what was declared by elements that have ended, now that one begins on this level."""
        while self._scopes[-1][0] >= level:
            self._open -= self._scopes.pop()[1]
        self.edge, _, scope = self._scopes[-1]
        self.known = scope.known

    def judge_plain(self, name: str) -> None:
        """Judge a name that has no prefix: of an instruction, an entity, a notation."""
        if ":" in name:
            self._report("the name of an instruction, entity or notation has a colon", name)

    def _declare(self, level: int, declared: Declarations) -> None:
        self._open += len(declared)
        self._gave_up |= self._open > _MOST_OPEN
        if not self._gave_up:
            outer = self._scopes[-1][-1]
            scope = outer.inner.get(declared) or self._scope(outer, declared)
            self._scopes.append((level, len(declared), scope))
            self.edge, self.known = level, scope.known

    def _scope(self, outer: Scope, declared: Declarations) -> Scope:
        """A new scope; it is kept to be found again unless there is something to report each time."""
        faults = [(fault, name) for name, namespace in declared if (fault := _declaration_fault(name, namespace))]
        for fault, name in faults:
            self._report(fault, name)
        scope = Scope(dict(outer.bound) | {_prefix(name): _short(namespace) for name, namespace in declared})
        size = 100 * len(scope.bound) + sum(len(name) + len(namespace) for name, namespace in declared)
        if not faults and size < _MOST_REMEMBERED // 1_000:
            self._remember(1_000 + size)
            outer.inner[declared] = scope
        return scope

    def _remember(self, size: int) -> None:
        self._remembered += size
        if self._remembered > _MOST_REMEMBERED:
            self._remembered = 0
            for _, _, scope in self._scopes:
                scope.known.clear()
                scope.inner.clear()

    def _judge(self, name: str, scope: Scope) -> None:
        prefix, colon, local = name.partition(":")
        if not colon:
            fault = None
        elif not prefix or not local or ":" in local or not _begins_name(local):
            fault = "a name is not a prefix, a colon and a name"
        elif prefix == "xmlns":
            fault = "an element has the prefix xmlns"
        else:
            fault = None if prefix in scope.bound or self._may_default() else "a prefix is not declared"
        if fault:
            self._report(fault, name)
        elif not _is_declaration(name) and not (colon and scope.has_aliases):
            self._remember(100)
            scope.known.add(name)

    def _judge_same(self, attributes: Iterable[str], scope: Scope) -> None:
        seen = set()
        for name in attributes:
            prefix, colon, local = name.partition(":")
            if colon and prefix in scope.bound:
                if (scope.bound[prefix], local) in seen:
                    self._report("an element has the same attribute twice, with two prefixes of one namespace", name)
                seen.add((scope.bound[prefix], local))


def _is_declaration(name: str) -> bool:
    return name.startswith("xmlns") and name[5:6] in ("", ":")


def _prefix(declaration: str) -> str:
    return declaration.partition(":")[2]


def _short(namespace: str) -> str:
    return namespace if len(namespace) <= _LONG else hashlib.sha256(namespace.encode()).hexdigest()


def _begins_name(local: str) -> bool:
    """Whether the characters, which all may be in a name, may begin one."""
    return local[0].isalpha() or local[0] == "_" or ord(local[0]) == 0x3007


def _declaration_fault(declaration: str, namespace: str) -> str | None:
    prefix = _prefix(declaration)
    if ":" in prefix or declaration == "xmlns:":
        return "a name is not a prefix, a colon and a name"
    if prefix == "xmlns":
        return "the prefix xmlns is declared"
    if (prefix == "xml") != (namespace == XML) or namespace == XMLNS:
        return "a prefix and a namespace that belong to XML itself are taken for another"
    if prefix and not namespace:
        return "a prefix is declared without a namespace"
    return None
