"""Athena SQL (Trino's, engine version 3) as DuckDB SQL with Athena's answer, or an AthenaError."""

from __future__ import annotations

from collections.abc import Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from towline.local.athena.errors import AthenaError

Schema = Mapping[str, Mapping[str, str]]


def translate(query: exp.Expression | str, schema: Schema) -> str:
    """`query` in DuckDB's dialect. `schema`: the columns' types by "database.table". Raises AthenaError."""
    return (parse(query) if isinstance(query, str) else query).sql("duckdb")


def parse(query: str) -> exp.Expression:
    """The one SELECT in `query`. Raises AthenaError."""
    try:
        return sqlglot.parse_one(query, dialect="athena")
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        place = f"line {first.get('line', 1)}:{first.get('col', 1)}"
        raise AthenaError("SYNTAX_ERROR", f"{place}: {first.get('description', error)}") from error
    except TokenError as error:
        raise AthenaError("SYNTAX_ERROR", f"line 1:1: {error}") from error
