"""Edits as people write them: how COLUMN=VALUE is read, which rows match, and what becomes of them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towline import edits
from towline.contract import Contract
from towline.edits import Written
from towline.errors import BadProposal, NotFound, UsageError

CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "tow", "type": "integer"},
            {"name": "net", "type": "integer"},
            {"name": "vessel", "type": "string"},
            {"name": "volume", "type": "number"},
            {"name": "is_day", "type": "boolean"},
            {"name": "day", "type": "date"},
            {"name": "at", "type": "datetime"},
            {"name": "sent", "type": "datetime", "towline": {"timezone": "UTC"}},
            {"name": "old_day", "type": "date", "format": "%d.%m.%Y"},
        ],
        "primaryKey": ["tow", "net"],
        "towline": {"version": 1, "dataset": "tows", "units": {"volume": "m^3"}},
    }
)
NAMES = CONTRACT.names


def table(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist([{**dict.fromkeys(NAMES), **row} for row in rows], schema=CONTRACT.schema)


ROWS = table(
    {"tow": 1, "net": 0, "vessel": "", "volume": math.nan},
    {"tow": 1, "net": 1, "vessel": "Meridian", "volume": 0.0, "is_day": True},
    {"tow": 2, "net": 0, "vessel": None, "volume": None, "day": date(2026, 1, 4)},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tow=4", {"tow": Written("4")}),
        ("tow=4,net=1", {"tow": Written("4"), "net": Written("1")}),
        (" tow = 4 , net = 1 ", {"tow": Written("4"), "net": Written("1")}),
        ('vessel="a, b",net=1', {"vessel": Written("a, b", True), "net": Written("1")}),
        ('vessel=""', {"vessel": Written("", True)}),
        ('vessel=" "', {"vessel": Written(" ", True)}),
        ('vessel="say ""x"""', {"vessel": Written('say "x"', True)}),
        ('vessel=5" net', {"vessel": Written('5" net')}),
        ("vessel=Sally Ride", {"vessel": Written("Sally Ride")}),
        ("vessel=a=b", {"vessel": Written("a=b")}),
        ("vessel==1+1", {"vessel": Written("=1+1")}),
        ('"odd, name"=1', {"odd, name": Written("1")}),
        ("volume=-1.5e3", {"volume": Written("-1.5e3")}),
    ],
)
def test_pairs_are_read_as_they_are_written(text: str, expected: dict[str, Written]) -> None:
    assert edits.parse([text]) == expected


@pytest.mark.parametrize(
    "text", ["", "tow", "tow=", "=4", "tow=4,", "tow=4,,net=1", "volume=12,5", 'vessel="a', 'vessel="a"b']
)
def test_what_is_not_a_pair_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(UsageError, match="--set: "):
        edits.parse([text], "--set")


def test_a_column_is_named_once_over_all_options() -> None:
    assert list(edits.parse(["tow=4", "net=1"])) == ["tow", "net"]
    with pytest.raises(UsageError, match="tow twice"):
        edits.parse(["tow=4", "tow=5"])


@given(st.dictionaries(st.sampled_from(NAMES), st.text(), min_size=1))
def test_quoted_text_comes_through_whatever_it_is(values: dict[str, str]) -> None:
    spelled = ",".join(f'{name}="{text.replace(chr(34), chr(34) * 2)}"' for name, text in values.items())
    assert edits.parse([spelled]) == {name: Written(text, True) for name, text in values.items()}


@pytest.mark.parametrize(
    ("column", "written", "expected"),
    [
        ("tow", Written("4"), 4),
        ("tow", Written("4.0"), 4),
        ("tow", Written("9223372036854775807"), 2**63 - 1),
        ("volume", Written("4"), 4.0),
        ("volume", Written("nan"), math.nan),
        ("volume", Written("12.5", True), 12.5),
        ("is_day", Written("True"), True),
        ("is_day", Written("false"), False),
        ("day", Written("2026-02-28"), date(2026, 2, 28)),
        ("old_day", Written("28.02.2026"), date(2026, 2, 28)),
        ("at", Written("2026-02-28 12:00:00.25"), datetime(2026, 2, 28, 12, 0, 0, 250_000)),
        ("sent", Written("2026-02-28T12:00:00+02:00"), datetime(2026, 2, 28, 10, tzinfo=UTC)),
        ("vessel", Written("null"), None),
        ("vessel", Written("null", True), "null"),
        ("vessel", Written("", True), ""),
        ("vessel", Written("NULL"), "NULL"),
        ("volume", Written("null"), None),
    ],
)
def test_values_have_the_type_of_their_column(column: str, written: Written, expected: object) -> None:
    (value,) = edits.read(CONTRACT, {column: written}).values()
    assert type(value) is type(expected)
    assert value == expected or (value != value and expected != expected)


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ("tow", "1.5", "type.integer"),
        ("tow", "9223372036854775808", "type.integer"),
        ("tow", "", "type.integer"),
        ("volume", "12,5", "type.number"),
        ("volume", "1e999", "type.number"),
        ("is_day", "yes", "type.boolean"),
        ("day", "2026-02-30", "type.date"),
        ("old_day", "2026-02-28", "type.date"),
        ("at", "2026-02-28T12:00:00Z", "type.datetime"),
        ("sent", "2026-02-28T12:00:00", "type.datetime"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_column_value_and_type(column: str, text: str, rule: str) -> None:
    with pytest.raises(BadProposal) as refused:
        edits.read(CONTRACT, {column: Written(text, True)})
    assert refused.value.rule == rule
    assert all(word in str(refused.value) for word in (column, repr(text), rule.removeprefix("type.")))


def test_python_values_are_taken_by_their_type_not_by_their_looks() -> None:
    row = {"tow": 4, "volume": 4, "is_day": True, "at": datetime(2026, 1, 1), "vessel": None}
    assert edits.convert(CONTRACT, row) == {**row, "volume": 4.0}
    for column, value in {"tow": "4", "volume": True, "is_day": 1, "vessel": 4, "day": "4 May"}.items():
        with pytest.raises(BadProposal, match=column):
            edits.convert(CONTRACT, {column: value})


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="tow, net, vessel"):
        edits.read(CONTRACT, {"depth": Written("1")})


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ({"tow": 1}, [(1, 0), (1, 1)]),
        ({"tow": 1, "net": 1}, [(1, 1)]),
        ({"volume": None}, [(2, 0)]),
        ({"volume": math.nan}, [(1, 0)]),
        ({"volume": -0.0}, [(1, 1)]),
        ({"vessel": ""}, [(1, 0)]),
        ({"vessel": None}, [(2, 0)]),
        ({"is_day": None}, [(1, 0), (2, 0)]),
        ({"day": date(2026, 1, 4)}, [(2, 0)]),
    ],
)
def test_rows_match_by_value_null_and_nan_being_values_of_their_own(
    where: dict[str, object], keys: list[tuple[int, int]]
) -> None:
    found = edits.rows(CONTRACT, ROWS, where)  # type: ignore[arg-type]
    assert [(row["tow"], row["net"]) for row in found] == keys


def test_no_match_and_no_condition_are_told_apart() -> None:
    with pytest.raises(NotFound, match="tow=9, vessel=null"):
        edits.rows(CONTRACT, ROWS, {"tow": 9, "vessel": None})
    with pytest.raises(UsageError, match="tow=…, net=…"):
        edits.rows(CONTRACT, ROWS, {})


def test_an_update_keeps_the_other_cells_and_leaves_out_rows_that_stay_as_they_are() -> None:
    (change,) = edits.updates(CONTRACT, ROWS.to_pylist(), {"vessel": "Meridian", "volume": 0.0})[:1]
    assert [cell.column for cell in change.cells()] == ["vessel", "volume"]
    assert len(edits.updates(CONTRACT, ROWS.to_pylist(), {"vessel": "Meridian"})) == 2


def test_nothing_to_change_and_a_changed_key_are_refused() -> None:
    with pytest.raises(BadProposal, match="nothing to change"):
        edits.updates(CONTRACT, ROWS.to_pylist()[:1], {"volume": math.nan})
    with pytest.raises(BadProposal, match="net is part of the key"):
        edits.updates(CONTRACT, ROWS.to_pylist(), {"volume": 1.0, "net": 5})


def test_an_insert_has_all_columns_in_order() -> None:
    (change,) = edits.insert(CONTRACT, {"net": 1, "tow": 9})
    assert change.old is None
    assert tuple(change.row) == NAMES
    with pytest.raises(BadProposal, match="net is missing"):
        edits.insert(CONTRACT, {"tow": 9, "net": None})


def test_a_json_row_is_decoded_strictly() -> None:
    row = edits.json_row(CONTRACT, '{"tow": 9, "net": 1, "volume": 2, "sent": "2026-01-01T00:00:00Z"}')
    assert (row["volume"], row["sent"], row["vessel"]) == (2.0, datetime(2026, 1, 1, tzinfo=UTC), None)
    with pytest.raises(BadProposal, match="tow"):
        edits.json_row(CONTRACT, '{"tow": "9", "net": 1}')
    with pytest.raises(UsageError, match="twice"):
        edits.json_row(CONTRACT, '{"tow": 9, "tow": 8}')
    with pytest.raises(UsageError, match="not valid JSON"):
        edits.json_row(CONTRACT, "[" * 100_000)
