"""An Iceberg table in step with the commits: each of them once, in their order, whatever happens on the way."""

from __future__ import annotations

import pytest

from tests.core.lakes import MemoryLake
from tests.core.nets import NAME, Nets
from towline import prune, publish
from towline.errors import Corrupt, LostRace, NotFound, Refused, UsageError
from towline.publish import Publication, Snapshot


@pytest.fixture
def nets() -> Nets:
    """Four commits; the third has two proposals of two people."""
    nets = Nets()
    nets.send(nets.edit(1, 0, volume=1.0))
    nets.dataset.send(nets.edit(1, 0, "too high", volume=2.0))
    nets.by("bo").send(nets.insert(3, 0))
    nets.send(nets.delete(2, 0))
    return nets


def planned(nets: Nets, lake: MemoryLake, begin: str | None = None, *, rebuild: bool = False) -> Publication:
    return publish.plan(nets.pipeline.bench, NAME, lake, begin=begin, rebuild=rebuild)


def published(nets: Nets, lake: MemoryLake, begin: str | None = None, *, rebuild: bool = False) -> list[int]:
    """Publish; the numbers of the commits that were."""
    found = publish.run(nets.pipeline.bench, lake, planned(nets, lake, begin, rebuild=rebuild))
    return [snapshot.number for snapshot in found.published]


def numbers(lake: MemoryLake) -> list[int]:
    return [snapshot.number for snapshot in lake.snapshots() or []]


def assert_in_step(nets: Nets, lake: MemoryLake) -> None:
    for commit, table in lake.tables().items():
        assert table.equals(nets.dataset.table(commit)[1])
    assert [*lake.tables()][-1] == nets.commit


def test_each_commit_becomes_one_snapshot_with_exactly_its_rows(nets: Nets) -> None:
    lake = MemoryLake()
    assert published(nets, lake) == [1, 2, 3, 4] == numbers(lake)
    assert_in_step(nets, lake)


def test_a_snapshot_says_whose_commit_it_is_and_why(nets: Nets) -> None:
    lake = MemoryLake()
    published(nets, lake)
    first, _, third, _ = lake.snapshots() or []
    records = [each for each in nets.dataset.log() if each["number"] == 3]
    assert third.summary["towline.commit"] == records[0]["commit"]
    assert third.summary["towline.parent"] == records[0]["parent"]
    assert third.summary["towline.author"] == "ana, bo"
    assert third.summary["towline.note"] == "too high\na new net"
    assert third.summary["towline.chain"] == records[0]["chain"], "that of the last record, the newest first"
    assert third.summary["towline.proposals"].split(", ") == [records[1]["proposal"], records[0]["proposal"]]
    assert first.summary["towline.parent"] == ""
    assert first.summary["towline.kind"] == "create"


def test_it_goes_on_where_it_ended_and_does_nothing_twice(nets: Nets) -> None:
    lake = MemoryLake()
    published(nets, lake)
    assert published(nets, lake) == []
    nets.send(nets.edit(1, 1, volume=4.0))
    nets.send(nets.edit(1, 1, volume=5.0))
    assert published(nets, lake) == [5, 6]
    assert lake.made == [NAME]
    assert_in_step(nets, lake)


@pytest.mark.parametrize("survived", [0, 1, 3])
def test_a_run_that_was_killed_is_completed_by_the_next(nets: Nets, survived: int) -> None:
    lake = MemoryLake()

    class Killed(BaseException):
        pass

    def kill() -> None:
        if len(lake.line or []) == survived:
            raise Killed

    lake.before = kill
    with pytest.raises(Killed):
        published(nets, lake)
    lake.before = lambda: None
    assert numbers(lake) == [*range(1, survived + 1)]
    published(nets, lake)
    assert numbers(lake) == [1, 2, 3, 4]
    assert_in_step(nets, lake)


def test_two_who_publish_at_once_put_each_commit_once(nets: Nets) -> None:
    lake, others = MemoryLake(), []

    def other() -> None:
        lake.before = lambda: None
        others.extend(published(nets, lake))

    lake.before = other
    assert published(nets, lake) == []
    assert others == [1, 2, 3, 4] == numbers(lake)


def test_one_of_many_publishers_gives_up_in_the_end(nets: Nets) -> None:
    lake = MemoryLake()

    def other() -> None:
        before, lake.before = lake.before, lambda: None
        nets.send(nets.edit(1, 0, volume=float(len(lake.line or []) + 10)))
        published(nets, lake)
        nets.send(nets.edit(1, 0, volume=float(len(lake.line or []) + 10)))
        lake.before = before

    lake.before = other
    with pytest.raises(LostRace, match="comes with the next run"):
        published(nets, lake)
    lake.before = lambda: None
    published(nets, lake)
    assert_in_step(nets, lake)


@pytest.mark.parametrize(("begin", "expected"), [("3", [3, 4]), ("head", [4]), ("#1", [1, 2, 3, 4])])
def test_a_new_table_begins_where_it_is_told_to(nets: Nets, begin: str, expected: list[int]) -> None:
    lake = MemoryLake()
    assert published(nets, lake, begin) == expected
    nets.send(nets.edit(1, 1, volume=4.0))
    assert published(nets, lake, begin) == [5], "a table that is there goes on from its newest commit"
    assert numbers(lake) == [*expected, 5]


def test_a_long_history_is_published_whole_only_when_somebody_says_so(
    nets: Nets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "WHOLE", 3)
    lake = MemoryLake()
    with pytest.raises(UsageError, match=r"has 4 commits.*--from 1 .*--head-only"):
        planned(nets, lake)
    assert lake.line is None
    assert published(nets, lake, "1") == [1, 2, 3, 4]
    nets.send(nets.edit(1, 1, volume=4.0))
    assert published(nets, lake) == [5]


def test_restored_and_archived_commits_are_published_like_others(nets: Nets) -> None:
    wanted, base = nets.dataset.wish("2")
    nets.send(nets.dataset.restore(wanted, base, "back"))
    prune.run(nets.pipeline.bench, prune.plan(nets.pipeline.bench, NAME, 1))
    lake = MemoryLake()
    assert published(nets, lake) == [1, 2, 3, 4, 5]
    assert (lake.snapshots() or [])[-1].summary["towline.kind"] == "restore"
    assert_in_step(nets, lake)


def test_what_somebody_else_wrote_into_the_table_is_refused_and_replaced_on_demand(nets: Nets) -> None:
    lake = MemoryLake()
    published(nets, lake)
    assert lake.line is not None
    lake.line.append((Snapshot(99, {}), lake.line[0][1]))
    with pytest.raises(Refused, match=r"snapshot 99 of towline\.nets_iceberg was not published by Towline.*--rebuild"):
        published(nets, lake)
    assert published(nets, lake, rebuild=True) == [1, 2, 3, 4] == numbers(lake)
    assert_in_step(nets, lake)


def test_a_table_that_skips_or_repeats_a_commit_is_refused(nets: Nets) -> None:
    lake = MemoryLake()
    published(nets, lake)
    assert lake.line is not None
    del lake.line[1]
    with pytest.raises(Refused, match="commit 3 right on top of commit 1"):
        published(nets, lake)


def test_a_table_whose_oldest_snapshots_have_expired_goes_on(nets: Nets) -> None:
    lake = MemoryLake()
    published(nets, lake)
    assert lake.line is not None
    del lake.line[:3]
    nets.send(nets.edit(1, 1, volume=4.0))
    assert published(nets, lake) == [5]


def test_the_copy_of_another_history_is_refused(nets: Nets) -> None:
    lake, other = MemoryLake(), Nets()
    published(other, lake)
    other.send(other.edit(1, 0, volume=9.0))
    published(other, lake)
    with pytest.raises(Refused, match=r"holds commit 2 as .* not in this dataset's history"):
        published(nets, lake)
    while other.head().number < 6:  # type: ignore[union-attr]
        other.send(other.edit(1, 0, volume=float(other.head().number)))  # type: ignore[union-attr]
    published(other, lake)
    with pytest.raises(Refused, match="it is shorter"):
        published(nets, lake)


def test_planning_changes_nothing(nets: Nets) -> None:
    lake = MemoryLake()
    found = planned(nets, lake, rebuild=True)
    assert [each["number"] for each in found.to_json()["commits"]] == [1, 2, 3, 4]  # type: ignore[attr-defined]
    assert lake.line is None
    published(nets, lake, "head")
    planned(nets, lake, rebuild=True)
    assert numbers(lake) == [4]


def test_what_cannot_be_published_is_told(nets: Nets) -> None:
    bench = nets.pipeline.bench
    with pytest.raises(NotFound, match="there is no dataset 'others'"):
        publish.plan(bench, "others", MemoryLake())
    with pytest.raises(NotFound, match="no commit 7"):
        planned(nets, MemoryLake(), "7")
    with pytest.raises(NotFound, match="no commit 01J"):
        planned(nets, MemoryLake(), "01J00000000000000000000000")
    lake = MemoryLake()
    bench.store.delete(bench.layout.snapshot(NAME, nets.dataset.table("3")[0]))
    with pytest.raises(NotFound, match=r"the snapshot of commit 3 .* is gone"):
        published(nets, lake)
    assert numbers(lake) == [1, 2], "what was published stays"


def test_a_gap_in_the_history_is_not_passed_over(nets: Nets) -> None:
    bench = nets.pipeline.bench
    gone = next(str(each["commit"]) for each in nets.dataset.log() if each["number"] == 2)
    for entry in [*bench.store.list(f"audit/{NAME}/")]:
        if gone.encode() in bench.store.get(entry.key).body and b'"number": 2' in bench.store.get(entry.key).body:
            bench.store.delete(entry.key)
    with pytest.raises(Corrupt, match="commit 2"):
        planned(nets, MemoryLake())


def test_a_commit_that_is_not_finished_waits(nets: Nets) -> None:
    """Its master is there, and its audit record not yet."""
    draft = nets.edit(1, 1, volume=8.0)
    nets.send(draft)
    bench = nets.pipeline.bench
    for entry in [*bench.store.list(f"audit/{NAME}/")]:
        if b'"number": 5' in bench.store.get(entry.key).body:
            bench.store.delete(entry.key)
    bench.store.delete(f"receipts/{NAME}/{draft.proposal}.json")
    assert published(nets, MemoryLake()) == [1, 2, 3, 4]
