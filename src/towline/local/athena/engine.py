"""Runs one statement: on DuckDB, shut off from the world, or on the catalog."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from towline.local.athena import catalog, ctas, ddl, results, statement, storage, tables
from towline.local.athena.error import Cancelled, QueryFailed, flat
from towline.local.athena.execution import Execution
from towline.local.athena.storage import Location

THREADS = 2
MEMORY_LIMIT = "2GB"
_ROWS_AT_ONCE = 10_000


@dataclass
class Job:
    """A statement and where it runs: the database it takes for granted, where its results go, its scratch directory."""

    execution: Execution
    query: str
    database: str
    results: Location
    directory: Path
    scanned: int = 0
    columns: list[tuple[str, str]] = field(default_factory=list)


def run(execution: Execution, query: str, database: str, output: Location) -> None:
    """Run `query` to its end and put its result; raises QueryFailed or Cancelled."""
    directory = Path(tempfile.mkdtemp(prefix="athena-"))
    job = Job(execution, query, database, output, directory)
    began = time.monotonic()
    try:
        _run(job)
    except duckdb.InterruptException:
        raise Cancelled from None
    except duckdb.Error as error:
        raise _failure(error) from error
    finally:
        took = round((time.monotonic() - began) * 1000)
        execution.count(EngineExecutionTimeInMillis=took, DataScannedInBytes=job.scanned)
        shutil.rmtree(directory, ignore_errors=True)
    if execution.stopped.is_set():
        raise Cancelled


def _run(job: Job) -> None:
    if ddl.run(job.query, job.database, job.execution.record):
        return
    parsed = statement.parse(job.query)
    if statement.is_ctas(parsed):
        _create_table(job, parsed)
    elif statement.is_query(parsed):
        _select(job, parsed)
    else:
        raise QueryFailed("NOT_SUPPORTED", f"the local stack does not run this statement: {flat(job.query)[:200]}")


def _select(job: Job, query: exp.Expression) -> None:
    with _connection(job) as connection:
        found = connection.execute(_prepare(job, connection, query))
        columns = [(str(name), results.athena_type(str(kind))) for name, kind, *_ in found.description]
        job.execution.record["_columns"] = columns
        storage.put(job.results, _csv(found, columns).encode(), "application/octet-stream")
        storage.put(Location(job.results.bucket, f"{job.results.key}.metadata"), results.metadata(columns))


def _csv(found: Any, columns: list[tuple[str, str]]) -> str:
    lines = [results.csv_line(name for name, _ in columns)]
    while rows := found.fetchmany(_ROWS_AT_ONCE):
        lines.extend(results.csv_line(map(results.text, row)) for row in rows)
    return "".join(lines)


def _create_table(job: Job, created: exp.Create) -> None:
    made = ctas.plan(created, job.database, _parent(job.results), job.execution.id)
    ctas.check_free(made)
    parts = job.directory / "parts"
    with _connection(job) as connection:
        columns = ctas.write(connection, made, _prepare(job, connection, created.expression), parts)
    if job.execution.stopped.is_set():
        raise Cancelled
    written = ctas.publish(made, parts)
    manifest = Location(job.results.bucket, f"{job.results.key}-manifest.csv")
    storage.put(manifest, "".join(f"{part}\n" for part in written).encode())
    job.execution.count(DataManifestLocation=str(manifest))
    ctas.register(made, columns)


def _parent(location: Location) -> Location:
    return Location(location.bucket, location.key.rpartition("tables/")[0])


@contextmanager
def _connection(job: Job) -> Iterator[Any]:
    spill = job.directory / "spill"
    settings = {"threads": THREADS, "memory_limit": MEMORY_LIMIT, "temp_directory": str(spill)}
    connection = duckdb.connect(":memory:", config={**settings, "python_enable_replacements": False})
    try:
        job.execution.interruptible(connection)
        yield connection
    finally:
        connection.close()


def _prepare(job: Job, connection: Any, query: exp.Expression) -> str:
    """Make the query's tables known to `connection`, shut it off, and return the query in its own dialect."""
    named = statement.qualify(query, job.database)
    read = statement.columns_read(query)
    schema: dict[str, dict[str, str]] = {}
    for number, one in enumerate({(each.database, each.table): each for each in named}.values()):
        table = _table(one)
        shown = tables.view(table, read, job.directory / str(number))
        job.scanned += shown.scanned
        tables.registered(connection, table, shown)
        schema[f"{table.database}.{table.name}"] = table.types()
    _shut_off(connection, job.directory)
    return query.sql("duckdb")


def _table(named: statement.Named) -> catalog.Table:
    if not catalog.has_database(named.database):
        raise QueryFailed("SCHEMA_NOT_FOUND", f"{named.place}: Schema '{named.database}' does not exist")
    table = catalog.find(named.database, named.table)
    if table is None:
        name = f"{statement.CATALOG}.{named.database}.{named.table}"
        raise QueryFailed("TABLE_NOT_FOUND", f"{named.place}: Table '{name}' does not exist")
    return table


def _shut_off(connection: Any, directory: Path) -> None:
    """From here on nothing beside the query's own directory can be read or written, and no setting changed."""
    connection.execute(f"SET allowed_directories = [{tables.literal(str(directory) + os.sep)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _failure(error: duckdb.Error) -> QueryFailed:
    """DuckDB's error by the nearest of Athena's names."""
    names = {
        duckdb.ConversionException: "INVALID_CAST_ARGUMENT",
        duckdb.OutOfRangeException: "NUMERIC_VALUE_OUT_OF_RANGE",
        duckdb.OutOfMemoryException: "EXCEEDED_MEMORY_LIMIT",
        duckdb.BinderException: "SYNTAX_ERROR",
        duckdb.CatalogException: "SYNTAX_ERROR",
        duckdb.ParserException: "SYNTAX_ERROR",
        duckdb.PermissionException: "PERMISSION_DENIED",
    }
    return QueryFailed(names.get(type(error), "GENERIC_INTERNAL_ERROR"), flat(str(error)))
