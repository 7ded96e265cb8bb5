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
from tests.core.test_parquet_file import Counted
from towline import table as tables
from towline.change import RowChange
from towline.diff import diff
from towline.errors import Corrupt, UsageError
from towline.parquet import writer
from towline.parquet.compare import OfFile, OfTable, Pair, Stretch, changes, steps
from towline.parquet.footer import GROUPS, Marks
from towline.parquet.splice import Shape, splice
from towline.parquet.tablefile import TableFile

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


# ---- of files ----

GROUP = 16  # rows of a row group in these tests
SHAPE = Shape(group=GROUP, small=0)


def file(table: pa.Table, group: int = GROUP) -> bytes:
    return writer.to_parquet(table, KEY, writer.commit_metadata("C", 1), group=group)


def spliced(body: bytes, *found: RowChange) -> bytes:
    made = splice(TableFile.of_bytes(body), KEY, found, commit="D", number=2, shape=SHAPE)
    assert made.mode != "rewrite", made.reason
    return bytes(made.file.source.read([(0, made.file.source.size)])[0])


def opened(body: bytes) -> tuple[OfFile, Counted]:
    source = Counted(body)
    return OfFile.claiming(TableFile.open(source, body[TableFile.of_bytes(body).footer.start :])), source


def compared(old: bytes, new: bytes) -> tuple[list[RowChange], Counted, Counted]:
    """The changes, and what was read to find them, beside the footers."""
    (before, one), (after, other) = opened(old), opened(new)
    return list(changes(before, after, KEY)), one, other


@settings(max_examples=30)
@given(
    st.dictionaries(st.integers(0, 79).map("n{:03}".format), st.sampled_from([None, -0.0, 2.0, math.nan]), min_size=1),
    st.sets(st.integers(0, 79), max_size=4),
    st.sampled_from([GROUP, 25]),
)
def test_versions_that_were_spliced_or_written_anew_differ_in_what_diff_says(
    cells: dict[str, float | None], gone: set[int], group: int
) -> None:
    old, new = rows(80, n001=-0.0), rows(80, **cells).take([n for n in range(80) if n not in gone])
    expected = diff(old, new, KEY).changes
    for body in (file(new, group), spliced(file(old), *expected)) if expected else ():
        assert told(compared(file(old), body)[0]) == told(expected)


def test_of_a_spliced_version_the_changed_column_of_one_group_is_read_and_the_pages_of_the_row() -> None:
    old = file(rows(1_000))
    (change,) = diff(rows(1_000), rows(1_000, n777=5.0), KEY).changes
    found, one, other = compared(old, spliced(old, change))
    assert found == [change]
    groups = [TableFile.of_bytes(source.body).footer.group(777 // GROUP) for source in (one, other)]
    volume = SCHEMA.names.index("volume")
    assert other.spans == [groups[1].spans[volume]]
    assert one.spans[0] == groups[0].spans[volume]
    pages, indexes = groups[0].spans, [chunk.offset_index for chunk in groups[0].chunks]
    for start, stop in one.spans:
        assert any(begin <= start and stop <= end for begin, end in [*pages, *filter(None, indexes)])


def test_the_same_rows_written_by_themselves_have_the_digests_that_they_have_in_the_whole() -> None:
    """So a result that is cut where its base is has the base's digests wherever nothing changed."""
    table = rows(100, n003=None, n004=math.nan)
    whole = TableFile.of_bytes(file(table)).footer.digests
    alone = [TableFile.of_bytes(file(table.slice(at, GROUP))).footer.digests for at in range(0, 100, GROUP)]
    assert whole == tuple(digests for group in alone for digests in group or ())


def test_a_file_whose_groups_changed_places_is_named() -> None:
    body = file(rows(64))
    footer = TableFile.of_bytes(body).footer
    raws = [footer.raw_group(number) for number in (0, 2, 1, 3)]
    digests = tuple((footer.digests or ())[number] for number in (0, 2, 1, 3))
    marks = Marks(tuple(map(len, raws)), digests).to_text()
    other = body[: footer.start] + footer.with_groups(raws, 64, {GROUPS: marks})
    with pytest.raises(Corrupt, match="not in key order"):
        compared(body, other)
