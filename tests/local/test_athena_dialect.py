"""The local Athena answers as Athena does, or refuses. The queries, and what is expected, are in athena_cases.py."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from tests.local.athena_cases import ANSWERS, ERRORS, NAN, REFUSED, ROWS, SCHEMA, Rows, column
from towline.local.athena.calls import KNOWN
from towline.local.athena.dialect import AthenaError, parse, raised, translate
from towline.local.athena.refusals import FUNCTIONS, SYNTAX


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute(ROWS)
        yield connection


def run(database: duckdb.DuckDBPyConnection, query: str) -> Rows:
    sql = translate(query, SCHEMA, "towline")
    try:
        return database.execute(sql).fetchall()
    except duckdb.Error as error:
        raise raised(error) from error


def kinds(rows: Rows) -> Rows:
    """Values with their types, so that 1 is not TRUE nor 1.0, and NaN is itself."""
    return [tuple((type(value), "NaN" if value != value else value) for value in row) for row in rows]


@pytest.mark.parametrize(("query", "expected"), ANSWERS, ids=[query[:70] for query, _ in ANSWERS])
def test_a_query_has_athenas_answer(database: duckdb.DuckDBPyConnection, query: str, expected: Rows) -> None:
    assert kinds(run(database, query)) == kinds(expected)


@pytest.mark.parametrize(("query", "error"), ERRORS, ids=[query[:70] for query, _ in ERRORS])
def test_a_query_fails_with_athenas_error(database: duckdb.DuckDBPyConnection, query: str, error: str) -> None:
    with pytest.raises(AthenaError) as refused:
        run(database, query)
    assert str(refused.value).startswith(error)


@pytest.mark.parametrize(("key", "query"), REFUSED, ids=[query[:70] for _, query in REFUSED])
def test_what_would_differ_is_refused_by_name(database: duckdb.DuckDBPyConnection, key: str, query: str) -> None:
    with pytest.raises(AthenaError) as refused:
        run(database, query)
    assert refused.value.name == "NOT_SUPPORTED"
    assert f"({key}" in refused.value.message


def test_every_refusal_has_its_query() -> None:
    assert {key for key, _ in REFUSED} == set(SYNTAX)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_that_are_not_here_are_refused_as_such(name: str) -> None:
    called = name.replace("*", "x")
    with pytest.raises(AthenaError, match=rf"NOT_SUPPORTED: line 1:8: .* the function {called}: "):
        translate(f"SELECT {called}(1)", {})


def test_a_function_is_either_here_or_refused() -> None:
    assert not KNOWN & set(FUNCTIONS)


def test_the_page_lists_what_is_refused_and_nothing_else() -> None:
    """docs/local-athena.md against the code, both ways."""
    page = (Path(__file__).parents[2] / "docs" / "local-athena.md").read_text()
    table = page.split("## What is refused")[1].split("\n## ")[0]
    syntax, functions = table.split("### Functions")
    assert set(re.findall(r"^\| `?(.+?)`? \|", syntax, re.MULTILINE)) - {"", "What", "---"} == set(SYNTAX)
    assert all(f"| {why} |" in syntax for why in SYNTAX.values())
    assert set(re.findall(r"`([^`]+)`", functions)) == set(FUNCTIONS)


def test_the_page_lists_the_functions_that_are_here() -> None:
    page = (Path(__file__).parents[2] / "docs" / "local-athena.md").read_text()
    listed = page.split("## What runs")[1].split("\n## ")[0]
    assert set(re.findall(r"`([a-z_0-9]+)`", listed)) == set(KNOWN)


# Properties: what Trino's words say, worked out in Python.


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31) + 1, 2**31 - 1).filter(bool))
def test_division_and_remainder_are_truncated(database: duckdb.DuckDBPyConnection, left: int, right: int) -> None:
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    rows = run(database, f"SELECT x / y, x % y FROM (VALUES (BIGINT '{left}', BIGINT '{right}')) AS t(x, y)")
    assert rows == [(quotient, left - quotient * right)]


@given(st.lists(st.none() | st.floats(width=64), min_size=1, max_size=8), st.booleans())
def test_nulls_come_last_and_nan_before_them(
    database: duckdb.DuckDBPyConnection, values: list[float | None], descending: bool
) -> None:
    rows = ", ".join("(CAST(NULL AS double))" if value is None else f"(DOUBLE '{value!r}')" for value in values)
    rows = rows.replace("inf", "Infinity").replace("nan", "NaN")
    found = run(database, f"SELECT x FROM (VALUES {rows}) AS t(x) ORDER BY x {'DESC' if descending else 'ASC'}")
    numbers = sorted((value for value in values if value is not None and value == value), reverse=descending)
    nans = [NAN] * sum(value != value for value in values)
    ordered = [*nans, *numbers] if descending else [*numbers, *nans]
    assert kinds(found) == kinds(column(*ordered, *[None] * values.count(None)))


@given(st.decimals(-999, 999, places=2), st.decimals(-99, 99, places=1).filter(bool))
def test_a_quotient_of_decimals_is_rounded_half_away_from_zero(
    database: duckdb.DuckDBPyConnection, left: Decimal, right: Decimal
) -> None:
    exact = Fraction(left) / Fraction(right) * 100
    rounded = math.floor(abs(exact) + Fraction(1, 2)) * (1 if exact > 0 else -1)
    rows = run(
        database,
        f"SELECT CAST(x AS decimal(5,2)) / CAST(y AS decimal(3,1)) FROM (VALUES ('{left}', '{right}')) t(x, y)",
    )
    assert rows == [(Decimal(rounded).scaleb(-2),)]


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_months_that_have_gone_by(database: duckdb.DuckDBPyConnection, first: date, last: date) -> None:
    """A month is over on the same day of the next, or on its last day if it has no such day."""
    early, late = sorted((first, last))
    months = (late.year - early.year) * 12 + late.month - early.month
    end_of_month = (late + timedelta(days=1)).day == 1
    months -= late.day < early.day and not end_of_month
    sign = 1 if first <= last else -1
    assert run(database, f"SELECT date_diff('month', DATE '{first}', DATE '{last}')")[0][0] * sign == months


@given(st.text(alphabet="aß é", max_size=6), st.integers(-8, 8), st.integers(-2, 8))
def test_parts_of_a_text(database: duckdb.DuckDBPyConnection, text: str, start: int, length: int) -> None:
    begin = start - 1 if start > 0 else len(text) + start
    expected = "" if start == 0 or begin < 0 or length <= 0 else text[begin : begin + length]
    values = f"(VALUES ('{text}', {start}, {length})) AS t(x, s, n)"
    assert run(database, f"SELECT substr(x, s, n), substr(x, {start}, {length}) FROM {values}") == [
        (expected, expected)
    ]


# The interface.


def test_a_tree_that_sqlglot_read_is_translated_as_well() -> None:
    tree = sqlglot.parse_one("SELECT tow / 2 AS half FROM towline.tows", dialect="athena")
    assert translate(tree, SCHEMA) == translate("SELECT tow / 2 AS half FROM towline.tows", SCHEMA)


def test_the_select_of_a_table_that_is_made_can_be_translated() -> None:
    created = parse(
        "CREATE TABLE towline.x WITH (format = 'PARQUET') AS SELECT vessel, 7 / 2 AS half FROM towline.tows"
    )
    assert isinstance(created, exp.Create)
    assert translate(created.expression, SCHEMA) == translate("SELECT vessel, 7 / 2 AS half FROM towline.tows", SCHEMA)


def test_columns_have_the_names_that_athena_shows(database: duckdb.DuckDBPyConnection) -> None:
    query = 'SELECT Vessel, tow + 1, count(*) AS Total, 1 AS "a b" FROM tows GROUP BY vessel, tow'
    found = database.execute(translate(query, SCHEMA, "towline"))
    assert [name for name, *_ in found.description or []] == ["Vessel", "_col1", "Total", "a b"]


def test_columns_have_the_types_that_athena_has(database: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT 7 / 2 AS a, sum(tow) AS b, count(*) AS c, 1.5 AS d, avg(tow) AS e, now() AS f FROM tows"
    described = database.execute(f"DESCRIBE {translate(query, SCHEMA, 'towline')}").fetchall()
    types = ["INTEGER", "BIGINT", "BIGINT", "DECIMAL(2,1)", "DOUBLE", "TIMESTAMP WITH TIME ZONE"]
    assert [row[1] for row in described] == types


def test_a_column_of_a_type_that_athena_lacks_is_refused() -> None:
    with pytest.raises(AthenaError, match="NOT_SUPPORTED: no type of Athena's for UUID"):
        translate("SELECT 1", {"towline.odd": {"id": "UUID"}})


def test_long_conditions_are_read_without_recursion(database: duckdb.DuckDBPyConnection) -> None:
    chain = " OR ".join(f"tow = {number}" for number in range(400))
    assert run(database, f"SELECT count(*) FROM tows WHERE {chain}") == [(4,)]


def test_a_million_rows_stay_in_vectors() -> None:
    """A window, a CASE and an integer division over a million rows; row by row it would take a minute."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "CREATE SCHEMA towline; CREATE TABLE towline.tows AS "
            "SELECT (i % 100)::VARCHAR AS vessel, i AS tow, i * 1.1::DOUBLE AS depth FROM range(1000000) t(i)"
        )
        query = """WITH w AS (SELECT tow, depth, lag(depth) OVER (PARTITION BY vessel ORDER BY tow) AS before FROM tows)
            SELECT sum(CASE WHEN before > depth THEN before ELSE depth END), sum(tow / 3) FROM w"""
        began = time.monotonic()
        connection.execute(translate(query, SCHEMA, "towline")).fetchall()
        assert time.monotonic() - began < 10
