"""What a statement is, and which tables and columns it names."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from towline.local.athena.error import QueryFailed, flat

CATALOG = "awsdatacatalog"

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of each statement that it keeps as text


@dataclass(frozen=True)
class Kind:
    """How GetQueryExecution and the events call a statement."""

    type: str
    subtype: str


SELECT, CTAS = Kind("DML", "SELECT"), Kind("DDL", "CREATE_TABLE_AS_SELECT")
CREATE_TABLE, DROP_TABLE = Kind("DDL", "CREATE_TABLE"), Kind("DDL", "DROP_TABLE")
OTHER_DDL, UTILITY = Kind("DDL", "ALTER_TABLE"), Kind("UTILITY", "UTILITY")


_KINDS = {
    "select": SELECT,
    "with": SELECT,
    "values": SELECT,
    "(": SELECT,
    "drop": DROP_TABLE,
    "alter": OTHER_DDL,
    "msck": OTHER_DDL,
}


def kind(query: str) -> Kind:
    """What a statement will be called, from its first words."""
    words = re.sub(r"--[^\n]*|/\*.*?\*/", " ", query, flags=re.DOTALL).replace("(", " ( ").lower().split()
    if words[:1] == ["create"]:
        return CREATE_TABLE if words[1:2] == ["external"] else CTAS
    return _KINDS.get(words[0] if words else "", UTILITY)


def parse(query: str) -> exp.Expression:
    """The statement, or QueryFailed with the place of what is wrong in it."""
    try:
        statements = [one for one in sqlglot.parse(query, read="athena") if one is not None]
    except SqlglotError as error:
        raise QueryFailed("SYNTAX_ERROR", _place(error)) from None
    if len(statements) != 1:
        raise QueryFailed("SYNTAX_ERROR", f"Only one sql statement is allowed. Got: {flat(query)}")
    return statements[0]


def _place(error: SqlglotError) -> str:
    found = (getattr(error, "errors", None) or [{}])[0]
    place = f"line {found.get('line', 1)}:{found.get('col', 1)}: "
    return f"{place}mismatched input '{found.get('highlight', '')}': {found.get('description') or flat(str(error))}"


def is_query(statement: exp.Expression) -> bool:
    return isinstance(statement, exp.Query | exp.Values)


def is_ctas(statement: exp.Expression) -> bool:
    created = isinstance(statement, exp.Create) and str(statement.args.get("kind")).upper() == "TABLE"
    return created and statement.args.get("expression") is not None


@dataclass(frozen=True)
class Named:
    """A table as a statement names it; `place` is "line 1:15"."""

    database: str
    table: str
    place: str


def qualify(query: exp.Expression, database: str) -> dict[Named, None]:
    """Name every table of `query` in full, in lower case and without its catalog (in place); the tables, each once."""
    found: dict[Named, None] = {}
    for table in list(_tables(query)):
        named = Named((table.db or database).lower(), table.name.lower(), place(table))
        if table.catalog and table.catalog.lower() != CATALOG:
            raise QueryFailed("CATALOG_NOT_FOUND", f"{named.place}: Catalog '{table.catalog.lower()}' not found")
        table.set("catalog", None)
        table.set("db", exp.to_identifier(named.database, quoted=True))
        table.set("this", exp.to_identifier(named.table, quoted=True))
        found.setdefault(named)
    return found


def _tables(query: exp.Expression) -> Iterator[exp.Table]:
    for table in query.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and not (table.db == "" and table.name.lower() in _ctes(table)):
            yield table


def _ctes(table: exp.Table) -> set[str]:
    """The names of the common table expressions that `table` may mean."""
    names: set[str] = set()
    above: Any = table.parent
    while above is not None:
        clause = above.args.get("with_") or above.args.get("with")
        if isinstance(clause, exp.With):
            names |= {cte.alias_or_name.lower() for cte in clause.expressions}
        above = above.parent
    return names


def place(node: exp.Expression) -> str:
    """Where a node stands: "line 1:15" (columns count from 1)."""
    for identifier in node.find_all(exp.Identifier):
        if "line" in identifier.meta:
            begin = identifier.meta["col"] - (identifier.meta["end"] - identifier.meta["start"])
            return f"line {identifier.meta['line']}:{begin}"
    return "line 1:1"


def columns_read(query: exp.Expression) -> set[str] | None:
    """The names of the columns that a query may read, of whichever table; None for all (`SELECT *`)."""
    if any(not isinstance(star.parent, exp.Count) for star in query.find_all(exp.Star)):
        return None
    return {column.name.lower() for column in query.find_all(exp.Column)}
