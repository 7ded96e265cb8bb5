"""The laws of the three-way merge, and its table of cases."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.tables import KEY, same_tables, tables_
from towline import merge as module
from towline import table as tables
from towline.change import RowChange
from towline.diff import diff
from towline.merge import MODES, Merge, merge

modes = st.sampled_from(["cell", "row", "fill"])
BASE = {"tow": 1, "a": 1, "b": 1}


def onto(base: pa.Table, ours: pa.Table, theirs: pa.Table, mode: str = "cell") -> Merge:
    changes = diff(base, ours, KEY).changes
    rows = tables.rows_by_key(theirs, KEY, (change.key(KEY) for change in changes))
    return merge(changes, rows, KEY, mode)


@given(tables_, tables_, modes)
def test_merging_onto_the_base_gives_ours(base: pa.Table, ours: pa.Table, mode: str) -> None:
    merged = onto(base, ours, base, mode)
    assert not merged.conflicts
    assert same_tables(tables.apply(base, KEY, merged.changes), ours)


@given(tables_, tables_, modes)
def test_merging_nothing_changes_nothing(base: pa.Table, theirs: pa.Table, mode: str) -> None:
    assert onto(base, base, theirs, mode) == Merge()


@given(tables_, tables_, modes)
def test_merging_what_is_there_already_changes_nothing(base: pa.Table, ours: pa.Table, mode: str) -> None:
    merged = onto(base, ours, ours, mode)
    assert not merged.conflicts
    assert not merged.changes
    assert merged.unchanged == len(diff(base, ours, KEY).changes)


@given(tables_, tables_, tables_, modes)
def test_without_conflicts_the_order_does_not_matter(
    base: pa.Table, ours: pa.Table, theirs: pa.Table, mode: str
) -> None:
    one, other = onto(base, ours, theirs, mode), onto(base, theirs, ours, mode)
    assert bool(one.conflicts) == bool(other.conflicts)
    if not one.conflicts:
        assert same_tables(tables.apply(theirs, KEY, one.changes), tables.apply(ours, KEY, other.changes))


@given(tables_, tables_, tables_)
def test_stricter_modes_find_at_least_the_conflicts_of_laxer_ones(
    base: pa.Table, ours: pa.Table, theirs: pa.Table
) -> None:
    keys = {mode: {str(c.key) for c in onto(base, ours, theirs, mode).conflicts} for mode in ("fill", "cell", "row")}
    assert keys["fill"] <= keys["cell"] <= keys["row"]


@given(tables_, tables_, tables_, modes)
def test_a_merge_never_loses_what_they_changed(base: pa.Table, ours: pa.Table, theirs: pa.Table, mode: str) -> None:
    """Every cell that they changed and we did not is theirs afterwards."""
    merged = onto(base, ours, theirs, mode)
    if merged.conflicts:
        return
    result = tables.apply(theirs, KEY, merged.changes)
    mine = {c.key(KEY): {cell.column for cell in c.cells()} for c in diff(base, ours, KEY).changes}
    for change in diff(theirs, result, KEY).changes:
        assert {cell.column for cell in change.cells()} <= mine[change.key(KEY)]


CASES = [
    # base, ours, theirs -> cell, row, fill: the merged row, or the kind of the conflict
    (BASE, BASE | {"a": 2}, BASE, BASE | {"a": 2}, BASE | {"a": 2}, BASE | {"a": 2}),
    (BASE, BASE | {"a": 2}, BASE | {"a": 2}, BASE | {"a": 2}, BASE | {"a": 2}, BASE | {"a": 2}),
    (BASE, BASE | {"a": 2}, BASE | {"b": 2}, {"tow": 1, "a": 2, "b": 2}, "update/update", {"tow": 1, "a": 2, "b": 2}),
    (BASE, BASE | {"a": 2}, BASE | {"a": 3}, "update/update", "update/update", "update/update"),
    (BASE, BASE | {"a": 2}, None, "update/delete", "update/delete", "update/delete"),
    (BASE, None, BASE, None, None, None),
    (BASE, None, None, None, None, None),
    (BASE, None, BASE | {"a": 2}, "delete/update", "delete/update", "delete/update"),
    (None, BASE, None, BASE, BASE, BASE),
    (None, BASE, BASE, BASE, BASE, BASE),
    (None, BASE, BASE | {"a": 2}, "insert/insert", "insert/insert", "insert/insert"),
    (None, BASE | {"a": None}, BASE | {"b": None}, "insert/insert", "insert/insert", BASE),
]


@pytest.mark.parametrize(("base", "ours", "theirs", "cell", "row", "fill"), CASES)
def test_every_case_of_the_table(base, ours, theirs, cell, row, fill) -> None:
    for mode, expected in (("cell", cell), ("row", row), ("fill", fill)):
        merged = merge([RowChange(base, ours)], {(1,): theirs} if theirs else {}, ("tow",), mode)
        if isinstance(expected, str):
            assert [conflict.kind for conflict in merged.conflicts] == [expected], mode
            assert not merged.changes
        else:
            assert not merged.conflicts, mode
            assert [change.new for change in merged.changes] == ([] if expected == theirs else [expected]), mode


def test_a_conflict_names_the_cell_and_all_three_values() -> None:
    merged = merge([RowChange(BASE, BASE | {"a": 2})], {(1,): BASE | {"a": 3, "b": 9}}, ("tow",))
    (conflict,) = merged.conflicts
    expected = {"column": "a", "base": 1, "ours": 2, "theirs": 3, "theirs_by": None}
    assert [cell.to_json() for cell in conflict.cells] == [expected]
    assert conflict.message == "row tow=1: a was 1, is now 3, proposed 2"


def test_the_docs_show_the_table_of_the_code() -> None:
    lines = re.search(r"    base -> ours.*?\n\n", module.__doc__ or "", re.S)
    assert lines is not None
    page = (Path(__file__).parents[2] / "docs" / "merge.md").read_text()
    assert lines.group().strip() in page
    assert all(f"`{mode}`" in page for mode in MODES)
