"""A contract's checks: those of each row are asked of each batch, those of all rows of what is kept of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from chalicelib.inspection.sql.batch import Batch, Cells
from chalicelib.inspection.sql.database import Database
from chalicelib.inspection.sql.expressions import Expression, identifier
from chalicelib.inspection.sql.typed import plain_number, value
from chalicelib.inspection.values import Values
from chalicelib.tableschema import Field, Rows

_FEW_DIGITS, _MOST_DIGITS = 18, 38
_NUMBER = '"the number of the record"'
WRONG = "\x01no value of the type\x01"
"""Stands for a value that is there and has no text, where it is one of a field's missing values."""
Place = tuple[int, int | None]
"""A row, and the line on which it starts if that is known."""


class Broken(NamedTuple):
    """How many rows of a batch break a check, and the numbers of the first; or why that is not known."""

    name: str
    times: int = 0
    numbers: Sequence[int] = ()
    reason: str | None = None


class Checks:
    """A question: which checks do not hold. NULL is no violation, as in SQL's own CHECK."""

    def __init__(
        self,
        checks: Mapping[str, str],
        rows: Rows,
        fields: Sequence[Field],
        values: Values,
        *,
        seconds: float,
        place: Callable[[Cells], Place] = lambda record: (record.row, record.line),
    ) -> None:
        self._checks = checks
        self._fields = fields
        self._at = {id(field): index for index, field in rows.columns}
        self._values = values
        self._seconds = seconds
        self._place = place
        self._expressions: dict[str, Expression] | None = None
        self._given_up: dict[str, str] = {}
        self._failed: list[str] = []

    @property
    def reads_often(self) -> bool:
        """Each check is a statement."""
        return True

    def ask(self, database: Database, batch: Batch) -> Sequence[Broken]:  # noqa: ARG002
        """Ask the checks of rows, and keep what the others need."""
        expressions = self._parsed(database)
        found = [self._broken(database, name, each) for name, each in expressions.items() if not each.is_aggregate]
        self._keep(database)
        return [broken for broken in found if broken]

    def take(self, answer: Sequence[Broken], batch: Batch) -> None:
        """Report the rows."""
        wanted = sorted({number for broken in answer for number in broken.numbers})
        places = {record.number: self._place(record) for record in batch.records(wanted)}
        for name, count, numbers, reason in answer:
            if reason:
                self._given_up.setdefault(name, reason)
            for number in numbers:
                row, line = places[number]
                self._values.add("check-failed", field=name, row=row, line=line, rule=self._checks[name], fields=name)
            self._values.count("check-failed", name, count - len(numbers))

    def end(self, database: Database) -> None:
        """Ask the checks of all rows."""
        for name, expression in self._parsed(database).items():
            if expression.is_aggregate and name not in self._given_up:
                self._ask_all(database, name, expression)

    def give_up(self, reason: str, *, all_rows_only: bool = False) -> None:
        """Nothing is known of the checks, or of those of all rows alone."""
        given_up = self._of_all if all_rows_only else self._checks
        self._given_up |= dict.fromkeys(given_up, reason)
        self._failed = [name for name in self._failed if name not in self._given_up]

    def report(self) -> None:
        """Report the checks of all rows, and those that were not evaluated."""
        for name in self._failed:
            self._values.add("check-failed", field=name, row=None, line=None, rule=self._checks[name], fields=name)
        for name, reason in self._given_up.items():
            self._values.add("check-not-evaluated", field=name, row=None, line=None, rule=reason, fields=name)

    @property
    def _of_all(self) -> Sequence[str]:
        return [name for name, each in (self._expressions or {}).items() if each.is_aggregate]

    def _parsed(self, database: Database) -> Mapping[str, Expression]:
        if self._expressions is None:
            made = {name: Expression(database, sql, self._fields) for name, sql in self._checks.items()}
            refused = {name: f"its expression {each.refusal}" for name, each in made.items() if each.refusal}
            self._given_up |= refused
            self._expressions = {name: each for name, each in made.items() if name not in refused}
            self._kept = _once(
                [field for each in self._expressions.values() if each.is_aggregate for field in each.fields]
            )
            columns = ["n BIGINT", *(f"k{index} VARCHAR" for index in range(len(self._kept)))]
            database.rows(f"CREATE TEMP TABLE kept ({', '.join(columns)})")
        return self._expressions

    def _cell(self, field: Field) -> str:
        index = self._at.get(id(field))
        return "NULL::VARCHAR" if index is None else f"c{index}"

    # -- of each row

    def _broken(self, database: Database, name: str, expression: Expression) -> Broken | None:
        if name in self._given_up:
            return None
        source = self._rows(
            database, expression.fields, {id(field): self._cell(field) for field in expression.fields}, "batch"
        )
        broken = f"FROM ({source}) WHERE ({expression.sql}\n) = false"
        most = max(1, self._values.kept)
        reason, found = database.tried(f"SELECT count(*), min({_NUMBER}, {most}) {broken}", seconds=self._seconds)
        if reason:
            return Broken(name, reason=reason)
        count, numbers = found[0]
        return Broken(name, count, numbers or ()) if count else None

    def _rows(self, database: Database, fields: Sequence[Field], cells: Mapping[int, str], table: str) -> str:
        """The typed rows of a table of texts."""
        columns = [
            f"{value(field, cells[id(field)], decimal=self._decimal(database, field, cells[id(field)], table))} "
            f"AS {identifier(field.name)}"
            for field in fields
        ]
        return f"SELECT {', '.join([f'n AS {_NUMBER}', *columns])} FROM {table}"

    def _decimal(self, database: Database, field: Field, cell: str, table: str) -> str | None:
        """The type that holds all numbers of a column exactly, None if there is none."""
        if field.type != "number":
            return None
        plain = plain_number(field, cell)
        longest = (
            f"SELECT coalesce(max(CASE WHEN contains(t, '.') THEN strlen(split_part(t, '.', 2)) ELSE 0 END), 0), "
            f"coalesce(max(strlen(ltrim(split_part(t, '.', 1), '+-0'))), 0), "
            f"count(*) FILTER (WHERE NOT regexp_full_match(t, '[+-]?[0-9]*\\.?[0-9]*')) "
            f"FROM (SELECT {plain} AS t FROM {table} WHERE {value(field, cell)} IS NOT NULL)"
        )
        decimals, whole, other = database.rows(longest)[0]
        # The engine computes ten times as fast with the shorter one.
        width = _FEW_DIGITS if decimals + whole <= _FEW_DIGITS else _MOST_DIGITS
        return f"DECIMAL({width}, {decimals})" if not other and decimals + whole <= width else None

    # -- of all rows

    def _keep(self, database: Database) -> None:
        if not self._of_all:
            return
        cells = ", ".join(["n", *map(self._cell, self._kept)])
        reason, _ = database.tried(f"INSERT INTO kept SELECT {cells} FROM batch", seconds=self._seconds)
        if reason:
            self._given_up |= dict.fromkeys(self._of_all, reason)

    def _ask_all(self, database: Database, name: str, expression: Expression) -> None:
        cells = {id(field): f"k{at}" for at, field in enumerate(self._kept)}
        wrong = [field.name for field in expression.fields if self._has_other(database, field, cells[id(field)])]
        if wrong:
            self._given_up[name] = (
                f"not all values of {', '.join(wrong)} are of the field's type, or can be computed with"
            )
            return
        source = self._rows(database, expression.fields, cells, "kept")
        reason, found = database.tried(f"SELECT ({expression.sql}\n) FROM ({source})", seconds=self._seconds)
        if reason:
            self._given_up[name] = reason
        elif found == [(False,)]:
            self._failed.append(name)

    def _has_other(self, database: Database, field: Field, cell: str) -> bool:
        """Whether a value is there that has none in SQL."""
        there = f"{cell} IS NOT NULL AND {value(field, cell)} IS NULL"
        missing = sorted(field.missing_values - {WRONG})
        return bool(
            database.rows(f"SELECT 1 FROM kept WHERE {there} AND NOT list_contains(?, {cell}) LIMIT 1", [missing])
        )


def _once(fields: Sequence[Field]) -> Sequence[Field]:
    return list({id(field): field for field in fields}.values())
