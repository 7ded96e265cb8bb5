"""What Reconcile finds of files and of the lake, where no event did."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.thermometers import DATASET, THERMOMETERS, bench, csv, land
from towline import keys
from towline.inbox import Arrival
from towline.ingest import sampled
from towline.pipeline import goldsql, inventory, mastering
from towline.pipeline.gold import sources
from towline.pipeline.inventory import Inventory, PartitionFile
from towline.pipeline.load import load
from towline.pipeline.registry import BrokenPipeline
from towline.pipeline.upkeep import Upkeep, keep_up
from towline.workbench import Workbench

PACKAGES = {DATASET: THERMOMETERS}
READING = csv("a 1 0 1.5", "b 1 0 2.5")


def up_to_date(at: Workbench) -> None:
    """Do what the functions do about a file that landed."""
    for listed in list(at.store.list(keys.BRONZE)):
        sampled.sampled(at, Arrival(listed.key, None, listed.etag, listed.size))
    load(at, THERMOMETERS)
    make_gold(at)


def make_gold(at: Workbench) -> None:
    """An inventory that says that gold is of the silver there is; no file is behind it."""
    silver, gold = (inventory.read(at.store, layer, DATASET) for layer in (keys.SILVER, keys.GOLD))
    tables = {
        table.table: {name: PartitionFile("", 0, 0, "", each) for name, each in sources(table, silver.tables).items()}
        for table in goldsql.ordered(THERMOMETERS)
    }
    inventory.write(at.store, replace(gold, number=gold.number + 1, tables=tables))


def found(upkeep: Upkeep) -> dict[str, object]:
    """What there was to do."""
    return {name: value for name, value in upkeep.to_json().items() if value}


def test_where_all_is_done_nothing_is_found() -> None:
    at = bench()
    land(at, 1, READING)
    up_to_date(at)
    assert found(keep_up(at, PACKAGES)) == {}


def test_a_file_without_a_sample_and_an_entry_that_no_load_has_taken_are_found() -> None:
    at = bench()
    entries = [land(at, number, READING) for number in (1, 2)]
    upkeep = keep_up(at, PACKAGES)
    assert [arrival.key for arrival in upkeep.bronze] == [entry.bronze for entry in entries]
    (asked,) = upkeep.entries
    assert asked.key.startswith(keys.entries(DATASET)), "one is enough: a load takes all that wait"
    up_to_date(at)
    assert found(keep_up(at, PACKAGES)) == {}


def test_gold_that_a_load_died_before_is_asked_for() -> None:
    at = bench()
    land(at, 1, READING)
    up_to_date(at)
    land(at, 2, csv("a 2 0 1.5"))
    load(at, THERMOMETERS)
    assert found(keep_up(at, PACKAGES)) == {"bronze": 1, "loads": [DATASET]}
    make_gold(at)
    assert found(keep_up(at, PACKAGES)) == {"bronze": 1}


def test_rows_that_a_master_was_not_told_of_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    at = bench()
    land(at, 1, READING)
    up_to_date(at)
    monkeypatch.setattr(mastering, "owes", lambda bench, package: package is THERMOMETERS)
    assert found(keep_up(at, PACKAGES)) == {"loads": [DATASET]}


def test_a_changed_pipeline_has_old_files_loaded_anew() -> None:
    at = bench()
    land(at, 1, READING)
    up_to_date(at)
    later = at.clock() + timedelta(days=3)
    assert found(keep_up(at, PACKAGES, later)) == {}
    changed = {DATASET: replace(THERMOMETERS, digest="another")}
    assert found(keep_up(at, changed, later)) == {"loads": [DATASET]}


def test_what_is_still_under_way_is_left_alone() -> None:
    at = bench()
    entry = replace(land(at, 1, READING), ingested=at.clock().isoformat())
    at.store.put(keys.entry(DATASET, entry.fingerprint, entry.ingest), entry.to_line())
    for age, is_due in ((timedelta(minutes=15), False), (timedelta(minutes=-1), True)):
        until = at.clock() - age
        assert found(keep_up(at, PACKAGES, until - timedelta(days=2), until)) == (
            {"bronze": 1, "loads": [DATASET]} if is_due else {}
        )


def test_a_broken_pipeline_is_a_problem_and_keeps_no_other_dataset_waiting() -> None:
    at = bench()
    land(at, 1, READING)
    broken = BrokenPipeline("datasets/afloat: pipeline.py defines no PIPELINE = Pipeline(...)")
    upkeep = keep_up(at, {"afloat": broken, **PACKAGES})
    assert {problem.partition(":")[0] for problem in upkeep.problems} == {"afloat"}
    assert upkeep.problems[0].endswith(str(broken))
    assert [arrival.key.split("/")[1] for arrival in upkeep.entries] == [DATASET]


def test_files_of_the_lake_that_nothing_names_are_swept() -> None:
    at = bench()
    land(at, 1, READING)
    up_to_date(at)
    left = keys.lake(keys.SILVER, DATASET, "readings", "day=2026-01-09", "01JNAAAAAAAAAAAAAAAAAAAAAA")
    at.store.put(left, b"what a load left that came to nothing")
    now = at.clock
    at.clock = lambda: now() + timedelta(days=2)
    assert keep_up(at, PACKAGES).swept == (left,)
    assert isinstance(inventory.read(at.store, keys.SILVER, DATASET), Inventory)
