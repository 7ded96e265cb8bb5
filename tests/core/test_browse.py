"""Pages of a large table hold what sorting and filtering all of it would give, and read no more than they must."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towline import edits
from towline import table as tables
from towline.browse import PAGE, Book, Condition, View, book, equal, extents, matching, pages
from towline.errors import UsageError
from towline.parquet.source import BytesSource, Span
from towline.parquet.tablefile import TableFile
from towline.values import Row, Value, same

KEY = ("haul", "fish")
GROUP = 64  # rows of a row group in these files, so that a small one has many


@dataclass
class Counted:
    """A file that counts what is read of it."""

    under: BytesSource
    spans: list[Span] = field(default_factory=list)

    @property
    def where(self) -> str:
        return self.under.where

    @property
    def size(self) -> int:
        return self.under.size

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        self.spans += spans
        return self.under.read(spans)

    @property
    def bytes(self) -> int:
        return sum(stop - start for start, stop in self.spans)


def table(count: int) -> pa.Table:
    numbers = range(count)
    return pa.table(
        {
            "haul": pa.array([n // 10 for n in numbers], pa.int64()),
            "fish": pa.array([n % 10 for n in numbers], pa.int64()),
            "length": pa.array([_length(n) for n in numbers], pa.float64()),
            "species": pa.array([("cod", "Herring", "sprat", None)[n * 7 % 4] for n in numbers], pa.string()),
            "day": pa.array([date(2024, 1, 1) + timedelta(days=n // 100) for n in numbers], pa.date32()),
        }
    )


def _length(number: int) -> float | None:
    return None if number % 11 == 0 else math.nan if number % 13 == 0 else number * 37 % 101 / 2


def opened(of: pa.Table, group: int = GROUP) -> tuple[Book, Counted]:
    sink = pa.BufferOutputStream()
    with tables.writer(sink, of.schema, KEY) as out:
        out.write_table(of, row_group_size=group)
    source = Counted(BytesSource(sink.getvalue().to_pybytes(), "a test's file"))
    return Book(TableFile.open(source), KEY), source


WHOLE = table(1_000)
BOOK, _ = opened(WHOLE)
ROWS: list[Row] = WHOLE.to_pylist()


def holds(condition: Condition, row: Row) -> bool:
    """What a condition means, cell by cell."""
    held, value = row[condition.column], condition.value
    match condition.operator:
        case "=":
            return same(held, value)
        case "!=":
            return not same(held, value)
        case "is null":
            return held is None
        case "is not null":
            return held is not None
        case "contains":
            return held is not None and str(value).lower() in str(held).lower()
    if held is None:
        return False
    return bool(eval(f"held {condition.operator} value", {}, {"held": held, "value": value}))  # noqa: S307 - of ours


def expected(view: View) -> list[int]:
    """The numbers of a view's rows, in its order."""
    numbers = [n for n, row in enumerate(ROWS) if all(holds(each, row) for each in view.where)]
    if not view.sort:
        return numbers
    sign = -1 if view.descending else 1

    def rank(number: int) -> tuple[int, float, int]:
        value = ROWS[number][view.sort]
        if value is None:
            return 2, 0, number
        if value != value:
            return 1, 0, number
        return 0, sign * VALUES[view.sort].index(value), number

    return sorted(numbers, key=rank)


VALUES = {
    name: sorted({value for value in WHOLE[name].to_pylist() if value is not None and value == value})
    for name in WHOLE.schema.names
}


def conditions() -> st.SearchStrategy[Condition]:
    def of(column: str) -> st.SearchStrategy[Condition]:
        values: st.SearchStrategy[Value] = st.sampled_from(VALUES[column][:: max(1, len(VALUES[column]) // 20)])
        texts = st.builds(Condition, st.just(column), st.just("contains"), st.sampled_from(["r", "COD", "zz"]))
        compared = st.builds(Condition, st.just(column), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), values)
        nulls = st.builds(Condition, st.just(column), st.sampled_from(["is null", "is not null"]))
        missing = st.builds(Condition, st.just(column), st.sampled_from(["=", "!="]), st.none())
        nan = st.builds(Condition, st.just("length"), st.sampled_from(["=", "!=", "<", ">="]), st.just(math.nan))
        return compared | nulls | missing | (texts if column == "species" else nan)

    return st.sampled_from(WHOLE.schema.names).flatmap(of)


VIEWS = st.builds(
    View,
    st.lists(conditions(), max_size=2).map(tuple),
    st.sampled_from(["", *WHOLE.schema.names]),
    st.booleans(),
)


@settings(max_examples=50)
@given(VIEWS, st.integers(100, 400))
def test_the_pages_of_a_view_are_its_rows_in_its_order(view: View, limit: int) -> None:
    found = list(pages(BOOK, view, limit))
    assert [number for page in found for number in page.numbers] == expected(view)
    assert repr([row for page in found for row in page.rows.to_pylist()]) == repr([ROWS[n] for n in expected(view)])
    assert all(len(page) == limit for page in found[:-1])


@settings(max_examples=20)
@given(VIEWS, st.integers(100, 200))
def test_pages_are_the_same_when_little_is_put_in_order_and_searched_at_once(view: View, limit: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(book, "AHEAD", 100)
        patch.setattr(book, "SEARCHED", 1)
        patch.setattr(book, "GATHERED", 5_000)
        fresh, _ = opened(WHOLE)
        found = list(pages(fresh, view, limit))
    assert [number for page in found for number in page.numbers] == expected(view)


def test_a_row_is_found_by_its_key_or_the_first_columns_of_it() -> None:
    assert BOOK.find({"haul": 41, "fish": 7}) == 417
    assert BOOK.find({"haul": 41}) == 410
    assert BOOK.find({"haul": 41, "fish": 11}) is None


def test_the_first_page_reads_one_row_group_and_the_next_pages_in_it_nothing() -> None:
    fresh, source = opened(table(20_000), 8_192)
    opened_with = source.bytes
    first = fresh.page(View())
    (group, *_) = fresh.file.footer.groups()
    assert source.bytes - opened_with == sum(stop - start for start, stop in group.spans)
    read = source.bytes
    second = fresh.page(View(), first.next)
    assert (second.numbers, source.bytes) == (range(PAGE, 2 * PAGE), read)


def test_a_row_far_away_is_found_by_the_key_columns_of_its_row_group() -> None:
    fresh, source = opened(table(20_000), 1_024)
    read = source.bytes
    assert fresh.find({"haul": 1_234, "fish": 5}) == 12_345
    assert 0 < source.bytes - read < fresh.file.footer.start / 20


def test_statistics_tell_where_nothing_matches_and_nothing_is_read() -> None:
    fresh, source = opened(WHOLE)
    read = source.bytes
    page = fresh.page(View((Condition("day", ">", date(2025, 1, 1)), Condition("species", "=", "cod"))))
    assert (len(page), page.next, page.searched) == (0, None, 1_000)
    assert source.bytes == read


def test_a_filter_reads_its_column_and_of_the_rows_found_their_pages() -> None:
    of = table(50_000)
    fresh, source = opened(of, 16_384)
    read = source.bytes
    page = fresh.page(View((Condition("fish", "=", 3), Condition("haul", "=", 4_000))))
    assert page.rows.to_pylist() == of.slice(40_003, 1).to_pylist()
    assert source.bytes - read < fresh.file.footer.start / 2


def test_a_search_that_takes_long_says_how_far_it_is_and_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "SEARCHED", 1)
    fresh, _ = opened(WHOLE)
    view = View((Condition("species", "contains", "zz"),))
    first = fresh.page(view)
    assert (len(first), first.searched) == (0, GROUP)
    assert first.next is not None
    assert sum(len(page) for page in pages(fresh, view)) == 0


def test_a_sort_that_would_read_too_much_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "SORTED", 10)
    fresh, source = opened(WHOLE)
    read = source.bytes
    with pytest.raises(UsageError, match=r"filter first, or ask in SQL \(ORDER BY length LIMIT 1000\)"):
        fresh.page(View(sort="length"))
    assert source.bytes == read


def test_a_sorted_view_leaves_out_row_groups_whose_values_all_come_later() -> None:
    fresh, source = opened(table(60_000), 1_024)
    read = source.bytes
    page = fresh.page(View(sort="day", descending=True), limit=20)
    assert page.numbers == [*range(59_900, 59_920)]  # the last day has a hundred rows
    days = sum(fresh.file.footer.arrow.row_group(n).column(4).total_compressed_size for n in range(59))
    assert source.bytes - read < days / 2


def test_the_footer_tells_the_extent_of_each_column() -> None:
    fresh, source = opened(WHOLE)
    read = source.bytes
    found = extents(fresh.file)
    assert source.bytes == read
    assert (found["haul"].least, found["haul"].greatest, found["haul"].nulls) == (0, 99, 0)
    assert (found["species"].least, found["species"].greatest, found["species"].nulls) == ("Herring", "sprat", 250)
    assert (found["length"].least, found["length"].greatest) == (0.0, 50.0)


def test_a_table_without_rows_has_one_empty_page() -> None:
    fresh, _ = opened(WHOLE.slice(0, 0))
    for view in (View(), View(equal({"haul": 1})), View(sort="haul")):
        page = fresh.page(view)
        assert (page.rows, page.next) == (WHOLE.schema.empty_table(), None)
    assert fresh.find({"haul": 1}) is None


def test_a_sample_is_of_rows_from_all_over_the_table() -> None:
    fresh, _ = opened(table(20_000), 1_024)
    found = fresh.sample(400)["haul"].to_pylist()
    assert 300 < len(found) < 500
    assert found == sorted(found)
    assert (found[0], found[-1] > 1_500) == (0, True)
    assert opened(WHOLE.slice(0, 0))[0].sample(400).num_rows == 0


def test_what_matches_is_found_as_in_a_table_at_hand() -> None:
    for where in ({"species": "cod"}, {"haul": 41, "fish": 3}, {"length": math.nan}, {"length": None}, {"haul": -1}):
        assert repr(matching(BOOK.file, KEY, where).to_pylist()) == repr(edits.matching(WHOLE, where).to_pylist())
    fresh, source = opened(WHOLE)
    read = source.bytes
    assert matching(fresh.file, KEY, {}).num_rows == 0
    assert source.bytes == read
