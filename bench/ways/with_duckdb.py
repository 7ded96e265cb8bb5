"""DuckDB: a query over the table, copied to a new file."""

from __future__ import annotations

from pathlib import Path

import duckdb

from bench.ways.place import COLUMN, KEY, PAGE, Edit, Place
from bench.ways.rewriting import Master

_WRITTEN = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)"


class Way(Master):
    name = "duckdb"

    def one_cell(self, edits: list[Edit]) -> None:
        (edit,) = edits
        new = f"CASE WHEN tow = {edit.tow} AND net = {edit.net} THEN {edit.volume} ELSE {COLUMN} END"
        self.copy(f"SELECT * REPLACE ({new} AS {COLUMN}) FROM master")

    def thousand(self, edits: list[Edit]) -> None:
        rows = ", ".join(f"({edit.tow}, {edit.net}, {edit.volume})" for edit in edits)
        self.copy(
            f"SELECT master.* REPLACE (coalesce(new, {COLUMN}) AS {COLUMN}) FROM master "
            f"LEFT JOIN (VALUES {rows}) edits(tow, net, new) ON master.tow = edits.tow AND master.net = edits.net"
        )

    def insert(self, edits: list[Edit]) -> None:
        (edit,) = edits
        key = f"({edit.tow}, {edit.net})"
        below, above = (f"FROM master WHERE (tow, net) {sign} {key}" for sign in "<>")
        self.copy(f"{below} UNION ALL FROM read_parquet('{edit.row}') UNION ALL {above}")

    def delete(self, edits: list[Edit]) -> None:
        (edit,) = edits
        self.copy(f"FROM master WHERE NOT (tow = {edit.tow} AND net = {edit.net})")

    def page(self) -> int:
        return len(self.over(self.place.table).execute(f"FROM master LIMIT {PAGE}").fetchall())

    def diff(self) -> int:
        database = self.over(self.place.newer)
        database.execute(f"CREATE VIEW older AS FROM read_parquet('{self.place.table}')")
        names = [row[0] for row in database.execute("DESCRIBE master").fetchall() if row[0] not in KEY]
        differs = " OR ".join(f"older.{name} IS DISTINCT FROM master.{name}" for name in names)
        either = " OR ".join(f"{side}.tow IS NULL" for side in ("older", "master"))
        query = f"SELECT tow, net FROM older FULL JOIN master USING (tow, net) WHERE {either} OR {differs}"
        return len(database.execute(query).fetchall())

    def flatten(self, parts: Path) -> Path:
        self.over(f"{parts}/*").execute(f"COPY (FROM master ORDER BY tow, net) TO '{self.flat}' {_WRITTEN}")
        return self.flat

    def copy(self, query: str) -> None:
        self.over(self.master).execute(f"COPY ({query}) TO '{self.next}' {_WRITTEN}")
        self.swap()

    def over(self, source: str | Path) -> duckdb.DuckDBPyConnection:
        """A database that knows this file as `master`."""
        database = duckdb.connect()
        database.execute(f"SET temp_directory = '{self.place.of(self.name) / 'spill'}'")
        database.execute(f"CREATE VIEW master AS FROM read_parquet('{source}')")
        return database


def start(place: Place) -> Way:
    return Way(place)
