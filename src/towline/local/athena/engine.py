"""Runs one statement: on the catalog, or on a DuckDB that is shut off from all but the query's own files."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from towline.local import disk
from towline.local.athena import catalog, ctas, ddl, dialect, results, statement, storage, tables
from towline.local.athena.errors import AthenaError
from towline.local.athena.execution import STOPPED, Execution
from towline.local.athena.failure import Cancelled, flat
from towline.local.athena.request import Request
from towline.local.athena.sql import listed
from towline.local.athena.storage import Location

THREADS = min(4, os.cpu_count() or 1)
# A quarter of the machine's memory for each query, of which `api.AT_ONCE` run at once; what is more goes to disk.
MEMORY_BYTES = min(4 * 2**30, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4)
_ENFORCED = "external_location cannot be given in a workgroup that enforces its own location for query results"
_ROWS_AT_ONCE = 10_000


@dataclass
class Job:
    """A statement to run, where its result goes, and its scratch directory."""

    execution: Execution
    request: Request
    output: Location
    directory: Path
    scanned: int = 0

    def go_on(self) -> None:
        """Raise Cancelled where the query was stopped."""
        if self.execution.stopped.is_set():
            raise Cancelled(STOPPED)

    def scan(self, size: int) -> None:
        """Count bytes that the query reads. Raises Cancelled where they are more than its workgroup lets it."""
        self.scanned += size
        limit = self.request.scan_limit
        if limit is not None and self.scanned > limit:
            raise Cancelled("Bytes scanned limit was exceeded")


def run(execution: Execution, request: Request, output: Location) -> None:
    """Run a statement to its end and put its result at `output`. Raises AthenaError or Cancelled."""
    job = Job(execution, request, output, Path(tempfile.mkdtemp(prefix="athena-")))
    began = time.monotonic()
    try:
        _run(job)
    except duckdb.InterruptException:
        raise Cancelled(STOPPED) from None
    except duckdb.Error as error:
        raise _failure(error) from error
    finally:
        took = round((time.monotonic() - began) * 1000)
        execution.count(EngineExecutionTimeInMillis=took, DataScannedInBytes=job.scanned)
        shutil.rmtree(job.directory, ignore_errors=True)


def _run(job: Job) -> None:
    if (lines := ddl.run(job.request.query, job.request.database)) is not None:
        _answer(job, lines)
        return
    if statement.is_foreign(job.request.query):
        raise _not_supported(job)
    parsed = dialect.parse(job.request.query)
    if isinstance(parsed, exp.Create) and statement.is_ctas(parsed):
        _create_table(job, parsed)
    elif statement.is_query(parsed):
        _select(job, parsed)
    else:
        raise _not_supported(job)


def _not_supported(job: Job) -> AthenaError:
    return AthenaError("NOT_SUPPORTED", f"the local stack does not run this statement: {flat(job.request.query)[:200]}")


def _answer(job: Job, lines: list[str]) -> None:
    job.execution.record["_columns"] = [["result", "string"]] if lines else []
    storage.put(job.output, "".join(f"{line}\n" for line in lines).encode())


def _select(job: Job, query: exp.Expr) -> None:
    with _connection(job) as connection:
        found = connection.execute(_prepare(job, connection, query))
        columns = [(str(name), results.athena_type(str(kind))) for name, kind, *_ in found.description]
        body = _csv(found, columns).encode()
    job.execution.record["_columns"] = columns
    storage.put(job.output, body)
    storage.put(Location(job.output.bucket, f"{job.output.key}.metadata"), results.metadata(columns))


def _csv(found: Any, columns: list[tuple[str, str]]) -> str:
    lines = [results.csv_line(name for name, _ in columns)]
    while rows := found.fetchmany(_ROWS_AT_ONCE):
        lines.extend(map(results.csv_line, rows))
    return "".join(lines)


def _create_table(job: Job, created: exp.Create) -> None:
    made = ctas.plan(created, job.request.database, job.output.below(""))
    if made.if_not_exists and catalog.find(made.database, made.table) is not None:
        return
    if made.is_placed and job.request.enforced:
        raise AthenaError("INVALID_TABLE_PROPERTY", _ENFORCED)
    ctas.check_free(made)
    query = created.expression.unnest() if isinstance(created.expression, exp.Subquery) else created.expression
    ctas.check_named(query)
    parts = job.directory / "parts"
    with _connection(job) as connection:
        select = _prepare(job, connection, query)
        named = ctas.columns(connection, made, select)
        rows = ctas.write(connection, made, select, named, parts)
    written = ctas.publish(made, parts, job.go_on)
    manifest = Location(job.output.bucket, f"{job.output.key}-manifest.csv")
    storage.put(manifest, "".join(f"{part}\n" for part in written).encode())
    job.execution.count(DataManifestLocation=str(manifest))
    job.execution.record["_updated"] = rows
    ctas.register(made, named, written)


@contextmanager
def _connection(job: Job) -> Iterator[Any]:
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": THREADS,
            "memory_limit": f"{MEMORY_BYTES}B",
            "temp_directory": str(job.directory / "spill"),
            "max_temp_directory_size": f"{_room(job.directory)}B",
            "preserve_insertion_order": False,
            "python_enable_replacements": False,
            # It would move TRY_CAST into the reader of text files, and fail there on what is to be null.
            "disabled_optimizers": "type_pushdown",
        },
    )
    try:
        connection.execute("SET TimeZone = 'UTC'")
        job.execution.interruptible(connection)
        yield connection
    finally:
        job.execution.interruptible(None)
        connection.close()


def _room(directory: Path) -> int:
    """The bytes that a query may put on disk when memory is short: half of what is free beyond the stack's reserve."""
    return max(0, disk.free(directory) - disk.Room.from_environment(os.environ).to_start) // 2


def _prepare(job: Job, connection: Any, query: exp.Expr) -> str:
    """Make the query's tables known to `connection`, shut it off, and return the query in DuckDB's words."""
    named = statement.tables(query, job.request.database)
    reads = statement.reads(query)
    schema: dict[str, dict[str, str]] = {}
    for number, one in enumerate(named):
        job.go_on()
        table = _table(one)
        statement.check_injected(query, table.injected)
        paths = statement.paths(query, one, job.request.database)
        job.scan(tables.show(connection, table, reads, job.directory / str(number), paths))
        schema[f"{table.database}.{table.name}"] = tables.types(table, reads)
    _shut_off(connection, job.directory)
    job.go_on()
    return dialect.translate(query, schema, job.request.database)


def _table(named: statement.Named) -> catalog.Table:
    if not catalog.has_database(named.database):
        raise AthenaError("SCHEMA_NOT_FOUND", f"{named.place}: Schema '{named.database}' does not exist")
    table = catalog.find(named.database, named.table)
    if table is None:
        name = f"{statement.CATALOG}.{named.database}.{named.table}"
        raise AthenaError("TABLE_NOT_FOUND", f"{named.place}: Table '{name}' does not exist")
    return table


def _shut_off(connection: Any, directory: Path) -> None:
    """From here on nothing but the query's own directory can be read or written, and no setting changed."""
    connection.execute(f"SET allowed_directories = {listed([f'{directory}{os.sep}'])}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _failure(error: duckdb.Error) -> AthenaError:
    if isinstance(error, duckdb.InvalidInputException) and "JSON" in str(error):
        return AthenaError("HIVE_BAD_DATA", flat(str(error).partition("\n")[0]))
    return dialect.raised(error)
