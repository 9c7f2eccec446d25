"""The expressions of a contract's checks: taken apart by the engine's own parser, refused if not right."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.inspection.sql.database import Database
from chalicelib.inspection.sql.growth import refused_growth, within
from chalicelib.tableschema import Field

_SQL_TYPES: Mapping[str, str] = {
    "integer": "HUGEINT",
    "number": "DECIMAL(18, 3)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "datetime": "TIMESTAMP",
    "year": "HUGEINT",
}
"""The types of the columns that checks see; of any other type of a field it is VARCHAR."""
_REFUSED: Mapping[str, str] = {
    "SUBQUERY": "has a query in it: a check sees the rows of its file alone",
    "WINDOW": "has a window function: a check is of one row, or of all with sum, count and the like",
    "PARAMETER": "has a parameter",
    "STAR": "has a *: name the columns",
}
_SETTINGS = ("current_setting", "getvariable", "json_execute_serialized_sql", "reservoir_quantile", "version")


class Expression:
    """An expression over the columns of the fields; `refusal` says what is wrong with it, if anything is."""

    def __init__(self, database: Database, sql: str, fields: Sequence[Field]) -> None:
        self.sql = sql
        self.fields: Sequence[Field] = ()
        """The fields that it names."""
        self.is_aggregate = False
        """Whether it is of all rows, not of each."""
        self.refusal = self._refusal(database, fields)

    def _refusal(self, database: Database, fields: Sequence[Field]) -> str | None:
        nodes = _nodes(database, self.sql)
        if nodes is None:
            return "is not one expression of SQL"
        known = {field.name.lower(): field for field in fields}
        if len(known) < len(fields):
            return "cannot be checked: the names of two fields differ in case alone"
        for node in nodes:
            if node["class"] in _REFUSED:
                return _REFUSED[node["class"]]
        named = dict.fromkeys(".".join(node["column_names"]) for node in nodes if node["class"] == "COLUMN_REF")
        for name in named:
            if name.lower() not in known and not _is_variable(nodes, name):
                return f'names "{name}", which is no field of the schema'
        self.fields = [known[name.lower()] for name in named if name.lower() in known]
        functions = {node["function_name"] for node in nodes if node["class"] == "FUNCTION"}
        # The type is the last, for the engine folds what is constant when it finds that out.
        return (
            self._refused_function(database, functions) or refused_growth(nodes) or self._refused_type(database, fields)
        )

    def _refused_function(self, database: Database, names: set[str]) -> str | None:
        for name in sorted(names):
            kinds = database.rows(
                "SELECT DISTINCT function_type, stability FROM duckdb_functions() WHERE function_name = ?", [name]
            )
            if name in _SETTINGS or any(stability not in (None, "CONSISTENT") for _, stability in kinds):
                return f'calls "{name}": the same file must always have the same verdict'
        return None

    def _refused_type(self, database: Database, fields: Sequence[Field]) -> str | None:
        typed = (f"NULL::{_SQL_TYPES.get(field.type, 'VARCHAR')} AS {identifier(field.name)}" for field in fields)
        rows = f"(SELECT {', '.join(typed)})"
        reason, found = database.told(f"SELECT typeof(broken) FROM (SELECT ({self.sql}\n) AS broken FROM {rows})")
        if reason:
            return f"is refused by the engine: {reason}"
        # Of one row is what can stand in WHERE.
        self.is_aggregate = database.told(f"SELECT 1 FROM {rows} WHERE ({self.sql}\n)")[0] is not None
        return None if found == [("BOOLEAN",)] else "is not true or false"


def mistakes(checks: Mapping[str, str], fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
    """The checks of a contract that are refused, each with the reason."""
    if checks:
        with Database.lent() as database:
            for name, sql in checks.items():
                reason = Expression(database, sql, fields).refusal
                if reason:
                    yield name, f"the expression {reason}"


def identifier(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _nodes(database: Database, sql: str) -> Sequence[dict[str, Any]] | None:
    """The nodes of one expression, None if the text is anything else."""
    said = json.loads(database.rows("SELECT json_serialize_sql(?)", [f"SELECT ({sql}\n) FROM rows"])[0][0])
    if said["error"] or len(said["statements"]) != 1:
        return None
    query = said["statements"][0]["node"]
    bare = json.loads(database.rows("SELECT json_serialize_sql('SELECT (true\n) FROM rows')")[0][0])["statements"][0][
        "node"
    ]
    parts = [each for each in bare if each not in ("select_list", "from_table")]
    if len(query.get("select_list", ())) != 1 or any(query.get(part) != bare[part] for part in parts):
        return None
    if query["from_table"].get("table_name") != "rows":
        return None
    return list(within(query["select_list"][0]))


def _is_variable(nodes: Sequence[dict[str, Any]], name: str) -> bool:
    """Whether it is the variable of a lambda."""
    written = (node.get("lhs") for node in nodes if node["class"] == "LAMBDA")
    return any(name in each.get("column_names", ()) for lhs in written for each in within(lhs))
