"""Statements on the catalog alone: CREATE EXTERNAL TABLE, DROP TABLE."""

from __future__ import annotations

from typing import Any

from towline.local.athena import catalog
from towline.local.athena.error import QueryFailed

_TASK = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask"


def run(query: str, database: str, record: dict[str, Any]) -> bool:
    """Run `query` if it is one of these statements; whether it was."""
    from ministack.services import athena

    parsed = athena._parse_ddl(query)
    if parsed is None:
        return False
    name = (parsed.database or database).lower(), parsed.table.lower()
    if isinstance(parsed, athena._DropTable):
        _drop(*name, if_exists=parsed.if_exists)
    else:
        _create(*name, athena._create_table_input(parsed), if_not_exists=parsed.if_not_exists)
    return True


def _drop(database: str, table: str, *, if_exists: bool) -> None:
    if catalog.find(database, table) is not None:
        catalog.drop(database, table)
    elif not if_exists:
        raise QueryFailed("FAILED", f"SemanticException [Error 10001]: Table not found {database}.{table}")


def _create(database: str, table: str, described: dict[str, Any], *, if_not_exists: bool) -> None:
    if not catalog.has_database(database):
        raise QueryFailed("FAILED", f"SemanticException [Error 10072]: Database does not exist: {database}")
    if catalog.find(database, table) is None:
        catalog.create(database, {**described, "Name": table})
    elif not if_not_exists:
        raise QueryFailed("FAILED", f"{_TASK}. AlreadyExistsException(message:Table {table} already exists)")
