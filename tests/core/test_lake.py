"""What lies in the lake: which files count no more, and where each came from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.core.thermometers import DATASET, THERMOMETERS, bench, csv, land, readings, silver
from towline import keys
from towline.errors import NotFound, UsageError
from towline.ingest.entry import DUPLICATE
from towline.memory import MemoryStore
from towline.pipeline import inventory
from towline.pipeline.inventory import Inventory, PartitionFile
from towline.pipeline.load import load
from towline.pipeline.sweep import sweep
from towline.pipeline.trace import trace
from towline.workbench import Workbench


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def files(at: Workbench) -> set[str]:
    return {entry.key for entry in at.store.list(keys.SILVER) if entry.key.endswith(".parquet")}


def named(at: Workbench) -> set[str]:
    return {file.key for file in silver(at).tables["readings"].values()}


def test_files_that_count_no_more_go_after_a_day() -> None:
    clock = Clock()
    at = replace(bench(MemoryStore(clock=clock)), clock=clock)
    land(at, 1, csv("a 1 0 1", "a 2 0 1"))
    load(at, THERMOMETERS)
    left = keys.lake(keys.SILVER, DATASET, "readings", "day=2026-01-01", at.new_id())
    at.store.put(left, b"of a load that died")
    clock.now += timedelta(days=2)
    land(at, 2, csv("b 1 0 1"))
    load(at, THERMOMETERS)
    assert len(files(at)) == 4
    assert sweep(at, DATASET) == []  # whoever began to read before the second load reads on
    clock.now += timedelta(days=1, seconds=1)
    assert left in sweep(at, DATASET)
    assert files(at) == named(at)
    assert readings(at) == [("a", 1.0), ("b", 1.0), ("a", 1.0)]


def test_files_of_a_rebuild_under_way_count() -> None:
    clock = Clock()
    at = replace(bench(MemoryStore(clock=clock)), clock=clock)
    for number in (1, 2):
        land(at, number, csv(f"a {number} 0 1"))
    load(at, THERMOMETERS, limit_bytes=1)
    clock.now += timedelta(days=2)
    assert sweep(at, DATASET) == []
    load(at, THERMOMETERS)
    assert readings(at) == [("a", 1.0), ("a", 1.0)]


def with_gold(at: Workbench) -> str:
    """A gold partition that was made of a silver one; its key."""
    day = "day=2026-01-01"
    held = silver(at).tables["readings"][day]
    key = keys.lake(keys.GOLD, DATASET, "warmest_by_day", day, at.new_id())
    made = PartitionFile(key, 1, 1, "0", (f"readings/{day}@{held.digest}",))
    inventory.write(at.store, Inventory(DATASET, keys.GOLD, tables={"warmest_by_day": {day: made}}))
    return key


def test_a_key_is_traced_both_ways() -> None:
    at = bench()
    first, second = land(at, 1, csv("a 1 0 1", "a 2 0 1")), land(at, 2, csv("b 1 0 1"))
    load(at, THERMOMETERS)
    gold, held = with_gold(at), silver(at).tables["readings"]
    for key in (first.raw, first.bronze, keys.quarantine(DATASET, first.ingest, "report.json", at.clock())):
        found = trace(at, key)
        assert [entry.ingest for entry in found.files] == [first.ingest]
        assert {each.file for each in found.silver} == set(held.values())
        assert [each.file.key for each in found.gold] == [gold]
        assert found.loaded[first.ingest].rows == {"readings": 2}
    for key in (held["day=2026-01-01"].key, gold):
        found = trace(at, key)
        assert [entry.ingest for entry in found.files] == [first.ingest, second.ingest]
        assert [each.partition for each in found.silver] == ["day=2026-01-01"]
        assert [each.file.key for each in found.gold] == [gold]
    assert [entry.ingest for entry in trace(at, held["day=2026-01-02"].key).files] == [first.ingest]


def test_a_duplicate_is_traced_to_the_rows_of_the_first() -> None:
    at = bench()
    first = land(at, 1, csv("a 1 0 1"))
    again = replace(first, ingest="20260301T000200-0123456789ab", raw=keys.raw(DATASET, (), "again.csv"))
    again = replace(again, status=DUPLICATE, duplicate_of=first.ingest)
    at.store.put(keys.entry(DATASET, again.fingerprint, again.ingest), again.to_line())
    load(at, THERMOMETERS)
    found = trace(at, again.raw)
    assert [each.partition for each in found.silver] == ["day=2026-01-01"]
    assert found.to_json()["files"][0]["load"]["status"] == "loaded"


def test_keys_that_nothing_is_known_of() -> None:
    at = bench()
    land(at, 1, csv("a 1 0 1"))
    load(at, THERMOMETERS)
    for key in ("raw/thermometers/none.csv", "silver/thermometers/readings/day=2026-01-01/gone.parquet"):
        with pytest.raises(NotFound, match=key.rsplit("/", 1)[1]):
            trace(at, key)
    with pytest.raises(UsageError, match="no lineage"):
        trace(at, "data/thermometers/master.parquet")
