"""Which calls of AWS each Lambda function's code can make, found by following the code itself from its handler.

It errs on the side of too much. A name leads to what its module means by it. An attribute leads to every method of
that name, in any class that code on the way has named, for what an object is cannot be seen. So a call that is not
found here cannot be made.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from infra.stages import ROOT

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
CLIENT = "_client"
"""What an adapter calls its client of AWS; nothing else may have this name (tests/test_policies.py)."""


@dataclass(frozen=True)
class Place:
    """A definition: a function, a class, a method, or the value of a module's name."""

    module: str
    name: str
    node: ast.AST = field(compare=False, repr=False)


@dataclass(frozen=True)
class Module:
    """What the names of a module mean."""

    name: str
    own: dict[str, ast.AST]
    imported: dict[str, tuple[str, str]]
    """By the name in use: the module it is from, and its name there, empty for the module itself."""


@cache
def module_of(name: str) -> Module | None:
    """A module of ours by its full name; None for all others."""
    path = _path_of(name)
    if path is None:
        return None
    tree = ast.parse(path.read_text())
    return Module(name=name, own=dict(_own(tree)), imported=dict(_imports(tree)))


def _path_of(name: str) -> Path | None:
    base = ROOT.joinpath(*name.split("."))
    found = (path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file())
    return next(found, None) if name.partition(".")[0] in ("app", "chalicelib") else None


def _own(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, (*FUNCTION, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((each.id, node.value) for each in targets if isinstance(each, ast.Name))


def _imports(tree: ast.AST) -> Iterator[tuple[str, tuple[str, str]]]:
    """Wherever they stand: those for type checkers alone are only met in annotations, which are not followed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                known = (whole, "") if _path_of(whole) else (node.module, alias.name)
                yield alias.asname or alias.name, known


def _defined(module: str, name: str) -> Place | None:
    """What a module means by a name, followed through its imports."""
    found = module_of(module)
    if found is None:
        return None
    if name in found.own:
        return Place(module, name, found.own[name])
    source, original = found.imported.get(name, ("", ""))
    return _defined(source, original) if original else None


def _code_of(node: ast.AST) -> Iterator[ast.AST]:
    """All of it but annotations, and of a class the values of its body alone: its methods have turns of their own."""
    if isinstance(node, ast.ClassDef):
        inner = [*node.bases, *node.decorator_list, *(each for each in node.body if not isinstance(each, FUNCTION))]
    elif isinstance(node, FUNCTION):
        inner = [
            *node.body,
            *node.decorator_list,
            *node.args.defaults,
            *(each for each in node.args.kw_defaults if each),
        ]
    elif isinstance(node, ast.AnnAssign):
        inner = [each for each in (node.target, node.value) if each]
    else:
        inner = list(ast.iter_child_nodes(node))
    yield node
    for each in inner:
        yield from _code_of(each)


@dataclass
class Reach:
    """What can be reached from some definitions."""

    waiting: list[Place]
    without: Collection[str] = ()
    seen: set[Place] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    classes: set[Place] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    """The methods of clients."""
    _next: list[Place] = field(default_factory=list)

    def follow(self) -> None:
        """Until there is nothing new."""
        while self.waiting:
            for place in self.waiting:
                self._visit(place)
            self.waiting = [
                each for each in {*self._next, *self._methods()} - self.seen if each.name not in self.without
            ]
            self._next.clear()

    def _visit(self, place: Place) -> None:
        self.seen.add(place)
        if isinstance(place.node, ast.ClassDef):
            self.classes.add(place)
        for node in _code_of(place.node):
            self._look_at(place, node)

    def _look_at(self, place: Place, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            self._go_to(_defined(place.module, node.id))
        elif isinstance(node, ast.Attribute):
            self.attributes.add(node.attr)
            self.calls.update(_call_of(node))
            owner = _module_named(place.module, node.value)
            if owner:
                self._go_to(_defined(owner, node.attr))
        elif isinstance(node, ast.Call) and _is_paginator(node):
            self.calls.add(ast.literal_eval(node.args[0]))

    def _go_to(self, found: Place | None) -> None:
        if found:
            self._next.append(found)

    def _methods(self) -> Iterator[Place]:
        for owner in self.classes:
            assert isinstance(owner.node, ast.ClassDef)
            for node in owner.node.body:
                if isinstance(node, FUNCTION) and (node.name in self.attributes or node.name.startswith("__")):
                    yield Place(owner.module, f"{owner.name}.{node.name}", node)


def _call_of(node: ast.Attribute) -> Iterator[str]:
    """The method, where it is one of a client's."""
    if isinstance(node.value, ast.Attribute) and node.value.attr == CLIENT and node.attr != "get_paginator":
        yield node.attr


def _is_paginator(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr == "get_paginator"


def _module_named(module: str, node: ast.AST) -> str | None:
    if not isinstance(node, ast.Name):
        return None
    known = module_of(module)
    source, original = known.imported.get(node.id, ("", "")) if known else ("", "")
    return source if source and not original else None


def reach_of(handlers: Iterable[tuple[str, str]], *, without: Collection[str] = ()) -> Reach:
    """What can be reached from these functions, each given by its module and name; not through `without`.

    Those are methods (`Class.method`), and classes of which no method is followed.
    """
    begun = [found for handler in handlers if (found := _defined(*handler))]
    assert begun
    reach = Reach(waiting=begun, without=without)
    reach.follow()
    return reach


def decorated(module: str, *names: str) -> list[str]:
    """The functions of a module with a decorator of one of these names."""
    found = module_of(module)
    assert found
    return [name for name, node in found.own.items() if isinstance(node, FUNCTION) and _decorators(node) & {*names}]


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    called = (each.func if isinstance(each, ast.Call) else each for each in node.decorator_list)
    return {each.attr for each in called if isinstance(each, ast.Attribute)}
