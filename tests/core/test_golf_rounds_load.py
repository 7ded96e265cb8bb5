"""Golf rounds on their whole way: from raw files to silver, with what is refused in quarantine."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.core.golf import EVENTS, HEALTH, PACKAGE, fix, generator, wide
from towline import keys
from towline.inbox import Arrival
from towline.ingest import receive
from towline.ingest.entry import Entry
from towline.memory import MemoryStore
from towline.pipeline import inventory
from towline.pipeline.load import load
from towline.workbench import Workbench

DATASET = "golf_rounds"


def landed(bench: Workbench, name: str, body: bytes | str) -> Entry:
    """A file of a course, in bronze."""
    stat = bench.store.put(keys.raw(DATASET, ["heronpoint"], name), body.encode() if isinstance(body, str) else body)
    arrival = Arrival(stat.key, stat.version, stat.etag, stat.size)
    entry = receive.receive(bench, arrival, lambda dataset: PACKAGE.pipeline, lambda entry: None)
    assert entry
    assert entry.is_new, entry.reasons
    return entry


def digests(bench: Workbench) -> dict[str, dict[str, str]]:
    found = inventory.read(bench.store, keys.SILVER, DATASET).tables
    return {table: {name: file.digest for name, file in parts.items()} for table, parts in found.items()}


def rows(bench: Workbench, table: str = EVENTS) -> list[dict[str, Any]]:
    files = inventory.read(bench.store, keys.SILVER, DATASET).tables.get(table, {})
    bodies = [bench.store.get(file.key).body for _, file in sorted(files.items())]
    return [row for body in bodies for row in pq.read_table(pa.BufferReader(body)).to_pylist()]


def test_file_by_file_and_all_at_once_come_to_the_same_bytes() -> None:
    generate, bench = generator(), Workbench(MemoryStore())
    for number, kind in ((1, "csv"), (5, "json"), (9, "csv.gz")):
        _, whole = generate.file(number, 12, fixes=10)
        landed(bench, f"heronpoint-{number}.{kind}", generate.body(whole, kind))
        assert not load(bench, PACKAGE).failed
    before = digests(bench)
    assert len(before[EVENTS]) >= 3
    assert before[HEALTH]
    assert load(bench, PACKAGE, full=True).written == ()
    assert digests(bench) == before


def test_a_late_file_changes_only_its_partitions() -> None:
    bench = Workbench(MemoryStore())
    landed(bench, "a.csv", wide([fix(1)]))
    landed(bench, "b.csv", wide([fix(1)]).replace("2025-07-01", "2025-07-02").replace("r1", "r2"))
    load(bench, PACKAGE)
    landed(bench, "late.csv", wide([fix(5)]).replace("r1", "r3"))
    assert load(bench, PACKAGE).written == ((EVENTS, "course_id=heronpoint/event_date=2025-07-01"),)
    assert [row["round_id"] for row in rows(bench)] == ["r1", "r3", "r2"]


def test_of_fixes_at_the_same_time_the_cached_one_stays() -> None:
    bench = Workbench(MemoryStore())
    landed(bench, "a.csv", wide([fix(1, isCache="false", pace="1"), fix(2, isCache="false", pace="2")]))
    load(bench, PACKAGE)
    landed(bench, "b.csv", wide([fix(2, isCache="true", pace="3"), fix(1, isCache="", pace="4")]))
    load(bench, PACKAGE)
    assert [(row["is_cache"], row["pace"]) for row in rows(bench)] == [(False, 1.0), (True, 3.0)]


def test_coordinates_that_cannot_be_are_refused_and_say_why() -> None:
    bench = Workbench(MemoryStore())
    wrong = [
        {"fixCoordinates[0]": "-190"},
        {"fixCoordinates[0]": "0", "fixCoordinates[1]": "0"},
        {"fixCoordinates[0]": "43.2", "fixCoordinates[1]": "-112.8"},
    ]
    slots = [fix(number) for number in range(40)] + [fix(50 + number, **place) for number, place in enumerate(wrong)]
    entry = landed(bench, "a.csv", wide(slots))
    result = load(bench, PACKAGE)
    assert (result.rows, result.refused, result.failed) == (40, 3, {})
    (key,) = [each.key for each in bench.store.list(keys.QUARANTINE) if each.key.endswith("rows.parquet")]
    assert entry.ingest in key
    reasons = pq.read_table(pa.BufferReader(bench.store.get(key).body)).column("reason").to_pylist()
    words = ("less than -180", "the device had no position", "exchanged with longitude")
    assert all(any(word in reason for reason in reasons) for word in words)


def test_a_fix_without_any_time_goes_to_the_quarantine() -> None:
    bench = Workbench(MemoryStore())
    timeless = wide([fix(startTime="")], values="r2,heronpoint,,1").splitlines()[1]
    slots = wide([fix(1)]).splitlines()
    landed(bench, "a.csv", "\n".join([slots[0], *[slots[1].replace("r1", f"a{n}") for n in range(20)], timeless]))
    result = load(bench, PACKAGE)
    assert (len(rows(bench)), result.refused) == (20, 1)


def test_files_that_are_broken_fail_whole_and_the_others_count() -> None:
    bench, made = Workbench(MemoryStore()), generator().broken()
    entries = {name: landed(bench, name, made[name]) for name in ("swapped.csv", "unreadable-times.csv", "ragged.csv")}
    good = landed(bench, "good.csv", wide([fix(1)]))
    result = load(bench, PACKAGE)
    assert result.failed.keys() == {entry.ingest for entry in entries.values()}
    assert {row["ingest"] for row in rows(bench)} == {good.ingest}
