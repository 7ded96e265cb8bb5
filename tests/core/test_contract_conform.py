"""Bringing tables to a contract: what loses nothing is done, everything else is a violation with its row."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towline.contract import Contract
from towline.violation import Violation

CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "id", "type": "integer"},
            {"name": "text", "type": "string"},
            {"name": "count", "type": "integer"},
            {"name": "depth", "type": "number"},
            {"name": "ok", "type": "boolean"},
            {"name": "day", "type": "date"},
            {"name": "local", "type": "datetime"},
            {"name": "utc", "type": "datetime", "towline": {"timezone": "UTC"}},
        ],
        "primaryKey": "id",
        "towline": {"version": 1, "dataset": "things"},
    }
)


def with_column(name: str, column: pa.Array) -> pa.Table:
    """A table that fits the contract, but for one column."""
    rows = len(column)
    table = pa.Table.from_pylist([{"id": row} for row in range(rows)], schema=CONTRACT.schema)
    return table.set_column(table.column_names.index(name), name, column)


def violations(table: pa.Table) -> list[Violation]:
    conformed, report = CONTRACT.conform(table)
    assert conformed is None
    assert report.errors >= len(report.violations) > 0
    return list(report.violations)


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("count", pa.array([1, None], pa.int32()), [1, None]),
        ("count", pa.array([1, 2], pa.uint64()), [1, 2]),
        ("count", pa.array([4.0, None]), [4, None]),
        ("count", pa.array([4.0], pa.float16()), [4]),
        ("count", pa.array([Decimal("4.00")]), [4]),
        ("count", pa.nulls(2), [None, None]),
        ("depth", pa.array([0.1], pa.float32()), [pa.scalar(0.1, pa.float32()).as_py()]),
        ("depth", pa.array([1.5], pa.float16()), [1.5]),
        ("depth", pa.array([4, None]), [4.0, None]),
        ("depth", pa.array([Decimal("0.10")]), [0.1]),
        ("text", pa.array(["a", None], pa.large_string()), ["a", None]),
        ("text", pa.array(["a"], pa.string_view()), ["a"]),
        ("text", pa.array(["a", "a", None]).dictionary_encode(), ["a", "a", None]),
        ("count", pa.RunEndEncodedArray.from_arrays([2, 3], [7, 8]), [7, 7, 8]),
        ("ok", pa.array([True, None]), [True, None]),
        ("day", pa.array([date(2024, 5, 4)], pa.date64()), [date(2024, 5, 4)]),
        ("day", pa.array([datetime(2024, 5, 4)], pa.timestamp("ns")), [date(2024, 5, 4)]),
        ("local", pa.array([datetime(2024, 5, 4, 1)], pa.timestamp("s")), [datetime(2024, 5, 4, 1)]),
        ("utc", pa.array([0], pa.timestamp("ns", "Asia/Tokyo")), [datetime(1970, 1, 1, tzinfo=UTC)]),
    ],
)
def test_what_loses_nothing_is_cast(name: str, column: pa.Array, expected: list[object]) -> None:
    conformed, report = CONTRACT.conform(with_column(name, column))
    assert report.violations == ()
    assert conformed is not None
    assert conformed.schema.equals(CONTRACT.schema)
    assert conformed.column(name).to_pylist() == expected


@pytest.mark.parametrize(
    ("name", "column", "rows"),
    [
        ("count", pa.array([4.0, 4.5, float("nan"), float("inf")]), [1, 2, 3]),
        ("count", pa.array([2.0**53, 2.0**53 + 2]), [1]),
        ("count", pa.array([1, 2**63], pa.uint64()), [1]),
        ("count", pa.array([Decimal("4.5")]), [0]),
        ("count", pa.array(["4", None]), [0]),
        ("count", pa.array([True]), [0]),
        ("depth", pa.array([1, 2**53 + 1]), [1]),
        ("depth", pa.array([Decimal("12345678901234567.89")]), [0]),
        ("depth", pa.array(["1.5"]), [0]),
        ("depth", pa.array([True]), [0]),
        ("text", pa.array([None, 1]), [1]),
        ("text", pa.array([b"a"]), [0]),
        ("text", pa.array([["a"]]), [0]),
        ("ok", pa.array([1, 0]), [0, 1]),
        ("ok", pa.array(["true"]), [0]),
        ("day", pa.array([datetime(2024, 5, 4, 1)], pa.timestamp("us")), [0]),
        ("day", pa.array([0], pa.timestamp("us", "UTC")), [0]),
        ("day", pa.array([2**31 - 1], pa.date32()), [0]),
        ("local", pa.array([1_000, 1_001], pa.timestamp("ns")), [1]),
        ("local", pa.array([0], pa.timestamp("us", "UTC")), [0]),
        ("local", pa.array([10**18], pa.timestamp("us")), [0]),
        ("local", pa.array([date(2024, 5, 4)]), [0]),
        ("utc", pa.array([0], pa.timestamp("us")), [0]),
    ],
)
def test_what_would_lose_something_is_a_violation_at_its_row(name: str, column: pa.Array, rows: list[int]) -> None:
    found = violations(with_column(name, column))
    assert [violation.key for violation in found] == [{"id": row} for row in rows]
    assert {(violation.rule, violation.column, violation.severity) for violation in found} == (
        {(f"type.{CONTRACT.field(name).type}", name, "error")}
    )


def test_columns_come_back_in_the_contracts_order() -> None:
    table = with_column("count", pa.array([1, 2]))
    conformed, report = CONTRACT.conform(table.select(list(reversed(table.column_names))))
    assert report.ok
    assert conformed is not None
    assert tuple(conformed.column_names) == CONTRACT.names


def test_columns_that_are_missing_unknown_or_double_are_named() -> None:
    table = with_column("count", pa.array([1])).drop_columns(["text"])
    table = table.append_column("Text", pa.array(["a"])).append_column("ok", pa.array([True]))
    found = {violation.rule: violation for violation in violations(table)}
    assert found["column.missing"].column == "text"
    assert found["column.unknown"].column == "Text"
    assert "did you mean text?" in found["column.unknown"].message
    assert found["column.duplicate"].column == "ok"


def test_an_empty_key_is_a_violation() -> None:
    (violation,) = violations(with_column("id", pa.array([1, None])))
    assert (violation.rule, violation.column) == ("key.null", "id")


def test_text_that_is_not_utf8_is_a_violation_and_no_crash() -> None:
    raw = pa.array([b"fine", b"\xff\xfe", None])
    text = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    (violation,) = violations(with_column("text", text))
    assert (violation.rule, violation.key) == ("text.unicode", {"id": 1})


def test_a_report_that_is_cut_gives_the_true_total() -> None:
    conformed, report = CONTRACT.conform(with_column("count", pa.array(["x"] * 1_000)), limit=7)
    assert conformed is None
    assert (len(report.violations), report.errors, report.cut) == (7, 1_000, True)


def test_a_table_without_rows_or_columns_is_no_special_case() -> None:
    empty = CONTRACT.schema.empty_table()
    conformed, report = CONTRACT.conform(empty)
    assert report.ok
    assert conformed == empty
    assert CONTRACT.check(empty).ok
    assert CONTRACT.check_unique(empty).ok
    assert len(violations(pa.table({}))) == len(CONTRACT.names)


_COLUMNS: list[Any] = [
    st.integers(-(2**63), 2**64 - 1),
    st.floats() | st.sampled_from([float("nan"), float("inf"), 4.0]),
    st.text(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.binary(),
    st.lists(st.integers(0, 9)),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 9)),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-10, max_value=10),
    st.timedeltas(),
    st.times(),
]


@given(st.data(), st.sampled_from(CONTRACT.names))
def test_no_data_makes_it_raise_and_what_it_returns_has_the_schema(data: st.DataObject, name: str) -> None:
    values = data.draw(st.lists(st.none() | data.draw(st.sampled_from(_COLUMNS)), max_size=5))
    try:
        column = pa.array(values)
    except (pa.ArrowException, OverflowError):
        return  # Arrow has no column of these values, so no table has
    conformed, report = CONTRACT.conform(with_column(name, column))
    assert (conformed is None) == (not report.ok)
    assert conformed is None or conformed.schema.equals(CONTRACT.schema)
    for violation in report.violations:
        violation.to_json()
