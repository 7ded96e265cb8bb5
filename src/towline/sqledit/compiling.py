"""From a statement to the SELECT that yields the table as it is afterwards."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from towline.contract import Contract
from towline.errors import UsageError
from towline.sqledit import rewrite, tables
from towline.sqledit.columns import Schema, check_columns, columns_of, schema_of
from towline.sqledit.ddl import check_names
from towline.sqledit.statement import (
    DIALECT,
    EDITS,
    QUERIES,
    Statement,
    check_repeatable,
    read,
    too_deep,
    too_long,
)

_MARKER = "towline_edit"
# Bytes of a compiled statement as JSON text. Step Functions hands 262,144 bytes from state to state, the CTAS and what
# else is known of the run among them.
MAX_COMPILED = 224 * 2**10


@dataclass(frozen=True)
class Compiled:
    """An edit, ready for `ctas`.

    select  Athena SQL that yields the contract's columns in order, none of them of an incompatible type
    verb    update, delete, insert, merge or select
    reads   the other tables that it reads
    """

    select: str
    verb: str
    reads: frozenset[str]


def compile(
    statement: str, contract: Contract, *, base: str, others: Mapping[str, Contract], database: str
) -> Compiled:
    """What `statement` makes of the rows of `base` (the run's table, qualified and quoted). `master` and the dataset's
    own name stand for it; `others` are the team's datasets, which can be read. Raises SqlRefused."""
    parsed = read(statement, (*EDITS, *QUERIES))
    check_repeatable(parsed)
    try:
        check_names(contract)
    except UsageError as error:
        raise parsed.refused("sql.contract", str(error)) from error
    known = tables.of_edit(contract.dataset, base, others, database)
    verb = "select" if isinstance(parsed.tree, exp.Query) else parsed.tree.key
    target, reads = _target(parsed, contract, known, others)
    query = _edited(target, parsed.tree)
    check_columns(query, target.schema, parsed)
    return Compiled(written(query, parsed), verb, reads - known.own)


def read_only(statement: str, names: Collection[str], database: str, *, master: str | None = None) -> str:
    """A query that reads these tables of the database and nothing else, as Athena takes it. Raises SqlRefused.
    `master` is the table that is also meant by that name."""
    parsed = read(statement, QUERIES)
    tables.of_query(names, database, master).resolve(parsed)
    return written(parsed.tree, parsed)


def _target(
    parsed: Statement, contract: Contract, known: tables.Tables, others: Mapping[str, Contract]
) -> tuple[rewrite.Target, frozenset[str]]:
    """What is edited, and the names of the tables that are read; in the statement they now stand where they are."""
    tree, alias = parsed.tree, "master"
    if not isinstance(tree, exp.Query):
        named = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        if known.check(named, parsed) not in known.own:
            reason = f"{named.name} can be read, not edited, here; edit {contract.dataset}, which is also called master"
            raise parsed.refused("sql.table", reason, named)
        if named.alias_column_names:
            raise parsed.refused("sql.syntax", "columns keep their names; the table can have another name", named)
        alias = named.alias_or_name
    reads = known.resolve(parsed)
    read = {name: columns_of(name, contract, others) for name in sorted(reads - known.own)}
    base = known.places["master"]
    schema: dict[str, dict[str, dict[str, str]]] = {known.database: read}
    schema.setdefault(base.db, {})[base.name] = schema_of(contract)
    return rewrite.Target(parsed, contract, schema, base, alias, _free_name(parsed, schema)), reads


def _free_name(parsed: Statement, schema: Schema) -> str:
    """A name that neither the statement nor a table has, nor as the beginning of one."""
    taken = [node.name.lower() for node in parsed.tree.find_all(exp.Identifier)]
    taken += [name for columns in schema.values() for each in columns.values() for name in each]
    name = _MARKER
    while any(each.startswith(name) for each in taken):
        name += "_"
    return name


def _edited(target: rewrite.Target, tree: exp.Expr) -> exp.Query:
    query = _rewritten(target, tree)
    if not isinstance(tree, exp.Query) and tree.args.get("with_") is not None:
        query.set("with_", tree.args["with_"].copy())
    return query


def _rewritten(target: rewrite.Target, tree: exp.Expr) -> exp.Query:
    if isinstance(tree, exp.Query):
        return rewrite.select(target, tree)
    if isinstance(tree, exp.Update):
        return rewrite.update(target, tree)
    if isinstance(tree, exp.Delete):
        return rewrite.delete(target, tree)
    if isinstance(tree, exp.Insert):
        return rewrite.insert(target, tree)
    if isinstance(tree, exp.Merge):
        return rewrite.merge(target, tree)
    raise target.statement.refused("sql.syntax", f"{tree.key.upper()} is not understood")


def written(query: exp.Expr, parsed: Statement) -> str:
    """The query as text, for people to read; on one line where it would be too long otherwise."""
    try:
        for pretty in (True, False):
            text = query.sql(DIALECT, pretty=pretty, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
            size = len(json.dumps(text, ensure_ascii=False).encode())
            if size <= MAX_COMPILED:
                return text
    except RecursionError as error:
        raise too_deep(parsed.sql) from error
    except SqlglotError as error:
        raise parsed.refused("sql.syntax", f"Athena has no words for this: {error}; say it another way") from error
    raise too_long(parsed.sql, "what this comes to in Athena's SQL", size, MAX_COMPILED)
