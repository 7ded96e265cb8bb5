"""delta-rs: a Delta Lake table of its own, changed by its `update`, `merge` and `delete`."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, QueryBuilder, write_deltalake

from bench.ways.place import COLUMN, PAGE, Edit, Place


class Way:
    """Edits by UPDATE; `Merge` does them by MERGE."""

    name = "delta"

    def __init__(self, place: Place) -> None:
        self.place, self.root = place, place.of(self.name) / "table"

    def prepare(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        file = pq.ParquetFile(self.place.table)
        write_deltalake(self.root, pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(65_536)))

    def one_cell(self, edits: list[Edit]) -> None:
        (edit,) = edits
        DeltaTable(self.root).update(updates={COLUMN: str(edit.volume)}, predicate=_is(edit))

    def insert(self, edits: list[Edit]) -> None:
        (edit,) = edits
        write_deltalake(self.root, pq.read_table(edit.row), mode="append")

    def delete(self, edits: list[Edit]) -> None:
        (edit,) = edits
        DeltaTable(self.root).delete(_is(edit))

    def page(self) -> int:
        asked = QueryBuilder().register("master", DeltaTable(self.root)).execute(f"SELECT * FROM master LIMIT {PAGE}")
        return int(asked.read_all().num_rows)

    def found(self, edit: Edit) -> list[float | None]:
        where = [("tow", "=", edit.tow), ("net", "=", edit.net)]
        table = DeltaTable(self.root).to_pyarrow_table(columns=[COLUMN], filters=where)
        return list(table[COLUMN].to_pylist())


class Merge(Way):
    name = "delta-merge"

    def one_cell(self, edits: list[Edit]) -> None:
        self.merge(edits)

    def thousand(self, edits: list[Edit]) -> None:
        self.merge(edits)

    def merge(self, edits: list[Edit]) -> None:
        same = "master.tow = edits.tow AND master.net = edits.net"
        merger = DeltaTable(self.root).merge(_rows(edits), same, source_alias="edits", target_alias="master")
        merger.when_matched_update({COLUMN: f"edits.{COLUMN}"}).execute()


def _is(edit: Edit) -> str:
    return f"tow = {edit.tow} AND net = {edit.net}"


def _rows(edits: list[Edit]) -> pa.Table:
    tows, nets, volumes = zip(*((edit.tow, edit.net, edit.volume) for edit in edits), strict=True)
    schema = pa.schema([pa.field("tow", pa.int64(), False), pa.field("net", pa.int64(), False), (COLUMN, pa.float64())])
    return pa.table([pa.array(tows), pa.array(nets), pa.array(volumes)], schema=schema)


def start(place: Place) -> Way:
    return Way(place)


def start_merge(place: Place) -> Way:
    return Merge(place)
