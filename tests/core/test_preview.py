"""The preview says what an edit does: its counts are the diff's, its profiles those that pandas finds, and it survives
its journey as JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given

from tests.core.tables import KEY, TYPES, tables_
from towline import keys, policy, preview
from towline import table as tables
from towline.contract import Contract
from towline.diff import diff
from towline.errors import Corrupt
from towline.preview import CellChange, Preview
from towline.profile import Profile
from towline.rows import InMemory
from towline.values import same
from towline.violation import Report, Violation

CONTRACT = Contract.parse(
    {
        "fields": [{"name": name, "type": type} for name, type in TYPES.items()],
        "primaryKey": list(KEY),
        "towline": {"version": 1, "dataset": "nets"},
    }
)
QUERY = {"scanned_bytes": 19_004, "cost_usd": 0.00005, "engine_ms": 812, "query_id": "q-1"}


def document(base: pa.Table, result: pa.Table, contract: Contract = CONTRACT, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"report": Report(), "reasons": (), "query": QUERY, **more}
    run = keys.Run("nets", "01RUN")
    change = diff(base, result, contract.key)
    sides = (InMemory(each, contract.key) for each in (base, result))
    return preview.build(
        *sides, change, contract, run=run, statement="DELETE FROM master", commit="C7", number=7, **said
    )


def read(raw: dict[str, Any]) -> Preview:
    return preview.from_json(json.dumps(raw, allow_nan=False))


def nets(**columns: list[Any]) -> pa.Table:
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return tables.from_rows(({**dict.fromkeys(TYPES), "net": "0", **row} for row in rows), CONTRACT.schema)


@given(tables_, tables_)
def test_the_counts_are_those_of_the_diff(base: pa.Table, result: pa.Table) -> None:
    found, shown = diff(base, result, KEY), read(document(base, result))
    counts = [found.count(kind) for kind in ("insert", "update", "delete")]
    assert [shown.rows.inserted, shown.rows.updated, shown.rows.deleted] == counts
    assert (shown.rows.before, shown.rows.after) == (base.num_rows, result.num_rows)
    assert shown.cells_changed == found.cells
    assert shown.effect == policy.effect(found)
    by_column = Counter(cell.column for change in found.changes for cell in change.cells())
    assert {column.column: column.changed for column in shown.columns} == {name: by_column[name] for name in TYPES}
    every = base.num_rows + shown.rows.inserted
    assert all(column.share == (column.changed / every if every else 0) for column in shown.columns)


@given(tables_, tables_)
def test_the_changed_cells_and_rows_are_those_of_the_diff(base: pa.Table, result: pa.Table) -> None:
    found, shown = diff(base, result, KEY), read(document(base, result))
    cells = [(c.row, cell) for c in found.changes if c.kind == "update" for cell in c.cells()]
    for (row, cell), listed in zip(cells, shown.cells, strict=True):
        assert (dict(listed.key), listed.column) == ({name: row[name] for name in KEY}, cell.column)
        assert same(listed.old, cell.old)
        assert same(listed.new, cell.new)
    for kind, rows in (("insert", shown.inserted), ("delete", shown.deleted)):
        assert repr([c.row for c in found.changes if c.kind == kind]) == repr([dict(row) for row in rows])


@given(tables_, tables_)
def test_the_profiles_are_those_that_pandas_finds(base: pa.Table, result: pa.Table) -> None:
    shown = read(document(base, result))
    for column in shown.columns:
        for profile, table in ((column.before, base), (column.after, result)):
            values = table[column.column].to_pylist()
            there = [value for value in values if value is not None and value == value]
            assert profile.nulls == sum(value is None for value in values)
            assert (profile.min, profile.max) == ((min(there), max(there)) if there else (None, None))
            if column.type in ("integer", "number") and there:
                assert profile.mean == pytest.approx(pd.Series(there, dtype="float64").mean(), nan_ok=True)
            else:
                assert profile.mean is None


@given(tables_, tables_)
def test_a_preview_survives_its_journey_as_json(base: pa.Table, result: pa.Table) -> None:
    raw = document(base, result)
    assert read(raw).to_json() == raw


def test_nan_is_left_out_of_the_profile_and_infinity_is_not() -> None:
    base = nets(tow=[1, 2, 3, 4], volume=[1.0, math.nan, None, 3.0])
    result = nets(tow=[1, 2, 3, 4], volume=[1.0, math.nan, None, math.inf])
    raw = document(base, result)
    (volume,) = [column for column in raw["columns"] if column["column"] == "volume"]
    assert volume["before"] == {"nulls": 1, "min": 1.0, "max": 3.0, "mean": 2.0}
    assert volume["after"] == {"nulls": 1, "min": 1.0, "max": {"$float": "inf"}, "mean": {"$float": "inf"}}
    assert (volume["changed"], volume["share"]) == (1, 0.25)


def test_the_mean_of_whole_numbers_does_not_overflow() -> None:
    most = 2**63 - 1
    table = nets(tow=[1, 2], count=[most, most])
    (count,) = [column for column in read(document(table, table)).columns if column.column == "count"]
    assert count.after == Profile(0, most, most, float(most))


def test_dates_texts_and_flags_have_ends_and_no_mean() -> None:
    table = nets(tow=[1, 2], day=[date(2024, 2, 29), None], vessel=["b", "a"], is_day=[True, False])
    profiles = {column.column: column.after for column in read(document(table, table)).columns}
    assert profiles["day"] == Profile(1, date(2024, 2, 29), date(2024, 2, 29), None)
    assert profiles["vessel"] == Profile(0, "a", "b", None)
    assert profiles["is_day"] == Profile(0, False, True, None)
    assert profiles["at"] == Profile(2, None, None, None)


def test_moments_of_a_column_in_utc_come_back_in_utc() -> None:
    at = {"name": "at", "type": "datetime", "towline": {"timezone": "UTC"}}
    fields = [{"name": "tow", "type": "integer"}, at]
    contract = Contract.parse({"fields": fields, "primaryKey": "tow", "towline": {"version": 1, "dataset": "nets"}})
    moment = datetime(2024, 5, 4, 18, 3, tzinfo=UTC)
    table = tables.from_rows([{"tow": 1, "at": moment}], contract.schema)
    assert read(document(table, table, contract)).columns[1].after.max == moment


def test_lists_are_cut_and_the_counts_are_not() -> None:
    base = nets(tow=list(range(600)), count=[0] * 600)
    result = nets(tow=list(range(150, 750)), count=[1] * 600)
    breach = Violation("constraint.maximum", "error", {"tow": 1, "net": "0"}, "count", 1, "1 is more than 0")
    shown = read(document(base, result, report=Report((breach,) * 120, 600, 4)))
    assert {len(part) for part in (shown.cells, shown.inserted, shown.deleted, shown.violations)} == {100}
    assert (shown.rows.inserted, shown.rows.deleted, shown.rows.updated) == (150, 150, 450)
    assert (shown.errors, shown.warnings) == (600, 4)
    assert shown.cells[0] == CellChange({"tow": 150, "net": "0"}, "count", 0, 1)
    assert shown.violations[0] == breach.to_json()


def test_what_the_caller_knows_is_in_it() -> None:
    table = nets(tow=[1])
    shown = read(document(table, table, reasons=("every proposal is reviewed",)))
    assert (shown.dataset, shown.run, shown.base, shown.number) == ("nets", "01RUN", "C7", 7)
    assert shown.review == ("every proposal is reviewed",)
    assert (shown.scanned_bytes, shown.cost_usd, shown.engine_ms, shown.query_id) == (19_004, 0.00005, 812, "q-1")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ({1: 0, 2: 0}, {1: 0, 2: 0}, "Changes nothing."),
        ({1: 0, 2: 0}, {1: 5, 2: 0}, "Updates 1 row, of 2."),
        ({1: 0, 2: 0}, {1: 5}, "Updates 1 row and deletes 1 row: 2 rows become 1."),
        ({1: 0, 2: 0}, {1: 5, 3: 0, 4: 0}, "Updates 1 row, inserts 2 rows and deletes 1 row: 2 rows become 3."),
        ({1: 0}, {}, "Deletes 1 row: 1 row becomes 0."),
    ],
)
def test_it_says_in_a_sentence_what_it_does(before: dict[int, int], after: dict[int, int], sentence: str) -> None:
    base, result = (nets(tow=list(side), count=list(side.values())) for side in (before, after))
    assert read(document(base, result)).sentence == sentence


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda raw: raw.pop(name)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda raw: raw.update(format="towline.preview/v9"), "reads towline.preview/v1"),
        (_without("effect"), "lacks 'effect'"),
        (lambda raw: raw.update(number=True), "number is True, which is not a whole number of 0 or more"),
        (lambda raw: raw.update(cost_usd=-1), "cost_usd is -1, which is not a number of 0 or more"),
        (lambda raw: raw.update(run=7), "run is 7, which is not text"),
        (lambda raw: raw.update(cells={}), "cells is {}, which is not a list"),
        (lambda raw: raw["rows"].pop("deleted"), "rows is .* which lacks 'deleted'"),
        (lambda raw: raw["columns"][0].update(type="money"), r"columns\[0\].type is 'money', which is no type"),
        (lambda raw: raw["cells"][0].update(new="5"), r"cells\[0\].new: '5' is not a whole number"),
        (lambda raw: raw["cells"][0].update(column="depth"), "which is not among the columns"),
        (lambda raw: raw["cells"][0]["key"].update(depth=1), "names 'depth', which is not among the columns"),
        (lambda raw: raw["violations"].append("bad"), r"violations\[0\] is 'bad', which is not an object"),
    ],
)
def test_what_is_no_preview_is_not_taken_for_one(break_it: Callable[[dict[str, Any]], object], message: str) -> None:
    raw = document(nets(tow=[1], count=[1]), nets(tow=[1], count=[2]))
    break_it(raw)
    with pytest.raises(Corrupt, match=message):
        preview.from_json(json.dumps(raw))


def test_what_is_no_json_is_no_preview() -> None:
    with pytest.raises(Corrupt, match="not valid JSON"):
        preview.from_json("{")


def test_previews_are_equal_when_all_they_say_is() -> None:
    shown = read(document(nets(tow=[1], count=[1]), nets(tow=[1], count=[2])))
    assert shown == read(shown.to_json())
    assert shown != replace(shown, effect="another")
