"""Tables in row groups differ in what `diff` says, and what did not change is not read."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.grouped import Groups
from tests.core.tables import KEY, SCHEMA, tables_
from towline import table as tables
from towline.change import RowChange
from towline.diff import diff
from towline.errors import Corrupt, UsageError
from towline.parquet.compare import OfTable, Pair, Stretch, changes, steps

cuts = st.lists(st.integers(0, 6), max_size=4)


def groups(table: pa.Table, at: list[int], **more: object) -> Groups:
    return Groups(table, [min(cut, table.num_rows) for cut in at], **more)  # type: ignore[arg-type]


def told(found: Iterable[RowChange]) -> list[str]:
    """repr tells -0.0 from 0.0, and NaN is itself."""
    return [repr(change) for change in found]


Side = tuple[pa.Table, list[int], str, bool]
sides = st.tuples(tables_, cuts, st.sampled_from(["", "another writer"]), st.booleans())


@settings(max_examples=60)
@given(sides, sides)
def test_it_is_what_diff_says(
    one: tuple[pa.Table, list[int], str, bool], other: tuple[pa.Table, list[int], str, bool]
) -> None:
    old, new = (groups(table, at, salt=salt, digested=digested) for table, at, salt, digested in (one, other))
    expected = told(diff(old.table, new.table, KEY).changes)
    assert told(changes(old, new, KEY)) == expected
    assert told(changes(old, OfTable(new.table), KEY)) == expected


def rows(count: int, **cells: float | None) -> pa.Table:
    """Rows of one tow; `cells` are volumes by net, as in `n007`."""
    return tables.from_rows(
        [
            {**dict.fromkeys(SCHEMA.names), "tow": 1, "net": (net := f"n{number:03}"), "volume": cells.get(net, 1.0)}
            for number in range(count)
        ],
        SCHEMA,
    )


@settings(max_examples=60)
@given(
    st.dictionaries(st.integers(0, 59).map("n{:03}".format), st.sampled_from([None, -0.0, 0.0, 2.0, math.nan])),
    st.sets(st.integers(0, 59), max_size=4),
    st.sets(st.integers(0, 59), max_size=4),
    st.lists(st.integers(0, 59), max_size=6),
    st.lists(st.integers(0, 59), max_size=6),
)
def test_edits_inserts_deletes_splits_and_joins_are_told_whatever_the_groups(
    cells: dict[str, float | None], gone: set[int], new: set[int], before: list[int], after: list[int]
) -> None:
    """The cuts of both sides are often the same ones."""
    old_table = rows(60, n001=-0.0, n002=math.nan, n003=None).take([n for n in range(60) if n not in new])
    new_table = rows(60, **cells).take([n for n in range(60) if n not in gone])
    old = groups(old_table, sorted({20, 40, *before}))
    new_side = groups(new_table, sorted({20, 40, *after}))
    assert told(changes(old, new_side, KEY)) == told(diff(old_table, new_table, KEY).changes)


def test_nothing_is_read_of_what_stands_in_both() -> None:
    old, new = groups(rows(60), [20, 40]), groups(rows(60), [20, 40])
    assert list(changes(old, new, KEY)) == []
    assert old.seen == new.seen == []


def test_of_a_group_with_other_cells_only_their_column_is_read_and_the_rows_that_differ() -> None:
    old, new = groups(rows(60), [20, 40]), groups(rows(60, n025=7.0), [20, 40])
    (change,) = changes(old, new, KEY)
    assert (change.key(KEY), change.row["volume"]) == ((1, "n025"), 7.0)
    assert old.seen == [(1, "volume"), (1, "rows")]
    assert new.seen == [(1, "volume")]


def test_cells_of_other_bytes_and_the_same_values_cost_no_row() -> None:
    old, new = groups(rows(60, n025=0.0), [20, 40]), groups(rows(60, n025=-0.0), [20, 40])
    assert list(changes(old, new, KEY)) == []
    assert old.seen == new.seen == [(1, "volume")]


def test_what_lies_between_two_groups_that_stand_in_both_is_one_stretch() -> None:
    old, new = groups(rows(60), [10, 20, 30]), groups(rows(60).take([*range(25), *range(26, 60)]), [10, 20, 29])
    assert list(steps(old, new, KEY)) == [Stretch(range(2, 3), range(2, 3))]
    old, new = groups(rows(60), [10, 20]), groups(rows(60, n015=5.0), [10, 15, 20])
    assert list(steps(old, new, KEY)) == [Stretch(range(1, 2), range(1, 3))]
    old, new = groups(rows(60), [10, 20]), groups(rows(60, n015=5.0, n001=6.0), [10, 20])
    assert list(steps(old, new, KEY)) == [Pair(0, 0, ("volume",)), Pair(1, 1, ("volume",))]


def test_rows_that_come_at_an_end_and_groups_that_go_are_told() -> None:
    table = rows(60)
    for old, new in [(table.slice(0, 40), table), (table.slice(20), table), (table.slice(0, 0), table)]:
        sides = groups(old, [20, 40]), groups(new, [20, 40])
        assert told(changes(*sides, KEY)) == told(diff(old, new, KEY).changes)
        assert told(changes(*reversed(sides), KEY)) == told(diff(new, old, KEY).changes)


def test_a_long_stretch_is_read_group_by_group_while_it_is_consumed() -> None:
    old, new = groups(rows(200), list(range(10, 200, 10))), groups(rows(0), [])
    found = changes(old, new, KEY)
    next(found)
    assert len({group for group, _ in old.seen}) < 5
    assert len(list(found)) == 199


def test_tables_with_other_columns_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="different columns"):
        list(changes(groups(rows(3), []), groups(rows(3).drop_columns(["day"]), []), KEY))


@pytest.mark.parametrize("order", [[0, 2, 1, 3], [3, 0, 1, 2], [2, 3, 0, 1]])
def test_rows_that_are_not_in_key_order_are_named(order: list[int]) -> None:
    odd = groups(rows(4).take(order), [2], where="snapshots/nets/x.parquet")
    with pytest.raises(Corrupt, match=r"snapshots/nets/x\.parquet are not in key order"):
        list(changes(groups(rows(4), []), odd, KEY))


def test_keys_that_are_nan_have_their_place() -> None:
    old = tables.sort(pa.table({"depth": [1.0, math.nan], "n": [1, 2]}), ("depth",))
    new = tables.sort(pa.table({"depth": [0.5, 1.0, math.nan], "n": [1, 5, 2]}), ("depth",))
    found = changes(Groups(old, [1]), Groups(new, [2]), ("depth",))
    assert told(found) == told(diff(old, new, ("depth",)).changes)
