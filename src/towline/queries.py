"""Reading by SQL: one SELECT over the tables of the catalog (docs/catalog.md), guarded, and run by Athena."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from towline import catalog, cost, sqledit
from towline.errors import NotFound, QueryFailed, TowlineError
from towline.execution import CANCELLED, SUCCEEDED, Execution
from towline.store import ObjectStore
from towline.workbench import Workbench

PATIENCE = 600.0  # seconds; on AWS a query may run for half an hour

Started = Callable[[str], None]


class Engine(Protocol):
    """What runs queries: Athena. Each method raises a TowlineError where it cannot be reached or refuses."""

    def start(self, statement: str, token: str) -> str: ...

    def wait(self, id: str, timeout: float) -> Execution:
        """The query when it has ended, or as it stands after `timeout` seconds."""
        ...

    def stop(self, id: str) -> None: ...

    def result(self, execution: Execution, store: ObjectStore) -> pa.Table: ...


class Asking(Protocol):
    """Who asks, and of what: `towline.connect.Connection` is one. `database` is the one that the tables are in."""

    @property
    def bench(self) -> Workbench: ...

    @property
    def engine(self) -> Engine: ...

    @property
    def database(self) -> str: ...

    @property
    def default_dataset(self) -> str | None:
        """The dataset that is meant where nobody says which."""
        ...

    def datasets(self) -> list[str]: ...

    def tables(self) -> list[str]:
        """The names of all tables in the database: of datasets, of their copies, and those that people made."""
        ...


@dataclass(frozen=True)
class QueryResult:
    """What a query found: its rows with their types, the bytes that it read and what they cost on AWS, the
    milliseconds that it ran, and its id."""

    table: pa.Table
    scanned_bytes: int
    cost_usd: float
    engine_ms: int
    id: str

    def summary(self) -> dict[str, object]:
        """All but the rows themselves, as JSON says it."""
        return {
            "query": self.id,
            "rows": self.table.num_rows,
            "scanned_bytes": self.scanned_bytes,
            "cost_usd": self.cost_usd,
            "engine_ms": self.engine_ms,
        }


def run(
    connection: Asking,
    statement: str,
    *,
    dataset: str | None = None,
    timeout: float = PATIENCE,
    started: Started = lambda id: None,
) -> QueryResult:
    """The rows of one SELECT. `dataset` is what `master` means; without it the only one there is. `started` is told the
    query's id once Athena has it. Whatever ends the waiting, Ctrl-C too, stops the query.

    Raises SqlRefused, with the place, for what is no query of these tables; QueryFailed with Athena's reason, also
    when `timeout` seconds are over; NotFound where there is no such dataset.
    """
    athena_sql = read(connection, statement, dataset)
    id = connection.engine.start(athena_sql, connection.bench.new_id())
    execution = ended(connection.engine, id, timeout, started)
    table = connection.engine.result(execution, connection.bench.store)
    return QueryResult(table, execution.scanned_bytes, cost.usd(execution.scanned_bytes), execution.engine_ms, id)


def read(connection: Asking, statement: str, dataset: str | None = None) -> str:
    """The statement as Athena takes it, with each table in its place. Raises as `run` does, and runs nothing."""
    known = connection.datasets()
    if dataset is not None and dataset not in known:
        raise NotFound(f"there is no dataset {dataset!r}; there are {', '.join(known) or 'none'}")
    master = dataset or connection.default_dataset or (known[0] if len(known) == 1 else None)
    tables = {*catalog.names(known), *(name for name in connection.tables() if not name.startswith(catalog.RUN))}
    return sqledit.read_only(statement, sorted(tables), connection.database, master=master)


def ended(engine: Engine, id: str, timeout: float = PATIENCE, started: Started = lambda id: None) -> Execution:
    """The query, when it has succeeded. QueryFailed: it has not, or `timeout` seconds are over, and it was stopped."""
    execution = None
    try:
        started(id)
        execution = engine.wait(id, timeout)
    finally:
        if execution is None or not execution.is_final:
            with suppress(TowlineError):  # what ended the waiting is what has to be told
                engine.stop(id)
    if not execution.is_final:
        raise QueryFailed(f"query {id} was stopped: it had not ended after {timeout:g} s; allow more, or ask for less")
    if execution.state != SUCCEEDED:
        what = "cancelled the query" if execution.state == CANCELLED else "could not run it"
        raise QueryFailed(f"Athena {what}: {execution.reason or 'no reason is given'} (query {id})")
    return execution
