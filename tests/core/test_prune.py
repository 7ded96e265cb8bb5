"""Old snapshots and records move into the archive: all of them or fewer, never one lost, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import timedelta
from functools import cache
from typing import Literal

import pytest

from tests.core.crashing import Crash, cut
from tests.core.nets import NAME, Nets
from tests.pipeline import Clock, Pipeline
from towline import archive, blame, commit, history, keys, prune, reconcile, trail
from towline.errors import Corrupt, NotFound, Refused, UsageError
from towline.memory import MemoryStore
from towline.prune import Pruning
from towline.verify import verify
from towline.workbench import Workbench

PREFIXES = ("audit/", "snapshots/", "archive/", "changes/")


def a_history() -> Nets:
    """Five commits; the third holds two proposals. Each caller gets their own store of the same versions."""
    made, fresh = _made().pipeline, Pipeline()
    fresh.store._history = {key: list(versions) for key, versions in made.store._history.items()}
    fresh.store._written, fresh._seen = made.store._written, set(made._seen)
    fresh.bench.clock = deepcopy(made.bench.clock)
    return Nets(fresh)


@cache
def _made() -> Nets:
    nets = Nets()
    nets.send(nets.edit(1, 0, volume=1.0))
    nets.send(nets.edit(1, 0, volume=2.0), nets.by("bo_20260101T000000_x").insert(3, 0))
    nets.send(nets.edit(1, 0, volume=3.0))
    nets.send(nets.delete(2, 0))
    return nets


@pytest.fixture
def nets() -> Nets:
    return a_history()


def stored(store: MemoryStore) -> Mapping[str, bytes]:
    return {entry.key: store.get(entry.key).body for prefix in PREFIXES for entry in store.list(prefix)}


def everything(nets: Nets) -> tuple[object, ...]:
    """All that a reader can ask of the history."""
    bench, data = nets.pipeline.bench, nets.dataset
    log = history.log(bench, NAME)
    tables = [data.table(str(record["commit"]))[1].to_pylist() for record in log]
    diffs = [data.diff(str(number), str(number + 1)) for number in range(1, 5)]
    moments = [history.resolve(bench, NAME, str(record["timestamp"])) for record in log]
    return log, tables, diffs, moments, trail.newest(bench, NAME, 4), blame.last_of_row(bench, NAME, (1, 0))


def run(nets: Nets, keep: int, bench: Workbench | None = None) -> Pruning:
    bench = bench or nets.pipeline.bench
    planned = prune.plan(bench, NAME, keep)
    prune.run(bench, planned)
    return planned


def test_all_but_the_newest_move_and_history_reads_as_before(nets: Nets) -> None:
    before, objects = everything(nets), stored(nets.pipeline.store)
    planned = run(nets, 2)
    assert (planned.snapshots, planned.records, planned.head) == (3, 4, 5)
    assert everything(nets) == before
    after = stored(nets.pipeline.store)
    moved = {move.key: move.to for move in planned.moves}
    assert after == {moved.get(key, key): body for key, body in objects.items()}
    assert {key.split("/")[0] for key in moved} == {"snapshots", "audit"}
    assert set(moved.values()) == {key for key in after if key.startswith("archive/")}


def test_keys_in_the_archive_follow_from_commit_and_proposal(nets: Nets) -> None:
    layout = nets.pipeline.bench.layout
    planned = run(nets, 1)
    assert planned.moves[0].to.startswith("archive/nets/20260301/snapshot_20260301T12")
    assert planned.moves[1].to.startswith("archive/nets/20260301/audit_ana_20260301T12")
    assert [layout.home(move.to) for move in planned.moves] == [move.key for move in planned.moves]
    assert layout.home("audit/nets/2026-03-01/x.jsonl") == "audit/nets/2026-03-01/x.jsonl"
    assert layout.archived("changes/dataset=nets/date=2026-03-01/x.parquet") is None


def test_an_archived_snapshot_is_named_by_either_key(nets: Nets) -> None:
    first = prune.plan(nets.pipeline.bench, NAME, 1).moves[0]
    run(nets, 1)
    assert nets.dataset.table(first.key)[0] == nets.dataset.table(first.to)[0] == nets.dataset.table("1")[0]


def test_a_team_that_keeps_its_history_elsewhere_has_the_same_archive() -> None:
    layout = keys.Layout("old/copies/", "old/log/")
    assert layout.archived("old/log/nets/2026-03-01/a_b.jsonl") == "archive/nets/20260301/audit_a_b.jsonl"
    assert layout.home("archive/nets/20260301/audit_a_b.jsonl") == "old/log/nets/2026-03-01/a_b.jsonl"


def test_a_dry_run_lists_exactly_what_would_move_and_moves_nothing(nets: Nets) -> None:
    objects = stored(nets.pipeline.store)
    planned = prune.plan(nets.pipeline.bench, NAME, 3)
    assert stored(nets.pipeline.store) == objects
    assert planned.size == sum(len(objects[move.key]) for move in planned.moves)
    done = []
    prune.run(nets.pipeline.bench, planned, done.append)
    assert tuple(done) == planned.moves
    assert set(objects) - set(stored(nets.pipeline.store)) == {move.key for move in planned.moves}


def test_a_clock_that_ran_backwards_decides_nothing() -> None:
    """Numbers are the order of a history, whatever the times of its commits are."""
    nets = Nets()
    for volume in range(1, 5):
        clock = nets.pipeline.bench.clock
        assert isinstance(clock, Clock)
        clock.now -= timedelta(hours=volume)
        nets.send(nets.edit(1, 0, volume=float(volume)))
    assert verify(nets.pipeline.bench, NAME).ok
    assert {move.number for move in run(nets, 2).moves} == {1, 2, 3}
    assert verify(nets.pipeline.bench, NAME).ok


def test_a_second_run_finds_nothing_to_do(nets: Nets) -> None:
    run(nets, 2)
    objects = stored(nets.pipeline.store)
    assert run(nets, 2).moves == ()
    assert stored(nets.pipeline.store) == objects
    assert run(nets, 5).moves == ()


def test_the_heads_snapshot_never_moves(nets: Nets) -> None:
    head = nets.commit
    planned = run(nets, 1)
    assert planned.snapshots == 4
    assert nets.pipeline.store.get(nets.pipeline.bench.layout.snapshot(NAME, head))


@pytest.mark.parametrize("keep", [0, -1])
def test_nothing_is_not_kept(nets: Nets, keep: int) -> None:
    with pytest.raises(UsageError, match="1 or more"):
        prune.plan(nets.pipeline.bench, NAME, keep)


def test_a_dataset_that_is_not_there_is_said(nets: Nets) -> None:
    with pytest.raises(NotFound, match="no dataset 'tows'"):
        prune.plan(nets.pipeline.bench, "tows", 3)


def test_work_goes_on_over_an_archived_history(nets: Nets) -> None:
    """A proposal made from a commit that was archived meanwhile is merged from its snapshot."""
    old = history.log(nets.pipeline.bench, NAME)[-1]["commit"]
    drafted = nets.dataset.rows(list(nets.dataset.diff("1", "2").changes), "again", str(old))
    run(nets, 1)
    (receipt,) = nets.send(drafted)
    assert receipt.status == "conflicted", "volume is 3.0 by now"
    assert receipt.conflicts[0]["cells"][0]["base"] == 10.5


def test_an_archived_commit_is_restored(nets: Nets) -> None:
    first = nets.dataset.table("1")[1]
    run(nets, 1)
    (receipt,) = nets.send(nets.dataset.restore(*nets.dataset.wish("1"), "back to the beginning"))
    assert receipt.status == "committed"
    assert nets.head().table.equals(first)
    assert verify(nets.pipeline.bench, NAME).ok


def test_an_archived_commit_has_landed(nets: Nets) -> None:
    """Its intent is not taken for one whose commit never came."""
    log = history.log(nets.pipeline.bench, NAME)
    run(nets, 1)
    assert reconcile._landed(nets.pipeline.bench, NAME, str(log[-1]["commit"]))
    assert not reconcile._landed(nets.pipeline.bench, NAME, nets.pipeline.bench.new_id())


def requests_of_a_run() -> int:
    nets = a_history()
    before = sum(nets.pipeline.store.requests.values())
    run(nets, 3)
    return sum(nets.pipeline.store.requests.values()) - before


REQUESTS = 27


def test_requests_are_counted_right() -> None:
    assert requests_of_a_run() == REQUESTS


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("at", range(1, REQUESTS + 1))
def test_a_crash_at_any_request_loses_nothing_and_the_next_run_completes_it(
    at: int, phase: Literal["before", "after"]
) -> None:
    nets = a_history()
    before, expected = everything(nets), a_history()
    run(expected, 3)
    cut(nets.pipeline.store, at, phase)
    with pytest.raises(Crash):
        run(nets, 3)
    assert everything(nets) == before
    run(nets, 3)
    assert everything(nets) == before
    assert len(stored(nets.pipeline.store)) == len(stored(expected.pipeline.store))
    assert prune.plan(nets.pipeline.bench, NAME, 3).moves == ()


def test_two_at_once_do_each_other_no_harm() -> None:
    for _ in range(10):
        nets = a_history()
        before = everything(nets)
        benches = [Workbench(nets.pipeline.store) for _ in range(4)]
        plans = [prune.plan(bench, NAME, 1) for bench in benches]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(prune.run, benches, plans))
        assert everything(nets) == before
        assert not [key for key in stored(nets.pipeline.store) if key in {move.key for move in plans[0].moves}]


def test_a_refused_delete_is_said_and_leaves_both_which_is_harmless(nets: Nets) -> None:
    before = everything(nets)

    def fault(operation: str, key: str, phase: str) -> None:
        if (operation, phase) == ("delete", "before"):
            raise Refused("AccessDenied")

    nets.pipeline.store.faults = fault
    with pytest.raises(Refused, match=r"BreakGlassPrincipal.*is harmless"):
        run(nets, 2)
    assert everything(nets) == before
    assert len([key for key in stored(nets.pipeline.store) if key.startswith("archive/")]) == 1
    nets.pipeline.store.faults = None
    run(nets, 2)
    assert everything(nets) == before


def test_another_object_in_the_archive_is_not_taken_for_the_copy(nets: Nets) -> None:
    first = prune.plan(nets.pipeline.bench, NAME, 2).moves[0]
    nets.pipeline.store.put(first.to, b"something else")
    objects = stored(nets.pipeline.store)
    with pytest.raises(Corrupt, match="both were left alone"):
        run(nets, 2)
    assert stored(nets.pipeline.store) == objects


def test_a_copy_of_other_etag_is_compared_by_its_bytes(nets: Nets) -> None:
    store = nets.pipeline.store
    one = store.put("a", b"xy")
    parts = store.assemble("b", [b"xy"])
    assert one.etag != parts.etag
    assert archive.is_same(store, one, parts)
    assert not archive.is_same(store, one, store.assemble("b", [b"xz"]))


def test_before_a_foreign_master_is_recorded_nothing_moves(nets: Nets) -> None:
    nets.pipeline.store.put(keys.master(NAME), b"by hand")
    with pytest.raises(Corrupt, match="prune after that"):
        prune.plan(nets.pipeline.bench, NAME, 1)
    commit.settled_head(nets.pipeline.bench, NAME)
    assert run(nets, 1).head == 6


def test_a_master_that_is_gone_stops_it(nets: Nets) -> None:
    nets.pipeline.store.delete(keys.master(NAME))
    with pytest.raises(NotFound, match="is gone"):
        prune.plan(nets.pipeline.bench, NAME, 1)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("2026-03-01/x.jsonl", b"not json", "no audit record"),
        ("2026-03-01/x.jsonl", b'{"number": 1}', "names no commit"),
        ("2026-03-01/x.jsonl", b'{"number": 1, "commit": "HEAD"}', "which is not what others"),
        ("x.jsonl", b'{"number": 1, "commit": "01JNAAAAAAAAAAAAAAAAAAAAAA"}', "no key of an audit record"),
    ],
)
def test_what_is_no_record_of_this_history_stops_it_before_anything_moves(
    nets: Nets, name: str, body: bytes, said: str
) -> None:
    nets.pipeline.store.put(f"audit/nets/{name}", body.replace(b"HEAD", nets.commit.encode()))
    with pytest.raises(Corrupt, match=said):
        prune.plan(nets.pipeline.bench, NAME, 1)
