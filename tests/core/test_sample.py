"""The generated sample: invented, always the same, and as odd as real data."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pyarrow.compute as pc

from tests.conftest import ROOT
from towline.contract import Contract
from towline.files import read_table
from towline.sample import ROWS, TOWS, sample_table

CONTRACT = Contract.parse((ROOT / "datasets" / "net_tows" / "contract.json").read_bytes())


def test_it_fits_the_contract_without_errors() -> None:
    table = sample_table()
    conformed, report = CONTRACT.conform(table)
    assert report.violations == ()
    assert conformed == table
    assert table.schema == CONTRACT.schema
    assert CONTRACT.check_unique(table).ok
    checked = CONTRACT.check(table)
    assert (checked.errors, {violation.rule for violation in checked.violations}) == (0, {"check.volume_usual"})


def test_it_is_the_same_every_time() -> None:
    assert sample_table().equals(sample_table())


def test_it_has_125_nets_of_13_tows() -> None:
    table = sample_table()
    nets = Counter(table.column("tow").to_pylist())
    assert (table.num_rows, len(nets)) == (ROWS, TOWS) == (125, 13)
    assert all(8 <= count <= 11 for count in nets.values())


def test_it_has_the_oddities_of_real_tables() -> None:
    table = sample_table()
    assert -1 < pc.min(table.column("min_depth")).as_py() < 0
    assert pc.sum(pc.equal(table.column("volume_filtered"), 0)).as_py() == 1
    assert table.num_rows / 2 < table.column("net_size").null_count < table.num_rows


def test_the_nets_of_a_tow_step_upward_but_for_what_a_sensor_wavers() -> None:
    rows = sample_table().to_pylist()
    for before, after in pairwise(rows):
        if before["tow"] == after["tow"] and after["net"] > 1:
            assert after["max_depth"] <= before["max_depth"] + 0.5
            assert after["time_start_gmt"] > before["time_start_gmt"]


def test_it_takes_nothing_from_the_real_table(real_table: Any) -> None:
    real, _ = read_table(real_table.read_bytes(), "master.csv")
    for name in ("vessel", "cruise", "lat_decimal", "time_start_gmt"):
        assert not set(real.column(name).to_pylist()) & set(sample_table().column(name).to_pylist())
