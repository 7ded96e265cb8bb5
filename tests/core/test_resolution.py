"""Deciding conflicts: the laws, the tables of cases, and what cannot be meant."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.tables import KEY, same_tables, tables_
from tests.core.test_merge import modes, onto
from towline import resolution as module
from towline import table as tables
from towline.answer import SIDES, Answer, InsertAs, Put, PutRow, Seen, Side, Take
from towline.change import RowChange, same_row
from towline.diff import diff
from towline.errors import UsageError
from towline.merge import Merge, merge
from towline.resolution import decide
from towline.values import Row, same

BASE: Row = {"tow": 1, "a": 1, "b": 1}
OURS, THEIRS = {**BASE, "a": 2}, {**BASE, "a": 3}
ONE = {"tow": 1}

sides = st.sampled_from(SIDES)


def by_key(table: pa.Table) -> dict[tuple[object, ...], Row]:
    return {tuple(row[column] for column in KEY): row for row in table.to_pylist()}


def clash(base: Row | None, ours: Row | None, theirs: Row | None, mode: str = "cell") -> Merge:
    merged = merge([RowChange(base, ours)], {(1,): theirs} if theirs else {}, ("tow",), mode)
    assert merged.conflicts
    return merged


def decided(merged: Merge, *answers: Answer) -> Row | None:
    """The row after everything was decided."""
    outcome = decide(merged, answers)
    assert not outcome.open
    row = merged.conflicts[0].theirs
    for change in outcome.changes:
        assert same_row(change.old, row)
        row = change.new
    return row


@given(tables_, tables_, tables_, modes)
def test_taking_theirs_leaves_every_row_in_conflict_as_the_head_has_it_where_they_meet(
    base: pa.Table, ours: pa.Table, theirs: pa.Table, mode: str
) -> None:
    merged = onto(base, ours, theirs, mode)
    outcome = decide(merged, [Answer(Take("theirs"))])
    assert not outcome.open
    result, head = by_key(tables.apply(theirs, KEY, outcome.changes)), by_key(theirs)
    for conflict in merged.conflicts:
        key = tuple(conflict.key.values())
        if not conflict.cells:
            assert same_row(result.get(key), head.get(key))
        for cell in conflict.cells:
            assert same(result[key][cell.column], head[key][cell.column])


@given(tables_, tables_, tables_, modes)
def test_taking_ours_gives_the_author_every_change_that_was_proposed(
    base: pa.Table, ours: pa.Table, theirs: pa.Table, mode: str
) -> None:
    outcome = decide(onto(base, ours, theirs, mode), [Answer(Take("ours"))])
    result = by_key(tables.apply(theirs, KEY, outcome.changes))
    for change in diff(base, ours, KEY).changes:
        row = result.get(change.key(KEY))
        if change.new is None:
            assert row is None
            continue
        assert row is not None
        # Of two partial inserts that `fill` joins, theirs fills what the author left empty.
        wanted = (c for c in change.cells() if not (mode == "fill" and change.old is None and c.new is None))
        assert all(same(row[cell.column], cell.new) for cell in wanted)


@given(tables_, tables_, tables_, modes)
def test_taking_ours_keeps_what_they_did_elsewhere(base: pa.Table, ours: pa.Table, theirs: pa.Table, mode: str) -> None:
    outcome = decide(onto(base, ours, theirs, mode), [Answer(Take("ours"))])
    result = by_key(tables.apply(theirs, KEY, outcome.changes))
    touched = {change.key(KEY) for change in diff(base, ours, KEY).changes}
    for key, row in by_key(theirs).items():
        assert key in touched or same_row(result.get(key), row)


@given(tables_, tables_, tables_, modes, sides)
def test_what_was_decided_merges_cleanly_on_the_head_that_it_was_decided_on(
    base: pa.Table, ours: pa.Table, theirs: pa.Table, mode: str, side: Side
) -> None:
    outcome = decide(onto(base, ours, theirs, mode), [Answer(Take(side))])
    result = tables.apply(theirs, KEY, outcome.changes)
    again = onto(theirs, result, theirs, mode)
    assert not again.conflicts
    assert same_tables(tables.apply(theirs, KEY, again.changes), result)


@given(tables_, tables_, tables_, modes)
def test_without_answers_everything_stays_open(base: pa.Table, ours: pa.Table, theirs: pa.Table, mode: str) -> None:
    merged = onto(base, ours, theirs, mode)
    outcome = decide(merged, ())
    assert outcome.open == merged.conflicts
    assert outcome.changes == merged.changes


@given(tables_, tables_, tables_, sides)
def test_deciding_column_by_column_is_deciding_the_cells(
    base: pa.Table, ours: pa.Table, theirs: pa.Table, side: Side
) -> None:
    merged = onto(base, ours, theirs)
    columns = {cell.column for conflict in merged.conflicts for cell in conflict.cells}
    outcome = decide(merged, [Answer(Take(side), column=column) for column in columns])
    assert all(not conflict.cells for conflict in outcome.open)
    whole = decide(merged, [Answer(Take(side))])
    cells = {tuple(c.key.values()) for c in merged.conflicts if c.cells}
    assert [c for c in outcome.changes if c.key(KEY) in cells] == [c for c in whole.changes if c.key(KEY) in cells]


CELLS = [
    # answers -> the cell `a` of the row tow=1, which was 1, is 2 in ours and 3 in theirs
    ([Answer(Take("base"))], 1),
    ([Answer(Take("ours"))], 2),
    ([Answer(Take("theirs"))], 3),
    ([Answer(Put(9), column="a")], 9),
    ([Answer(Put(None), column="a")], None),
    ([Answer(Take("ours")), Answer(Take("theirs"))], 3),
    ([Answer(Take("ours"), column="a"), Answer(Take("theirs"))], 2),
    ([Answer(Take("ours"), {"b": 1}), Answer(Take("theirs"), column="a")], 2),
    ([Answer(Take("ours"), {"b": 1}, "a"), Answer(Take("theirs"), {"b": 1})], 2),
    ([Answer(Take("ours"), ONE), Answer(Take("theirs"), {"b": 1}, "a")], 2),
    ([Answer(Put(9), ONE, "a"), Answer(Take("theirs"), ONE)], 9),
    ([Answer(Take("ours"), kind="update/update"), Answer(Take("theirs"), column="a")], 2),
    ([Answer(PutRow({"tow": 1, "a": 8, "b": 7}), ONE)], 8),
    ([Answer(PutRow({"tow": 1, "a": 8, "b": 7}), ONE), Answer(Take("ours"), ONE, "a")], 2),
]


@pytest.mark.parametrize(("answers", "cell"), CELLS)
def test_of_several_answers_the_most_specific_decides_and_of_equals_the_last(answers, cell) -> None:
    row = decided(clash(BASE, OURS, THEIRS), *answers)
    assert row is not None
    assert row["a"] == cell


NONE = None
INSERTED_OURS, INSERTED_THEIRS = {"tow": 1, "a": 2, "b": None}, {"tow": 1, "a": 3, "b": 5}
ROWS = [
    # base, ours, theirs, answers -> the row
    (BASE, OURS, NONE, [Answer(Take("base"))], BASE),
    (BASE, OURS, NONE, [Answer(Take("ours"))], OURS),
    (BASE, OURS, NONE, [Answer(Take("theirs"))], NONE),
    (BASE, OURS, NONE, [Answer(Put(9), ONE, "b")], {**OURS, "b": 9}),
    (BASE, OURS, NONE, [Answer(Take("base"), ONE), Answer(Put(9), ONE, "b")], {**BASE, "b": 9}),
    (BASE, NONE, THEIRS, [Answer(Take("base"))], BASE),
    (BASE, NONE, THEIRS, [Answer(Take("ours"))], NONE),
    (BASE, NONE, THEIRS, [Answer(Take("theirs"))], THEIRS),
    (BASE, NONE, THEIRS, [Answer(Put(9), ONE, "b")], {**THEIRS, "b": 9}),
    (BASE, NONE, THEIRS, [Answer(PutRow({"tow": 1, "a": 8, "b": 7}), ONE)], {"tow": 1, "a": 8, "b": 7}),
    (NONE, INSERTED_OURS, INSERTED_THEIRS, [Answer(Take("base"))], NONE),
    (NONE, INSERTED_OURS, INSERTED_THEIRS, [Answer(Take("ours"))], INSERTED_OURS),
    (NONE, INSERTED_OURS, INSERTED_THEIRS, [Answer(Take("theirs"))], INSERTED_THEIRS),
    (NONE, INSERTED_OURS, INSERTED_THEIRS, [Answer(Take("theirs")), Answer(Take("ours"), column="a")],
     {"tow": 1, "a": 2, "b": 5}),
    (NONE, INSERTED_OURS, INSERTED_THEIRS, [Answer(Take("base"), column="a"), Answer(Take("theirs"), column="b")],
     {"tow": 1, "a": None, "b": 5}),
    (NONE, INSERTED_OURS, INSERTED_THEIRS, [Answer(PutRow(None), ONE)], NONE),
]  # fmt: skip


@pytest.mark.parametrize(("base", "ours", "theirs", "answers", "row"), ROWS)
def test_rows_that_conflict_as_a_whole_are_decided_as_the_table_says(base, ours, theirs, answers, row) -> None:
    assert same_row(decided(clash(base, ours, theirs), *answers), row)


def test_cells_that_do_not_clash_go_along() -> None:
    merged = clash({**BASE, "c": 1}, {**OURS, "c": 7}, {**THEIRS, "b": 5, "c": 1})
    assert decided(merged, Answer(Take("theirs"))) == {"tow": 1, "a": 3, "b": 5, "c": 7}


def test_ours_is_inserted_under_another_key_beside_theirs() -> None:
    merged = clash(None, INSERTED_OURS, INSERTED_THEIRS)
    outcome = decide(merged, [Answer(InsertAs({"tow": 9}), ONE), Answer(Put(4), ONE, "b")])
    assert outcome.changes == (RowChange(None, {"tow": 9, "a": 2, "b": 4}),)
    assert not outcome.open


def test_what_is_left_of_a_row_is_left_open() -> None:
    merged = clash(BASE, {**OURS, "b": 2}, {**THEIRS, "b": 3})
    outcome = decide(merged, [Answer(Take("ours"), column="a")])
    assert [[cell.column for cell in conflict.cells] for conflict in outcome.open] == [["b"]]
    assert not outcome.changes


WRONG = [
    ((BASE, OURS, THEIRS), Answer(Take("ours"), column="b", place="--column"), "--column: column b is not in conflict"),
    ((BASE, OURS, THEIRS), Answer(Take("ours"), {"tow": 2}), "row tow=2 is not in conflict; in conflict is tow=1: a"),
    ((BASE, OURS, THEIRS), Answer(Take("ours"), kind="table"), "table is not in conflict"),
    ((BASE, OURS, NONE), Answer(Take("ours"), column="a"), "column a is not in conflict"),
    ((BASE, OURS, NONE), Answer(Put(9), column="a"), "column a is not in conflict"),
    ((BASE, OURS, THEIRS), Answer(Take("ours"), ONE, "a", seen=Seen(4)), "is not what it was"),
    ((BASE, OURS, THEIRS), Answer(Take("ours"), ONE, seen=Seen(None)), "is not what it was"),
    ((BASE, OURS, NONE), Answer(Take("ours"), ONE, seen=Seen(BASE)), "is not what it was"),
    ((BASE, OURS, THEIRS), Answer(PutRow({**BASE, "tow": 2}), ONE), "another key than tow=1"),
    ((BASE, OURS, THEIRS), Answer(InsertAs({"tow": 2}), ONE), "is update/update"),
    ((NONE, INSERTED_OURS, INSERTED_THEIRS), Answer(InsertAs({"tow": 1}), ONE), "tow=1 is not another key"),
    ((NONE, INSERTED_OURS, INSERTED_THEIRS), Answer(InsertAs({"tow": None}), ONE), "tow=null is not another key"),
    ((NONE, INSERTED_OURS, INSERTED_THEIRS), Answer(InsertAs({"a": 5}), ONE), "a is no part of the key"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "answer", "said"), WRONG)
def test_an_answer_that_cannot_be_meant_is_refused_and_says_why(rows, answer, said) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        decide(clash(*rows), [answer])


def test_an_answer_to_what_is_still_so_counts() -> None:
    seen = Answer(Take("ours"), ONE, "a", seen=Seen(3))
    assert decided(clash(BASE, OURS, THEIRS), seen) == OURS


def test_an_answer_about_everything_is_never_wrong() -> None:
    assert decide(Merge(), [Answer(Take("ours"))]) == module.Decided()


def test_the_docs_show_the_tables_of_the_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "conflicts.md").read_text()
    found = re.findall(r"(?:^    .*\n)+", module.__doc__ or "", re.M)
    assert len(found) == 2
    assert all(table.strip() in page for table in found)


def test_many_rows_are_answered_one_by_one_in_a_moment() -> None:
    """An answer for each of 20,000 rows: where each was held against each, this would take minutes."""
    rows = range(20_000)
    proposed = [RowChange({"tow": n, "a": 1}, {"tow": n, "a": 2}) for n in rows]
    merged = merge(proposed, {(n,): {"tow": n, "a": 3} for n in rows}, ("tow",))
    begun = time.process_time()
    outcome = decide(merged, [Answer(Put(n), {"tow": n}, "a", seen=Seen(3)) for n in rows])
    assert time.process_time() - begun < 10
    assert [change.new for change in outcome.changes if change.new] == [{"tow": n, "a": n} for n in rows if n != 3]
