"""Restoring: what an earlier commit held comes back as a commit, and nobody's later work is overwritten."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.nets import CONTRACT, NAME, Nets
from tests.core.promises import check_promises
from towline import history, keys, plan, restore
from towline import table as tables
from towline.change import RowChange, key_of
from towline.dataset import Draft
from towline.errors import BadProposal, NotFound, UsageError
from towline.proposals import Proposal
from towline.receipts import Receipt
from towline.restore import Restore
from towline.rows import InMemory
from towline.store import ALWAYS
from towline.values import Row, Value

KEY = CONTRACT.key


@pytest.fixture
def nets() -> Nets:
    """1: the first table. 2: a volume. 3: a row more and a vessel. 4: a row less."""
    nets = Nets()
    nets.send(nets.edit(1, 0, volume=11.0))
    nets.send(nets.insert(3, 0, volume=3.0), nets.edit(2, 0, vessel="Aurora"))
    nets.send(nets.delete(1, 1))
    return nets


def rows(nets: Nets, at: str | None = None) -> dict[tuple[object, ...], Row]:
    return {key_of(row, KEY): row for row in nets.dataset.table(at)[1].to_pylist()}


def back(
    nets: Nets,
    at: str,
    note: str = "why",
    where: Mapping[str, Value] | None = None,
    columns: Sequence[str] = (),
    *,
    undo: bool = False,
) -> Draft:
    """A draft that restores a commit."""
    return nets.dataset.restore(*nets.dataset.wish(at, where, columns, undo=undo), note)


def test_a_whole_commit_comes_back_as_a_new_one(nets: Nets) -> None:
    (receipt,) = nets.send(back(nets, "2", "back before the third"))
    assert (receipt.status, receipt.number, receipt.kind) == ("committed", 5, "restore")
    assert nets.dataset.table()[1].equals(nets.dataset.table("2")[1])
    record = nets.dataset.log()[0]
    assert (record["kind"], record["note"]) == ("restore", "back before the third")
    assert [record[f"rows_{what}"] for what in ("inserted", "updated", "deleted")] == [1, 1, 1]
    assert len({each["commit"] for each in nets.dataset.log()}) == 5
    check_promises(nets)


def test_a_preview_tells_what_would_change_and_writes_nothing(nets: Nets) -> None:
    before = nets.pipeline.store.requests["put"]
    found = nets.dataset.preview(back(nets, "1", "why"))
    assert found.ok
    assert found.counts() == {"rows_inserted": 1, "rows_updated": 2, "rows_deleted": 1, "cells_changed": 10}
    assert nets.pipeline.store.requests["put"] == before


def test_some_rows_come_back_and_no_others(nets: Nets) -> None:
    before = rows(nets)
    nets.send(back(nets, "1", "only this net", {"tow": 1, "net": 1}))
    assert rows(nets) == before | {(1, 1): rows(nets, "1")[1, 1]}
    nets.send(back(nets, "1", "and this one goes", {"tow": 3, "net": 0}))
    assert (3, 0) not in rows(nets)


def test_rows_are_found_by_what_they_hold_now_or_held_then(nets: Nets) -> None:
    nets.send(back(nets, "1", "why", {"vessel": "Aurora"}))
    assert rows(nets)[2, 0]["vessel"] == "Meridian"
    nets.send(back(nets, "3", "why", {"vessel": "Aurora"}))
    assert rows(nets)[2, 0]["vessel"] == "Aurora"


def test_a_column_comes_back_in_the_rows_that_both_have(nets: Nets) -> None:
    before = rows(nets)
    nets.send(back(nets, "1", "volumes as they were", columns=["volume"]))
    changed = {**before[1, 0], "volume": 10.5}
    assert rows(nets) == before | {(1, 0): changed}


def test_cells_of_some_rows_and_columns_come_back_alone(nets: Nets) -> None:
    nets.send(nets.edit(2, 0, volume=5.0, is_day=True))
    before = rows(nets)
    nets.send(back(nets, "1", where={"tow": 2, "net": 0}, columns=["volume"]))
    assert rows(nets) == before | {(2, 0): {**before[2, 0], "volume": None}}


@pytest.mark.parametrize("name", ["id", "number", "moment", "snapshot", "version"])
def test_a_commit_is_named_in_many_ways(nets: Nets, name: str) -> None:
    record = next(record for record in nets.dataset.log() if record["number"] == 2)
    fields = {"id": "commit", "moment": "timestamp", "snapshot": "snapshot_key", "version": "new_version"}
    nets.send(back(nets, str(record[fields.get(name, name)]), "why"))
    assert rows(nets) == rows(nets, "2")


def test_undoing_a_commit_keeps_what_came_after_it(nets: Nets) -> None:
    (receipt,) = nets.send(back(nets, "3", "not these two", undo=True))
    assert receipt.status == "committed"
    after = rows(nets)
    assert (3, 0) not in after  # commit 3 inserted it
    assert after[2, 0]["vessel"] == "Meridian"
    assert after[1, 0]["volume"] == 11.0  # commit 2
    assert (1, 1) not in after  # commit 4
    check_promises(nets)


def test_undoing_a_restore_gives_what_was_before_it(nets: Nets) -> None:
    before = rows(nets)
    nets.send(back(nets, "1", "back"))
    nets.send(back(nets, "5", "and forth", undo=True))
    assert rows(nets) == before


def test_undoing_asks_where_a_later_commit_changed_the_same_cell(nets: Nets) -> None:
    nets.send(nets.edit(1, 0, volume=12.0))
    before = rows(nets)
    (receipt,) = nets.send(back(nets, "2", "why", undo=True))
    assert receipt.status == "conflicted"
    (cell,) = receipt.conflicts[0]["cells"]
    assert (cell["base"], cell["ours"], cell["theirs"]) == (11.0, 10.5, 12.0)
    assert rows(nets) == before


def test_what_somebody_changes_meanwhile_is_a_conflict_and_not_reverted(nets: Nets) -> None:
    mine = back(nets, "1", "back")
    theirs = nets.by("ben").edit(1, 0, volume=99.0)
    nets.by("ben").send(theirs)
    (receipt,) = nets.send(mine)
    assert receipt.status == "conflicted"
    assert rows(nets)[1, 0]["volume"] == 99.0
    check_promises(nets)


def test_other_cells_that_somebody_changes_meanwhile_stay(nets: Nets) -> None:
    mine = back(nets, "1", "back")
    nets.by("ben").send(nets.by("ben").edit(1, 0, is_day=False), nets.by("ben").insert(9, 9))
    (receipt,) = nets.send(mine)
    assert receipt.status == "committed"
    first = rows(nets, "1")
    assert rows(nets) == first | {(1, 0): {**first[1, 0], "is_day": False}, (9, 9): rows(nets)[9, 9]}


def test_a_restore_and_an_edit_that_wait_together_are_one_commit(nets: Nets) -> None:
    sent = nets.send(back(nets, "1", "back", {"tow": 1, "net": 0}), nets.edit(2, 1, volume=8.0))
    assert [(receipt.status, receipt.number) for receipt in sent] == [("committed", 5), ("committed", 5)]
    assert (rows(nets)[1, 0]["volume"], rows(nets)[2, 1]["volume"]) == (10.5, 8.0)
    check_promises(nets)


def test_two_people_who_restore_the_same_agree(nets: Nets) -> None:
    drafts = [back(nets, "1", "back"), back(nets.by("ben"), "1", "back, too")]
    assert [receipt.status for receipt in nets.send(*drafts)] == ["committed", "committed"]
    assert rows(nets) == rows(nets, "1")


def test_rows_that_break_the_contract_of_today_are_not_brought_back(nets: Nets) -> None:
    """Only changed rows are held against it, so a first table may hold what an edit may not."""
    base, past = nets.head().rows(CONTRACT.key), nets.dataset.table("1")[1]
    odd = past.set_column(2, past.schema.field(2), pa.array([-1.0, *past["volume"].to_pylist()[1:]]))
    wanted = Proposal(NAME, "restore", "why", nets.commit, restore=Restore(COMMIT))
    found = plan.plan(wanted, CONTRACT, base, base, InMemory(odd, CONTRACT.key))
    assert not found.ok
    assert found.report.violations[0].rule == "constraint.minimum"


WRONG: Mapping[str, tuple[type[Exception], str, Mapping[str, object]]] = {
    "unknown number": (NotFound, "has no commit 99", {"at": "99"}),
    "unknown id": (NotFound, "has no commit 00000000", {"at": "0" * 26}),
    "an id beyond all calendars": (UsageError, "no commit id", {"at": "7" + "Z" * 25}),
    "not a commit at all": (UsageError, "no commit id", {"at": "yesterday"}),
    "snapshot of another dataset": (NotFound, "no snapshot of nets", {"at": keys.Layout().snapshot("x", "0" * 26)}),
    "the head": (BadProposal, "nothing to restore", {"at": "head"}),
    "a row as it was": (BadProposal, "nothing to restore", {"at": "1", "where": {"tow": 2, "net": 1}}),
    "no such row": (NotFound, "no row of nets has tow=7", {"at": "1", "where": {"tow": 7}}),
    "no such column": (BadProposal, "no column 'depth'", {"at": "1", "columns": ["depth"]}),
    "a column of the key": (BadProposal, "part of the key", {"at": "1", "columns": ["tow"]}),
    "undoing the first": (NotFound, "there is none before it", {"at": "1", "undo": True}),
    "no note": (BadProposal, "a note that says why", {"at": "1", "note": " "}),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_wishes_are_said_and_nothing_is_sent(nets: Nets, name: str) -> None:
    error, message, wish = WRONG[name]
    with pytest.raises(error, match=message):
        back(nets, **wish)  # type: ignore[arg-type]
    assert nets.pipeline.arrivals() == []


@pytest.mark.parametrize("keeps_metadata", [False, True])
def test_a_version_that_was_written_past_towline_has_no_commit(nets: Nets, keeps_metadata: bool) -> None:
    store = nets.pipeline.store
    first = store.get(nets.pipeline.bench.layout.snapshot(NAME, history.resolve(nets.pipeline.bench, NAME, "1")))
    metadata = first.stat.metadata if keeps_metadata else {}
    past = store.put(keys.master(NAME), first.body, when=ALWAYS, metadata=metadata)
    with pytest.raises(NotFound, match="past Towline"):
        history.resolve(nets.pipeline.bench, NAME, str(past.version))


FORGED: Mapping[str, tuple[str, object]] = {
    "nothing": ("proposal.format", None),
    "a text": ("proposal.format", "1"),
    "unknown field": ("proposal.format", {"commit": "0" * 26, "rows": []}),
    "no commit": ("restore.commit", {}),
    "a number": ("restore.commit", {"commit": 1}),
    "no commit's id": ("restore.commit", {"commit": "../../secrets"}),
    "an id beyond all calendars": ("restore.commit", {"commit": "Z" * 26}),
    "a commit that is not there": ("restore.commit", {"commit": "0" * 26}),
    "no list of keys": ("restore.keys", {"commit": None, "keys": {"tow": 1, "net": 0}}),
    "no keys": ("restore.keys", {"commit": None, "keys": []}),
    "half a key": ("restore.keys", {"commit": None, "keys": [{"tow": 1}]}),
    "a key of another type": ("restore.keys", {"commit": None, "keys": [{"tow": "1", "net": 0}]}),
    "a key with null": ("restore.keys", {"commit": None, "keys": [{"tow": 1, "net": None}]}),
    "a key that is a number": ("restore.keys", {"commit": None, "keys": [1]}),
    "a row that neither has": ("row.missing", {"commit": None, "keys": [{"tow": 8, "net": 0}]}),
    "a row as it was": ("change.nothing", {"commit": None, "keys": [{"tow": 2, "net": 1}]}),
    "no columns": ("restore.columns", {"commit": None, "columns": []}),
    "a column that is not there": ("restore.columns", {"commit": None, "columns": ["depth"]}),
    "a column that is a list": ("restore.columns", {"commit": None, "columns": [["volume"]]}),
    "a column of the key": ("restore.columns", {"commit": None, "columns": ["net"]}),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_restores_are_refused_and_kept(nets: Nets, name: str) -> None:
    rule, said = FORGED[name]
    if isinstance(said, dict) and said.get("commit", "") is None:
        said = {**said, "commit": history.resolve(nets.pipeline.bench, NAME, "1")}
    before = nets.head()
    receipt = forged(nets, restore=said)
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", rule)
    assert nets.pipeline.store.get(str(receipt.quarantine)).body
    assert nets.head() == before


def test_a_restore_that_brings_rows_along_is_refused(nets: Nets) -> None:
    first = history.resolve(nets.pipeline.bench, NAME, "1")
    receipt = forged(nets, restore={"commit": first}, changes=[{"old": None, "new": {"tow": 1, "net": 0}}])
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", "proposal.format")


@pytest.mark.parametrize("base", ["0" * 26, "Z" * 26, "7" + "Z" * 25])
def test_a_base_that_is_not_there_is_refused(nets: Nets, base: str) -> None:
    receipt = forged(nets, restore={"commit": nets.commit}, base=base)
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", "base.unknown")


def forged(nets: Nets, **fields: object) -> Receipt:
    """The receipt of a restore whose JSON somebody wrote by hand."""
    draft = back(nets, "1", "why")
    body = json.dumps({**json.loads(draft.body), **fields}).encode()
    return nets.send(Draft(draft.proposal, body))[0]


def changes(wanted: Restore, base: pa.Table, past: pa.Table) -> tuple[RowChange, ...]:
    return restore.changes(wanted, CONTRACT, InMemory(base, KEY), InMemory(past, KEY))


def test_a_commit_of_other_columns_comes_back_where_they_fit_and_is_refused_where_not(nets: Nets) -> None:
    base, past = nets.dataset.table()[1], nets.dataset.table("1")[1]
    whole = past.set_column(0, "tow", past["tow"].cast(pa.int32()))
    assert changes(Restore(nets.commit), base, whole)
    with pytest.raises(BadProposal, match="other columns") as caught:
        changes(Restore(nets.commit), base, past.drop_columns(["vessel"]))
    assert caught.value.rule == "restore.columns"


# Properties, on tables of a few keys and values.

CELLS = st.tuples(
    st.none() | st.sampled_from([0.0, 1.5, float("nan")]), st.sampled_from(["a", "b", None]), st.none() | st.booleans()
)
TABLES = st.dictionaries(st.tuples(st.integers(0, 2), st.integers(0, 1)), CELLS, min_size=1).map(
    lambda found: tables.sort(
        tables.from_rows(
            [dict(zip(CONTRACT.names, (*key, *cells), strict=True)) for key, cells in found.items()], CONTRACT.schema
        ),
        KEY,
    )
)
COMMIT = "0" * 26
COLUMNS = st.lists(st.sampled_from(["volume", "vessel", "is_day"]), unique=True).map(tuple)


def text(table: pa.Table) -> dict[tuple[object, ...], str]:
    """Rows by key; NaN equals NaN in texts."""
    return {key_of(row, KEY): repr(list(row.values())) for row in table.to_pylist()}


@given(TABLES, TABLES)
def test_a_whole_restore_gives_the_table_of_then(base: pa.Table, past: pa.Table) -> None:
    found = changes(Restore(COMMIT), base, past)
    assert text(tables.apply(base, KEY, found)) == text(past)
    assert text(tables.apply(past, KEY, [~change for change in found])) == text(base)


@settings(max_examples=200)
@given(TABLES, TABLES, COLUMNS, st.data())
def test_a_partial_restore_touches_the_chosen_cells_only(
    base: pa.Table, past: pa.Table, columns: tuple[str, ...], data: st.DataObject
) -> None:
    known = sorted(text(base).keys() | text(past).keys())
    wanted = Restore(COMMIT, tuple(data.draw(st.lists(st.sampled_from(known), unique=True))), columns)
    after = tables.apply(base, KEY, changes(wanted, base, past))
    then, was, now = ({key_of(row, KEY): row for row in table.to_pylist()} for table in (past, base, after))
    for key in known:
        if wanted.keys and key not in wanted.keys:
            assert repr(now.get(key)) == repr(was.get(key))
        elif not columns:
            assert repr(now.get(key)) == repr(then.get(key))
        elif key in was and key in then:
            assert repr(now[key]) == repr({**was[key], **{name: then[key][name] for name in columns}})
        else:
            assert repr(now.get(key)) == repr(was.get(key))


def test_the_json_of_a_restore_is_read_back_as_it_was() -> None:
    wanted = Restore(COMMIT, ((1, 0), (2, 1)), ("volume",))
    for one in (wanted, replace(wanted, keys=()), replace(wanted, columns=())):
        assert restore.from_json(json.loads(json.dumps(one.to_json(CONTRACT))), CONTRACT) == one
