"""Gold: made of silver by SQL, for the partitions that changed and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.lake_engine import BUCKET, LakeEngine
from tests.core.landed import Cut, Killed
from tests.core.thermometers import DATASET, THERMOMETERS, bench, csv, land, silver
from towline import keys
from towline.errors import OutcomeUnknown, QueryFailed
from towline.memory import MemoryStore, fail_once
from towline.pipeline import goldsql, inventory, symlinks
from towline.pipeline.gold import GoldResult, refresh, sources, split
from towline.pipeline.inventory import Inventory, PartitionFile
from towline.pipeline.load import load
from towline.pipeline.registry import BrokenPipeline, Package
from towline.sqledit import compiling
from towline.store import ObjectStore
from towline.workbench import Workbench

WARMEST = "warmest_by_day"
LAYERED = replace(
    THERMOMETERS,
    gold={
        **THERMOMETERS.gold,
        "all_days": "-- partition:\nSELECT max(temperature) AS temperature, count(*) AS days FROM warmest_by_day",
    },
)


def loaded(*files: bytes) -> Workbench:
    at = bench()
    for number, body in enumerate(files):
        land(at, number, body)
    load(at, THERMOMETERS)
    return at


def copied(store: ObjectStore) -> MemoryStore:
    found = MemoryStore()
    for entry in store.list(""):
        blob = store.get(entry.key)
        found.put(entry.key, blob.body, metadata=blob.stat.metadata)
    return found


def gold(at: Workbench) -> Inventory:
    return inventory.read(at.store, keys.GOLD, DATASET)


def digests(at: Workbench) -> dict[tuple[str, str], str]:
    return {(table, name): file.digest for table, each in gold(at).tables.items() for name, file in each.items()}


def rows(at: Workbench, table: str = WARMEST) -> list[dict[str, object]]:
    found = [at.store.get(file.key).body for _, file in sorted(gold(at).tables[table].items())]
    rows: list[dict[str, object]] = pa.concat_tables(
        [pq.read_table(pa.BufferReader(body)) for body in found]
    ).to_pylist()
    return rows


def refreshed(at: Workbench, package: Package = THERMOMETERS, *, full: bool = False) -> tuple[GoldResult, LakeEngine]:
    engine = LakeEngine(at.store, package)
    return refresh(at, package, engine, BUCKET, full=full), engine


def test_gold_has_a_file_a_partition_made_of_the_silver_it_names() -> None:
    at = loaded(csv("a 1 0 1.5", "b 1 1 3.5", "a 2 0 2.5"))
    result, engine = refreshed(at)
    assert [row["temperature"] for row in rows(at)] == [3.5, 2.5]
    assert (len(result.rebuilt), result.rows, result.statements, result.scanned_bytes) == (2, 2, 1, 100)
    file = gold(at).tables[WARMEST]["day=2026-01-01"]
    of = silver(at).tables["readings"]["day=2026-01-01"]
    (table,) = goldsql.ordered(THERMOMETERS)
    assert file.sources == (f"readings/day=2026-01-01@{of.digest}", table.source)
    told = pq.read_schema(pa.BufferReader(at.store.get(file.key).body)).metadata[b"towline.sources"]
    assert of.digest.encode() in told
    assert "day" in engine.asked[0]
    assert result.to_json()["rebuilt"] == [[WARMEST, "day=2026-01-01"], [WARMEST, "day=2026-01-02"]]


def test_a_run_without_news_asks_nothing_and_writes_nothing() -> None:
    at = loaded(csv("a 1 0 1.5"))
    refreshed(at)
    before, puts = gold(at), at.store.requests["put"]  # type: ignore[attr-defined]
    result, engine = refreshed(at)
    assert (result.load, engine.asked, gold(at)) == ("", [], before)
    assert at.store.requests["put"] == puts  # type: ignore[attr-defined]


def test_a_late_file_has_its_partitions_made_anew_and_no_others() -> None:
    at = loaded(csv("a 1 0 1.5", "a 2 0 2.5", "a 3 0 9.5"))
    refreshed(at)
    before = digests(at)
    land(at, 8, csv("b 2 5 4.5"))
    load(at, THERMOMETERS)
    result, engine = refreshed(at)
    assert result.rebuilt == ((WARMEST, "day=2026-01-02"),)
    (statement,) = engine.asked
    assert silver(at).tables["readings"]["day=2026-01-02"].key in statement, "so that Athena opens no other"
    assert "2026-01-01" not in statement
    assert {place for place, digest in digests(at).items() if before[place] != digest} == {*result.rebuilt}


def test_step_by_step_and_all_at_once_come_to_the_same_bytes() -> None:
    files = [csv("a 1 0 1.5", "a 2 0 2.5"), csv("b 2 5 4.5", "c 2 5 -4.5"), csv("b 1 7 0.5")]
    at = loaded()
    for number, body in enumerate(files):
        land(at, number, body)
        load(at, THERMOMETERS)
        refreshed(at, LAYERED)
    once = loaded(*files)
    refreshed(once, LAYERED)
    assert digests(at) == digests(once)
    before = gold(at)
    result, _ = refreshed(at, LAYERED, full=True)
    assert (result.rebuilt, set(result.kept)) == ((), set(digests(once)))
    assert gold(at) == before


def test_a_partition_goes_with_its_silver() -> None:
    at = loaded(csv("a 1 0 1.5", "a 2 0 2.5"))
    refreshed(at)
    before = silver(at)
    left = {name: file for name, file in before.tables["readings"].items() if name == "day=2026-01-02"}
    inventory.write(at.store, replace(before, number=before.number + 1, tables={"readings": left}))
    result, engine = refreshed(at)
    assert (result.removed, result.rebuilt, engine.asked) == (((WARMEST, "day=2026-01-01"),), (), [])
    assert [*digests(at)] == [(WARMEST, "day=2026-01-02")]


def test_tables_come_behind_those_that_they_read() -> None:
    at = loaded(csv("a 1 0 1.5", "a 2 0 2.5"))
    result, engine = refreshed(at, LAYERED)
    assert result.rebuilt == ((WARMEST, "day=2026-01-01"), (WARMEST, "day=2026-01-02"), ("all_days", ""))
    assert rows(at, "all_days") == [{"temperature": 2.5, "days": 2}]
    assert all(file.key in engine.asked[1] for file in gold(at).tables[WARMEST].values())
    assert gold(at).tables["all_days"][""].sources[0].startswith("all_days.sql@")


def test_another_statement_makes_its_own_table_anew() -> None:
    at = loaded(csv("a 1 0 1.5"))
    refreshed(at, LAYERED)
    other = replace(LAYERED, gold={**LAYERED.gold, "all_days": LAYERED.gold["all_days"].replace("max", "min")})
    result, _ = refreshed(at, other)
    assert result.rebuilt == (("all_days", ""),)


def test_a_table_whose_statement_is_gone_is_empty() -> None:
    at = loaded(csv("a 1 0 1.5"))
    refreshed(at, LAYERED)
    result, engine = refreshed(at)
    assert (result.removed, engine.asked) == ((("all_days", ""),), [])
    assert at.store.get(keys.symlink(keys.GOLD, DATASET, "all_days")).body == b""
    assert refreshed(at)[0].load == ""


def test_a_partition_without_rows_is_made_once() -> None:
    cold = "-- partition: day\nSELECT day, temperature FROM readings WHERE temperature < 0"
    package = replace(THERMOMETERS, gold={"cold": cold})
    at = loaded(csv("a 1 0 1.5", "a 2 0 -2.5"))
    result, _ = refreshed(at, package)
    assert (len(result.rebuilt), result.rows) == (2, 1)
    assert refreshed(at, package)[1].asked == []


def test_athena_sees_gold_and_the_silver_that_it_is_made_of() -> None:
    at = loaded(csv("a 1 0 1.5"))
    refreshed(at)
    for layer in (silver(at), gold(at)):
        assert symlinks.are_of(at.store, layer)
        ((table, files),) = layer.tables.items()
        text = at.store.get(keys.symlink(layer.layer, DATASET, table)).body.decode()
        assert text == "".join(f"s3://{BUCKET}/{file.key}\n" for file in files.values())


def test_symlinks_of_a_newer_inventory_stay() -> None:
    at = loaded(csv("a 1 0 1.5"))
    newer = replace(silver(at), number=7)
    assert symlinks.write(at.store, BUCKET, newer)
    assert not symlinks.write(at.store, BUCKET, silver(at))
    assert symlinks.are_of(at.store, newer)


def test_a_load_beside_it_has_gold_made_of_what_it_loaded() -> None:
    at = loaded(csv("a 1 0 1.5"))
    engine = LakeEngine(at.store, THERMOMETERS)

    def between() -> None:
        engine.between = lambda: None
        land(at, 8, csv("b 1 5 4.5"))
        load(at, THERMOMETERS)
        symlinks.write(at.store, BUCKET, silver(at))

    engine.between = between
    refresh(at, THERMOMETERS, engine, BUCKET)
    assert len(engine.asked) == 2
    assert rows(at)[0]["temperature"] == 4.5
    assert refreshed(at)[1].asked == []


def test_a_run_that_dies_at_any_request_is_made_good_by_the_next() -> None:
    """Before each request, which is also after the one before it."""
    ready, whole = loaded(csv("a 1 0 1.5", "a 2 0 2.5")), loaded(csv("a 1 0 1.5", "a 2 0 2.5"))
    watch = Cut(-1, "before")
    whole.store.faults = watch  # type: ignore[attr-defined]
    refreshed(whole, LAYERED)
    requests, wanted = watch.seen, digests(whole)
    for number in range(requests):
        at = bench(copied(ready.store))
        at.store.faults = Cut(number, "before")  # type: ignore[attr-defined]
        with pytest.raises(Killed):
            refreshed(at, LAYERED)
        at.store.faults = None  # type: ignore[attr-defined]
        refreshed(at, LAYERED)
        assert digests(at) == wanted
        assert symlinks.are_of(at.store, gold(at))


def test_a_commit_whose_answer_is_lost_is_recognised() -> None:
    at = loaded(csv("a 1 0 1.5"))
    at.store.faults = fail_once("put", "after", OutcomeUnknown("reset"), prefix="gold/thermometers/inventory")  # type: ignore[attr-defined]
    result, engine = refreshed(at)
    assert (gold(at).load, gold(at).number, len(engine.asked)) == (result.load, 1, 1)


def test_a_commit_that_did_not_happen_is_told() -> None:
    at = loaded(csv("a 1 0 1.5"))
    at.store.faults = fail_once("put", "before", OutcomeUnknown("reset"), prefix="gold/thermometers/inventory")  # type: ignore[attr-defined]
    with pytest.raises(OutcomeUnknown):
        refreshed(at)
    assert refreshed(at)[0].rebuilt


def test_athena_sees_silver_also_where_gold_cannot_be_made() -> None:
    at = loaded(csv("a 1 0 1.5"))
    with pytest.raises(BrokenPipeline):
        refreshed(at, replace(THERMOMETERS, gold={"broken": "SELECT 1"}))
    assert symlinks.are_of(at.store, silver(at))


def test_the_catalog_is_brought_in_step_where_there_is_news() -> None:
    at, told = loaded(csv("a 1 0 1.5")), list[int]()
    at.describe = lambda: told.append(len(told))
    refreshed(at, replace(THERMOMETERS, gold={}))
    assert told == [0], "of silver alone"
    refreshed(at)
    assert len(told) > 1
    before = len(told)
    refreshed(at)
    assert len(told) == before


def test_a_statement_that_fails_says_where_and_leaves_gold_as_it_was() -> None:
    at = loaded(csv("a 1 0 1.5"))
    refreshed(at)
    before = gold(at)
    wrong = replace(THERMOMETERS, gold={WARMEST: "-- partition: day\nSELECT day, hotness FROM readings"})
    with pytest.raises(QueryFailed, match=r"gold/warmest_by_day.sql: .*hotness") as failed:
        refreshed(at, wrong)
    assert "readings" in str(failed.value) or "hotness" in str(failed.value).splitlines()[-1]
    assert gold(at) == before


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT 1", "lacks a line `-- partition"),
        ("-- partition: sensor\nSELECT sensor FROM readings", "not parted by sensor"),
        ("-- partition: day\nDROP TABLE readings", "DROP is not what is run here"),
        ("-- partition: day\nSELECT day FROM readings; SELECT 1", "another statement"),
        ("-- partition: day\nSELECT day FROM elsewhere", "line 2:17: there is no table elsewhere"),
        ("-- partition: day\nSELECT day FROM other.readings", "another database"),
        ("-- partition: day\nSELECT day, now() AS at FROM readings", "another value at every run"),
        ("-- partition: day\nSELECT day FROM broken", "made of it, or itself"),
    ],
)
def test_sql_that_cannot_be_gold_is_refused_with_its_place(sql: str, why: str) -> None:
    package = replace(THERMOMETERS, gold={"broken": sql})
    with pytest.raises(BrokenPipeline, match=r"datasets/thermometers/gold/broken.sql") as broken:
        goldsql.ordered(package)
    assert why in str(broken.value)


def test_the_header_says_what_columns_mean() -> None:
    sql = "-- about: Each day\n--   by day.\n-- partition: day\n-- day: The day.\n\nSELECT day FROM readings"
    (table,) = goldsql.ordered(replace(THERMOMETERS, gold={"days": sql}))
    assert (table.about, table.partition, table.columns) == ("Each day by day.", ("day",), {"day": "The day."})


HOSTILE = ["o'hara", 'a"b', "⛳ ü", "--", "; DROP TABLE x", "a%27b", "='; --", "a?b#c"]
COURSES = "-- partition: course, day\nSELECT r.course, r.day, count(*) AS n FROM readings AS r GROUP BY r.course, r.day"


def courses(texts: list[str]) -> tuple[goldsql.GoldTable, list[str]]:
    table = goldsql.GoldTable(
        DATASET,
        "courses",
        COURSES,
        ("course", "day"),
        "",
        {},
        frozenset({"readings"}),
        {"course": "string", "day": "date"},
    )
    return table, [keys.partition({"course": text, "day": "2026-01-01"}) for text in texts]


def test_values_of_partitions_are_literals_whatever_they_are() -> None:
    table, wanted = courses([*HOSTILE, "__HIVE_DEFAULT_PARTITION__"])
    statement = goldsql.compiled(table, "towline", wanted, {})
    at = bench()
    engine = LakeEngine(at.store, THERMOMETERS)
    given = pa.table({"course": [*HOSTILE, None, "x", ""], "day": pa.array([20454] * (len(HOSTILE) + 3), pa.date32())})
    found = run(engine, statement, given)
    assert {row["course"]: row["n"] for row in found.to_pylist()} == {**dict.fromkeys(HOSTILE, 1), None: 1}
    parted = {name: len(rows) for name, rows in split(table, found, wanted)}
    assert parted == dict.fromkeys(wanted, 1)


def run(engine: LakeEngine, statement: str, given: pa.Table) -> pa.Table:
    engine._rows = lambda layer, table: given if layer == keys.SILVER else None  # type: ignore[method-assign]
    return engine._run(statement)


def test_many_partitions_are_asked_for_in_several_statements_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "MAX_COMPILED", 20_000)
    monkeypatch.setattr(goldsql, "AT_ONCE", 100)
    table, wanted = courses([f"{number:04}{'é' * 90}" for number in range(150)])
    found = list(goldsql.statements(table, "towline", wanted, {}))
    assert [name for names, _ in found for name in names] == wanted
    assert [len(names) for names, _ in found] == [50, 50, 50]
    assert max(len(statement.encode()) for _, statement in found) <= 20_000


def test_many_files_are_not_named_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    table, wanted = courses(["a", "b"])
    named = {"thermometers_readings": {name: [f"s3://{BUCKET}/{name}"] for name in wanted}}
    assert "$path" in goldsql.compiled(table, "towline", wanted, named)
    monkeypatch.setattr(goldsql, "FILES", 1)
    assert "$path" not in goldsql.compiled(table, "towline", wanted, named)
    assert "$path" in goldsql.compiled(table, "towline", wanted[:1], named)


def test_rows_of_partitions_that_no_silver_has_are_refused() -> None:
    table, wanted = courses(["a"])
    rows = pa.table({"course": ["b"], "day": pa.array([20454], pa.date32()), "n": [1]})
    with pytest.raises(QueryFailed, match="which no table that it reads has"):
        list(split(table, rows, wanted))
    with pytest.raises(QueryFailed, match="it selects no column day"):
        list(split(table, rows.select(["course"]), wanted))


def test_coarser_partitions_are_made_of_all_finer_ones() -> None:
    table = replace(courses([])[0], partition=("course",))
    files = {
        f"course={course}/day={day}": PartitionFile("k", 1, 1, f"{course}{day}", ()) for course in "ab" for day in "12"
    }
    found: Mapping[str, tuple[str, ...]] = sources(table, {"readings": files})
    assert found["course=a"] == (table.source, "readings/course=a/day=1@a1", "readings/course=a/day=2@a2")
