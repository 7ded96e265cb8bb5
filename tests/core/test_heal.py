"""What Reconcile finds of files whose events were lost, and of ingests that died."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from tests.core.landed import NAME, Bay, Cut, Killed
from towline import keys
from towline.ingest import heal, manifest
from towline.ingest.entry import BRONZE, DUPLICATE


def healed(bay: Bay, *window: object) -> list[str]:
    """Heal as Reconcile would; the keys that were sent to the queue again."""
    found = heal.heal(bay.bench, *window)
    assert found.problems == ()
    for each in found.unseen:
        bay.receive(each)
    return [each.key for each in found.unseen]


def test_files_whose_events_were_lost_are_found_by_their_listing() -> None:
    bay = Bay()
    for number in range(20):
        bay.take(f"{number}.csv", b"round\n%d\n" % (number % 4))
    bay.land("temp_a.csv")
    bay.land("folder/", b"")
    assert healed(bay) == []
    lost = [bay.land("lost.csv"), bay.land("lost/too.csv", b"")]
    assert healed(bay) == [each.key for each in lost]
    assert healed(bay) == []
    assert len(bay.entries()) == 22


def test_nothing_is_asked_of_a_file_that_is_in_order() -> None:
    bay = Bay()
    for number in range(20):
        bay.take(f"{number}.csv", b"round\n%d\n" % number)
    manifest.compact(bay.store, NAME, bay.now, worthwhile=1)
    bay.store.requests.clear()
    assert healed(bay) == []
    # raw, bronze, retries, lines, entries; datasets (2); lines, entries once more, and lines read twice
    assert bay.store.requests == {"list": 10, "get": 2, "head": 1}


def test_a_file_that_was_sent_in_parts_is_in_order_too() -> None:
    bay = Bay()
    stat = bay.store.assemble(f"raw/{NAME}/a.csv", [b"round\n" + b"x" * 5 * 2**20, b"\n1\n"])
    bay.receive(heal.Arrival(stat.key, stat.version, stat.etag, stat.size))
    assert healed(bay) == []


def test_the_same_bytes_put_again_whose_event_was_lost_are_found() -> None:
    bay = Bay()
    bay.take("a.csv")
    bay.wait(seconds=1)
    bay.land("a.csv")
    assert healed(bay) == [f"raw/{NAME}/a.csv"]
    assert [entry.status for entry in bay.entries()] == [BRONZE, DUPLICATE]


def test_only_what_was_written_in_the_window_is_looked_at() -> None:
    bay = Bay()
    bay.land("old.csv", b"round\n1\n")
    bay.wait(days=3)
    since = bay.now
    bay.land("due.csv", b"round\n2\n")
    bay.wait(hours=1)
    until = bay.now
    bay.wait(minutes=5)
    bay.land("young.csv", b"round\n3\n")
    assert healed(bay, since, until) == [f"raw/{NAME}/due.csv"]
    assert healed(bay, since, until) == []


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_file_whose_ingest_died_is_taken_in_though_it_was_moved_away_since(phase: str) -> None:
    """No delivery comes again, and the raw object is deleted: its bronze copy tells where it came from."""
    for at in range(8):
        bay = Bay()
        landed = bay.land("a.csv")
        bay.store.faults = Cut(at, phase)
        with suppress(Killed):
            bay.receive(landed)
        bay.store.faults = None
        bay.store.delete(landed.key)
        healed(bay)
        assert [entry.bronze for entry in bay.entries()] == bay.keys(keys.BRONZE)


def test_a_copy_of_a_duplicate_is_taken_back() -> None:
    bay = Bay()
    first = bay.take("a.csv")
    copied = bay.store.copy(
        first.raw, "bronze/rounds/ingest_date=2026-11-28/214500--b.csv", metadata={"raw": f"raw/{NAME}/b.csv"}
    )
    landed = bay.land("b.csv")
    second = bay.receive(landed)
    orphan = {"ingest": second.ingest, "raw": landed.key, "raw-version": landed.version}
    bay.store.copy(landed.key, copied.key, metadata=orphan)
    assert healed(bay) == [landed.key]
    assert bay.keys(keys.BRONZE) == [first.bronze]


def test_a_bronze_object_of_which_nothing_is_known_is_told() -> None:
    bay = Bay()
    bay.take("a.csv")
    bay.store.put(f"bronze/{NAME}/stray.csv", b"x")
    lost = bay.land("lost.csv")
    found = heal.heal(bay.bench)
    assert "bronze/rounds/stray.csv" in found.problems[0]
    assert [each.key for each in found.unseen] == [lost.key]


def test_a_retry_that_nobody_heard_is_sent_again() -> None:
    bay = Bay()
    refused = bay.take("a.csv", b"course\n1\n")
    bay.retry(refused)
    assert healed(bay) == [keys.retry(NAME, refused.ingest, "ana")]
    assert healed(bay) == []
    assert len(bay.entries()) == 2


def test_manifests_are_compacted_of_all_datasets_and_one_that_is_broken_does_not_hold_up_the_others() -> None:
    bay = Bay()
    entry = bay.take("a.csv")
    manifest.record(bay.store, replace(entry, dataset="golf"))
    bay.store.put(f"manifests/{NAME}/entries/broken.json", b"{")
    bay.wait(hours=2)
    found = heal.heal(bay.bench)
    assert found.gathered == {"golf": 1}
    assert any("broken.json" in problem for problem in found.problems)
    assert found.to_json()["gathered"] == {"golf": 1}
