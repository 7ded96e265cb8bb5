"""Checks over whole tables: each rule finds its rows, with severities, true totals and readable messages."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT
from towline.contract import Contract
from towline.files import read_table
from towline.values import Row
from towline.violation import Report

NET_TOWS = Contract.parse((ROOT / "datasets" / "net_tows" / "contract.json").read_bytes())


def contract(*fields: dict[str, Any], **block: object) -> Contract:
    return Contract.parse(
        {
            "fields": [{"name": "id", "type": "integer"}, *fields],
            "primaryKey": "id",
            "towline": {"version": 1, "dataset": "things", **block},
        }
    )


def one(type: str, values: list[Any], severity: dict[str, str] | None = None, **members: object) -> Report:
    """The report on one column `x` with these values, in rows 0, 1, 2, ..."""
    severities = {"severities": {"x": severity}} if severity else {}
    rules = contract({"name": "x", "type": type, **members}, **severities)
    rows: list[Row] = [{"id": row, "x": value} for row, value in enumerate(values)]
    return rules.check(pa.Table.from_pylist([dict(row) for row in rows], schema=rules.schema))


def broken(report: Report) -> list[tuple[str, object]]:
    """Rule and row of each violation."""
    return [(violation.rule, (violation.key or {}).get("id")) for violation in report.violations]


@pytest.mark.parametrize(
    ("type", "constraints", "values", "rows"),
    [
        ("number", {"minimum": 1}, [0.5, 1, None], [0]),
        ("number", {"maximum": 1}, [0.5, 1, 1.5], [2]),
        ("number", {"exclusiveMinimum": 0}, [0.0, -0.0, 0.1], [0, 1]),
        ("number", {"exclusiveMaximum": 0}, [0.0, -0.1], [0]),
        ("integer", {"minimum": 1}, [0, 1], [0]),
        ("date", {"minimum": "2024-01-01"}, [date(2023, 12, 31), date(2024, 1, 1)], [0]),
        ("datetime", {"maximum": "2024-01-01T00:00:00"}, [datetime(2024, 1, 1), datetime(2024, 1, 1, 1)], [1]),
        ("string", {"required": True}, ["", None, "a"], [1]),
        ("string", {"minLength": 2}, ["a", "é", "ab", None], [0, 1]),
        ("string", {"pattern": "a|bc"}, ["a", "bc", "abc", "ac", "a\n", None], [2, 3, 4]),
        ("string", {"pattern": "(a+)+"}, ["a" * 5_000 + "b"], [0]),
        ("string", {"enum": ["ring", "bongo"]}, ["ring", "Ring", None], [1]),
        ("integer", {"enum": [1, 2]}, [1, 3], [1]),
        ("boolean", {"enum": [True]}, [True, False, None], [1]),
    ],
)
def test_each_constraint_finds_its_rows(
    type: str, constraints: dict[str, Any], values: list[Any], rows: list[int]
) -> None:
    (name,) = constraints
    report = one(type, values, constraints=constraints)
    assert [each for each in broken(report) if each[0] == f"constraint.{name}"] == (
        [(f"constraint.{name}", row) for row in rows]
    )
    assert all(v.column == "x" and v.severity == "error" and v.message.startswith("x ") for v in report.violations)


def test_severity_warn_is_recorded_and_does_not_block() -> None:
    report = one("number", [-1.0], {"constraint.minimum": "warn"}, constraints={"minimum": 0})
    assert report.ok
    assert (report.errors, report.warnings) == (0, 1)
    assert report.violations[0].severity == "warn"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a\x00b", "text.control"),
        ("\x1b[31m", "text.control"),
        ("\x7f", "text.control"),
        ("\x85", "text.control"),
        ("one\ntwo", "text.linebreak"),
        ("one\rtwo", "text.linebreak"),
        ("one\u2028two", "text.linebreak"),
        ("x" * 10_001, "text.length"),
    ],
)
def test_text_that_is_not_one_line_is_found(text: str, rule: str) -> None:
    assert broken(one("string", ["fine", text])) == [(rule, 1)]


@pytest.mark.parametrize("text", ["=1+1", "+1", "@x", "🐟🦐", "a\tb", "é", "x" * 10_000, "", "<b>", "'", '"'])
def test_ordinary_text_passes(text: str) -> None:
    assert one("string", [text]).violations == ()


def test_a_multiline_column_takes_line_breaks_and_no_other_control_characters() -> None:
    report = one("string", ["one\r\ntwo", "one\n\x00"], towline={"multiline": True})
    assert broken(report) == [("text.control", 1)]


def test_max_length_replaces_the_default_bound() -> None:
    assert broken(one("string", ["abc", "abcd"], constraints={"maxLength": 3})) == [("text.length", 1)]
    assert one("string", ["x" * 20_000], constraints={"maxLength": 30_000}).ok


@pytest.mark.parametrize(("nonfinite", "errors", "warnings"), [(None, 3, 0), ("warn", 0, 3), ("allow", 0, 0)])
def test_nan_and_infinity_are_what_the_contract_says(nonfinite: str | None, errors: int, warnings: int) -> None:
    block = {"towline": {"nonfinite": nonfinite}} if nonfinite else {}
    report = one("number", [math.nan, math.inf, -math.inf, 1.0, None], **block)
    assert (report.errors, report.warnings) == (errors, warnings)
    assert {violation.rule for violation in report.violations} <= {"number.finite"}


def test_nan_does_not_break_limits_as_well() -> None:
    assert broken(one("number", [math.nan], constraints={"minimum": 0, "maximum": 1})) == [("number.finite", 0)]


def check(raw: dict[str, object], rows: list[dict[str, Any]], *fields: dict[str, Any]) -> Report:
    more = [] if fields else [{"name": "a", "type": "number"}, {"name": "b", "type": "integer"}]
    rules = contract(*fields, *more, checks=[raw] if "check" in raw else raw["all"])
    table = pa.Table.from_pylist([{"id": n, **row} for n, row in enumerate(rows)], schema=rules.schema)
    return rules.check(table)


@pytest.mark.parametrize(
    ("op", "tolerance", "passing"),
    [
        ("<", 0, [False, False, True]),
        ("<=", 0, [False, True, True]),
        ("==", 0, [False, True, False]),
        ("!=", 0, [True, False, True]),
        (">=", 0, [True, True, False]),
        (">", 0, [True, False, False]),
        (">=", 1, [True, True, True]),
        ("<=", 1, [True, True, True]),
        ("==", 1, [True, True, True]),
        ("!=", 1, [False, False, False]),
        (">", 1, [False, False, False]),
        (">", 0.5, [True, False, False]),
    ],
)
def test_compare_holds_two_columns_against_each_other(op: str, tolerance: float, passing: list[bool]) -> None:
    raw = {"name": "c", "check": "compare", "left": "a", "op": op, "right": "b"}
    raw |= {"tolerance": tolerance} if tolerance else {}
    report = check(raw, [{"a": 3.0, "b": 2}, {"a": 2.0, "b": 2}, {"a": 1.0, "b": 2}, {"a": None, "b": 2}])
    assert broken(report) == [("check.c", row) for row, passes in enumerate(passing) if not passes]


def test_a_checks_own_message_is_given_with_the_values() -> None:
    raw = {"check": "compare", "left": "a", "op": ">=", "right": "b", "message": "upside down"}
    (violation,) = check(raw, [{"a": 1.0, "b": 2}]).violations
    assert violation.rule == "check.compare_a_b"
    assert violation.message == "upside down (a is 1.0, b is 2)"
    assert (violation.column, violation.value, violation.key) == ("a", 1.0, {"id": 0})


def test_range_speaks_of_what_is_unusual_beside_what_is_impossible() -> None:
    raw = {"check": "range", "column": "a", "exclusiveMinimum": 0, "maximum": 10, "severity": "warn"}
    report = check(raw, [{"a": 0.0}, {"a": 5.0}, {"a": 11.0}, {"a": None}])
    assert broken(report) == [("check.range_a", 0), ("check.range_a", 2)]
    assert report.ok
    assert report.violations[0].message == "a is 0.0; expected at most 10 and more than 0"


TEXTS = [
    {"check": "datetime_text", "column": "gmt", "format": "%Y-%m-%d %H:%M:%S"},
    {"check": "datetime_text", "column": "local", "format": "%d.%m.%Y %H:%M"},
    {"name": "zone", "check": "offset", "left": "gmt", "right": "local", "unit": "hours", "minimum": -14,
     "maximum": 12, "multiple": 0.25},
]  # fmt: skip


@pytest.mark.parametrize(
    ("gmt", "local", "rules"),
    [
        ("2024-05-04 18:03:00", "04.05.2024 11:03", []),
        ("2024-05-04 18:03:00", "04.05.2024 12:33", []),
        ("2024-05-04 18:03:00", "04.05.2024 11:04", ["check.zone"]),
        ("2024-05-04 18:03:00", "03.05.2024 11:03", ["check.zone"]),
        ("2024-05-04 00:00:00", "04.05.2024 14:00", []),
        ("2024-05-04 00:00:00", "04.05.2024 14:15", ["check.zone"]),
        ("2023-02-29 00:00:00", "28.02.2023 00:00", ["check.datetime_text_gmt"]),
        ("2024-05-04 24:00:00", None, ["check.datetime_text_gmt"]),
        ("2024-5-4 1:2:3", None, ["check.datetime_text_gmt"]),
        ("2024-05-04 18:03:00 ", None, ["check.datetime_text_gmt"]),
        ("", None, ["check.datetime_text_gmt"]),
        (None, "04.05.2024 11:03", []),
    ],
)
def test_offset_compares_times_written_as_text(gmt: str | None, local: str | None, rules: list[str]) -> None:
    fields = ({"name": "gmt", "type": "string"}, {"name": "local", "type": "string"})
    report = check({"all": TEXTS}, [{"gmt": gmt, "local": local}], *fields)
    assert [violation.rule for violation in report.violations] == rules


def test_offset_compares_a_utc_column_with_a_local_one() -> None:
    raw = {"name": "z", "check": "offset", "left": "u", "right": "t", "unit": "days", "minimum": 0, "maximum": 1}
    fields = ({"name": "u", "type": "datetime", "towline": {"timezone": "UTC"}}, {"name": "t", "type": "datetime"})
    rules = contract(*fields, checks=[raw])
    hour = 3_600_000_000
    table = pa.Table.from_arrays(
        [
            pa.array([0, 1, 2]),
            pa.array([24 * hour, 25 * hour, -1], pa.timestamp("us", "UTC")),
            pa.array([0, 0, 0], pa.timestamp("us")),
        ],
        schema=rules.schema,
    )
    assert broken(rules.check(table)) == [("check.z", 1), ("check.z", 2)]


def test_duplicate_keys_are_named_with_their_number() -> None:
    rules = Contract.parse(
        {
            "fields": [{"name": "depth", "type": "number"}, {"name": "net", "type": "string"}],
            "primaryKey": ["net", "depth"],
            "towline": {"version": 1, "dataset": "things"},
        }
    )
    table = pa.table({"depth": [0.0, -0.0, 1.0, 0.0], "net": ["a", "a", "a", "b"]}, schema=rules.schema)
    (violation,) = rules.check_unique(table).violations
    assert violation.rule == "key.duplicate"
    assert violation.key == {"net": "a", "depth": 0.0}
    assert "net='a', depth=0.0 occurs 2 times" in violation.message


def test_values_that_must_be_unique_are_found_in_the_whole_table() -> None:
    rules = contract({"name": "x", "type": "string", "constraints": {"unique": True}})
    table = pa.table({"id": [1, 2, 3, 4, 5], "x": ["a", "b", "a", None, None]}, schema=rules.schema)
    (violation,) = rules.check_unique(table).violations
    assert (violation.rule, violation.value, violation.key) == ("constraint.unique", "a", {"id": 1})
    assert rules.check(table).ok, "uniqueness is no matter of single rows"


def test_a_cut_report_shows_errors_first_and_hides_no_rule() -> None:
    rules = contract(
        {"name": "x", "type": "number", "constraints": {"minimum": 0}},
        {"name": "y", "type": "number", "constraints": {"minimum": 0}},
        severities={"x": {"constraint.minimum": "warn"}},
        checks=[{"name": "few", "check": "range", "column": "id", "maximum": 998}],
    )
    table = pa.table({"id": range(1_000), "x": [-1.0] * 1_000, "y": [-1.0] * 1_000}, schema=rules.schema)
    report = rules.check(table, limit=10)
    assert (report.errors, report.warnings, len(report.violations), report.cut) == (1_001, 1_000, 10, True)
    assert [violation.severity for violation in report.violations] == ["error"] * 10
    assert "check.few" in {violation.rule for violation in report.violations}


def test_a_report_is_json_whatever_the_values_are() -> None:
    report = one("string", ["x" * 20_000, "\x00", "🐟\n"])
    raw = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert raw["errors"] == 3
    assert raw["violations"][0]["value"] == "x" * 200 + "…"
    assert one("number", [math.nan]).to_json()["violations"][0]["value"] == {"$float": "nan"}  # type: ignore[index]


def test_reports_join_with_their_totals() -> None:
    report = Report.join(one("number", [math.nan]), one("number", [-1.0], constraints={"minimum": 0}), Report())
    assert (report.errors, len(report.violations), report.cut, report.ok) == (2, 2, False, False)


def test_a_key_column_that_is_empty_is_found_also_here() -> None:
    rules = contract()
    assert [v.rule for v in rules.check(pa.table({"id": pa.array([None], pa.int64())})).violations] == ["key.null"]


@given(st.lists(st.none() | st.floats(-100, 100), max_size=30), st.floats(-50, 0), st.floats(0, 50))
def test_limits_agree_with_plain_python(values: list[float | None], low: float, high: float) -> None:
    report = one("number", values, constraints={"minimum": low, "maximum": high})
    assert report.errors == sum(value is not None and not low <= value <= high for value in values)


def test_the_real_table_passes_with_warnings_only(real_table: Any) -> None:
    table, notes = read_table(real_table.read_bytes(), "master.csv", NET_TOWS)
    conformed, report = NET_TOWS.conform(table)
    assert (notes, report.ok) == ([], True)
    assert conformed is not None
    assert conformed.num_rows == 125
    checked = Report.join(NET_TOWS.check(conformed), NET_TOWS.check_unique(conformed))
    assert checked.errors == 0
    assert {v.rule for v in checked.violations} == {"check.volume_usual"}, "the one net that filtered nothing"


@pytest.mark.parametrize(
    ("column", "value", "rule", "severity"),
    [
        ("lat_decimal", 91.0, "constraint.maximum", "error"),
        ("long_decimal", -180.5, "constraint.minimum", "error"),
        ("tow", 0, "constraint.minimum", "error"),
        ("net", -1, "constraint.minimum", "error"),
        ("volume_filtered", -0.1, "constraint.minimum", "error"),
        ("min_depth", -250.0, "constraint.minimum", "error"),
        ("max_depth", 11_001.0, "constraint.maximum", "error"),
        ("time_start_gmt", "yesterday", "check.gmt_readable", "error"),
        ("time_start_local", "2024-02-30 00:00:00", "check.local_readable", "error"),
        ("net_size", 0.0, "constraint.exclusiveMinimum", "error"),
        ("min_depth", -6.0, "check.surface_offset", "warn"),
        ("max_depth", -1.0, "check.depths_ordered", "warn"),
        ("volume_filtered", 0.0, "check.volume_usual", "warn"),
        ("volume_filtered", 1e6, "check.volume_usual", "warn"),
        ("time_start_local", "2024-05-04 11:04:00", "check.gmt_local", "warn"),
        ("net", 21, "check.net_usual", "warn"),
        ("vessel", None, "constraint.required", "warn"),
    ],
)
def test_the_first_datasets_rules_tell_the_impossible_from_the_unusual(
    column: str, value: Any, rule: str, severity: str
) -> None:
    row = {
        "vessel": "Meridian", "cruise": "MD2601", "tow": 1, "net": 0, "lat_decimal": 21.5, "long_decimal": -157.5,
        "min_depth": -0.7, "max_depth": 300.0, "volume_filtered": 500.0, "time_start_gmt": "2024-05-04 18:03:00",
        "time_start_local": "2024-05-04 11:03:00", "is_day": True, "net_size": None,
    }  # fmt: skip
    assert NET_TOWS.check(pa.Table.from_pylist([row], schema=NET_TOWS.schema)).violations == ()
    report = NET_TOWS.check(pa.Table.from_pylist([{**row, column: value}], schema=NET_TOWS.schema))
    assert (rule, severity) in {(violation.rule, violation.severity) for violation in report.violations}
    assert report.ok == (severity == "warn")
