"""The diff of two tables is what turns one into the other."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given

from tests.core.tables import KEY, SCHEMA, TYPES, same_tables, tables_
from towline import changefile
from towline import table as tables
from towline.diff import Diff, diff
from towline.errors import UsageError


@given(tables_, tables_)
def test_applying_the_diff_gives_the_other_table(old: pa.Table, new: pa.Table) -> None:
    changes = diff(old, new, KEY).changes
    assert same_tables(tables.apply(old, KEY, changes), new)


@given(tables_, tables_)
def test_the_inverse_leads_back(old: pa.Table, new: pa.Table) -> None:
    back = ~diff(old, new, KEY)
    assert same_tables(tables.apply(new, KEY, back.changes), old)


@given(tables_)
def test_a_table_does_not_differ_from_itself(table: pa.Table) -> None:
    assert not diff(table, table, KEY)


@given(tables_, tables_, tables_)
def test_two_diffs_add_up(a: pa.Table, b: pa.Table, c: pa.Table) -> None:
    both = diff(a, b, KEY) + diff(b, c, KEY)
    assert same_tables(tables.apply(a, KEY, both.changes), c)


@given(tables_, tables_)
def test_the_changes_file_holds_the_diff_exactly(old: pa.Table, new: pa.Table) -> None:
    change = diff(old, new, KEY)
    whose = {"commit": "C", "number": 2, "proposal": "P", "user": "ana"}
    body = changefile.to_parquet(change, timestamp=datetime(2026, 3, 1, tzinfo=UTC), **whose)
    before = tables.rows_by_key(old, KEY, (c.key(KEY) for c in change.changes))
    again = changefile.from_parquet(body, KEY, TYPES, before)
    assert same_tables(tables.apply(old, KEY, again.changes), new)


@given(tables_)
def test_the_canonical_file_holds_the_table_exactly(table: pa.Table) -> None:
    body = tables.to_parquet(table, KEY, commit="01M7YJPF2ZRYPD2DHP5W6NCYT7", number=3)
    again = tables.from_parquet(body, "here")
    assert again.schema == table.schema
    assert repr(again.to_pylist()) == repr(table.to_pylist())  # repr tells -0.0 from 0.0, and NaN is itself
    assert tables.commit_of(body) == "01M7YJPF2ZRYPD2DHP5W6NCYT7"


def test_equal_tables_of_two_commits_have_different_bytes() -> None:
    table = SCHEMA.empty_table()
    files = {tables.to_parquet(table, KEY, commit=commit, number=1) for commit in ("A", "B")}
    assert len(files) == 2


def test_tables_with_other_columns_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="different columns"):
        diff(SCHEMA.empty_table(), SCHEMA.empty_table().drop_columns(["day"]), KEY)


def test_counts_and_json_follow_the_changes() -> None:
    old = pa.table({"tow": [1, 2], "volume": [1.0, None]})
    new = pa.table({"tow": [1, 3], "volume": [5.0, 7.0]})
    found = diff(old, new, ("tow",))
    assert [found.count(kind) for kind in ("insert", "update", "delete")] == [1, 1, 1]
    assert found.cells == 4  # 1.0 -> 5.0, the two cells of row 3, and the key of row 2
    assert found.to_json() == {
        "inserted": [{"tow": 3, "volume": 7.0}],
        "deleted": [{"tow": 2, "volume": None}],
        "updated": [{"key": {"tow": 1}, "cells": [{"column": "volume", "old": 1.0, "new": 5.0}]}],
    }
    assert Diff(("tow",)).to_json() == {"inserted": [], "deleted": [], "updated": []}


def test_a_key_of_minus_zero_is_the_key_of_zero() -> None:
    old = tables.sort(pa.table({"depth": [0.0, 1.0], "n": [1, 2]}), ("depth",))
    new = tables.sort(pa.table({"depth": [-0.0, 1.0], "n": [5, 2]}), ("depth",))
    (change,) = diff(old, new, ("depth",)).changes
    assert change.kind == "update"
    assert tables.find(old, ("depth",), [(-0.0,)]) == {(0.0,): 0}
