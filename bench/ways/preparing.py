"""The tables of one size, made before anything is measured: each step in a process of its own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import tables
from bench.ways.place import COLUMN, KEY, RUNS, SPREAD, Place, volume
from towline.parquet.writer import ROW_GROUP, writer

PARTS = 64


def make(place: Place, rows: int) -> None:
    """The table, and which rows are edited."""
    place.root.mkdir(parents=True, exist_ok=True)
    tables.write(rows, place.table)
    keys = _keys(pq.read_table(place.table, columns=list(KEY)))
    place.keys.write_text(json.dumps(keys))
    _make_rows(place, [tow for ((tow, _),) in keys["insert"]])


def _keys(keys: pa.Table) -> dict[str, list[list[tuple[int, int]]]]:
    """The keys that each run of a task edits. No task needs a row that another run has deleted or inserted."""
    chance = np.random.default_rng(6)
    tows, nets = (keys[name].to_numpy() for name in KEY)
    deleted, changed = chance.choice(len(tows), (2, RUNS), replace=False)
    kept = np.setdiff1d(np.arange(len(tows)), deleted)
    step = len(kept) // SPREAD
    spread = [kept[np.arange(SPREAD) * step + chance.integers(0, step, SPREAD)] for _ in range(RUNS)]
    at = {"one_cell": changed[:, None], "thousand": spread, "delete": deleted[:, None]}
    found = {task: [[(int(tows[n]), int(nets[n])) for n in run] for run in runs] for task, runs in at.items()}
    grown = chance.choice(np.unique(tows), RUNS, replace=False)
    return found | {"insert": [[(int(tow), tables.MOST)] for tow in grown]}


def _make_rows(place: Place, tows: list[int]) -> None:
    """The rows to insert: one net more of each of these tows, like its first."""
    place.row(0).parent.mkdir(exist_ok=True)
    for run, tow in enumerate(tows):
        (first,) = tables.nets_of(np.array([tow])).slice(0, 1).to_pylist()
        row = first | {"net": tables.MOST, COLUMN: volume(run)}
        pq.write_table(pa.Table.from_pylist([row], schema=tables.SCHEMA), place.row(run))


def change_one_cell(place: Place, row: int) -> None:
    """The table's next version."""
    file = pq.ParquetFile(place.table)
    with writer(str(place.newer), file.schema_arrow, KEY) as out:
        for group in range(file.num_row_groups):
            table, start = file.read_row_group(group), group * ROW_GROUP
            if start <= row < start + table.num_rows:
                values = table[COLUMN].to_numpy().copy()
                values[row - start] += 1
                column = table.schema.get_field_index(COLUMN)
                table = table.set_column(column, table.schema.field(column), pa.array(values))
            out.write_table(table, ROW_GROUP)


def make_parts(place: Place, rows: int) -> None:
    """The same rows as parts of both kinds, as a query engine writes them: with columns that all may hold nulls."""
    disjoint, shuffled = (place.parts(how) for how in ("disjoint", "shuffled"))
    for folder in (disjoint, shuffled):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    dealt: list[list[pa.Table]] = [[] for _ in range(PARTS)]
    for number, part in enumerate(tables.row_groups(rows, -(-rows // PARTS))):
        _write(part, disjoint / f"part-{number:05}")
        for hand, cards in enumerate(dealt):
            cards.append(part.take(np.arange(hand, part.num_rows, PARTS)))
    chance = np.random.default_rng(64)
    for number, cards in enumerate(dealt):
        table = pa.concat_tables(cards)
        _write(table.take(chance.permutation(table.num_rows)), shuffled / f"part-{number:05}")
        cards.clear()


def _write(table: pa.Table, path: Path) -> None:
    schema = pa.schema([field.with_nullable(True) for field in table.schema])
    pq.write_table(table.cast(schema), path, compression="zstd", row_group_size=ROW_GROUP)


def main() -> None:
    """DIRECTORY ROWS NEWER PARTS: a table of so many rows; its next version, if NEWER is 1; parts of so many rows, if
    any. What is there stays."""
    place, rows, is_newer, of_parts = Place(Path(sys.argv[1])), *map(int, sys.argv[2:])
    if not place.keys.exists():
        make(place, rows)
    if is_newer and not place.newer.exists():
        change_one_cell(place, rows // 2)
    if of_parts and not place.parts("shuffled").exists():
        make_parts(place, of_parts)


if __name__ == "__main__":
    main()
