"""Who set a cell and why: the blocks tell what a replay of every changes file tells, with all of them or with none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.nets import CONTRACT, NAME, Nets
from towline import blame, block, blocks, changefile, history, keys, ranged
from towline.block import Block
from towline.blocks import Index
from towline.errors import Corrupt, NotFound, Unavailable, UsageError
from towline.memory import fail_once
from towline.reconcile import reconcile
from towline.store import ALWAYS
from towline.story import Touch
from towline.values import Key

ROWS: list[Key] = [(1, 0), (1, 1), (2, 0), (2, 1), (5, 0), (5, 1)]  # the last two come and go
COLUMNS = ("volume", "vessel", "is_day")


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 3 commits and of 9, so that a short history has all kinds."""
    monkeypatch.setattr(blocks, "SMALL", 3)
    monkeypatch.setattr(blocks, "LARGE", 9)


def replayed(nets: Nets) -> list[Touch]:
    """Every touch of a history, newest first, from all audit records and all changes files, one after the other."""
    bench, found = nets.pipeline.bench, []
    types = {field.name: field.type for field in CONTRACT.fields}
    for record in history.log(bench, NAME):
        if record["parent"] is None:
            continue
        for cell in history.cells(bench, record).to_pylist():
            raw = json.loads(cell["key"])
            found.append(
                Touch(
                    key=tuple(raw[name] for name in CONTRACT.key),
                    column=cell["column"],
                    old=changefile.from_text(cell["old"], types[cell["column"]]),
                    new=changefile.from_text(cell["new"], types[cell["column"]]),
                    change=cell["change"],
                    commit=record["commit"],  # type: ignore[arg-type]
                    number=record["number"],  # type: ignore[arg-type]
                    proposal=record["proposal"],  # type: ignore[arg-type]
                    at=cell["timestamp"],
                    user=record["user"],  # type: ignore[arg-type]
                    note=record["note"],  # type: ignore[arg-type]
                    kind=record["kind"],  # type: ignore[arg-type]
                )
            )
    return found


def build(nets: Nets, runs: int = 10) -> list[str]:
    return [key for _ in range(runs) for key in blocks.extend(nets.pipeline.bench, NAME)]


def play(nets: Nets, *commits: list[tuple[str, Key, int]]) -> None:
    """Make commits of several people's edits each; what cannot be (editing a row that is gone) is something else."""
    for edits in commits:
        drafts = [draft for number, edit in enumerate(edits) for draft in _drafts(nets, number, *edit)]
        nets.send(*drafts)


def _drafts(nets: Nets, number: int, what: str, key: Key, value: int) -> Iterator[Any]:
    head = nets.head()
    assert head is not None
    person = replace(nets, person=("ana", "bo", "cy")[number])
    tow, net = key
    assert isinstance(tow, int)
    assert isinstance(net, int)
    there = any((row["tow"], row["net"]) == key for row in head.table.to_pylist())
    if not there:
        yield person.insert(tow, net, volume=float(value) or None)
    elif what == "delete" and key in ROWS[-2:]:
        yield person.delete(tow, net)
    else:
        cells = {"volume": float(value), "vessel": f"v{value}", "is_day": value % 2 == 0}
        column = COLUMNS[value % 3]
        if person.row(tow, net)[column] != cells[column]:
            yield person.edit(tow, net, note=f"note {value}", **{column: cells[column]})


edit = st.tuples(st.sampled_from(["edit", "edit", "delete"]), st.sampled_from(ROWS), st.integers(0, 30))
commit = st.lists(edit, min_size=1, max_size=3, unique_by=lambda one: one[1])


def check(nets: Nets) -> None:
    """Every story is what the replay tells."""
    bench, every = nets.pipeline.bench, replayed(nets)
    head = nets.head()
    assert head is not None
    table = {(row["tow"], row["net"]): row for row in head.table.to_pylist()}
    begun = ROWS[:4]
    for key in ROWS:
        own = [touch for touch in every if touch.key == key]
        told = blame.story(bench, NAME, key=key)
        assert [t for t in told if t.change != "create"] == own
        assert [t.number for t in told if t.change == "create"] == [1] * (key in begun)
        for column in COLUMNS:
            cell = blame.story(bench, NAME, key=key, column=column)
            assert [t for t in cell if t in own] == [t for t in own if t.column == column]
            values = [None, *(t.new for t in reversed(cell))]
            assert [t.old for t in reversed(cell)] == values[:-1], "each begins with what the one before it left"
            if key in table:
                assert values[-1] == table[key][column]
    for column in COLUMNS:
        last = blame.last_of_column(bench, NAME, column)
        assert last == [blame.story(bench, NAME, key=key, column=column)[0] for key in table]
        assert [t for t in blame.story(bench, NAME, column=column) if t.change != "create"] == [
            t for t in every if t.column == column
        ]


@given(st.lists(commit, max_size=14), st.data())
@settings(max_examples=12, deadline=None)
def test_the_blocks_tell_what_a_replay_of_all_changes_files_tells(
    commits: list[list[tuple[str, Key, int]]], data: st.DataObject
) -> None:
    nets = Nets()
    at = data.draw(st.integers(0, len(commits)))
    play(nets, *commits[:at])
    build(nets, data.draw(st.integers(0, 2)))
    play(nets, *commits[at:])
    check(nets)
    made = build(nets)
    check(nets)
    for key in data.draw(st.sets(st.sampled_from(made))) if made else ():
        nets.pipeline.store.delete(key)
    check(nets)


def edited(count: int) -> Nets:
    """A history of `count` commits, of which all but the first set one cell."""
    nets = Nets()
    for number in range(2, count + 1):
        nets.by(("ana", "bo")[number % 2]).send(nets.edit(1, 0, note=f"commit {number}", volume=float(number)))
    return nets


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 7, 9, 10, 12, 20])
def test_blocks_end_below_the_head_which_may_not_be_finished(count: int) -> None:
    nets = edited(count)
    made = {keys.parse_block(key) for key in build(nets)}
    firsts = range(1, count - 2, 3)
    larges = range(1, count - 8, 9)
    assert made == {(at, at + 2) for at in firsts} | {(at, at + 8) for at in larges}
    check(nets)


def test_a_story_of_a_cell_has_author_note_time_old_and_new() -> None:
    nets = edited(8)
    build(nets)
    story = blame.story(nets.pipeline.bench, NAME, key=(1, 0), column="volume")
    assert [touch.note for touch in story] == [*(f"commit {number}" for number in range(8, 1, -1)), "first load"]
    newest, oldest = story[0], story[-1]
    assert (newest.user, newest.old, newest.new, newest.kind) == ("ana", 7.0, 8.0, "edit")
    assert (oldest.change, oldest.old, oldest.new, oldest.number) == ("create", None, 10.5, 1)
    log = history.log(nets.pipeline.bench, NAME)
    assert [touch.at.isoformat(timespec="milliseconds") for touch in story] == [record["timestamp"] for record in log]


def test_two_who_make_blocks_at_once_make_one_of_each() -> None:
    nets = edited(20)
    bench, store = nets.pipeline.bench, nets.pipeline.store
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: blocks.extend(bench, NAME), range(4)))
    build(nets)
    assert [len(list(store.versions(entry.key))) for entry in store.list("blame/")] == [1] * (6 + 2)
    check(nets)


def test_what_else_lies_beside_the_blocks_is_left_alone() -> None:
    nets = edited(8)
    for name in ("0000000001-0000000100.parquet", "0000000002-0000000004.parquet", "notes.txt"):
        nets.pipeline.store.put(f"blame/{NAME}/{name}", b"somebody's")
    build(nets)
    check(nets)


def test_a_commit_that_is_not_finished_is_told_of_once_it_is() -> None:
    nets = edited(4)
    bench, store = nets.pipeline.bench, nets.pipeline.store
    store.faults = fail_once("put", "before", Unavailable("the store is gone"), prefix="audit/")
    with pytest.raises(Unavailable, match="the store is gone"):
        nets.send(nets.edit(1, 0, note="commit 5", volume=5.0))
    assert [t.number for t in blame.story(bench, NAME, key=(1, 0), column="volume")] == [4, 3, 2, 1]
    assert reconcile(bench).problems == ()
    assert [t.number for t in blame.story(bench, NAME, key=(1, 0), column="volume")] == [5, 4, 3, 2, 1]


def test_only_commits_above_a_number_are_told_of_and_read() -> None:
    nets = edited(20)
    build(nets)
    bench, store = nets.pipeline.bench, nets.pipeline.store
    assert [t.number for t in blame.story(bench, NAME, key=(1, 0), after=17)] == [20, 19, 18]
    store.requests.clear()
    assert blame.story(bench, NAME, key=(1, 0), after=20) == []
    assert store.requests["get"] <= 1, "the contract"


def test_whole_rows_and_columns_are_told_by_their_last_touches() -> None:
    nets = edited(5)
    nets.send(nets.insert(7, 7, volume=1.0))
    bench = nets.pipeline.bench
    row = {touch.column: touch.number for touch in blame.last_of_row(bench, NAME, (1, 0))}
    assert row == {"tow": 1, "net": 1, "volume": 5, "vessel": 1, "is_day": 1}
    assert {touch.number for touch in blame.last_of_row(bench, NAME, (7, 7))} == {6}, "null cells came with the row"
    column = {touch.key: touch.number for touch in blame.last_of_column(bench, NAME, "volume")}
    assert column == {(1, 0): 5, (1, 1): 1, (2, 0): 1, (2, 1): 1, (7, 7): 6}


def test_a_deleted_row_still_has_its_story_and_one_that_never_was_has_none() -> None:
    nets = Nets()
    nets.send(nets.delete(1, 0))
    bench = nets.pipeline.bench
    told = blame.story(bench, NAME, key=(1, 0), column="volume")
    assert [(touch.change, touch.old, touch.new) for touch in told] == [("delete", 10.5, None), ("create", None, 10.5)]
    assert blame.story(bench, NAME, key=(9, 9)) == []
    with pytest.raises(NotFound, match="never had a row tow=9, net=9"):
        blame.last_of_row(bench, NAME, (9, 9))
    with pytest.raises(UsageError, match="no column 'depth'"):
        blame.story(bench, NAME, key=(1, 0), column="depth")
    with pytest.raises(NotFound, match="no dataset"):
        blame.story(bench, "nothing", key=(1, 0))


def test_whoever_makes_a_block_makes_the_same_bytes_and_twice_is_harmless() -> None:
    nets = edited(10)
    bench, store = nets.pipeline.bench, nets.pipeline.store
    made = build(nets)
    bodies = {key: store.get(key).body for key in made}
    for key in made:
        store.delete(key)
    index = Index.open(bench, NAME)
    build(nets)
    assert {key: store.get(key).body for key in made} == bodies
    for first, body in blocks._small(index, 9):
        blocks._put(index, first, 3, body)
    assert [len(list(store.versions(key))) for key in made] == [3] * len(made), "put, deleted, put"


def test_a_small_history_needs_few_requests_and_a_long_one_hardly_more() -> None:
    counts = []
    for count in (10, 28):
        nets = edited(count)
        build(nets)
        nets.pipeline.store.requests.clear()
        blame.story(nets.pipeline.bench, NAME, key=(1, 0), column="volume")
        counts.append(nets.pipeline.store.requests.total())
    assert counts[1] <= counts[0] + 2


def test_a_row_is_found_without_reading_the_whole_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighty thousand cells of one commit, as one proposal after the other would leave them."""
    random, count = Random(1), 80_000  # noqa: S311 - of a test
    keys_ = [f'{{"tow": {number}}}' for number in range(count)]
    values = [repr(random.random()) for _ in range(count)]
    nets = edited(2)
    record = history.log(nets.pipeline.bench, NAME)[0]
    told = {name: [record[name]] * count for name in ("commit", "number", "proposal", "user")}
    cells = pa.table(
        {
            "change": ["update"] * count,
            "key": keys_,
            "column": ["volume"] * count,
            "old": values,
            "new": values[::-1],
            **told,
            "timestamp": pa.array([0] * count, pa.timestamp("us", tz="UTC")),
        }
    ).select(changefile.SCHEMA.names)
    body = block.make(NAME, [(record,)], lambda place, record: block.widened(cells, place, record))
    store, fetched = nets.pipeline.store, []
    store.put(keys.block(NAME, 2, 2), body)
    (entry,) = store.list("blame/")
    assert entry.size > 2 * ranged.WHOLE
    get = store.get
    monkeypatch.setattr(store, "get", lambda *args, **more: fetched.append(get(*args, **more)) or fetched[-1])
    found = Block.open(store, entry).rows(keys_[77_777])
    assert found["old"].to_pylist() == [values[77_777]]
    assert len(fetched) == 2, "the end of the file, and one row group"
    assert sum(len(blob.body) for blob in fetched) < entry.size / 8
    assert Block.open(store, entry).rows('{"tow": "none"}').num_rows == 0


def test_a_proposal_too_large_for_a_block_is_read_from_its_changes_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block, "CELLS_MAX", 2)
    nets = Nets()
    play(nets, *([("edit", key, 3 * n + m) for m, key in enumerate(ROWS[:3])] for n in range(8)))
    build(nets)
    index = Index.open(nets.pipeline.bench, NAME)
    assert [len(step.about.apart) for step in index.steps() if isinstance(step, Block)]
    check(nets)


@pytest.mark.parametrize("body", [b"", b"no block", "another"])
def test_what_is_no_block_of_this_history_is_said_with_the_way_out(body: bytes | str) -> None:
    nets, other = edited(8), edited(8)
    build(nets)
    build(other)
    store = nets.pipeline.store
    key = keys.block(NAME, 4, 6)
    forged = other.pipeline.store.get(key).body if body == "another" else body
    assert isinstance(forged, bytes)
    store.put(key, forged, when=ALWAYS)
    with pytest.raises(Corrupt, match=rf"{key}.*delete it"):
        blame.story(nets.pipeline.bench, NAME, key=(1, 0))
    store.delete(key)
    check(nets)
    assert build(nets) == [key]
    check(nets)


def test_a_commit_whose_record_is_gone_is_not_passed_over() -> None:
    nets = edited(6)
    bench = nets.pipeline.bench
    place = next(p for p in history.places(bench, NAME) if history.record(bench, p)["number"] == 4)
    bench.store.delete(place.key)
    with pytest.raises(Corrupt, match=r"commit 4 .* has no audit record"):
        blame.story(bench, NAME, key=(1, 0))


def test_a_clock_that_ran_backwards_changes_nothing() -> None:
    nets = edited(5)
    clock = nets.pipeline.bench.clock
    clock.now -= timedelta(days=40)  # type: ignore[attr-defined]
    for number in range(6, 12):
        nets.send(nets.edit(1, 0, note=f"commit {number}", volume=float(number)))
    clock.now += timedelta(days=80)  # type: ignore[attr-defined]
    nets.send(nets.edit(1, 0, note="commit 12", volume=12.0))
    bench = nets.pipeline.bench
    expected = list(range(12, 0, -1))
    assert [t.number for t in blame.story(bench, NAME, key=(1, 0), column="volume")] == expected
    build(nets)
    assert [t.number for t in blame.story(bench, NAME, key=(1, 0), column="volume")] == expected
    bench.store.delete(keys.block(NAME, 1, 9))
    bench.store.delete(keys.block(NAME, 7, 9))
    assert [t.number for t in blame.story(bench, NAME, key=(1, 0), column="volume")] == expected


def test_what_was_written_past_towline_is_told_once_it_is_recorded() -> None:
    nets = edited(5)
    store, key = nets.pipeline.store, keys.master(NAME)
    old = next(v for v in store.versions(key) if not v.is_latest)
    body = store.get(key, version=old.version).body
    store.put(key, body, when=ALWAYS)
    assert [t.number for t in blame.story(nets.pipeline.bench, NAME, key=(1, 0), column="volume")] == [5, 4, 3, 2, 1]
    assert reconcile(nets.pipeline.bench).problems == ()
    newest = blame.story(nets.pipeline.bench, NAME, key=(1, 0), column="volume")[0]
    assert (newest.user, newest.kind, newest.old, newest.new) == ("external", "external", 5.0, 4.0)


def test_reconcile_makes_the_blocks_and_says_what_it_cannot() -> None:
    nets = edited(8)
    assert reconcile(nets.pipeline.bench).problems == ()
    made = [entry.key for entry in nets.pipeline.store.list("blame/")]
    assert made == [keys.block(NAME, 1, 3), keys.block(NAME, 4, 6)]
    nets.pipeline.store.put(made[1], b"", when=ALWAYS)
    for number in range(9, 14):
        nets.send(nets.edit(1, 0, volume=float(number)))
    (problem,) = reconcile(nets.pipeline.bench).problems
    assert made[1] in problem


def test_a_copy_of_an_old_snapshot_over_the_master_hides_no_later_commit() -> None:
    nets = Nets()
    (first,) = nets.send(nets.edit(1, 1, volume=12.5))
    nets.send(nets.edit(1, 1, volume=13.5))
    nets.pipeline.store.copy(str(first.snapshot_key), keys.master(NAME))
    newest = blame.story(nets.pipeline.bench, NAME, key=(1, 1), column="volume")[0]
    assert (newest.number, newest.new) == (3, 13.5)
