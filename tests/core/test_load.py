"""Loads: from bronze to silver."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.thermometers import DATASET, START, THERMOMETERS, bench, csv, digests, land, readings, rows, silver
from towline import keys
from towline.contract import Contract
from towline.errors import Corrupt, LostRace, OutcomeUnknown, Unavailable
from towline.ingest import manifest, places
from towline.memory import MemoryStore, fail_once
from towline.pipeline import inventory, plan, report, spool, taking
from towline.pipeline.ground import ground
from towline.pipeline.inventory import FAILED, LOADED
from towline.pipeline.load import load
from towline.pipeline.quality import Tally, complaints
from towline.pipeline.registry import Package
from towline.workbench import Workbench

EMPTY = b"sensor,time,temperature\n"


def waiting(at: Workbench, package: Package) -> list[str]:
    """The files that no load has taken."""
    base = ground(at, package, full=False).base
    return [entry.ingest for entry in plan.waiting(base, manifest.entries(at.store, DATASET))]


def anew(at: Workbench) -> dict[str, str]:
    """What a load of the same files from nothing would come to."""
    other = bench(MemoryStore())
    for entry in at.store.list(""):
        if entry.key.startswith((keys.BRONZE, keys.MANIFESTS)):
            body = at.store.get(entry.key).body
            if entry.key.startswith(keys.MANIFESTS):  # versions are not copied along
                body = json.dumps({n: v for n, v in json.loads(body).items() if n != "bronze_version"}).encode()
            other.store.put(entry.key, body)
    load(other, THERMOMETERS)
    return digests(other)


def told(at: Workbench, ingest: str, name: str = places.REPORT) -> bytes:
    return at.store.get(keys.quarantine(DATASET, ingest, name, START)).body


def test_files_become_rows_parted_by_day() -> None:
    at = bench()
    first = land(at, 1, csv("a 1 0 1.5", "a 2 0 2.5"))
    second = land(at, 2, csv("b 1 0 3.5"), kind="csv.gz")
    result = load(at, THERMOMETERS)
    assert set(result.taken) == {first.ingest, second.ingest}
    assert (result.rows, result.refused, result.more, result.failed) == (3, 0, False, {})
    assert sorted(digests(at)) == ["day=2026-01-01", "day=2026-01-02"]
    assert [row["ingest"] for row in rows(at).to_pylist()] == [first.ingest, second.ingest, first.ingest]
    assert readings(at) == [("a", 1.5), ("b", 3.5), ("a", 2.5)]
    assert silver(at).tables["readings"]["day=2026-01-01"].sources == (first.ingest, second.ingest)


Row = tuple[str, str, str, str]
FILE = st.lists(st.tuples(*map(st.sampled_from, ("ab", "123", "012", ["1", "2", "x", "99"]))), max_size=6)


@settings(max_examples=15)
@given(st.lists(FILE, min_size=1, max_size=5), st.data())
def test_files_come_to_the_same_whatever_order_and_company_they_come_in(
    files: list[list[Row]], data: st.DataObject
) -> None:
    at, todo = bench(), data.draw(st.permutations(range(len(files))))
    while todo:
        count = data.draw(st.integers(1, len(todo)))
        for number in todo[:count]:
            land(at, number, csv(*map(" ".join, files[number])))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(spool, "PIECE", data.draw(st.sampled_from([1, 4, 1000])))
            load(at, THERMOMETERS)
        todo = todo[count:]
    assert digests(at) == anew(at)


@settings(max_examples=10)
@given(st.lists(FILE, min_size=2, max_size=3), st.lists(st.tuples(st.integers(0, 2), FILE), max_size=4), st.booleans())
def test_files_that_are_tried_again_come_to_the_same_as_if_they_had_come_so(
    files: list[list[Row]], retries: list[tuple[int, list[Row]]], every: bool
) -> None:
    at, tries = bench(), Counter[int]()
    last = {number: land(at, number, csv(*map(" ".join, found))).ingest for number, found in enumerate(files)}
    load(at, THERMOMETERS)
    for number, found in retries:
        if number in last:
            tries[number] += 1
            body = csv(*map(" ".join, found))
            last[number] = land(at, number, body, retry_of=last[number], attempt=tries[number]).ingest
            if every:
                load(at, THERMOMETERS)
    load(at, THERMOMETERS)
    assert set(silver(at).loaded) == set(last.values())
    assert digests(at) == anew(at)


def test_loading_again_writes_nothing() -> None:
    at, store = bench(), MemoryStore()
    at.store = store
    land(at, 1, csv("a 1 0 1.5", "a 1 1 x"))
    load(at, THERMOMETERS)
    before = Counter(store.requests)
    result = load(at, THERMOMETERS)
    assert (result.load, result.taken, result.written) == ("", {}, ())
    assert store.requests["put"] == before["put"]
    assert load(at, THERMOMETERS, full=True).written == ()
    assert store.requests["put"] == before["put"]


def test_a_late_file_changes_only_its_partitions() -> None:
    at = bench()
    land(at, 1, csv("a 1 0 1", "a 2 0 2"))
    load(at, THERMOMETERS)
    before = silver(at).tables["readings"]
    land(at, 0, csv("b 2 0 3"))
    assert load(at, THERMOMETERS).written == (("readings", "day=2026-01-02"),)
    after = silver(at).tables["readings"]
    assert after["day=2026-01-01"] == before["day=2026-01-01"]
    assert after["day=2026-01-02"].key != before["day=2026-01-02"].key


def test_of_equal_keys_the_earliest_ingest_and_in_it_the_first_row_stays() -> None:
    at = bench()
    land(at, 2, csv("a 1 0 5", "a 1 0 6"))
    load(at, THERMOMETERS)
    assert readings(at) == [("a", 5.0)]
    land(at, 1, csv("a 1 0 7"))
    load(at, THERMOMETERS)
    assert readings(at) == [("a", 7.0)]


def test_refused_rows_are_in_quarantine_with_their_numbers_values_and_reasons() -> None:
    at = bench()
    entry = land(at, 1, csv("a 1 0 1.5", "a 1 1 x", "a 1 2 99", "a 1 3 7"))
    result = load(at, THERMOMETERS)
    assert (result.rows, result.refused, result.taken[entry.ingest].status) == (2, 2, LOADED)
    lines = pq.read_table(pa.BufferReader(told(at, entry.ingest, places.ROWS))).to_pylist()
    assert [tuple(line.values()) for line in lines] == [
        (2, "readings", "temperature", "x", "is no number"),
        (3, "readings", "temperature", "99", "is more than 60.0 °C"),
    ]
    said = json.loads(told(at, entry.ingest))
    assert (said["format"], said["rows"], said["refused"], said["first"]) == ("towline.report/v1", 4, 2, lines)
    assert said["reasons"] == [
        "readings.temperature is more than 60.0 °C (1 row)",
        "readings.temperature is no number (1 row)",
    ]


def test_a_file_that_breaks_its_thresholds_fails_whole_and_alone() -> None:
    at = bench()
    bad = land(at, 1, csv("a 1 0 x", "a 1 1 99", "a 1 2 1"))
    nulls = land(at, 2, csv("b 1 0 ", "b 1 1 ", "b 1 2 1"))
    torn = land(at, 3, b"\x1f\x8b broken")
    good = land(at, 4, csv("c 1 0 1"))
    result = load(at, THERMOMETERS)
    assert readings(at) == [("c", 1.0)]
    assert set(result.failed) == {bad.ingest, nulls.ingest, torn.ingest}
    assert result.failed[bad.ingest] == ("readings has to refuse 2 of 3 rows (66.7%); at most 50.0% may be so",)
    assert result.failed[nulls.ingest] == (
        "readings.temperature is empty in 2 of 3 rows (66.7%); at most 50.0% may be so",
    )
    assert silver(at).loaded[good.ingest].status == LOADED
    assert json.loads(told(at, bad.ingest))["status"] == FAILED
    assert load(at, THERMOMETERS).taken == {}  # nor is it tried again


def test_a_bronze_object_that_is_gone_is_a_failure_that_names_it() -> None:
    at = bench()
    gone, good = land(at, 1, csv("a 1 0 1")), land(at, 2, csv("b 1 0 1"))
    at.store.delete(gone.bronze)
    at.store._history.pop(gone.bronze)  # type: ignore[attr-defined]
    result = load(at, THERMOMETERS)
    assert gone.bronze in result.failed[gone.ingest][0]
    assert silver(at).loaded[good.ingest].status == LOADED


def test_a_fault_of_the_pipeline_names_the_file_and_lets_the_others_go_on() -> None:
    def conform(file):  # type: ignore[no-untyped-def]
        if file.entry.ingest == bad.ingest:
            raise KeyError("temperature")
        yield from THERMOMETERS.pipeline.conform(file)

    at = bench()
    bad, good = land(at, 1, csv("a 1 0 1")), land(at, 2, csv("b 1 0 1"))
    result = load(at, replace(THERMOMETERS, pipeline=replace(THERMOMETERS.pipeline, conform=conform)))
    (why,) = result.failed[bad.ingest]
    assert bad.bronze in why
    assert "KeyError in test_load.py" in why
    assert readings(at) == [("b", 1.0)]
    assert set(result.taken) == {bad.ingest, good.ingest}


def test_a_retry_takes_the_place_of_the_file_it_replaces() -> None:
    at = bench()
    kept = land(at, 1, csv("a 1 0 1", "b 1 0 1"))
    old = land(at, 0, csv("a 1 0 2", "a 2 0 2", "a 3 0 2"))
    load(at, THERMOMETERS)
    assert readings(at) == [("a", 2.0), ("b", 1.0), ("a", 2.0), ("a", 2.0)]
    new = land(at, 0, csv("a 3 0 3"), retry_of=old.ingest, attempt=1)
    result = load(at, THERMOMETERS)
    assert readings(at) == [("a", 1.0), ("b", 1.0), ("a", 3.0)]
    assert result.removed == (("readings", "day=2026-01-02"),)
    assert set(silver(at).loaded) == {kept.ingest, new.ingest}
    assert digests(at) == anew(at)


def test_a_retry_waits_where_a_file_that_its_rows_met_with_is_gone() -> None:
    at = bench()
    kept, old = land(at, 1, csv("a 1 0 1")), land(at, 0, csv("a 1 0 2"))
    load(at, THERMOMETERS)
    new = land(at, 0, csv("a 1 0 3"), retry_of=old.ingest, attempt=1)
    at.store._history.pop(kept.bronze)  # type: ignore[attr-defined]
    result = load(at, THERMOMETERS)
    assert kept.bronze in result.failed[new.ingest][0]
    assert readings(at) == [("a", 2.0)]
    assert waiting(at, THERMOMETERS) == [new.ingest]


def test_a_changed_pipeline_has_everything_loaded_anew() -> None:
    at = bench()
    failed = land(at, 1, csv("a 1 0 x"))
    load(at, THERMOMETERS)
    mended = replace(THERMOMETERS, digest="another")
    assert waiting(at, mended) == [failed.ingest]
    result = load(at, mended)
    assert (result.full, set(result.taken)) == (True, {failed.ingest})
    assert waiting(at, mended) == []


def test_a_rebuild_in_several_loads_counts_when_all_files_are_in() -> None:
    at = bench()
    files = [land(at, number, csv(f"a {1 + number % 2} {number} 1")) for number in range(4)]
    load(at, THERMOMETERS)
    before = silver(at)
    mended = replace(THERMOMETERS, digest="another")
    for number in range(4):
        result = load(at, mended, limit_bytes=1)
        assert (result.more, len(result.taken)) == (number < 3, 1)
        assert (silver(at) == before) == (number < 3)
    assert silver(at).pipeline == "another"
    assert set(silver(at).loaded) == {entry.ingest for entry in files}
    assert digests(at) == anew(at)
    assert load(at, mended).load == ""


@pytest.mark.parametrize("waits", [0, 2])
def test_a_rebuild_goes_on_and_ends_where_it_comes_to_what_was_there(waits: int) -> None:
    at = bench()
    for number in range(2):
        land(at, number, csv(f"a {1 + number} 0 1"))
    load(at, THERMOMETERS)
    for number in range(2, 2 + waits):
        land(at, number, csv(f"a {1 + number} 0 1"))
    steps = [load(at, THERMOMETERS, full=number == 0, limit_bytes=1) for number in range(2 + waits)]
    assert [len(step.taken) for step in steps] == [1] * (2 + waits)
    assert [step.more for step in steps] == [True] * (1 + waits) + [False]
    assert digests(at) == anew(at)
    assert load(at, THERMOMETERS).load == ""


def test_a_report_says_when_nothing_is_refused_any_more() -> None:
    at = bench()
    entry = land(at, 1, csv("a 1 0 99", "a 1 1 2"))
    load(at, THERMOMETERS)
    raw = json.loads(THERMOMETERS.contracts["readings"].to_json())
    raw["fields"][-1]["constraints"] = {}
    load(at, replace(THERMOMETERS, contracts={"readings": Contract.parse(raw)}, digest="another"))
    assert readings(at) == [("a", 99.0), ("a", 2.0)]
    assert json.loads(told(at, entry.ingest))["reasons"] == [report.ACCEPTED]
    assert pq.read_table(pa.BufferReader(told(at, entry.ingest, places.ROWS))).num_rows == 0


@pytest.mark.parametrize(("bound", "said"), [("LARGEST", "bytes, and at most 1"), ("PARTITIONS", "more than 1 part")])
def test_a_file_that_would_be_too_much_fails(monkeypatch: pytest.MonkeyPatch, bound: str, said: str) -> None:
    at = bench()
    monkeypatch.setattr(taking, bound, 1)
    entry = land(at, 1, csv("a 1 0 1", "a 2 0 1"))
    (why,) = load(at, THERMOMETERS).failed[entry.ingest]
    assert said in why
    assert digests(at) == {}


class Points:
    """Ends the run before or after the n-th request: none after it is answered."""

    def __init__(self, number: int, phase: str) -> None:
        self.left, self.phase, self.lock = number, phase, Lock()

    def __call__(self, operation: str, key: str, phase: Literal["before", "after"]) -> None:
        if phase != self.phase:
            return
        with self.lock:
            self.left -= 1
            if self.left <= 0:
                raise (OutcomeUnknown if phase == "after" else Unavailable)("the machine ends here")


def begun() -> tuple[Workbench, MemoryStore]:
    """What was loaded, and a file that waits."""
    store = MemoryStore()
    at = bench(store)
    land(at, 1, csv("a 1 0 1", "a 2 0 1", "a 2 1 x", "a 2 2 4"))
    load(at, THERMOMETERS)
    land(at, 2, csv("b 1 0 1", "b 2 0 x", "b 2 1 4"))
    return at, store


def load_all(at: Workbench, package: Package) -> None:
    while load(at, package, limit_bytes=1).more:
        pass


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("package", [THERMOMETERS, replace(THERMOMETERS, digest="another")], ids=["new", "rebuild"])
def test_a_crash_at_any_request_leaves_the_old_inventory_or_the_new_one(package: Package, phase: str) -> None:
    whole, _ = begun()
    before, wanted = digests(whole), anew(whole)
    for number in range(1, 100):
        at, store = begun()
        store.faults = points = Points(number, phase)
        try:
            load_all(at, package)
        except Unavailable:
            assert points.left <= 0
        store.faults = None
        assert digests(at) in (before, wanted)
        load_all(at, package)
        assert digests(at) == wanted
        assert silver(at).pipeline == package.digest
        if points.left > 0:
            break
    assert number > 8


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_a_partition_that_is_not_what_was_written_stops_the_load_until_all_is_loaded_anew(harm: str) -> None:
    store = MemoryStore()
    at = bench(store)
    land(at, 1, csv("a 1 0 1", "a 2 0 1"))
    load(at, THERMOMETERS)
    land(at, 2, csv("b 1 0 1"))
    for file in silver(at).tables["readings"].values():
        store.delete(file.key) if harm == "gone" else store.put(file.key, b"PAR1")
    with pytest.raises(Corrupt, match="--full"):
        load(at, THERMOMETERS)
    assert load(at, THERMOMETERS, full=True).kept == ()
    assert digests(at) == anew(at)
    assert readings(at) == [("a", 1.0), ("b", 1.0), ("a", 1.0)]


def test_of_two_loads_at_once_none_is_lost() -> None:
    store = MemoryStore()
    at = bench(store)
    land(at, 1, csv("a 1 0 1"))

    def rival(operation: str, key: str, phase: Literal["before", "after"]) -> None:
        """Another load that is quicker, once."""
        if (operation, key, phase) == ("put", keys.inventory(keys.SILVER, DATASET), "before"):
            store.faults = None
            land(at, 2, csv("b 1 0 2"))
            load(at, THERMOMETERS)

    store.faults = rival
    assert set(load(at, THERMOMETERS).taken) == set()
    assert readings(at) == [("a", 1.0), ("b", 2.0)]
    assert silver(at).number == 1


def test_loads_side_by_side_lose_nothing() -> None:
    at = bench(MemoryStore())

    def work(worker: int) -> None:
        for number in range(3):
            land(at, 10 * worker + number, csv(f"{worker} {1 + number} 0 1"))
            with suppress(LostRace):
                load(at, THERMOMETERS)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    load(at, THERMOMETERS)  # what is left where a worker gave up
    assert len(silver(at).loaded) == 9
    assert digests(at) == anew(at)


def test_a_lost_answer_to_the_commit_is_looked_up() -> None:
    at = bench(MemoryStore())
    land(at, 1, csv("a 1 0 1"))
    at.store.faults = fail_once("put", "after", OutcomeUnknown("lost"), prefix=keys.inventory(keys.SILVER, DATASET))  # type: ignore[attr-defined]
    assert load(at, THERMOMETERS).load == silver(at).load


def test_unknown_columns_are_noted() -> None:
    at = bench()
    entry = land(at, 1, b"sensor,time,temperature,colour\na,2026-01-01T00:00:00,1,red\n")
    other = land(at, 2, f"sensor,time,temperature,b,{'c' * 1000}\na,2026-01-02T00:00:00,1,,\n".encode())
    taken = load(at, THERMOMETERS).taken
    assert taken[entry.ingest].reasons == ("the pipeline does not know the column colour",)
    (note,) = taken[other.ingest].reasons
    assert note.startswith("the pipeline does not know the columns b, ccc")
    assert len(note) == taking.MAX_REASON + 1


def with_silver(**rules: object) -> Package:
    """The thermometers with other rules."""
    raw = json.loads(THERMOMETERS.contracts["readings"].to_json())
    raw["towline"]["silver"] |= rules
    return replace(THERMOMETERS, contracts={"readings": Contract.parse(raw)}, digest=str(rules))


def test_a_file_that_repeats_itself_too_often_fails() -> None:
    at = bench()
    entry = land(at, 1, csv("a 1 0 1", "a 1 0 2", "a 1 1 1"))
    (why,) = load(at, with_silver(duplicate_rate=0.3)).failed[entry.ingest]
    assert why == "readings repeats the key in 1 of 3 rows (33.3%); at most 30.0% may be so"


@pytest.mark.parametrize(("refused", "why"), [(29, ()), (30, ("30 of 100 rows (30.0%); at most 29.0%",))])
def test_a_file_may_have_just_the_share_that_its_contract_says(refused: int, why: tuple[str, ...]) -> None:
    (contract,) = with_silver(quarantine_rate=0.29, null_rate={}).contracts.values()
    found = complaints("readings", contract, Tally(rows=100, refused=refused))
    assert tuple(said.removeprefix("readings has to refuse ").removesuffix(" may be so") for said in found) == why


def test_of_equal_keys_the_preferred_row_stays() -> None:
    at = bench()
    land(at, 1, csv("a 1 0 ", "a 1 0 3", "a 1 0 7"))
    load(at, with_silver(prefer=["temperature"]))
    assert readings(at) == [("a", 7.0)]


def test_an_empty_file_is_loaded_without_rows() -> None:
    at = bench()
    entry = land(at, 1, EMPTY)
    assert load(at, THERMOMETERS).taken[entry.ingest].rows == {"readings": 0}
    assert inventory.read(at.store, keys.SILVER, DATASET).tables == {"readings": {}}
