"""What compiled edits do to a table: the same as DuckDB's own DML, nulls and all."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.sql_engine import HAULS, SHIPS, after, compiled, contract, natively, rows
from towline import sqledit
from towline.contract import Contract
from towline.errors import BadProposal
from towline.rows import InMemory

SCHEMA = HAULS.schema
DAY = date(2024, 5, 4)
TABLE = pa.Table.from_pylist(
    [
        {"tow": 1, "net": 0, "volume": 10.0, "ship": "Sally", "is_day": True, "day": DAY},
        {"tow": 1, "net": 1, "volume": None, "ship": "Sally", "is_day": False, "day": None},
        {"tow": 1, "net": 2, "volume": 30.5, "ship": None, "is_day": None, "day": DAY},
        {"tow": 2, "net": 0, "volume": -1.0, "ship": "O'Hara", "is_day": None, "day": date(2023, 1, 1)},
        {"tow": 2, "net": 1, "volume": 2.5, "ship": "", "is_day": True, "day": DAY},
    ],
    SCHEMA,
)
FACTORS = pa.Table.from_pylist(
    [{"ship": "Sally", "factor": 2.0}, {"ship": "O'Hara", "factor": None}, {"ship": "Nobody", "factor": 9.0}],
    SHIPS.schema,
)

STATEMENTS = [
    "UPDATE master SET volume = volume * 1.02",
    "UPDATE master SET volume = volume * 1.02 WHERE ship = 'Sally'",
    "UPDATE master SET volume = NULL WHERE volume < 0",
    "UPDATE master SET volume = 1, ship = 'x', is_day = NULL WHERE tow = 1",
    "UPDATE master SET volume = tow, tow = tow + 10",  # old values on the right, and a key that changes
    "UPDATE master SET volume = 0 WHERE volume <> 10",  # unknown is not true
    "UPDATE master SET volume = 0 WHERE NOT (volume > 5)",
    "UPDATE master SET volume = 0 WHERE volume NOT IN (10.0, NULL)",
    "UPDATE master SET volume = 0 WHERE is_day OR volume IS NULL",
    "UPDATE master SET volume = 0 WHERE is_day OR tow = 2 AND net = 1",
    "UPDATE master SET volume = 0 WHERE FALSE",
    "UPDATE master SET is_day = tow = 1, volume = 2",
    "UPDATE master SET is_day = tow = 1 AND volume > 2 OR ship IS NULL",
    "UPDATE master SET ship = 'a;b -- c /* d */' WHERE net = 0",
    "UPDATE master SET ship = ship || '''s' WHERE ship LIKE 'O''%'",
    "UPDATE master SET ship = upper(ship), volume = CASE WHEN is_day THEN 1 ELSE volume END",
    "UPDATE master SET day = DATE '2020-02-29' WHERE day = DATE '2024-05-04'",
    "UPDATE master SET volume = (SELECT max(m.volume) FROM master m)",
    "UPDATE master SET volume = (SELECT max(m.volume) FROM master m WHERE m.tow = master.tow) WHERE volume IS NULL",
    "UPDATE master SET volume = 0 WHERE tow IN (SELECT tow FROM master WHERE volume < 0)",
    "UPDATE master SET volume = 0 WHERE EXISTS (SELECT 1 FROM ships s WHERE s.ship = master.ship)",
    "UPDATE master SET volume = volume * s.factor FROM ships s WHERE s.ship = master.ship",
    "UPDATE master SET volume = volume * factor FROM ships WHERE ships.ship = master.ship AND factor IS NOT NULL",
    "UPDATE master SET volume = s.v FROM (SELECT tow, net, LAG(volume) OVER (PARTITION BY tow ORDER BY net) AS v"
    " FROM master) AS s WHERE s.tow = master.tow AND s.net = master.net",
    "UPDATE master AS m SET volume = v.b FROM (VALUES (1, 7.0), (9, 8.0)) AS v(a, b) WHERE v.a = m.tow",
    "WITH s AS (SELECT ship AS name, factor FROM ships) UPDATE master SET volume = factor FROM s WHERE name = ship",
    'UPDATE "master" SET "volume" = "master"."tow" WHERE "ship" IS NOT NULL',
    "DELETE FROM master WHERE tow = 1 AND net = 0",
    "DELETE FROM master WHERE volume > 5",
    "DELETE FROM master WHERE NOT (volume > 5)",
    "DELETE FROM master WHERE ship IS NULL OR ship = ''",
    "DELETE FROM master WHERE ship NOT IN (SELECT ship FROM ships)",
    "DELETE FROM master WHERE volume = (SELECT max(m.volume) FROM master m WHERE m.tow = master.tow)",
    "DELETE FROM master WHERE NULL",
    "INSERT INTO master VALUES (3, 0, 1.5, 'x', TRUE, DATE '2024-01-01')",
    "INSERT INTO master (net, tow) VALUES (0, 3), (1, 3)",
    "INSERT INTO master (tow, net, volume) VALUES (3, 0, NULL)",
    "INSERT INTO master SELECT tow + 10, net, volume, ship, is_day, day FROM master WHERE tow = 1",
    "INSERT INTO master (tow, net, ship) WITH s AS (SELECT ship FROM ships WHERE factor > 2) SELECT 9, 9, ship FROM s",
    "INSERT INTO master (tow, net, volume) SELECT tow + 5, max(net), sum(volume) FROM master GROUP BY tow",
    "MERGE INTO master AS m USING (VALUES (1, 0, 5.0), (7, 7, 6.0)) AS s(tow, net, v) ON m.tow = s.tow AND m.net ="
    " s.net WHEN MATCHED THEN UPDATE SET volume = s.v WHEN NOT MATCHED THEN INSERT (tow, net, volume) VALUES (s.tow,"
    " s.net, s.v)",
    "MERGE INTO master m USING ships s ON m.ship = s.ship WHEN MATCHED AND m.net = 1 THEN DELETE WHEN MATCHED AND"
    " s.factor IS NOT NULL THEN UPDATE SET volume = m.volume * s.factor, ship = upper(m.ship)",
    "MERGE INTO master m USING ships s ON m.ship = s.ship WHEN MATCHED THEN DELETE",
    "MERGE INTO master m USING ships s ON m.ship = s.ship WHEN NOT MATCHED AND s.factor > 100 THEN INSERT (tow, net)"
    " VALUES (1, 1) WHEN NOT MATCHED THEN INSERT (tow, net, ship, volume) VALUES (8, 8, s.ship, s.factor)",
    "MERGE INTO master m USING ships s ON m.ship = s.ship WHEN NOT MATCHED THEN INSERT VALUES (8, 8, 1.0, s.ship,"
    " NULL, NULL)",
    "MERGE INTO master m USING (SELECT tow, net, volume FROM master WHERE net > 0) s ON m.tow = s.tow AND m.net ="
    " s.net - 1 WHEN MATCHED AND s.volume IS NULL THEN UPDATE SET volume = 0 WHEN MATCHED THEN UPDATE SET volume ="
    " s.volume",
]


@pytest.mark.parametrize("sql", STATEMENTS)
def test_an_edit_does_what_the_engine_itself_does(sql: str) -> None:
    expected = natively(sql, TABLE, others={"ships": FACTORS})
    assert rows(after(sql, TABLE, others={"ships": FACTORS})) == rows(expected)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM master WHERE tow = 1",
        "SELECT day, is_day, ship, volume * 2 AS volume, net, tow FROM master",
        "SELECT tow, net, volume, 'x' AS ship, is_day, day FROM master UNION ALL SELECT * FROM master WHERE FALSE",
        "WITH s AS (SELECT tow, net, LAG(volume) OVER w AS v FROM master WINDOW w AS (PARTITION BY tow ORDER BY net))"
        " SELECT m.tow, m.net, COALESCE(s.v, m.volume) AS volume, ship, is_day, day FROM hauls m LEFT JOIN s ON m.tow ="
        " s.tow AND m.net = s.net",
        "SELECT tow, net, sum(volume) AS volume, NULL AS ship, NULL AS is_day, NULL AS day FROM master GROUP BY 1, 2",
        "SELECT * FROM master ORDER BY volume DESC LIMIT 3",
        "(SELECT * FROM master)",
        "(SELECT * FROM master ORDER BY tow, net) LIMIT 2",
        "(SELECT * FROM master ORDER BY tow, net LIMIT 2) UNION ALL (SELECT * FROM master ORDER BY tow, net OFFSET 4)",
    ],
)
def test_a_select_is_the_new_table(sql: str) -> None:
    with duckdb.connect() as engine:
        engine.register("master", TABLE)
        engine.register("hauls", TABLE)
        order = ", ".join(HAULS.names)
        expected = engine.sql(f"SELECT {order} FROM ({sql})").to_arrow_table()
    result = after(sql, TABLE)
    assert sorted(map(str, rows(result))) == sorted(map(str, rows(expected)))
    assert result.schema.names == list(HAULS.names)


def test_a_column_without_a_type_of_its_own_gets_that_of_the_contract() -> None:
    result = after("SELECT tow, net, NULL AS volume, NULL AS ship, NULL AS is_day, NULL AS day FROM master", TABLE)
    assert [field.type for field in result.schema] == [field.type for field in SCHEMA]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE master SET net = net + 0.5",
        "SELECT tow, net + 0.5 AS net, volume, ship, is_day, day FROM master",
        "INSERT INTO master (tow, net) VALUES (3, 0.5)",
    ],
)
def test_a_value_that_does_not_fit_its_column_is_never_rounded(sql: str) -> None:
    net = after(sql, TABLE).schema.field("net").type
    assert not pa.types.is_integer(net)  # the check compares it with the contract, value by value


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE master SET volume = s.factor FROM (SELECT ship, factor FROM ships UNION ALL SELECT 'Sally', 3.0) AS s"
        " WHERE s.ship = master.ship",
        "UPDATE master SET tow = v.b FROM (VALUES (1, 7), (1, 8)) AS v(a, b) WHERE v.a = master.tow",
        "MERGE INTO master m USING (VALUES (2, 7), (2, 8)) AS v(a, b) ON v.a = m.tow WHEN MATCHED THEN DELETE",
        "MERGE INTO master m USING (VALUES (2, 7), (2, 8)) AS v(a, b) ON v.a = m.tow WHEN MATCHED AND b = 7 THEN DELETE"
        " WHEN MATCHED THEN UPDATE SET volume = b",
    ],
)
def test_a_row_that_several_rows_of_the_source_match_fails_the_query(sql: str) -> None:
    with pytest.raises(duckdb.Error, match="several rows of the source match one row of the table"):
        after(sql, TABLE, others={"ships": FACTORS})


def test_of_several_matches_the_one_that_says_something_counts() -> None:
    sql = (
        "MERGE INTO master m USING (VALUES (2, 0, 7), (2, 0, 8)) AS v(tow, net, b) ON v.tow = m.tow AND v.net = m.net"
        " WHEN MATCHED AND b = 8 THEN UPDATE SET volume = b"
    )
    expected = [{**row, "volume": 8.0} if (row["tow"], row["net"]) == (2, 0) else row for row in rows(TABLE)]
    assert rows(after(sql, TABLE)) == expected


def test_names_that_need_quotes_and_upper_case_are_the_contracts() -> None:
    odd = contract("odd", {"Tow No": "integer", "select": "number", "say hi": "string"}, ["Tow No"])
    table = pa.Table.from_pylist([{"Tow No": 1, "select": 1.0, "say hi": "x"}], odd.schema)
    sql = 'UPDATE odd SET "SELECT" = "tow no" + 1, "say hi" = \'y\' WHERE "TOW NO" = 1'
    assert rows(after(sql, table, odd)) == [{"Tow No": 1, "select": 2.0, "say hi": "y"}]
    quoted = contract("odd", {"tow": "integer", 'say "hi"': "string"}, ["tow"])
    assert '"say ""hi"""' in compiled('UPDATE odd SET "say ""hi""" = NULL', quoted).select


def test_the_same_statement_compiles_to_the_same_text() -> None:
    for sql in STATEMENTS:
        assert compiled(sql) == compiled(sql)


def test_verbs_and_tables_that_are_read() -> None:
    found = compiled("MERGE INTO hauls USING ships ON hauls.ship = ships.ship WHEN MATCHED THEN DELETE")
    assert (found.verb, found.reads) == ("merge", {"ships"})
    assert compiled("SELECT * FROM master").reads == set()
    assert compiled(
        "DELETE FROM towline.master WHERE tow IN (SELECT number FROM awsdatacatalog.towline.audit)"
    ).reads == {"audit"}
    assert [
        compiled(sql).verb for sql in (STATEMENTS[0], "DELETE FROM master WHERE tow = 1", "SELECT * FROM master")
    ] == [
        "update",
        "delete",
        "select",
    ]


def test_an_update_reads_as_one_would_write_it() -> None:
    assert compiled("UPDATE master SET volume = volume * 2 WHERE ship = 'Sally' -- twice").select == (
        """SELECT
  "master"."tow",
  "master"."net",
  CASE WHEN "master"."towline_edit" THEN "volume" * 2 ELSE "master"."volume" END AS "volume",
  "master"."ship",
  "master"."is_day",
  "master"."day"
FROM (
  SELECT
    "master".*,
    "ship" = 'Sally' AS "towline_edit"
  FROM "towline"."run_1_base" AS "master"
) AS "master\""""
    )


CELLS = {
    "volume": st.one_of(st.none(), st.sampled_from([-1.0, 0.0, 1.0, 2.5])),
    "ship": st.one_of(st.none(), st.sampled_from(["", "a", "A", "b'"])),
    "is_day": st.one_of(st.none(), st.booleans()),
    "day": st.one_of(st.none(), st.sampled_from([DAY, date(2020, 2, 29)])),
}
KEYS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=8, unique=True)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    found = [{"tow": tow, "net": net, **draw(st.fixed_dictionaries(CELLS))} for tow, net in draw(KEYS)]
    return pa.Table.from_pylist(found, SCHEMA)


NUMBERS = st.recursive(
    st.sampled_from(["volume", "tow", "net", "CAST(NULL AS double)", "1", "2.5", "-1"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner)
        | st.builds("COALESCE({}, {})".format, inner, inner)
        | st.builds(
            "(SELECT max(x.volume) FROM master x WHERE x.tow = {})".format, st.sampled_from(["master.net", "1"])
        )
    ),
    max_leaves=4,
)
CONDITIONS = st.recursive(
    st.builds("({} {} {})".format, NUMBERS, st.sampled_from(["=", "<>", "<", ">="]), NUMBERS)
    | st.sampled_from(
        ["is_day", "ship = 'a'", "ship IS NULL", "ship LIKE 'a%'", "ship IN ('a', NULL)", "CAST(NULL AS boolean)"]
    )
    | st.sampled_from(["day > DATE '2021-01-01'", "tow IN (SELECT net FROM master)", "ship NOT IN ('a', '')"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner)
        | st.builds("(NOT {})".format, inner)
    ),
    max_leaves=4,
)
TEXTS = st.sampled_from(
    ["ship", "NULL", "'x'", "ship || 'y'", "upper(ship)", "CASE WHEN is_day THEN 'd' ELSE ship END"]
)


@st.composite
def statements(draw: st.DrawFn) -> str:
    condition = draw(CONDITIONS)
    if draw(st.booleans()):
        return f"DELETE FROM master WHERE {condition}"
    sets = [f"volume = {draw(NUMBERS)}", f"ship = {draw(TEXTS)}", f"is_day = {draw(CONDITIONS)}"]
    where = draw(st.sampled_from(["", f" WHERE {condition}"]))
    return f"UPDATE master SET {', '.join(draw(st.lists(st.sampled_from(sets), min_size=1, unique=True)))}{where}"


@st.composite
def merges(draw: st.DrawFn) -> str:
    """Each row of the source has another key, and so has each row that is inserted."""
    found = draw(KEYS)
    source = ", ".join(f"({tow}, {net}, {draw(st.sampled_from(['1.5', 'NULL', '-2.0']))})" for tow, net in found)
    condition = st.sampled_from(["", " AND s.v > 0", " AND m.volume IS NULL", " AND m.is_day", " AND NOT m.ship = 'a'"])
    action = st.sampled_from(["DELETE", "UPDATE SET volume = s.v", "UPDATE SET volume = m.volume + s.v, ship = 'x'"])
    matched = draw(st.lists(st.builds(" WHEN MATCHED{} THEN {}".format, condition, action), max_size=3))
    new = st.sampled_from(["(tow, net, volume) VALUES (s.tow, s.net, s.v)", "(net, tow) VALUES (s.net, s.tow)"])
    only = st.sampled_from(["", " AND s.v > 0", " AND s.v IS NULL"])
    missed = st.builds(" WHEN NOT MATCHED{} THEN INSERT {}".format, only, new)
    missed = draw(st.lists(missed, min_size=0 if matched else 1, max_size=2))
    clauses = "".join(_reachable(matched) + _reachable(missed))
    return (
        f"MERGE INTO master AS m USING (VALUES {source}) AS s(tow, net, v) ON m.tow = s.tow AND m.net = s.net{clauses}"
    )


def _reachable(clauses: list[str]) -> list[str]:
    """DuckDB refuses clauses behind one that always holds."""
    last = next((number for number, clause in enumerate(clauses) if "MATCHED THEN" in clause), len(clauses))
    return clauses[: last + 1]


@settings(max_examples=25)
@given(tables(), merges())
def test_any_merge_does_what_the_engine_itself_does(table: pa.Table, sql: str) -> None:
    assert rows(after(sql, table)) == rows(natively(sql, table))


@settings(max_examples=40)
@given(tables(), statements())
def test_any_update_and_delete_does_what_the_engine_itself_does(table: pa.Table, sql: str) -> None:
    result: list[dict[str, Any]] = rows(after(sql, table))
    assert result == rows(natively(sql, table))


@pytest.mark.parametrize(("micros", "zone"), [(123_000, ""), (123_456, ""), (-1, ""), (123_456, "UTC"), (0, "UTC")])
def test_times_that_athena_would_round_are_refused(micros: int, zone: str) -> None:
    field = {"name": "at", "type": "datetime", **({"towline": {"timezone": "UTC"}} if zone else {})}
    fields = [{"name": "id", "type": "integer"}, field]
    block = {"version": 1, "dataset": "events"}
    events = Contract.parse({"fields": fields, "primaryKey": "id", "towline": block})
    at = pa.array([None, micros], pa.int64()).cast(events.schema.field("at").type)
    table = pa.table({"id": [1, 2], "at": at})
    if micros % 1_000:
        with pytest.raises(BadProposal, match="finer than a millisecond") as found:
            sqledit.check_times(InMemory(table, events.key), events)
        assert found.value.rule == "sql.times"
    else:
        sqledit.check_times(InMemory(table, events.key), events)
