"""Gold of golf rounds: what the SQL beside the pipeline makes of a few files."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.core.golf import PACKAGE, fix, generator, wide
from tests.core.lake_engine import BUCKET, LakeEngine
from tests.core.test_golf_rounds_load import DATASET, landed
from towline import keys
from towline.memory import MemoryStore
from towline.pipeline import goldsql, inventory
from towline.pipeline.gold import GoldResult, refresh
from towline.pipeline.load import load
from towline.workbench import Workbench


def digests(bench: Workbench) -> dict[tuple[str, str], str]:
    found = inventory.read(bench.store, keys.GOLD, DATASET).tables
    return {(table, name): file.digest for table, parts in found.items() for name, file in parts.items()}


def table(bench: Workbench, name: str) -> pa.Table:
    files = inventory.read(bench.store, keys.GOLD, DATASET).tables[name]
    bodies = [bench.store.get(file.key).body for _, file in sorted(files.items())]
    return pa.concat_tables([pq.read_table(pa.BufferReader(body)) for body in bodies])


def rows(bench: Workbench, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table(bench, name).to_pylist()
    return found


def refreshed(bench: Workbench, *, full: bool = False) -> tuple[GoldResult, LakeEngine]:
    engine = LakeEngine(bench.store, PACKAGE)
    return refresh(bench, PACKAGE, engine, BUCKET, full=full), engine


def test_file_by_file_and_all_at_once_come_to_the_same_bytes() -> None:
    generate, bench = generator(), Workbench(MemoryStore())
    for number, kind in ((1, "csv"), (5, "json"), (9, "csv.gz")):
        _, whole = generate.file(number, 12, fixes=10)
        landed(bench, f"heronpoint-{number}.{kind}", generate.body(whole, kind))
        load(bench, PACKAGE)
        refreshed(bench)
    before = digests(bench)
    assert {name for name, _ in before} == {*PACKAGE.gold}
    result, engine = refreshed(bench, full=True)
    assert (result.rebuilt, len(engine.asked)) == ((), len(PACKAGE.gold))
    assert digests(bench) == before
    assert all(rows(bench, name) for name in PACKAGE.gold)


def test_each_column_is_described_and_there() -> None:
    bench = Workbench(MemoryStore())
    landed(bench, "a.csv", wide([fix(1)]))
    load(bench, PACKAGE)
    refreshed(bench)
    for gold in goldsql.ordered(PACKAGE):
        assert gold.about
        if gold.table != "device_health_errors":  # which a file without logs has no partition of
            assert [*gold.columns] == table(bench, gold.table).column_names


def test_a_round_past_midnight_is_one() -> None:
    bench = Workbench(MemoryStore())
    late = [fix(1, pace="1", hole="1"), fix(2, pace="4", hole="2")]
    late[1]["startTime"] = "2025-07-02T00:10:00.000Z"
    landed(bench, "a.csv", wide(late))
    load(bench, PACKAGE)
    refreshed(bench)
    (pace,) = rows(bench, "pace_summary_by_round")
    assert (pace["fixes"], pace["holes"], pace["mean_pace"], pace["last_pace"]) == (2, 2, 2.5, 4.0)
    (signal,) = rows(bench, "signal_quality_rounds")
    assert (signal["silences"], signal["good_share"]) == (1, 1.0)
    assert [(str(row["event_date"]), row["slots"]) for row in rows(bench, "data_quality_overview")] == [
        ("2025-07-01", 1),
        ("2025-07-02", 1),
    ]


def test_a_late_file_of_one_day_changes_its_course_and_that_day() -> None:
    bench = Workbench(MemoryStore())
    landed(bench, "a.csv", wide([fix(1)]))
    landed(bench, "b.csv", wide([fix(1)]).replace("2025-07-01", "2025-07-02").replace("r1", "r2"))
    landed(bench, "c.csv", wide([fix(1)]).replace("heronpoint", "mapleridge").replace("r1", "r3"))
    load(bench, PACKAGE)
    refreshed(bench)
    landed(bench, "late.csv", wide([fix(5)]).replace("r1", "r4"))
    load(bench, PACKAGE)
    result, engine = refreshed(bench)
    assert result.rebuilt == (
        ("data_quality_overview", "course_id=heronpoint/event_date=2025-07-01"),
        ("pace_summary_by_round", "course_id=heronpoint"),
        ("signal_quality_rounds", "course_id=heronpoint"),
    )
    assert not any("mapleridge" in statement for statement in engine.asked)
