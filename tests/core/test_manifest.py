"""The manifest: entries, the lines that they are gathered in, and what is read of both."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.landed import NAME, Bay, Cut, Killed
from towline import keys
from towline.errors import Contended, Corrupt, PreconditionFailed
from towline.ingest import manifest
from towline.ingest.entry import QUARANTINED, Entry


def filled(count: int) -> Bay:
    """A bay with so many files, of which some are duplicates and some refused."""
    bay = Bay()
    for number in range(count):
        bay.take(f"{number}.csv", b"round\n%d\n" % (number % 5) if number % 4 else b"course\n%d\n" % number)
        bay.wait(seconds=1)
    return bay


def lines(bay: Bay) -> list[list[dict]]:
    listed = bay.store.list(keys.lines(NAME))
    return [[json.loads(line) for line in bay.store.get(each.key).body.splitlines()] for each in listed]


def compact(bay: Bay) -> int:
    return manifest.compact(bay.store, NAME, bay.now, worthwhile=1)


def test_entries_come_in_the_order_of_their_ingests_compacted_or_not() -> None:
    bay = filled(20)
    before = bay.entries()
    assert [entry.ingest for entry in before] == sorted(entry.ingest for entry in before)
    assert len(before) == 20
    assert {entry.status for entry in before} == {"bronze", "duplicate", "quarantined"}
    assert compact(bay) == 20
    assert bay.entries() == before
    bay.take("late.csv", b"round\nlate\n")
    assert bay.entries()[:20] == before
    assert (compact(bay), compact(bay)) == (1, 0)
    assert len(bay.entries()) == 21
    assert [len(each) for each in lines(bay)] == [20, 1]
    assert lines(bay)[0] == [json.loads(entry.to_line()) for entry in before]


def test_what_is_compacted_is_read_without_its_entries() -> None:
    bay = filled(20)
    compact(bay)
    bay.store.requests.clear()
    assert len(bay.entries()) == 20
    assert bay.store.requests == {"list": 2, "get": 1}


def test_a_manifest_of_nothing_is_empty() -> None:
    bay = Bay()
    assert bay.entries() == []
    assert compact(bay) == 0
    assert list(manifest.datasets(bay.store)) == []


def test_objects_of_lines_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "LINES_MAX", 6)
    bay = filled(20)
    before = bay.entries()
    assert compact(bay) == 20
    assert [len(each) for each in lines(bay)] == [6, 6, 6, 2]
    assert bay.entries() == before


def test_objects_of_lines_are_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    bay = filled(12)
    before = bay.entries()
    monkeypatch.setattr(manifest, "BYTES_MAX", 4 * max(len(entry.to_line()) for entry in before))
    assert compact(bay) == 12
    assert all(each.size <= manifest.BYTES_MAX for each in bay.store.list(keys.lines(NAME)))
    assert bay.entries() == before


def test_few_lines_make_no_object_of_their_own_before_they_have_waited() -> None:
    bay = filled(3)
    assert manifest.compact(bay.store, NAME, bay.now) == 0
    bay.wait(hours=2)
    assert manifest.compact(bay.store, NAME, bay.now) == 3


def test_compacting_again_reads_no_old_lines() -> None:
    bay = filled(4)
    compact(bay)
    bay.wait(days=1)
    bay.take("b.csv", b"round\nb\n")
    compact(bay)
    bay.wait(days=1)
    bay.take("c.csv", b"round\nc\n")
    bay.store.requests.clear()
    assert compact(bay) == 1
    # The last lines, which are younger than what is known to be complete, and the entry that waits.
    assert bay.store.requests == {"list": 3, "head": 1, "get": 2, "put": 1}
    assert [len(each) for each in lines(bay)] == [4, 1, 1]


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_crash_while_compacting_loses_and_doubles_nothing(phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "LINES_MAX", 3)
    for at in range(18):
        bay = filled(7)
        before = bay.entries()
        bay.store.faults = Cut(at, phase)
        with suppress(Killed):
            compact(bay)
        bay.store.faults = None
        bay.wait(days=1)
        assert bay.entries() == before
        compact(bay)
        assert sum(map(len, lines(bay))) == 7
        assert bay.entries() == before


def test_two_that_compact_at_once_double_nothing() -> None:
    bay = filled(8)

    def rival(operation: str, key: str, phase: str) -> None:
        if operation == "put" and phase == "before":
            bay.store.faults = None
            compact(bay)

    bay.store.faults = rival
    assert compact(bay) == 0
    assert [len(each) for each in lines(bay)] == [8]


def test_what_was_written_since_is_read_without_older_lines() -> None:
    bay = filled(8)
    compact(bay)
    bay.wait(days=1)
    since = bay.now
    late = bay.take("late.csv", b"round\nlate\n")
    bay.store.requests.clear()
    assert manifest.entries(bay.store, NAME, since) == [late]
    assert bay.store.requests == {"list": 2, "get": 1}
    compact(bay)
    assert manifest.entries(bay.store, NAME, since) == [late]


def test_one_that_came_to_two_ends_counts_as_what_is_in_bronze() -> None:
    """Two workers, one with the pipeline of before."""
    bay = Bay()
    entry = bay.take("a.csv")
    manifest.record(bay.store, replace(entry, status=QUARANTINED, bronze="", reasons=("no",)))
    assert bay.entries() == [entry]
    compact(bay)
    assert bay.entries() == [entry]


def test_an_entry_that_is_there_stays() -> None:
    bay = Bay()
    entry = bay.take("a.csv")
    assert manifest.record(bay.store, replace(entry, size=9)) == entry


def test_a_write_that_was_disturbed_is_to_be_tried_again() -> None:
    bay = Bay()
    entry = bay.take("a.csv")
    bay.store.delete(manifest.key_of(entry))

    def disturb(operation: str, key: str, phase: str) -> None:
        if operation == "put":
            raise PreconditionFailed("409")

    bay.store.faults = disturb
    with pytest.raises(Contended, match="deliver it again"):
        manifest.record(bay.store, entry)


def test_datasets_are_found_with_a_request_each() -> None:
    bay = filled(10)
    entry = bay.entries()[0]
    for other in ("golf", "golf_rounds", "rounds2"):
        manifest.record(bay.store, replace(entry, dataset=other))
    bay.store.requests.clear()
    assert list(manifest.datasets(bay.store)) == ["golf", "golf_rounds", NAME, "rounds2"]
    assert bay.store.requests == {"list": 5}


def test_an_ingest_is_found_by_its_id() -> None:
    bay = filled(8)
    compact(bay)
    for entry in bay.entries():
        assert manifest.find(bay.store, NAME, entry.ingest) == entry
    assert manifest.find(bay.store, NAME, "20261128T214500-000000000000") is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"ingest": "x"}', b"\xff", b'{"status": "lost"}'], ids=lambda body: repr(body)
)
def test_what_is_no_entry_is_told_with_its_place(body: bytes) -> None:
    bay = Bay()
    entry = bay.take("a.csv")
    if body.startswith(b'{"status"'):
        body = json.dumps({**json.loads(entry.to_line()), "status": "lost"}).encode()
    bay.store.put(manifest.key_of(entry), body)
    with pytest.raises(Corrupt, match=entry.fingerprint):
        bay.entries()


def test_a_later_version_may_say_more() -> None:
    bay = Bay()
    entry = bay.take("a.csv")
    more = json.dumps({**json.loads(entry.to_line()), "colour": "green"})
    assert Entry.of_line(more) == entry


def test_late_arrivals_in_a_listing_are_gathered_all_the_same() -> None:
    """An object may become visible after others that were begun later."""
    bay = filled(3)
    bay.wait(hours=3)
    compact(bay)
    now = bay.now
    bay.now -= timedelta(minutes=30)
    bay.take("late.csv", b"round\nlate\n")
    bay.now = now + timedelta(hours=2)
    assert compact(bay) == 1
