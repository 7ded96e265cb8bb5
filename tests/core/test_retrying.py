"""Trying files again that are in quarantine, or whose rows are."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from tests.core.landed import CSV, NAME, Bay, Cut, Killed, arrival
from towline import keys
from towline.errors import NotFound
from towline.ingest import manifest
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED, Entry

BAD = b"course,hole\ne,1\n"


def refused(bay: Bay, name: str = "north/a.csv") -> Entry:
    entry = bay.take(name, BAD)
    assert entry.status == QUARANTINED
    bay.wait(days=1)
    return entry


def test_a_refused_file_that_passes_now_is_taken_in_under_its_old_place_in_time() -> None:
    bay = Bay()
    entry = refused(bay)
    bay.correct()
    again = bay.receive(bay.retry(entry))
    assert (again.ingest, again.retry_of, again.status) == (f"{entry.ingest}.1", entry.ingest, BRONZE)
    assert again.bronze == f"bronze/{NAME}/source=north/ingest_date=2026-11-28/214500--a.csv"
    assert (again.raw, again.version, again.mtime) == (entry.raw, entry.version, entry.mtime)
    assert bay.store.get(again.bronze).body == BAD
    assert again.retry.startswith("ana ")
    assert bay.entries() == [entry, again]


def test_a_file_that_is_still_refused_has_the_new_reasons() -> None:
    bay = Bay()
    entry = refused(bay)
    bay.correct(lambda columns: ("there is no column 'ball'",))
    again = bay.receive(bay.retry(entry))
    assert (again.status, again.reasons) == (QUARANTINED, ("there is no column 'ball'",))
    assert bay.store.get(again.quarantine).body == BAD
    assert bay.told == [entry, again]
    third = bay.receive(bay.retry(again, "ben"))
    assert (third.ingest, third.retry_of) == (f"{entry.ingest}.2", again.ingest)
    assert bay.entries() == [entry, again, third]


@pytest.mark.parametrize("sent_again", [False, True])
def test_a_bronze_object_that_is_gone_is_made_anew_of_a_raw_file_with_its_bytes(sent_again: bool) -> None:
    bay = Bay()
    entry = bay.take("north/a.csv")
    bay.store._history.pop(entry.bronze)
    if sent_again:
        bay.store._history.pop(entry.raw)
        bay.wait(days=1)
        assert bay.take("b.csv").status == DUPLICATE
    again = bay.receive(bay.retry(entry))
    assert (again.ingest, again.retry_of, again.status) == (f"{entry.ingest}.1", entry.ingest, BRONZE)
    held = bay.store.get(again.bronze, version=again.bronze_version)
    assert (held.body, held.stat.metadata["ingest"]) == (CSV, again.ingest)


def test_what_the_quarantine_kept_is_taken_where_the_raw_file_is_gone() -> None:
    bay = Bay()
    entry = refused(bay)
    bay.store._history.pop(entry.raw)
    bay.correct()
    again = bay.receive(bay.retry(entry))
    assert (again.status, bay.store.get(again.bronze).body) == (BRONZE, BAD)
    assert (again.raw, again.version) == (entry.raw, entry.version)


def test_a_file_that_is_gone_altogether_is_told() -> None:
    bay = Bay()
    entry = refused(bay)
    bay.store._history.pop(entry.raw)
    bay.store._history.pop(entry.quarantine)
    with pytest.raises(NotFound):
        bay.receive(bay.retry(entry))


def test_asking_once_is_trying_once() -> None:
    bay = Bay()
    entry = refused(bay)
    asked = bay.retry(entry)
    first = bay.receive(asked)
    assert [bay.receive(asked), bay.receive(asked)] == [first, first]
    assert len(bay.entries()) == 2
    bay.wait(seconds=1)
    assert bay.receive(bay.retry(entry)).ingest == f"{entry.ingest}.2"


@pytest.mark.parametrize("passes", [True, False])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_crash_at_any_request_is_healed_by_the_next_delivery(phase: str, passes: bool) -> None:
    for at in range(20):
        bay = Bay()
        entry = refused(bay)
        asked = bay.retry(entry)
        if passes:
            bay.correct()
        bay.store.faults = Cut(at, phase)
        with suppress(Killed):
            bay.receive(asked)
        bay.store.faults = None
        again = bay.receive(asked)
        assert again.ingest == f"{entry.ingest}.1"
        assert bay.entries() == [entry, again]
        assert bay.keys(keys.BRONZE) == ([again.bronze] if passes else [])


def test_two_who_ask_at_once_get_one_try() -> None:
    bay = Bay()
    entry = refused(bay)
    ana, ben = bay.retry(entry), bay.retry(entry, "ben")

    def rival(operation: str, key: str, phase: str) -> None:
        if (operation, phase) == ("put", "before"):
            bay.store.faults = None
            bay.receive(ben)

    bay.store.faults = rival
    assert bay.receive(ana).retry.startswith("ben ")
    assert len(bay.entries()) == 2


def test_the_bytes_of_a_file_that_passed_by_a_retry_are_known() -> None:
    bay = Bay()
    entry = refused(bay)
    bay.correct()
    again = bay.receive(bay.retry(entry))
    later = bay.take("b.csv", BAD)
    assert (later.status, later.duplicate_of) == (DUPLICATE, again.ingest)


def test_a_file_whose_bytes_have_passed_since_is_a_duplicate() -> None:
    bay = Bay()
    entry = refused(bay)
    bay.correct()
    passed = bay.take("b.csv", BAD)
    again = bay.receive(bay.retry(entry))
    assert (again.status, again.duplicate_of, again.retry_of) == (DUPLICATE, passed.ingest, entry.ingest)
    assert bay.receive(bay.retry(entry)) is None  # its bytes are the other's


def test_a_file_in_bronze_is_to_be_loaded_again() -> None:
    bay = Bay()
    entry = bay.take("a.csv")
    first = bay.receive(bay.retry(entry))
    assert (first.ingest, first.retry_of, first.status) == (f"{entry.ingest}.1", entry.ingest, BRONZE)
    assert (first.bronze, first.is_new, first.claims) == (entry.bronze, True, False)
    second = bay.receive(bay.retry(first))
    assert (second.ingest, second.retry_of) == (f"{entry.ingest}.2", first.ingest)
    assert bay.versions(keys.BRONZE) == 1
    assert bay.entries() == [entry, first, second]
    manifest.compact(bay.store, NAME, bay.now, worthwhile=1)
    assert bay.entries() == [entry, first, second]


def test_a_file_that_was_refused_and_passed_can_be_loaded_again() -> None:
    bay = Bay()
    entry = refused(bay)
    bay.correct()
    passed = bay.receive(bay.retry(entry))
    loaded = bay.receive(bay.retry(entry))
    assert (loaded.ingest, loaded.retry_of, loaded.bronze) == (f"{entry.ingest}.2", passed.ingest, passed.bronze)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"fingerprint": "../x"}', b'{"fingerprint": 3}', b"x" * 9999])
def test_a_request_made_by_hand_is_heard_too(body: bytes) -> None:
    bay = Bay()
    entry = refused(bay)
    asked = bay.store.put(keys.retry(NAME, entry.ingest, "ana"), body)
    assert bay.receive(arrival(asked)).ingest == f"{entry.ingest}.1"


@pytest.mark.parametrize(
    "key",
    [
        f"retries/{NAME}/20261128T214500-3f9a52c07be1/ana.json",
        f"retries/{NAME}/99999999T999999-3f9a52c07be1/ana.json",
        f"retries/{NAME}/../ana.json",
        f"retries/{NAME}/x/ana.csv",
        "retries/ana.json",
    ],
)
def test_what_asks_for_no_file_is_answered_by_nothing(key: str) -> None:
    bay = Bay()
    refused(bay)
    assert bay.receive(arrival(bay.store.put(key, json.dumps({"fingerprint": "0" * 32}).encode()))) is None
    assert len(bay.entries()) == 1


def test_a_file_of_colliding_bytes_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("towline.ingest.rawfile.fingerprint", lambda store, stat: "5" * 32 + "-9")
    bay = Bay()
    bay.take("one.csv", b"round\n111\n")
    other = bay.take("other.csv", b"round\n222\n")
    again = bay.receive(bay.retry(other))
    assert (again.retry_of, again.bronze) == (other.ingest, other.bronze)
    assert len(bay.entries()) == 3
