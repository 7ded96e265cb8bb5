"""What a statement is, and which tables and columns it names."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from towline.local.athena.errors import AthenaError
from towline.local.athena.parsing import place

CATALOG = "awsdatacatalog"
PATH = "$path"  # a column that every table has: the URL of the object that a row is in

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of each statement that it keeps as text


@dataclass(frozen=True)
class Kind:
    """How GetQueryExecution and the events call a statement."""

    type: str
    subtype: str


SELECT, CTAS = Kind("DML", "SELECT"), Kind("DDL", "CREATE_TABLE_AS_SELECT")
_KINDS = {
    "select": SELECT,
    "with": SELECT,
    "values": SELECT,
    "(": SELECT,
    "insert": Kind("DML", "INSERT"),
    "unload": Kind("DML", "UNLOAD"),
    "drop": Kind("DDL", "DROP_TABLE"),
    "alter": Kind("DDL", "ALTER_TABLE"),
    "msck": Kind("DDL", "MSCK_REPAIR"),
    "show": Kind("UTILITY", "SHOW"),
    "describe": Kind("UTILITY", "DESCRIBE_TABLE"),
    "desc": Kind("UTILITY", "DESCRIBE_TABLE"),
}


def kind(query: str) -> Kind:
    """What a statement will be called, from its first words."""
    words = _words(query)
    if words[:1] == ["create"]:
        return CTAS if words[1:2] == ["table"] else Kind("DDL", "CREATE_TABLE")
    return _KINDS.get(words[0], Kind("UTILITY", "UTILITY"))


def _words(query: str) -> list[str]:
    """The words of a statement without its comments, in lower case; at least one."""
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", query, flags=re.DOTALL).replace("(", " ( ").lower().split() or [""]


_FOREIGN = {"insert", "update", "delete", "merge", "unload", "explain", "prepare", "execute", "vacuum", "optimize"}


def is_foreign(query: str) -> bool:
    """Whether Athena runs such a statement and the local stack does not."""
    words = _words(query)
    return words[0] in _FOREIGN or words[:2] == ["create", "view"] or words[:3] == ["create", "or", "replace"]


def split(query: str) -> list[str]:
    """The statements in a text, each without its semicolon. A text that is no SQL is one statement."""
    try:
        tokens = sqlglot.tokenize(query, read="athena")
    except SqlglotError:
        return [query]
    found, start = [], 0
    for token in tokens:
        if token.token_type == sqlglot.TokenType.SEMICOLON:
            found.append(query[start : token.start])
            start = token.end + 1
    return [one for one in (*found, query[start:]) if one.strip()]


def is_query(statement: exp.Expr) -> bool:
    return isinstance(statement, exp.Query | exp.Values)


def is_ctas(statement: exp.Expr) -> bool:
    created = isinstance(statement, exp.Create) and str(statement.args.get("kind")).upper() == "TABLE"
    return created and statement.args.get("expression") is not None


@dataclass(frozen=True)
class Named:
    """A table as a statement names it; `place` is "line 1:15"."""

    database: str
    table: str
    place: str


def tables(query: exp.Expr, database: str) -> list[Named]:
    """The tables that `query` names, each once, in lower case; `database` is where those are that name none."""
    found: dict[tuple[str, str], Named] = {}
    for table in _tables(query):
        named = Named((table.db or database).lower(), table.name.lower(), place(table))
        if table.catalog and table.catalog.lower() != CATALOG:
            raise AthenaError("CATALOG_NOT_FOUND", f"{named.place}: Catalog '{table.catalog.lower()}' not found")
        found.setdefault((named.database, named.table), named)
    return list(found.values())


def _tables(query: exp.Expr) -> Iterator[exp.Table]:
    for table in query.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and (table.db or table.name.lower() not in _ctes(table)):
            yield table


def _ctes(table: exp.Table) -> set[str]:
    """The names of the common table expressions that `table` may mean."""
    names: set[str] = set()
    above: exp.Expr | None = table.parent
    while above is not None:
        clause = above.args.get("with_")
        if isinstance(clause, exp.With):
            names |= {cte.alias_or_name.lower() for cte in clause.expressions}
        above = above.parent
    return names


@dataclass(frozen=True)
class Reads:
    """The names of the columns that a query may read, of whichever table; None is all (`SELECT *`)."""

    names: frozenset[str] | None
    path: bool

    def of(self, columns: Iterable[str]) -> list[str]:
        return [name for name in columns if self.names is None or name in self.names]


def reads(query: exp.Expr) -> Reads:
    names = frozenset(column.name.lower() for column in query.find_all(exp.Column))
    everything = any(column.is_star for select in query.find_all(exp.Select) for column in select.expressions)
    return Reads(None if everything else names, PATH in names)


def paths(query: exp.Expr, named: Named, database: str) -> frozenset[str] | None:
    """The objects whose rows of a table alone a query reads, as it says by `"$path" IN (…)` wherever it reads that
    table; None: it does not say. Athena opens no others."""
    found: set[str] = set()
    for table in _tables(query):
        if ((table.db or database).lower(), table.name.lower()) == (named.database, named.table):
            if (listed := _paths_of(table)) is None:
                return None
            found |= listed
    return frozenset(found)


def _paths_of(table: exp.Table) -> set[str] | None:
    select = table.parent_select
    clause = select.args.get("where") if select is not None else None
    if select is None or clause is None or select.args.get("joins") or select.args["from_"].this is not table:
        return None
    parts = clause.this.flatten() if isinstance(clause.this, exp.And) else [clause.this]
    for part in parts:
        listed = part.args.get("expressions") if isinstance(part, exp.In) and part.this.name == PATH else None
        if listed and all(isinstance(each, exp.Literal) and each.is_string for each in listed):
            return {each.name for each in listed}
    return None


def unnamed(query: exp.Expr) -> int | None:
    """The position, from 1, of the first column of the result that has no name."""
    selects = query.selects if isinstance(query, exp.Query) else []
    return next((at for at, one in enumerate(selects, 1) if not _has_name(one)), None)


def _has_name(column: exp.Expr) -> bool:
    return column.is_star or isinstance(column, exp.Alias | exp.Aliases | exp.Column | exp.Dot)


def check_injected(query: exp.Expr, keys: list[str]) -> None:
    """Raise AthenaError unless each key, whose values only the query can know, is compared with a constant in it."""
    compared = {
        side.name.lower()
        for equal in query.find_all(exp.EQ, exp.In)
        for side in (equal.this, equal.args.get("expression"))
        if isinstance(side, exp.Column)
    }
    for key in keys:
        if key not in compared:
            raise AthenaError(
                "CONSTRAINT_VIOLATION",
                f"For the injected projected partition column {key}, the WHERE clause must contain only static "
                "equality conditions, and at least one such condition must be present.",
            )
