"""Athena SQL (Trino's, as engine version 3 speaks it) as DuckDB SQL that has Athena's answer, or an AthenaError.

    parsing       the text as a tree            types, scope     what a name is, and of which type
    queries       SELECT, UNION, VALUES, WITH   selecting, relations    the clauses of a SELECT, and FROM
    expressions   nodes                         operators, casts        arithmetic, comparison, CAST
    calls         functions by name             scalars, arrays, texts, patterns, times, aggregates, windows
    errors        Athena's errors               refusals         what Athena runs and this does not

Translation is an allow-list: a node, a function or a clause that is not known here is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from towline.local.athena.errors import AthenaError, raised
from towline.local.athena.parsing import parse
from towline.local.athena.queries import Queries
from towline.local.athena.types import Type
from towline.local.athena.types import parse as parse_type

__all__ = ["AthenaError", "parse", "raised", "translate"]

Schema = Mapping[str, Mapping[str, str]]


def translate(query: exp.Expr | str, schema: Schema, database: str = "default") -> str:
    """`query` in DuckDB's dialect; raises AthenaError.

    query     a SELECT (or VALUES, or a set operation) as text or as `parse` reads it
    schema    each table's columns by "database.table", with DuckDB's types ("BIGINT")
    database  where tables are that are named without one
    """
    tree = parse(query) if isinstance(query, str) else _ours(query)
    if not isinstance(tree, exp.Query | exp.Values):
        raise AthenaError("SYNTAX_ERROR", "line 1:1: mismatched input. Expecting: 'SELECT', 'VALUES', 'WITH'")
    try:
        return Queries(_typed(schema), database).inside(tree, None).result
    except RecursionError:
        raise AthenaError("STACK_OVERFLOW", "statement is too large (stack overflow while parsing)") from None


def _typed(schema: Schema) -> dict[str, dict[str, Type]]:
    try:
        return {
            table.lower(): {column.lower(): parse_type(kind) for column, kind in columns.items()}
            for table, columns in schema.items()
        }
    except ValueError as error:
        raise AthenaError("NOT_SUPPORTED", str(error)) from None


def _ours(query: exp.Expr) -> exp.Expr:
    """A tree with functions by their names: one that sqlglot's own dialect read is read again."""
    root = query.root()
    return query if "tokens" in root.meta else parse(query.sql("athena"))
