"""What may know of what (section 4 of the design), read from the imports and not from good intentions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.stages import ROOT

SHIPPED = [ROOT / "app.py", *sorted((ROOT / "chalicelib").rglob("*.py"))]
NAMES = [str(path.relative_to(ROOT)) for path in SHIPPED]

PURE = (
    *("uploads.py", "receipts.py", "findings.py", "dead_letters.py", "failures.py"),
    *("announcements.py", "listing.py", "merkle.py", "seals.py", "tasks.py", "wanted.py"),
)
ROUTES = ("chalicelib/routes.py", "chalicelib/answering.py")
OUTSIDE = {"cli", "local", "infra", "tests", "bench", "docs", "recibo", "app"}


def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text())


def imports_of(name: str) -> set[str]:
    """The full names of the modules that a file imports, those for type checkers alone left out."""
    tree = tree_of(name)
    typing_only = {id(inner) for node in ast.walk(tree) if _is_type_checking(node) for inner in ast.walk(node)}
    return {module for node in ast.walk(tree) if id(node) not in typing_only for module in _imported(node)}


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        yield node.module or ""


def folder_of(name: str) -> str:
    return Path(name).parent.name


def packages_of(name: str) -> set[str]:
    return {module.partition(".")[0] for module in imports_of(name)}


def attributes_of(name: str) -> set[str]:
    """Everything of the form `a.b` that a file mentions."""
    return {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


@pytest.mark.parametrize("name", NAMES)
def test_only_the_app_and_its_routes_know_chalice(name: str) -> None:
    assert "chalice" not in packages_of(name) or name in ("app.py", *ROUTES)


@pytest.mark.parametrize("name", NAMES)
def test_only_the_adapters_and_the_wiring_know_aws(name: str) -> None:
    knows = packages_of(name) & {"boto3", "botocore"}
    assert not knows or name == "chalicelib/wiring.py" or name.startswith("chalicelib/aws/")


@pytest.mark.parametrize("name", NAMES)
def test_only_the_app_and_the_wiring_know_the_adapters(name: str) -> None:
    knows = {module for module in imports_of(name) if module.startswith(("chalicelib.aws", "chalicelib.wiring"))}
    assert not knows or name in ("app.py", *ROUTES, "chalicelib/wiring.py") or "/aws/" in name


@pytest.mark.parametrize("name", NAMES)
def test_only_the_wiring_reads_the_environment(name: str) -> None:
    reads = attributes_of(name) & {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
    assert not (reads or "from os import" in (ROOT / name).read_text()) or name == "chalicelib/wiring.py"


@pytest.mark.parametrize("name", NAMES)
def test_only_the_room_of_the_engine_knows_it(name: str) -> None:
    """Nor does it when it is imported, for most files never need it."""
    assert "duckdb" not in packages_of(name)
    assert "duckdb" not in (ROOT / name).read_text() or name.startswith("chalicelib/inspection/sql/")


@pytest.mark.parametrize("name", NAMES)
def test_only_the_room_of_the_kernel_knows_what_runs_it(name: str) -> None:
    """Nor does it when it is imported, for most files never need it."""
    assert "wasmtime" not in packages_of(name)
    assert "wasmtime" not in (ROOT / name).read_text() or name.startswith("chalicelib/inspection/kernel/")


@pytest.mark.parametrize("name", NAMES)
def test_only_the_wiring_looks_at_the_clock(name: str) -> None:
    """Time is passed in."""
    clocks = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
    assert not attributes_of(name) & clocks or name == "chalicelib/wiring.py"


INSPECTION = ("chalicelib.findings", "chalicelib.inspection", "chalicelib.contracts", "chalicelib.tableschema")
KNOWS = {
    "inspection": INSPECTION,
    "kernel": INSPECTION,
    "sql": INSPECTION,
    "parquet": INSPECTION,
    "xlsx": INSPECTION,
    "contracts": ("chalicelib.findings", "chalicelib.contracts", "chalicelib.tableschema"),
    "tableschema": ("chalicelib.tableschema",),
}


@pytest.mark.parametrize("name", [name for name in NAMES if folder_of(name) in KNOWS])
def test_an_inspection_knows_findings_and_contracts_and_these_know_nothing_of_it(name: str) -> None:
    ours = {module for module in imports_of(name) if module.startswith("chalicelib")}
    assert all(module.startswith(KNOWS[folder_of(name)]) for module in ours)


@pytest.mark.parametrize("name", [f"chalicelib/{name}" for name in PURE])
def test_what_is_pure_knows_only_what_is_pure(name: str) -> None:
    allowed = {"chalicelib", *(f"chalicelib.{pure.removesuffix('.py')}" for pure in PURE)}
    ours = {module for module in imports_of(name) if module.startswith("chalicelib")}
    assert all(module in allowed or module.startswith("chalicelib.inspection") for module in ours)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_ships_needs_what_does_not(name: str) -> None:
    assert not packages_of(name) & OUTSIDE


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_printed(name: str) -> None:
    """What is printed is logged, raw."""
    called = {node.id for node in ast.walk(tree_of(name)) if isinstance(node, ast.Name)}
    assert "print" not in called


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_caught_and_forgotten(name: str) -> None:
    """No handler of every exception is empty."""
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "Exception"):
            assert not all(isinstance(statement, ast.Pass) for statement in node.body)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_ever_put_into_the_inbox(name: str) -> None:
    """Only those who upload create objects in the inbox bucket."""
    called = {node.attr for node in ast.walk(tree_of(name)) if isinstance(node, ast.Attribute)}
    made = called & {"put_object", "copy_object", "upload_file", "upload_fileobj", "delete_object", "delete_item"}
    assert not made or (name, made) == ("chalicelib/aws/anchors.py", {"put_object"}), "but a seal, in another bucket"


def test_the_handlers_only_translate() -> None:
    """Each function of app.py: decode, one call, encode."""
    functions = [node for node in tree_of("app.py").body if isinstance(node, ast.FunctionDef)]
    assert functions
    assert all(len(function.body) == 2 for function in functions), "a docstring and one statement"
