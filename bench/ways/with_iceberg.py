"""pyiceberg: an Iceberg table in a catalog of its own, changed by `overwrite` with a filter, `upsert` and `delete`."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import And, BooleanExpression, EqualTo, In
from pyiceberg.table import Table

from bench.ways.place import COLUMN, KEY, PAGE, Edit, Place

_TABLE = "bench.tows"


class Way:
    """Edits by `overwrite`; `Upsert` does them by `upsert`. Both read the rows first: they write whole rows."""

    name = "iceberg"

    def __init__(self, place: Place) -> None:
        self.place, self.root = place, place.of(self.name) / "warehouse"

    def prepare(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        rows = pq.read_table(self.place.table)
        catalog = self.catalog()
        catalog.create_namespace("bench")
        catalog.create_table(_TABLE, rows.schema).append(rows)

    def one_cell(self, edits: list[Edit]) -> None:
        table = self.table()
        self.put(table, self.changed(table, edits), edits)

    def thousand(self, edits: list[Edit]) -> None:
        self.one_cell(edits)

    def put(self, table: Table, rows: pa.Table, edits: list[Edit]) -> None:
        table.overwrite(rows, overwrite_filter=_are(edits))

    def insert(self, edits: list[Edit]) -> None:
        (edit,) = edits
        self.table().append(pq.read_table(edit.row))

    def delete(self, edits: list[Edit]) -> None:
        self.table().delete(_are(edits))

    def page(self) -> int:
        return int(self.table().scan(limit=PAGE).to_arrow().num_rows)

    def found(self, edit: Edit) -> list[float | None]:
        return list(self.table().scan(_are([edit]), selected_fields=(COLUMN,)).to_arrow()[COLUMN].to_pylist())

    def changed(self, table: Table, edits: list[Edit]) -> pa.Table:
        """All rows of these tows with the new values."""
        new = {(edit.tow, edit.net): edit.volume for edit in edits}
        rows = table.scan(_are(edits)).to_arrow()
        cells = zip(*(rows[name].to_pylist() for name in (*KEY, COLUMN)), strict=True)
        volumes = pa.array([new.get((tow, net), old) for tow, net, old in cells])
        at = rows.schema.get_field_index(COLUMN)
        return rows.set_column(at, rows.schema.field(at), volumes)

    def catalog(self) -> SqlCatalog:
        return SqlCatalog("bench", uri=f"sqlite:///{self.root}/catalog.db", warehouse=f"file://{self.root}")

    def table(self) -> Table:
        return self.catalog().load_table(_TABLE)


class Upsert(Way):
    name = "iceberg-upsert"

    def put(self, table: Table, rows: pa.Table, edits: list[Edit]) -> None:
        edited = pa.array([edit.volume for edit in edits])
        table.upsert(rows.filter(pc.is_in(rows[COLUMN], value_set=edited)), join_cols=list(KEY))


def _are(edits: list[Edit]) -> BooleanExpression:
    if len(edits) == 1:
        return And(EqualTo("tow", edits[0].tow), EqualTo("net", edits[0].net))
    return In("tow", {edit.tow for edit in edits})


def start(place: Place) -> Way:
    return Way(place)


def start_upsert(place: Place) -> Way:
    return Upsert(place)
