"""Writes what docs/architecture.md shows of the code: its functions, what they reach, its rooms and who knows whom.

python -m docs.architecture
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from infra.policies import policies
from infra.stages import ROOT, Stage, load_stage

PAGE = ROOT / "docs" / "architecture.md"

ENTRANCES = {"app", "chalicelib.routes", "chalicelib.answering", "chalicelib.handling"}
ROOMS: Mapping[str, str] = {
    "entrances": "decode an event, make one call, encode the answer",
    "wiring": "reads the environment, builds and keeps the collaborators",
    "aws": "the only code that calls AWS",
    "logs": "one line for each thing done, its measures included",
    "verification": "the use case that recomputes all and compares",
    "use cases": "one upload, one reconcile, one page of a list: what is done, in which order",
    "sealing": "the use case that seals what is closed",
    "values": "pure: identities, receipts, seals, pages, and their forms",
    "inspection": "pure: bytes in, report out",
    "contracts": "what a kind of file must be like, and the deployed ones",
    "tableschema": "types, formats and constraints of Table Schema",
    "findings": "the catalogue of finding codes",
}
"""The rooms of what ships, from the outside in, and what each is for."""

TRIGGERS: Mapping[str, str] = {
    "on_s3_event": "the inbox, with every upload and deletion",
    "on_sqs_message": "the dead-letter queue, with every message",
    "schedule": "the clock",
    "authorizer": "API Gateway, before each call",
    "route": "API Gateway, with each call",
    "announce": "the ledger's stream (joined by the deploy)",
    "batch": "a job of S3 Batch Operations",
}
"""Who calls a function, by its decorator in Chalice's words; by its own name where the decorator does not say."""

VERBS = {
    "reads": r"s3:(Get|List)|dynamodb:(Get|BatchGet|Query|Describe|List)|sqs:(Receive|Delete|Get)",
    "writes": r"s3:Put|dynamodb:(Put|Update)|sqs:Send|events:Put",
    "asks": r"lambda:Invoke",
    "signs": r"kms:(Sign|Verify)",
}


# -- modules and rooms


@cache
def modules() -> Mapping[str, Path]:
    """What ships, by its full names; the package's own file, which is empty, left out."""
    found = {"app": ROOT / "app.py"}
    for path in sorted((ROOT / "chalicelib").rglob("*.py")):
        found[".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")] = path
    return {name: path for name, path in found.items() if name != "chalicelib"}


@cache
def about(module: str) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(modules()[module].read_text())) or "").partition("\n")[0]


def room_of(module: str) -> str:
    """Where a module belongs: its folder, or, beside the folders, what its first line says of it."""
    if module in ENTRANCES:
        return "entrances"
    name = module.split(".")[1]
    if name in ROOMS:
        return name
    return "use cases" if about(module).startswith("The use case") else "values"


def knows(module: str) -> set[str]:
    """The modules of ours that it imports when it runs, wherever the import stands."""
    tree = ast.parse(modules()[module].read_text())
    typing = {id(inner) for node in ast.walk(tree) if _is_type_checking(node) for inner in ast.walk(node)}
    return {name for node in ast.walk(tree) if id(node) not in typing for name in _imported(node)}


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield from (name for name in (whole if whole in modules() else node.module,) if name in modules())


@cache
def arrows() -> frozenset[tuple[str, str]]:
    """Which room knows which."""
    between = {(room_of(module), room_of(known)) for module in modules() for known in knows(module)}
    return frozenset((one, other) for one, other in between if one != other)


def rooms_diagram() -> str:
    """The rooms and their arrows."""
    order = list(ROOMS)
    lines = [f'  {_id(room)}["<b>{room}</b><br/>{what}"]' for room, what in ROOMS.items()]
    lines += [
        f"  {_id(one)} --> {_id(other)}"
        for one, other in sorted(arrows(), key=lambda pair: (order.index(pair[0]), order.index(pair[1])))
    ]
    return _mermaid(lines)


def rooms_table() -> str:
    """Each room's modules, and what the first line of each says."""
    of_room = defaultdict(list)
    for module in modules():
        of_room[room_of(module)].append(module)
    parts = []
    for room in ROOMS:
        rows = [
            f"| `{_shown(module)}` | {about(module).removesuffix(' Pure.')} |"
            for module in of_room[room]
            if about(module)
        ]
        parts.append("\n".join([f"### {room}", "", "| module | |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def _shown(module: str) -> str:
    return str(modules()[module].relative_to(ROOT)).removesuffix("/__init__.py")


# -- functions and what they reach


def functions() -> dict[str, tuple[str, str]]:
    """Each Lambda function: who calls it, and what its docstring says."""
    found = {}
    for module in ("app", "chalicelib.routes"):
        for node in ast.parse(modules()[module].read_text()).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for kind in _decorators(node):
                said = (ast.get_docstring(node) or "").partition("\n")[0]
                if kind == "route":
                    found["api_handler"] = (TRIGGERS[kind], "The API and the dashboard.")
                elif kind == "lambda_function":
                    found[node.name] = (TRIGGERS[node.name], said)
                elif kind in TRIGGERS:
                    found[node.name] = (TRIGGERS[kind], said)
    return found


def _decorators(node: ast.FunctionDef) -> Iterator[str]:
    for each in node.decorator_list:
        called = each.func if isinstance(each, ast.Call) else each
        if isinstance(called, ast.Attribute):
            yield called.attr


def reaches(stage: Stage, function: str) -> set[tuple[str, str]]:
    """What the function's policy lets it do to what: a verb and a thing, its log and traces left out."""
    return {
        (verb, thing)
        for statement in policies(stage)[function]["Statement"]
        if statement["Effect"] == "Allow" and statement["Sid"] not in ("WriteLogs", "WriteTraces")
        for action in statement["Action"]
        for resource in statement["Resource"]
        for verb, thing in ((_verb(action, statement["Sid"]), _thing(stage, resource)),)
    }


def _verb(action: str, sid: str) -> str:
    if sid == "SignForms":
        return "signs forms for"
    return next(verb for verb, pattern in VERBS.items() if re.match(pattern, action))


def _thing(stage: Stage, resource: str) -> str:
    things = {
        f"table/{stage.table}/stream": "the ledger's stream",
        f":::{stage.bucket}": "the inbox",
        f"table/{stage.table}": "the ledger",
        f":{stage.dead_letters}": "the dead letters",
        f":{stage.unannounced}": "the unannounced",
        f":::{stage.seals_bucket}": "the seals' bucket",
        f"function:{stage.function('inspect')}": "inspect",
        ":event-bus/": "the event bus",
        ":key/": "the seals' key",
    }
    return next(thing for part, thing in things.items() if part in resource)


def functions_diagram() -> str:
    """Each function's arrows: who calls it, and what it reaches."""
    stage, lines = load_stage("local"), []
    callers = {"the inbox, with": "the inbox", "the dead-letter queue": "the dead letters", "the ledger's stream": ""}
    for name, (trigger, _) in functions().items():
        lines.append(f'  {_id(name)}(["{name}"])')
        caller = next((thing for start, thing in callers.items() if trigger.startswith(start)), trigger.split(",")[0])
        if caller:
            lines.append(f'  {_id(caller)}["{caller}"] ==> {_id(name)}')
        reached = sorted(reaches(stage, name))
        for thing in sorted({thing for _, thing in reached}):
            verbs = ", ".join(verb for verb, other in reached if other == thing)
            shown = "" if thing in functions() else f'["{thing}"]'
            lines.append(f"  {_id(name)} -- {verbs} --> {_id(thing)}{shown}")
    return _mermaid(lines, direction="LR")


def functions_table() -> str:
    """Each function, who calls it, and what it is for."""
    rows = [f"| `{name}` | {trigger} | {said} |" for name, (trigger, said) in functions().items()]
    return "\n".join(["| function | called by | what it does |", "|---|---|---|", *rows])


# -- the page


def _id(name: str) -> str:
    return re.sub(r"\W+", "_", name)


def _mermaid(lines: list[str], direction: str = "TD") -> str:
    return "\n".join(["```mermaid", f"flowchart {direction}", *lines, "```"])


PARTS = {
    "functions": functions_table,
    "reach": functions_diagram,
    "rooms": rooms_diagram,
    "modules": rooms_table,
}
"""What the page takes from the code, by the marks between which it stands."""


def written(page: str) -> str:
    """The page with what is made from the code put in anew."""
    for name, part in PARTS.items():
        before, mark, rest = page.partition(f"<!-- {name}: made from the code -->\n")
        _, end, after = rest.partition("<!-- end -->")
        page = f"{before}{mark}{part()}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
    print(PAGE.relative_to(ROOT))
