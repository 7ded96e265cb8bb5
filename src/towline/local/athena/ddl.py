"""Statements on the catalog alone: tables and partitions made, dropped and listed.

MiniStack's cursor over SQL reads them; what a statement answers are lines of text, as in Athena's `<id>.txt`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from towline.local.athena import catalog, partitions
from towline.local.athena.catalog import Table
from towline.local.athena.errors import AthenaError

Lines = list[str]

_TASK = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask"


def run(query: str, database: str) -> Lines | None:
    """Run `query` if it is one of these statements, and return its lines; None if it is another."""
    from ministack.services import athena

    if (parsed := athena._parse_ddl(query)) is not None:
        return _table(parsed, database)
    for words, statement in _STATEMENTS.items():
        cursor = athena._Cursor(query)
        if cursor.keywords(*words.split()):
            return statement(cursor, database)
    return None


def _table(parsed: Any, database: str) -> Lines:
    from ministack.services import athena

    name = (parsed.database or database).lower(), parsed.table.lower()
    if isinstance(parsed, athena._DropTable):
        _drop(*name, if_exists=parsed.if_exists)
    else:
        _create(*name, athena._create_table_input(parsed), if_not_exists=parsed.if_not_exists)
    return []


def _drop(database: str, table: str, *, if_exists: bool) -> None:
    if catalog.find(database, table) is not None:
        catalog.drop(database, table)
    elif not if_exists:
        raise _failed(f"SemanticException [Error 10001]: Table not found {database}.{table}")


def _create(database: str, table: str, described: dict[str, Any], *, if_not_exists: bool) -> None:
    if not catalog.has_database(database):
        raise _failed(f"SemanticException [Error 10072]: Database does not exist: {database}")
    if catalog.find(database, table) is None:
        catalog.create(database, {**described, "Name": table})
    elif not if_not_exists:
        raise _failed(f"{_TASK}. AlreadyExistsException(message:Table {table} already exists)")


def _failed(why: str) -> AthenaError:
    return AthenaError("FAILED", why)


def _named(cursor: Any, database: str) -> Table:
    name = cursor.dotted_name(2)
    if name is None:
        raise _malformed(cursor)
    found = catalog.find((name[0] or database).lower(), name[1].lower())
    if found is None:
        raise _failed(f"SemanticException [Error 10001]: Table not found {name[0] or database}.{name[1]}")
    return found


def _malformed(cursor: Any) -> AthenaError:
    _, text, start, _ = cursor.peek()
    found = "<EOF>" if text is None else text
    return AthenaError(
        "SYNTAX_ERROR", f"line 1:{len(cursor.text) if start is None else start + 1}: mismatched input '{found}'"
    )


def _repair(cursor: Any, database: str) -> Lines:
    table = _named(cursor, database)
    known = [values for values, _ in catalog.partitions(table)]
    found = [(values, location) for values, location in partitions.discover(table) if values not in known]
    catalog.add_partitions(table, found)
    return [f"Repair: Added partition to metastore {table.name}:{_folder(values)}" for values, _ in found]


def _folder(values: partitions.Values) -> str:
    return "/".join(f"{name}={value}" for name, value in values.items())


def _alter(cursor: Any, database: str) -> Lines:
    table = _named(cursor, database)
    if cursor.keywords("add"):
        _add(cursor, table, if_not_exists=cursor.keywords("if", "not", "exists"))
    elif cursor.keywords("drop"):
        cursor.keywords("if", "exists")
        while not cursor.at_end():
            catalog.drop_partition(table, _partition(cursor, table))
            cursor.punct(",")
    else:
        raise AthenaError("NOT_SUPPORTED", "of ALTER TABLE the local stack runs ADD PARTITION and DROP PARTITION")
    return []


def _add(cursor: Any, table: Table, *, if_not_exists: bool) -> None:
    known = [values for values, _ in catalog.partitions(table)]
    while not cursor.at_end():
        values = _partition(cursor, table)
        location = cursor.string() if cursor.keywords("location") else table.partition_location(values)
        if values not in known:
            catalog.add_partitions(table, [(values, location)])
        elif not if_not_exists:
            raise _failed(f"{_TASK}. AlreadyExistsException(message:Partition already exists: {_folder(values)})")


def _partition(cursor: Any, table: Table) -> dict[str, str]:
    """`PARTITION (d = '2026-01-01', n = 3)`, in the order of the table's keys."""
    if not (cursor.keywords("partition") and cursor.punct("(")):
        raise _malformed(cursor)
    values: dict[str, str] = {}
    while not cursor.punct(")"):
        name = cursor.identifier()
        value = (cursor.string() or cursor.number()) if cursor.punct("=") else None
        if name not in table.partition_keys or value is None:
            raise _malformed(cursor)
        values[name] = str(value)
        cursor.punct(",")
    if set(values) != set(table.partition_keys):
        raise _failed(f"SemanticException: the partition of {table.name} takes {', '.join(table.partition_keys)}")
    return {name: values[name] for name in table.partition_keys}


def _tables(cursor: Any, database: str) -> Lines:
    inside = cursor.dotted_name(1)[0] if cursor.keywords("in") or cursor.keywords("from") else database
    return _matching(cursor, catalog.tables(str(inside).lower()))


def _databases(cursor: Any, database: str) -> Lines:
    return _matching(cursor, catalog.databases())


def _matching(cursor: Any, names: Lines) -> Lines:
    cursor.keywords("like")
    pattern = cursor.string()
    return names if pattern is None else [name for name in names if fnmatch.fnmatch(name, pattern)]


def _partitions(cursor: Any, database: str) -> Lines:
    table = _named(cursor, database)
    if not table.partition_keys:
        raise _failed(f"{_TASK}. Table {table.name} is not a partitioned table")
    return [_folder(values) for values, _ in catalog.partitions(table)]


def _columns(cursor: Any, database: str) -> Lines:
    if not (cursor.keywords("in") or cursor.keywords("from")):
        raise _malformed(cursor)
    return [f"{name:<20}" for name in _named(cursor, database).all_columns]


def _describe(cursor: Any, database: str) -> Lines:
    return [f"{name:<20}\t{kind:<20}\t{'':<20}" for name, kind in _named(cursor, database).all_columns.items()]


_STATEMENTS: dict[str, Callable[[Any, str], Lines]] = {
    "msck repair table": _repair,
    "alter table": _alter,
    "show tables": _tables,
    "show databases": _databases,
    "show schemas": _databases,
    "show partitions": _partitions,
    "show columns": _columns,
    "describe": _describe,
}
