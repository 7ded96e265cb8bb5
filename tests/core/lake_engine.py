"""An Athena over a store in memory: DuckDB, asked as the local Athena asks it, of the files that symlinks name."""

# ruff: noqa: S608 - the names are the tests' own

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from towline import keys
from towline.catalog import of_lake
from towline.execution import FAILED, SUCCEEDED, Execution
from towline.local.athena import dialect
from towline.local.athena.errors import AthenaError
from towline.pipeline import inventory
from towline.pipeline.registry import Package
from towline.store import ObjectStore

BUCKET = "team-tows"


@cache
def _duck() -> duckdb.DuckDBPyConnection:
    """One for all: to open one takes longer than most of these queries."""
    return duckdb.connect(config={"threads": 1}).execute("SET TimeZone = 'UTC'")


@dataclass
class LakeEngine:
    """Runs a statement when it is started. `asked`: the statements; `between` is called after each of them was run."""

    store: ObjectStore
    package: Package
    asked: list[str] = field(default_factory=list)
    between: Callable[[], None] = lambda: None
    found: dict[str, pa.Table | str] = field(default_factory=dict)

    def start(self, statement: str, token: str) -> str:
        self.asked.append(statement)
        try:
            self.found[token] = self._run(statement)
        except AthenaError as error:
            self.found[token] = str(error)
        self.between()
        return token

    def wait(self, id: str, timeout: float) -> Execution:
        found = self.found[id]
        if isinstance(found, str):
            return Execution(id, FAILED, self.asked[-1], reason=found)
        return Execution(id, SUCCEEDED, self.asked[-1], scanned_bytes=100)

    def stop(self, id: str) -> None:
        raise AssertionError("each query has ended when it was started")

    def result(self, execution: Execution, store: ObjectStore) -> pa.Table:
        found = self.found[execution.id]
        assert isinstance(found, pa.Table)
        return found

    def _run(self, statement: str) -> pa.Table:
        engine, schema = _duck(), dict[str, dict[str, str]]()
        engine.execute("DROP SCHEMA IF EXISTS towline CASCADE")
        engine.execute("CREATE SCHEMA towline")
        for layer, names in ((keys.SILVER, self.package.contracts), (keys.GOLD, self.package.gold)):
            for table in names:
                if (rows := self._rows(layer, table)) is not None:
                    name = f"towline.{of_lake(self.package.dataset, table)}"
                    engine.register("given", rows)
                    engine.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
                    described = engine.execute(f"DESCRIBE {name}").fetchall()
                    schema[name] = {column: kind.removesuffix(" WITH TIME ZONE") for column, kind, *_ in described}
        return engine.sql(dialect.translate(statement, schema, "towline")).to_arrow_table()

    def _rows(self, layer: str, table: str) -> pa.Table | None:
        """The rows of the files that the symlinks name; None where nothing was loaded."""
        if table not in inventory.read(self.store, layer, self.package.dataset).tables:
            return None
        text = self.store.get(keys.symlink(layer, self.package.dataset, table)).body.decode()
        found = [self._file(line) for line in text.splitlines()]
        return pa.concat_tables(found) if found else None

    def _file(self, url: str) -> pa.Table:
        """A file's rows, with the column that Athena hides."""
        rows = pq.read_table(pa.BufferReader(self.store.get(url.split("/", 3)[3]).body))
        return rows.append_column("$path", pa.repeat(pa.scalar(url), len(rows)))
