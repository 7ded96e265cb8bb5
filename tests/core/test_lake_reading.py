"""Reading a table of the lake from Python."""

from __future__ import annotations

import pytest

from tests.core.thermometers import DATASET, THERMOMETERS, bench, csv, land, silver
from towline.errors import NotFound
from towline.pipeline.load import load
from towline.pipeline.reading import read, tables
from towline.workbench import Workbench


@pytest.fixture(scope="module")
def at() -> Workbench:
    made = bench()
    land(made, 1, csv("a 1 0 1.5", "b 2 0 2.5"))
    load(made, THERMOMETERS)
    made.store.put("silver/thermometers/readings/day=2026-01-01/unfinished.parquet", b"no table")
    return made


def test_the_rows_are_those_of_the_files_that_count(at: Workbench) -> None:
    found = read(at.store, DATASET, "readings")
    assert found["temperature"].to_pylist() == [1.5, 2.5]
    assert found.column_names[-1] == "ingest"
    assert tables(at.store, DATASET) == silver(at).tables


def test_partitions_and_columns_can_be_chosen(at: Workbench) -> None:
    found = read(at.store, DATASET, "readings", ["sensor"], {"day": "2026-01-02"})
    assert found.to_pydict() == {"sensor": ["b"]}
    assert len(read(at.store, DATASET, "readings", where={"day": ["2026-01-01", "2026-01-02"]})) == 2
    none = read(at.store, DATASET, "readings", where={"day": None})
    assert (len(none), none.column_names[0]) == (0, "sensor")


@pytest.mark.parametrize(
    ("table", "columns", "where", "why"),
    [
        ("nothing", None, None, "those that there are: readings"),
        ("readings", None, {"sensor": "a"}, "not parted by 'sensor', but by day"),
        ("readings", ["heat"], None, "there is no column 'heat'"),
    ],
)
def test_what_is_not_there_is_told(
    at: Workbench, table: str, columns: list[str] | None, where: dict[str, object] | None, why: str
) -> None:
    with pytest.raises(NotFound, match=why):
        read(at.store, DATASET, table, columns, where)
