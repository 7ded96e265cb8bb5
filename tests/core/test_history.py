"""A history is read by its newest part, by number and by moment, without reading all of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.nets import NAME, Nets
from towline import history, trail
from towline.audit import GENESIS, newest_first
from towline.errors import Corrupt, NotFound
from towline.store import ALWAYS


@pytest.fixture
def nets() -> Nets:
    """Six commits: the load, and five edits by two people."""
    nets = Nets()
    for volume in range(5):
        nets.by(("ana", "bo_20260101T000000_x")[volume % 2]).send(nets.edit(1, 0, volume=float(volume + 1)))
    return nets


def test_places_tell_author_and_moment_without_reading_a_record(nets: Nets) -> None:
    store = nets.pipeline.store
    before = store.requests["get"]
    places = history.places(nets.pipeline.bench, NAME)
    assert store.requests["get"] == before
    assert len(places) == 6
    assert [place.at for place in places] == sorted((place.at for place in places), reverse=True)
    for place in places:
        record = history.record(nets.pipeline.bench, place)
        assert str(record["timestamp"])[:19] == place.at.isoformat()[:19]
        assert place.user == record["user"]


def test_the_newest_part_of_a_history_is_in_order(nets: Nets) -> None:
    bench = nets.pipeline.bench
    newest = history.read(bench, history.places(bench, NAME)[:3])
    assert [record["number"] for record in newest] == [6, 5, 4]
    assert [record["number"] for record in history.log(bench, NAME)] == [6, 5, 4, 3, 2, 1]


@given(st.sets(st.integers(0, 6)), st.randoms())
def test_any_part_of_a_history_comes_newest_first(missing: set[int], random: object) -> None:
    records = [
        {"number": i // 2, "timestamp": f"{i:02d}", "prev_chain": str(i - 1) if i else GENESIS, "chain": str(i)}
        for i in range(7)
    ]
    left = [record for i, record in enumerate(records) if i not in missing]
    shuffled = list(left)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert newest_first(shuffled) == left[::-1]


def test_a_commit_is_found_by_its_number_with_few_requests() -> None:
    nets = Nets()
    for volume in range(40):
        nets.send(nets.edit(1, 0, volume=float(volume + 1)))
    bench, store = nets.pipeline.bench, nets.pipeline.store
    places = history.places(bench, NAME)
    before = store.requests["get"]
    for number in (1, 17, 41):
        found = history.numbered(bench, places, number)
        assert found is not None
        assert found["number"] == number
    assert store.requests["get"] - before < 3 * 15
    assert history.numbered(bench, places, 42) is None
    assert history.numbered(bench, places, 0) is None


def test_commits_are_named_by_number_and_moment(nets: Nets) -> None:
    bench = nets.pipeline.bench
    log = history.log(bench, NAME)
    for record in log:
        assert history.resolve(bench, NAME, str(record["number"])) == record["commit"]
        assert history.resolve(bench, NAME, str(record["timestamp"])) == record["commit"]
    with pytest.raises(NotFound, match="has no commit 99"):
        history.resolve(bench, NAME, "99")
    with pytest.raises(NotFound, match="has no commit 2020-01-01"):
        history.resolve(bench, NAME, "2020-01-01")


def test_a_changes_file_that_is_not_the_recorded_one_is_refused(nets: Nets) -> None:
    bench = nets.pipeline.bench
    record = history.log(bench, NAME)[0]
    assert history.cells(bench, record)["column"].to_pylist() == ["volume"]
    bench.store.put(str(record["changes_key"]), b"something else", when=ALWAYS)
    with pytest.raises(Corrupt, match="towline verify"):
        history.cells(bench, record)


def test_what_is_no_record_is_said_by_its_key(nets: Nets) -> None:
    bench = nets.pipeline.bench
    key = f"audit/{NAME}/2026-03-01/by-hand.jsonl"
    bench.store.put(key, b"not json")
    with pytest.raises(Corrupt, match="by-hand"):
        history.log(bench, NAME)


def test_only_as_many_records_are_read_as_are_wanted(nets: Nets) -> None:
    bench, store = nets.pipeline.bench, nets.pipeline.store
    store.requests.clear()
    newest = trail.newest(bench, NAME, 2)
    assert [record["number"] for record in newest] == [6, 5]
    assert store.requests["get"] <= 3, "the contract and two records"
    assert [record["number"] for record in trail.newest(bench, NAME, 100)] == [6, 5, 4, 3, 2, 1]
    assert [record["number"] for record in history.log_of(bench, NAME, "ana")] == [6, 4, 2, 1]
    with pytest.raises(NotFound, match="no dataset"):
        trail.newest(bench, "nothing", 2)


def test_where_a_record_is_missing_all_that_are_there_are_listed(nets: Nets) -> None:
    bench = nets.pipeline.bench
    bench.store.delete(history.places(bench, NAME)[1].key)
    assert [record["number"] for record in trail.newest(bench, NAME, 3)] == [6, 4, 3, 2, 1]


@pytest.fixture
def back_in_time(nets: Nets) -> Nets:
    """After six commits of a noon in March, three of January, and one of the March after."""
    clock = nets.pipeline.bench.clock
    for days in (-60, 0, 0, 120):
        clock.now += timedelta(days=days)  # type: ignore[attr-defined]
        nets.send(nets.edit(1, 0, volume=float(clock.now.timestamp())))  # type: ignore[attr-defined]
    return nets


def test_a_clock_that_ran_backwards_hides_no_commit_from_its_number(back_in_time: Nets) -> None:
    bench = back_in_time.pipeline.bench
    log = {record["number"]: record["commit"] for record in history.log(bench, NAME)}
    assert sorted(log) == list(range(1, 11))
    for number, commit in log.items():
        assert history.resolve(bench, NAME, str(number)) == commit
    assert [record["number"] for record in trail.newest(bench, NAME, 3)] == [10, 9, 8]
    with pytest.raises(NotFound):
        history.resolve(bench, NAME, "11")


@pytest.mark.parametrize(
    ("moment", "number"),
    [("2026-03-01T13:00", 9), ("2026-02-01", 9), ("2026-03-20", 9), ("2027-01-01", 10)],
)
def test_a_moment_means_the_highest_number_that_was_made_by_then(back_in_time: Nets, moment: str, number: int) -> None:
    bench = back_in_time.pipeline.bench
    found = history.resolve(bench, NAME, moment)
    assert {r["commit"]: r["number"] for r in history.log(bench, NAME)}[found] == number


@given(st.lists(st.sampled_from([-3, 0, 0, 0, 1, 400]), max_size=8), st.integers(-10, 2000))
@settings(max_examples=15, deadline=None)
def test_whatever_the_clock_did_a_moment_means_what_reading_all_records_tells(jumps: list[int], at: int) -> None:
    nets = Nets()
    clock = nets.pipeline.bench.clock
    for number, hours in enumerate(jumps):
        clock.now += timedelta(hours=hours)  # type: ignore[attr-defined]
        nets.send(nets.edit(1, 0, volume=number + 20.0))
    bench, moment = nets.pipeline.bench, datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(hours=at, minutes=30)
    by_then = [r for r in history.log(bench, NAME) if datetime.fromisoformat(str(r["timestamp"])) <= moment]
    if by_then:
        assert history.resolve(bench, NAME, moment.isoformat()) == by_then[0]["commit"]
    else:
        with pytest.raises(NotFound):
            history.resolve(bench, NAME, moment.isoformat())
