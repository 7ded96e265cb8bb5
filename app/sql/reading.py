"""A query that only reads, on its way: started, looked at, stopped; what it found, and that as a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, count

import pyarrow as pa

from towline import cost, queries
from towline.errors import Corrupt, NotFound
from towline.execution import CANCELLED, FAILED, SUCCEEDED, Execution
from towline.files import write_table
from towline.queries import Asking
from towline.store import TooLarge

SHOWN = 1_000  # rows of a result that the page shows
LINE = 140  # characters of a statement in a line


@dataclass(frozen=True)
class Reading:
    """A query: `statement` as it was written, `execution` as it was looked at last, `table` once it succeeded."""

    statement: str
    execution: Execution
    table: pa.Table | None = None

    @property
    def is_going(self) -> bool:
        return self.table is None and self.execution.state not in (FAILED, CANCELLED)

    @property
    def problem(self) -> str:
        """Why there is no result, in Athena's words; empty where there is one, or may be yet."""
        if self.execution.state == CANCELLED:
            return "The query was cancelled."
        return (self.execution.reason or "The query failed.") if self.execution.state == FAILED else ""

    @property
    def usd(self) -> float:
        return cost.usd(self.execution.scanned_bytes)


def start(connection: Asking, statement: str, dataset: str) -> Reading:
    """Start a query; `dataset` is what `master` means. Raises SqlRefused, with its place, where it is none."""
    compiled = queries.read(connection, statement, dataset)
    id = connection.engine.start(compiled, connection.bench.new_id())
    return Reading(statement, Execution(id, "QUEUED", compiled))


def look(connection: Asking, reading: Reading) -> Reading:
    """How it stands now, with its result once there is one."""
    if not reading.is_going:
        return reading
    found = connection.engine.wait(reading.execution.id, 0)
    if found.state != SUCCEEDED:
        return replace(reading, execution=found)
    try:
        table = named(connection.engine.result(found, connection.bench.store))
    except (TooLarge, Corrupt, NotFound) as error:  # which asking again does not mend
        return replace(reading, execution=replace(found, state=FAILED, reason=str(error)))
    return replace(reading, execution=found, table=table)


def named(table: pa.Table) -> pa.Table:
    """The result with a name of its own for every column: a SELECT may give two the same, a file may not."""
    names: list[str] = []
    for name in table.column_names:
        tries = chain([name], (f"{name}_{number}" for number in count(2)))
        names.append(next(each for each in tries if each not in names))
    return table.rename_columns(names)


def line(statement: str) -> str:
    """A statement in a line."""
    text = " ".join(statement.split())
    return text if len(text) <= LINE else f"{text[:LINE]}…"


def file(table: pa.Table, form: str) -> bytes:
    """The whole result as `csv` or `parquet`."""
    return write_table(table, form)
