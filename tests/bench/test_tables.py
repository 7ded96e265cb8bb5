"""The large tables that are measured: invented, always the same, and like the sample."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bench import tables
from tests.conftest import ROOT
from towline.contract import Contract
from towline.parquet.source import FileSource
from towline.parquet.splice import Shape, splice
from towline.parquet.tablefile import TableFile
from towline.sample import sample_table

CONTRACT = Contract.parse((ROOT / "datasets" / "net_tows" / "contract.json").read_bytes())
ROWS = 20_000


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return pa.concat_tables(tables.row_groups(ROWS))


def test_it_is_the_same_however_it_was_cut_into_blocks(table: pa.Table) -> None:
    for size, block in ((65_536, 512), (777, 4096)):
        assert pa.concat_tables(tables.row_groups(ROWS, size, block)).combine_chunks() == table.combine_chunks()


def test_it_is_the_beginning_of_every_longer_one(table: pa.Table) -> None:
    shorter = pa.concat_tables(tables.row_groups(1_234))
    assert (shorter.num_rows, shorter.combine_chunks()) == (1_234, table.slice(0, 1_234).combine_chunks())


def test_it_fits_the_contract_and_the_schema_of_the_sample(table: pa.Table) -> None:
    assert table.schema == sample_table().schema == CONTRACT.schema
    assert CONTRACT.check(table).errors == 0
    assert CONTRACT.check_unique(table).ok


def test_it_is_in_the_order_of_its_key(table: pa.Table) -> None:
    order = pc.add(pc.multiply(table["tow"], 16), table["net"])
    assert pc.all(pc.less(order[:-1], order[1:])).as_py()
    whole = table.filter(pc.less(table["tow"], pc.max(table["tow"])))  # the last tow is cut off by the count of rows
    nets = whole.group_by("tow").aggregate([("net", "count"), ("net", "max")])
    assert pc.min_max(nets["net_count"]).as_py() == {"min": tables.FEWEST, "max": tables.MOST}
    assert pc.all(pc.equal(nets["net_max"], pc.subtract(nets["net_count"], 1))).as_py()


def test_it_has_the_oddities_of_the_sample(table: pa.Table) -> None:
    assert -1 < pc.min(table["min_depth"]).as_py() < 0
    assert ROWS / 2 < table["net_size"].null_count < ROWS
    idle = table.filter(pc.equal(table["volume_filtered"], 0))
    assert ROWS / 250 < idle.num_rows < ROWS / 60
    assert idle["min_depth"] == idle["max_depth"]
    assert 0.2 < pc.mean(table["is_day"]).as_py() < 0.8


def test_positions_drift_from_net_to_net_and_times_go_on(table: pa.Table) -> None:
    tow = table.filter(pc.equal(table["tow"], 77)).to_pylist()
    assert len(tow) >= tables.FEWEST
    for before, after in pairwise(tow):
        assert 0 < after["lat_decimal"] - before["lat_decimal"] < 0.1
        assert 0 < after["long_decimal"] - before["long_decimal"] < 0.1
        assert after["time_start_gmt"] > before["time_start_gmt"]


def test_the_file_is_in_canonical_form_so_that_it_can_be_spliced(tmp_path: Path, table: pa.Table) -> None:
    path = tmp_path / "tows.parquet"
    tables.write(ROWS, path)
    file = TableFile.open(FileSource(path))
    assert file.table().combine_chunks() == table.combine_chunks()
    spliced = splice(file, tables.KEY, (), commit="c", number=1, shape=Shape(small=0))
    assert spliced.mode == "append", spliced.reason


@pytest.mark.parametrize(("text", "rows"), [("100k", 100_000), ("10M", 10_000_000), ("1_234", 1234)])
def test_rows_are_counted_as_people_write_them(text: str, rows: int) -> None:
    assert tables.count(text) == rows
