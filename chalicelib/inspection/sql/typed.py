"""The values of texts in SQL: exact, or NULL."""

from __future__ import annotations

from chalicelib.inspection.sql.predicates import is_date, one_of, quoted
from chalicelib.tableschema import Field

_ZONE = "(?:Z|[+-][0-9]{2}:[0-9]{2})$"
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"


def value(field: Field, column: str, *, decimal: str | None = None) -> str:
    """An expression for the value of a column's text: NULL if it is none, or not of the field's type.

    Numbers are of this `decimal` type; without one they are DOUBLE.
    """
    missing = one_of(column, sorted(field.missing_values))
    return f"CASE WHEN {missing} THEN NULL ELSE {_of_type(field, column, decimal)} END"


def plain_number(field: Field, column: str) -> str:
    """A number's text with a point, and without what groups its digits."""
    group, point = field.descriptor.get("groupChar", ""), field.descriptor.get("decimalChar", ".")
    plain = f"replace({column}, {quoted(group)}, '')" if group else column
    return plain if point == "." else f"replace({plain}, {quoted(point)}, '.')"


def _of_type(field: Field, column: str, decimal: str | None) -> str:
    if field.type in ("integer", "year"):
        plain = plain_number(field, column)
        return f"CASE WHEN regexp_full_match({plain}, '[+-]?[0-9]+') THEN TRY_CAST({plain} AS BIGINT)::HUGEINT END"
    if field.type == "number":
        plain = plain_number(field, column)
        if decimal is None:
            return f"TRY_CAST({plain} AS DOUBLE)"
        return f"CASE WHEN regexp_full_match({plain}, '{_NUMBER}') THEN TRY_CAST({plain} AS {decimal}) END"
    if field.type == "boolean":
        true = field.descriptor.get("trueValues", ["true", "True", "TRUE", "1"])
        false = field.descriptor.get("falseValues", ["false", "False", "FALSE", "0"])
        return f"CASE WHEN {one_of(column, true)} THEN true WHEN {one_of(column, false)} THEN false END"
    if field.type in ("date", "time", "datetime"):
        return _moment(field, column)
    return column


def _moment(field: Field, column: str) -> str:
    sql = {"date": "DATE", "time": "TIME", "datetime": "TIMESTAMP"}[field.type]
    if field.format in ("default", "any"):
        read = f"TRY_CAST({column} AS {sql})"
        if field.type == "datetime":
            zoned = f"make_timestamp(epoch_us(TRY_CAST({column} AS TIMESTAMPTZ)))"
            return f"CASE WHEN regexp_matches({column}, '{_ZONE}') THEN {zoned} ELSE {read} END"
        return f"CASE WHEN {is_date(column)} THEN {read} END" if field.type == "date" else read
    return f"TRY_STRPTIME({column}, {quoted(field.format)})::{sql}"
