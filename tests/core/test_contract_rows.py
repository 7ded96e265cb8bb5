"""Rows and values as JSON: read strictly, and back again without a loss."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towline.contract import Contract
from towline.values import Value, decode, encode, same

CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "id", "type": "integer"},
            {"name": "text", "type": "string", "constraints": {"maxLength": 20}},
            {"name": "notes", "type": "string", "towline": {"multiline": True}},
            {"name": "depth", "type": "number"},
            {"name": "odd", "type": "number", "towline": {"nonfinite": "warn"}},
            {"name": "ok", "type": "boolean"},
            {"name": "day", "type": "date"},
            {"name": "local", "type": "datetime"},
            {"name": "utc", "type": "datetime", "towline": {"timezone": "UTC"}},
        ],
        "primaryKey": "id",
        "towline": {"version": 1, "dataset": "things"},
    }
)
EMPTY: dict[str, Any] = {"id": 1} | dict.fromkeys(CONTRACT.names[1:])


def rules(column: str, raw: object) -> list[str]:
    """The rules that a row breaks with this value in one column."""
    return [violation.rule for violation in CONTRACT.decode_row({**EMPTY, column: raw}, "changes[0].new")[1]]


@pytest.mark.parametrize(
    ("column", "raw", "value"),
    [
        ("id", 4.0, 4),
        ("id", -(2**63), -(2**63)),
        ("depth", 4, 4.0),
        ("depth", 2**60, 2.0**60),
        ("odd", {"$float": "inf"}, math.inf),
        ("text", "=1+1", "=1+1"),
        ("text", "🐟", "🐟"),
        ("text", "", ""),
        ("text", "a\tb", "a\tb"),
        ("notes", "one\r\ntwo", "one\r\ntwo"),
        ("ok", False, False),
        ("day", "2024-02-29", date(2024, 2, 29)),
        ("local", "2024-05-04T18:03:09.25", datetime(2024, 5, 4, 18, 3, 9, 250_000)),
        ("local", "2024-05-04 18:03:09", datetime(2024, 5, 4, 18, 3, 9)),
        ("utc", "2024-05-04T18:03:09+07:00", datetime(2024, 5, 4, 11, 3, 9, tzinfo=UTC)),
        ("utc", None, None),
    ],
)
def test_values_of_the_right_type_are_read(column: str, raw: object, value: Value) -> None:
    row, violations = CONTRACT.decode_row({**EMPTY, column: raw}, "changes[0].new")
    assert violations == []
    assert row is not None
    assert same(row[column], value)
    assert type(row[column]) is type(value)
    assert tuple(row) == CONTRACT.names


@pytest.mark.parametrize(
    ("column", "raw", "rule"),
    [
        ("id", "4", "type.integer"),
        ("id", True, "type.integer"),
        ("id", 4.5, "type.integer"),
        ("id", 2**63, "type.integer"),
        ("id", 10**400, "type.integer"),
        ("id", 1e300, "type.integer"),
        ("id", [4], "type.integer"),
        ("depth", "4", "type.number"),
        ("depth", False, "type.number"),
        ("depth", 2**53 + 1, "type.number"),
        ("depth", 10**400, "type.number"),
        ("depth", {"$float": "NaN"}, "type.number"),
        ("depth", {"$float": "nan", "more": 1}, "type.number"),
        ("depth", {"$float": "nan"}, "number.finite"),
        ("depth", math.nan, "number.finite"),
        ("text", 4, "type.string"),
        ("text", {}, "type.string"),
        ("text", "a\x00", "text.control"),
        ("text", "a\nb", "text.linebreak"),
        ("text", "\ud83d", "text.unicode"),
        ("text", "x" * 21, "text.length"),
        ("notes", "x" * 10_001, "text.length"),
        ("ok", 1, "type.boolean"),
        ("ok", "true", "type.boolean"),
        ("day", "2024-02-30", "type.date"),
        ("day", "2024-2-3", "type.date"),
        ("day", "20240203", "type.date"),
        ("day", "\u0662\u0660\u0662\u0664-\u0660\u0661-\u0660\u0661", "type.date"),
        ("day", "2024-02-03T00:00:00", "type.date"),
        ("local", "2024-05-04", "type.datetime"),
        ("local", "2024-05-04T24:00:00", "type.datetime"),
        ("local", "2024-05-04T18:03:09Z", "type.datetime"),
        ("utc", "2024-05-04T18:03:09", "type.datetime"),
        ("utc", "0001-01-01T00:00:00+14:00", "type.datetime"),
    ],
)
def test_values_of_the_wrong_type_are_violations(column: str, raw: object, rule: str) -> None:
    assert rules(column, raw) == [rule]


@pytest.mark.parametrize("raw", [None, 4, "row", [EMPTY], True])
def test_a_row_is_an_object(raw: object) -> None:
    row, (violation,) = CONTRACT.decode_row(raw, "changes[3].new")
    assert row is None
    assert violation.rule == "row.type"
    assert violation.message.startswith("changes[3].new: ")


def test_columns_that_are_missing_or_unknown_are_named_with_the_row() -> None:
    raw = {name: value for name, value in EMPTY.items() if name != "depth"} | {"Depth": 1}
    row, violations = CONTRACT.decode_row(raw, "changes[3].new")
    assert row is None
    assert [(v.rule, v.column, v.key) for v in violations] == [
        ("column.unknown", "Depth", {"id": 1}),
        ("column.missing", "depth", {"id": 1}),
    ]


def test_a_row_that_can_be_read_is_returned_with_what_is_wrong_with_its_text() -> None:
    row, violations = CONTRACT.decode_row({**EMPTY, "text": "a\nb"}, "old")
    assert row is not None
    assert row["text"] == "a\nb"
    assert [violation.rule for violation in violations] == ["text.linebreak"]
    assert CONTRACT.decode_row({**EMPTY, "text": "\ud83d"}, "old")[0] is None


def test_what_is_only_a_warning_is_left_to_check() -> None:
    assert rules("odd", {"$float": "nan"}) == []


def test_violations_of_hostile_rows_are_json() -> None:
    raw = {**EMPTY, "text": "\ud83d" * 5_000, "\udc00" * 999: 1, "depth": [[[]]]}
    _, violations = CONTRACT.decode_row(raw, "")
    body = json.dumps([violation.to_json() for violation in violations], ensure_ascii=False).encode()
    assert len(body) < 6_000


def test_keys_are_read_alone() -> None:
    assert CONTRACT.decode_key({"id": 4}, "changes[0].key") == ((4,), [])
    for raw, rule in [({"id": None}, "key.null"), ({"id": "4"}, "type.integer"), ({}, "column.missing")]:
        key, (violation,) = CONTRACT.decode_key(raw, "changes[0].key")
        assert (key, violation.rule) == (None, rule)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (math.nan, math.nan, True),
        (math.nan, None, False),
        (None, None, True),
        (None, "", False),
        (0.0, -0.0, True),
        (0.1 + 0.2, 0.3, False),
        (True, True, True),
        (True, 1, False),
        (0, False, False),
        (1, 1.0, True),
        ("1", 1, False),
        (date(2024, 1, 1), datetime(2024, 1, 1), False),
        (datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), False),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), True),
    ],
)
def test_sameness_of_cells(a: Value, b: Value, expected: bool) -> None:
    assert same(a, b) is expected
    assert same(b, a) is expected


CELLS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(),
    "integer": st.integers(-(2**63), 2**63 - 1),
    # Hypothesis draws NaN rarely by itself.
    "number": st.floats() | st.sampled_from([math.nan, math.inf, -0.0]),
    "boolean": st.booleans(),
    "date": st.dates(),
    "datetime": st.datetimes() | st.datetimes(timezones=st.just(UTC)),
}


@given(st.sampled_from(sorted(CELLS)).flatmap(lambda type: st.tuples(st.just(type), st.none() | CELLS[type])))
def test_every_cell_survives_json(cell: tuple[str, Value]) -> None:
    type, value = cell
    back = decode(json.loads(json.dumps(encode(value), allow_nan=False)), type)
    assert same(back, value)
    assert isinstance(back, bool) == isinstance(value, bool)


@given(
    st.fixed_dictionaries(
        {
            "id": CELLS["integer"],
            "text": st.none()
            | st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20),
            "notes": st.none() | st.text(alphabet="ab\r\n\t ="),
            "depth": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "odd": st.none() | CELLS["number"],
            "ok": st.none() | st.booleans(),
            "day": st.none() | st.dates(),
            "local": st.none() | st.datetimes(),
            "utc": st.none() | st.datetimes(timezones=st.just(UTC)),
        }
    )
)
def test_a_row_that_is_read_is_one_that_the_table_takes(values: dict[str, Value]) -> None:
    raw = json.loads(json.dumps({name: encode(value) for name, value in values.items()}))
    row, violations = CONTRACT.decode_row(raw, "")
    assert violations == []
    assert row is not None
    assert all(same(row[name], value) for name, value in values.items())
    table = pa.Table.from_pylist([dict(row)], schema=CONTRACT.schema)
    conformed, report = CONTRACT.conform(table)
    assert report.violations == ()
    assert conformed is not None
    (back,) = conformed.to_pylist()
    assert all(same(back[name], value) for name, value in values.items())
    assert CONTRACT.check(table).ok


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: (
    st.lists(inner) | st.dictionaries(st.sampled_from([*CONTRACT.names, "$float", "x"]), inner)
)))  # fmt: skip
def test_no_json_makes_decoding_raise(raw: object) -> None:
    row, violations = CONTRACT.decode_row(raw, "here")
    assert row is not None or violations
    for name in CONTRACT.names:
        CONTRACT.decode_row({**EMPTY, name: raw}, "here")
