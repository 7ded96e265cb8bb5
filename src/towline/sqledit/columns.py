"""Which columns a statement names and yields: held against the contracts, so that a wrong name is refused at once."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from towline import audit, changefile
from towline.contract import Contract
from towline.sqledit.ddl import athena_type
from towline.sqledit.refusal import SqlRefused
from towline.sqledit.statement import DIALECT, Statement, too_deep
from towline.sqledit.tables import AUDIT, HISTORY, SNAPSHOTS

_HIDDEN = "$"  # begins the names of columns that every table has: "$path", "$file_size"…
_PARTITIONS = ["dataset", "date"]  # of the tables of all datasets, behind their other columns

# database -> table -> column -> type; a table that is not in it may have any columns.
Schema = Mapping[str, Mapping[str, Mapping[str, str]]]


def schema_of(contract: Contract) -> dict[str, str]:
    return {field.name.lower(): athena_type(field) for field in contract.fields}


def columns_of(table: str, contract: Contract, others: Mapping[str, Contract]) -> dict[str, str]:
    """The columns of a table that an edit of `contract`'s dataset reads, as the catalog has them (towline.catalog)."""
    if table in HISTORY:
        fields = (*audit.FIELDS, audit.QUERY) if table == AUDIT else tuple(changefile.SCHEMA.names)
        return dict.fromkeys([field for field in fields if field not in _PARTITIONS] + _PARTITIONS, "string")
    dataset = table.removesuffix(SNAPSHOTS)
    return schema_of(contract if dataset == contract.dataset else others[dataset])


def check_columns(query: exp.Query, schema: Schema, statement: Statement) -> exp.Query | None:
    """`query`, which is made of the nodes of `statement`, with every column traced to its table; None where that
    cannot be done because a table may have any columns. Raises SqlRefused."""
    try:
        traced = qualify(
            query.copy(),
            dialect=DIALECT,
            schema={database: dict(tables) for database, tables in schema.items()},
            expand_alias_refs=False,
            allow_partial_qualification=True,
            validate_qualify_columns=False,
            quote_identifiers=False,
        )
        scopes = traverse_scope(traced)
    except RecursionError as error:
        raise too_deep(statement.sql) from error
    except SqlglotError as error:
        if any(table.db and _columns(table, schema) is None for table in query.find_all(exp.Table)):
            return None
        raise _unclear(statement, error) from error
    for scope in scopes:
        _check_scope(scope, schema, statement)
    return traced


def outputs(query: exp.Query, schema: Schema, statement: Statement) -> list[str]:
    """The names of the columns that `query` yields, in lower case, in order. Raises SqlRefused."""
    traced = check_columns(query, schema, statement)
    names = [name.lower() for name in (query if traced is None else traced).named_selects]
    if "*" in names:
        raise statement.refused("sql.column", "what * stands for is not known here; write the columns out", query)
    return names


def check_outputs(query: exp.Query, names: Sequence[str], contract: Contract, statement: Statement) -> None:
    """A whole new table has the contract's columns, each once, in any order. Raises SqlRefused.

    names   what the query yields, in lower case
    """
    nodes = _projections(query)
    for node in nodes:
        if not isinstance(node, exp.Alias | exp.Column | exp.Star):
            raise statement.refused("sql.column", "this column of the result has no name; give it one with AS", node)
    places = {node.alias_or_name.lower(): node for node in nodes}
    expected = {name.lower(): name for name in contract.names}
    for name, count in Counter(names).items():
        if name not in expected:
            reason = f"the result has a column {name} that {contract.dataset} has not{near(name, expected)}"
            raise statement.refused("sql.column", reason, places.get(name))
        if count > 1:
            reason = f"the result has {count} columns {expected[name]}; yield it once"
            raise statement.refused("sql.column", reason, places.get(name))
    lost = [name for lower, name in expected.items() if lower not in names]
    if lost:
        reason = f"the result lacks {', '.join(lost)}; a SELECT yields the whole new table, with every column"
        raise statement.refused("sql.column", reason)


def _projections(query: exp.Query) -> Sequence[exp.Expr]:
    """What the SELECT that names the columns lists: the first one of a UNION."""
    while not isinstance(query, exp.Select):
        query = query.this
    return query.expressions


def resolve_name(node: exp.Expr, contract: Contract, statement: Statement) -> str:
    """The contract's name of the column that `node` names. Raises SqlRefused."""
    expected = {name.lower(): name for name in contract.names}
    if node.name.lower() not in expected:
        reason = f"{contract.dataset} has no column {node.name}{near(node.name, expected)}"
        raise statement.refused("sql.column", reason, node)
    return expected[node.name.lower()]


def near(name: str, known: Sequence[str] | Mapping[str, str]) -> str:
    """The way out for a wrong name."""
    found = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"; did you mean {found[0]}?" if found else f"; there are {', '.join(known)}"


def find_name(statement: Statement, name: str) -> exp.Expr | None:
    """Where a statement first says `name`."""
    return next((i for i in statement.tree.find_all(exp.Identifier, bfs=False) if i.name.lower() == name.lower()), None)


def _check_scope(scope: Scope, schema: Schema, statement: Statement) -> None:
    if not isinstance(scope.expression, exp.Select):
        return
    tables = {name: _columns(source, schema) for name, source in scope.sources.items()}
    for column in scope.columns:
        known = tables.get(column.table)
        if known is not None and column.name not in known and not column.name.startswith(_HIDDEN):
            raise _no_column(column, known, statement)
    if None in tables.values():
        return
    everything = sorted({name for columns in tables.values() for name in columns or ()})
    unknown = [] if scope.is_correlated_subquery else list(scope.external_columns)
    for column in [*unknown, *scope.unqualified_columns]:
        if column.name.startswith(_HIDDEN) and not column.table:
            continue
        if column.name in everything and not column.table:
            reason = f"the column {column.name} is in several tables; write the table's name before it"
            raise statement.refused("sql.column", reason, column)
        raise _no_column(column, everything, statement)


def _no_column(column: exp.Column, known: Collection[str], statement: Statement) -> SqlRefused:
    whose = f"{column.table}." if column.table else ""
    reason = f"there is no column {whose}{column.name} here{near(column.name, list(known))}"
    return statement.refused("sql.column", reason, column)


def _columns(source: exp.Expr | Scope, schema: Schema) -> Collection[str] | None:
    """The columns of a table or a subquery; None where they are not known."""
    if isinstance(source, Scope):
        return [name for name in getattr(source.expression, "named_selects", []) if name != "*"]
    return schema.get(source.text("db"), {}).get(source.name)


def _unclear(statement: Statement, error: Exception) -> Exception:
    """What sqlglot says of a query that it cannot trace, at the place of the name that it gives."""
    reason = str(error).split("\n")[0].rstrip(".")
    said = reason.replace("'", " ").replace('"', " ").split()
    node = next((found for word in reversed(said) if (found := find_name(statement, word))), None)
    return statement.refused("sql.column", f"{reason}; check the names of columns and tables", node)
