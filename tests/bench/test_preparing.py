"""What is edited in the measured tables."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench import tables
from bench.ways.place import COLUMN, KEY, RUNS, SPREAD, Place, volume
from bench.ways.preparing import change_one_cell, make, make_parts

ROWS = 2_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    found = Place(tmp_path_factory.mktemp("bench") / str(ROWS))
    make(found, ROWS)
    return found


def test_no_run_needs_a_row_that_another_one_has_deleted_or_inserted(place: Place) -> None:
    there = set(zip(*pq.read_table(place.table, columns=list(KEY)).to_pydict().values(), strict=True))
    runs = {
        task: [[tuple(key) for key in run] for run in runs] for task, runs in json.loads(place.keys.read_text()).items()
    }
    assert {task: {len(run) for run in runs[task]} for task in runs} == {
        "one_cell": {1},
        "thousand": {SPREAD},
        "delete": {1},
        "insert": {1},
    }
    deleted, inserted, changed = (
        {key for run in runs[task] for key in run} for task in ("delete", "insert", "one_cell")
    )
    assert len(deleted) == len(inserted) == len(changed) == RUNS
    assert not inserted & there
    for run in runs["thousand"]:
        assert len(set(run)) == SPREAD
        assert set(run) | changed <= there - deleted


def test_an_edit_writes_what_no_other_edit_does(place: Place) -> None:
    edits = [edit for run in range(RUNS) for edit in place.edits("thousand", run)]
    assert len({edit.volume for edit in edits}) == len(edits)
    (row,) = pq.read_table(place.row(3)).to_pylist()
    (edit,) = place.edits("insert", 3)
    assert (
        (row["tow"], row["net"], row[COLUMN]) == (edit.tow, edit.net, edit.volume) == (edit.tow, tables.MOST, volume(3))
    )


def test_the_next_version_differs_in_one_cell(place: Place) -> None:
    change_one_cell(place, 700)
    old, new = (pq.read_table(path).to_pylist() for path in (place.table, place.newer))
    differ = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert differ == [(old[700], {**old[700], COLUMN: old[700][COLUMN] + 1})]


def test_both_kinds_of_parts_hold_the_same_rows(place: Place) -> None:
    make_parts(place, 64 * 31)
    wanted = pa.concat_tables(tables.row_groups(64 * 31)).to_pylist()
    for how in ("disjoint", "shuffled"):
        files = sorted(place.parts(how).iterdir())
        parts = [pq.read_table(path).to_pylist() for path in files]
        rows = [row for part in parts for row in part]
        assert len(files) == 64
        assert sorted(rows, key=lambda row: (row["tow"], row["net"])) == wanted
        assert (rows == wanted) is (how == "disjoint")
