"""Samples in the store: one a bronze version, made once, found again, and missed where there is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.core import raw
from towline import keys
from towline.errors import NotFound
from towline.inbox import Arrival
from towline.ingest.sampled import find, make, missing, sampled
from towline.memory import MemoryStore
from towline.store import Stat
from towline.workbench import Workbench

AT = datetime(2026, 11, 28, 21, 45, tzinfo=UTC)


@pytest.fixture
def bench() -> Workbench:
    return Workbench(MemoryStore())


def bronze(bench: Workbench, name: str, body: bytes) -> Stat:
    return bench.store.put(keys.bronze("golf", {"course": "x"}, name, AT), body)


def arrival(stat: Stat) -> Arrival:
    return Arrival(stat.key, stat.version, stat.etag, stat.size)


@pytest.mark.parametrize("name", raw.FILES)
def test_a_bronze_file_gets_one_sample_under_its_own_key(bench: Workbench, name: str) -> None:
    stat = bronze(bench, name, raw.FILES[name])
    written = sampled(bench, arrival(stat))
    assert written
    assert written.key.startswith("samples/golf/course=x/ingest_date=2026-11-28/214500--")
    assert written.metadata["kind"] == raw.KINDS[name]
    assert find(bench.store, stat.key, stat.etag) == written
    assert sampled(bench, arrival(stat)) is None
    assert [entry.key for entry in bench.store.list(keys.SAMPLES)] == [written.key]


def test_an_object_that_changed_is_sampled_anew(bench: Workbench) -> None:
    first = sampled(bench, arrival(bronze(bench, "a.csv", b"a\n1\n")))
    changed = bronze(bench, "a.csv", b"a\n2\n")
    second = sampled(bench, arrival(changed))
    assert first
    assert second
    assert second.key == first.key
    assert bench.store.get(second.key).body == b"a\n2\n"


def test_a_second_delivery_asks_little(bench: Workbench) -> None:
    stat = bronze(bench, "a.csv", b"a\n1\n")
    sampled(bench, arrival(stat))
    before = bench.store.requests.copy()
    sampled(bench, arrival(stat))
    assert bench.store.requests - before == {"head": 1}


def test_a_sample_costs_three_requests(bench: Workbench) -> None:
    landed = arrival(bronze(bench, "a.csv", b"a\n1\n"))
    before = bench.store.requests.copy()
    sampled(bench, landed)
    assert bench.store.requests - before == {"head": 1, "get": 1, "put": 1}


@pytest.mark.parametrize("name", raw.FILES)
def test_a_sample_is_written_once_and_found_where_the_name_promises_it(bench: Workbench, name: str) -> None:
    landed = arrival(bronze(bench, name, raw.FILES[name]))
    written = sampled(bench, landed)
    before = bench.store.requests.copy()
    assert sampled(bench, landed) is None
    assert (bench.store.requests - before)["head"] == 1
    assert written
    assert len(list(bench.store.versions(written.key))) == 1


@pytest.mark.parametrize(("name", "body"), [("a.png", raw.parquet()), ("a.csv", b"\x89PNG\r\n\x1a\n")])
def test_of_a_file_that_is_not_what_its_name_says_nothing_is_written_twice(
    bench: Workbench, name: str, body: bytes
) -> None:
    landed = arrival(bronze(bench, name, body))
    written = sampled(bench, landed)
    assert written
    assert sampled(bench, landed) is None
    assert len(list(bench.store.versions(written.key))) == 1


def test_what_cannot_be_shown_says_why_and_when_it_was_written(bench: Workbench) -> None:
    written = sampled(bench, arrival(bronze(bench, "broken.parquet", b"PAR1 and nothing")))
    assert written
    assert "not a Parquet table" in written.metadata["reason"]
    told = json.loads(bench.store.get(written.key).body)
    assert told["modified"] == "2026-11-28T21:45:00Z"
    assert told["name"] == "214500--broken.parquet"


@pytest.mark.parametrize("key", ["bronze/golf/folder/", "raw/golf/a.csv", "bronze/"])
def test_what_is_no_bronze_file_has_no_sample(bench: Workbench, key: str) -> None:
    stat = bench.store.put(key, b"a\n1\n")
    assert sampled(bench, arrival(stat)) is None
    assert not list(bench.store.list(keys.SAMPLES))


def test_a_version_that_is_gone_is_an_error(bench: Workbench) -> None:
    with pytest.raises(NotFound):
        sampled(bench, Arrival("bronze/golf/gone.csv", "v", "e", 1))


def test_files_without_a_sample_are_missed(bench: Workbench) -> None:
    stats = [bronze(bench, name, raw.FILES[name]) for name in raw.FILES]
    assert [each.key for each in missing(bench.store, "golf")] == sorted(stat.key for stat in stats)
    for stat in stats[3:]:
        sampled(bench, arrival(stat))
    found = list(missing(bench.store, "golf"))
    assert {each.key for each in found} == {stat.key for stat in stats[:3]}
    assert list(missing(bench.store, "golf", until=AT.replace(year=2000))) == []
    for each in found:
        sampled(bench, each)
    assert list(missing(bench.store, "golf")) == list(missing(bench.store, "other")) == []


def test_of_any_other_object_a_sample_is_made_in_memory(bench: Workbench) -> None:
    stat = bench.store.put("raw/golf/a.csv", raw.FILES["rounds.csv"])
    assert make(bench.store, stat, 2).body == raw.delimited(rows=2)
    assert not list(bench.store.list(keys.SAMPLES))
