"""What Athena says when it refuses a query, and when one fails while it runs.

DuckDB raises the latter: `failing` is an expression that fails with Athena's error, `raised` reads it back.
"""

from __future__ import annotations

import re

import duckdb


class AthenaError(Exception):
    """Prints as Athena prints it: "NAME: message". `name` is one of Trino's error codes."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message


_OPEN, _CLOSE = "\N{LEFT WHITE SQUARE BRACKET}", "\N{RIGHT WHITE SQUARE BRACKET}"
_MARKED = re.compile(f"{_OPEN}([A-Z_]+): (.*?){_CLOSE}", re.DOTALL)


def failing(name: str, message: str) -> str:
    """An expression of no particular type that fails with this error; `message` is SQL that yields the text.

    A CAST that cannot succeed rather than DuckDB's error(), which TRY does not allow within it.
    """
    text = f"concat({quoted(f'{_OPEN}{name}: ')}, {message}, {quoted(_CLOSE)})"
    return f"CASE WHEN CAST({text} AS BOOLEAN) THEN NULL END"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_NAMES: tuple[tuple[type[duckdb.Error], str], ...] = (
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT"),
    (duckdb.OutOfRangeException, "NUMERIC_VALUE_OUT_OF_RANGE"),
    (duckdb.OutOfMemoryException, "EXCEEDED_LOCAL_MEMORY_LIMIT"),
    (duckdb.PermissionException, "PERMISSION_DENIED"),
    (duckdb.InvalidInputException, "INVALID_FUNCTION_ARGUMENT"),
)


def raised(error: duckdb.Error) -> AthenaError:
    """The error with which Athena would have failed where DuckDB failed with `error`."""
    said = str(error)
    if marked := _MARKED.search(said):
        return AthenaError(marked[1], marked[2])
    if "Division by zero" in said:
        return AthenaError("DIVISION_BY_ZERO", "Division by zero")
    if "More than one row returned by a subquery" in said:
        return AthenaError("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows")
    if "must appear in the GROUP BY" in said:
        return AthenaError("EXPRESSION_NOT_AGGREGATE", said.partition("\n")[0].partition(": ")[2])
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        return AthenaError("NOT_SUPPORTED", f"the local Athena does not run this: {' '.join(said.split())}")
    first = said.partition("\n")[0].partition(": ")[2] or said
    if "cast" in said.lower() and isinstance(error, duckdb.InvalidInputException):
        return AthenaError("INVALID_CAST_ARGUMENT", first)
    if found := re.search(r'(date|timestamp) field value out of range: "(.*?)"', said):
        return AthenaError("INVALID_CAST_ARGUMENT", f"Value cannot be cast to {found[1]}: {found[2]}")
    if "Date out of range" in said:
        return AthenaError("INVALID_FUNCTION_ARGUMENT", said.partition("\n")[0].partition(": ")[2])
    if found := re.search(r"Type (?:DOUBLE|FLOAT) with value (\S+) can't be cast", said):
        return AthenaError("INVALID_CAST_ARGUMENT", f"Unable to cast {found[1]}")
    if re.search(r"out of range|overflow", said, re.IGNORECASE):
        return AthenaError("NUMERIC_VALUE_OUT_OF_RANGE", first)
    name = next((name for kind, name in _NAMES if isinstance(error, kind)), "GENERIC_INTERNAL_ERROR")
    return AthenaError(name, first)
