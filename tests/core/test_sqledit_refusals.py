"""What SQL is refused, by which rule, and where in the text."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.core.sql_engine import BASE, HAULS, SHIPS, compiled, contract
from towline import sqledit
from towline.errors import BadProposal
from towline.sqledit import SqlRefused, compiling
from towline.sqledit.statement import MAX_BYTES

REFUSALS = [
    # statement, rule, line, column, the offending text, words of the message
    ("", "sql.statements", 1, 1, "", ["no statement"]),
    (" -- only a comment", "sql.statements", 1, 1, "", ["no statement"]),
    (";", "sql.statements", 1, 1, "", ["no statement"]),
    ("DELETE FROM master WHERE tow = 1; DROP TABLE master", "sql.statements", 1, 35, "DROP", ["one statement"]),
    ("SELECT * FROM master;\nSELECT 1", "sql.statements", 2, 1, "SELECT", ["one statement"]),
    ("DELETE FROM master WHERE tow = 1 /* ; */ ; /* ; */ DROP TABLE master", "sql.statements", 1, 52, "DROP", []),
    ("DELETE FROM master WHERE ship = '--'; DROP TABLE master", "sql.statements", 1, 39, "DROP", []),
    ("UPDATE master SET tow = 1 /* WHERE net = 2", "sql.syntax", 1, 1, None, ["no end", "close it"]),
    ("UPDATE master SET ship = 'Sally", "sql.syntax", 1, 1, None, ["no end"]),
    ("UPDATE master SET ship = 'a' /* a /* b */ c */", "sql.syntax", 1, 43, None, []),  # comments do not nest
    ("SELEC 1", "sql.verb", 1, 1, "SELEC", ["UPDATE, DELETE, INSERT, MERGE"]),
    ("DROP TABLE master", "sql.verb", 1, 1, "DROP", ["DROP", "towline delete"]),
    ("drop /* x */ table master", "sql.verb", 1, 1, "drop", ["DROP"]),
    ("CREATE TABLE t AS SELECT * FROM master", "sql.verb", 1, 1, "CREATE", ["send its SELECT alone"]),
    ("CREATE EXTERNAL TABLE t (a int) LOCATION 's3://b/'", "sql.verb", 1, 1, "CREATE", []),
    ("ALTER TABLE master ADD COLUMNS (x int)", "sql.verb", 1, 1, "ALTER", ["contract"]),
    ("TRUNCATE TABLE master", "sql.verb", 1, 1, "TRUNCATE", ["DELETE FROM"]),
    ("UNLOAD (SELECT 1) TO 's3://b/' WITH (format = 'PARQUET')", "sql.verb", 1, 1, "UNLOAD", ["SELECT"]),
    ("PREPARE p FROM SELECT 1", "sql.verb", 1, 1, "PREPARE", []),
    ("EXECUTE p", "sql.verb", 1, 1, "EXECUTE", []),
    ("SET x = 1", "sql.verb", 1, 1, "SET", []),
    ("CALL p()", "sql.verb", 1, 1, "CALL", []),
    ("GRANT SELECT ON master TO me", "sql.verb", 1, 1, "GRANT", []),
    ("MSCK REPAIR TABLE master", "sql.verb", 1, 1, None, ["MSCK"]),
    ("VACUUM master", "sql.verb", 1, 1, "VACUUM", []),
    ("EXPLAIN SELECT 1", "sql.verb", 1, 1, "EXPLAIN", ["--dry-run"]),
    ("SHOW TABLES", "sql.verb", 1, 1, "SHOW", []),
    ("USING EXTERNAL FUNCTION f(x INT) RETURNS INT LAMBDA 'l' SELECT f(1)", "sql.verb", 1, 1, "USING", []),
    ("UPDATE audit SET a = 1", "sql.table", 1, 8, "audit", ["read, not edited", "hauls", "master"]),
    ("DELETE FROM ships WHERE ship = 'x'", "sql.table", 1, 13, "ships", ["read, not edited"]),
    ("INSERT INTO hauls_snapshots VALUES (1)", "sql.table", 1, 13, "hauls_snapshots", ["read, not edited"]),
    ("UPDATE mastr SET tow = 1", "sql.table", 1, 8, "mastr", ["did you mean master?"]),
    ("SELECT * FROM secrets", "sql.table", 1, 15, "secrets", ["audit, changes, hauls"]),
    ("SELECT * FROM other.master", "sql.catalog", 1, 15, "other.master", ["other", "towline"]),
    ("SELECT * FROM lambda.towline.master", "sql.catalog", 1, 15, "lambda.towline.master", ["awsdatacatalog"]),
    ("SELECT * FROM information_schema.tables", "sql.catalog", 1, 15, "information_schema.tables", []),
    ("SELECT * FROM 's3://other/data/'", "sql.table", 1, 15, "'s3://other/data/'", ["S3"]),
    ('SELECT * FROM "s3://other/data/"', "sql.table", 1, 15, '"s3://other/data/"', ["S3"]),
    ("SELECT * FROM read_parquet('s3://other/')", "sql.table", 1, 15, None, ["function"]),
    ("SELECT * FROM TABLE(query('x'))", "sql.table", 1, 15, None, ["function"]),
    ('SELECT * FROM "hauls$partitions"', "sql.table", 1, 15, '"hauls$partitions"', []),
    ("WITH master AS (SELECT 1 AS tow) SELECT * FROM master", "sql.table", 1, 6, "master", ["another name"]),
    ("WITH ships AS (SELECT 1 AS tow) SELECT * FROM master", "sql.table", 1, 6, "ships", ["another name"]),
    ("WITH x AS (INSERT INTO master VALUES (1)) SELECT * FROM x", "sql.syntax", 1, 12, "INSERT", []),
    ("WITH x AS (DELETE FROM master WHERE tow = 1) SELECT * FROM x", "sql.syntax", 1, 12, "DELETE", []),
    ("SELECT * INTO other FROM master", "sql.syntax", 1, 10, "INTO", []),
    ("SELECT * FROM master FOR TIMESTAMP AS OF TIMESTAMP '2024-01-01 00:00:00'", "sql.syntax", 1, None, None, []),
    ("SELECT * FROM master TABLESAMPLE BERNOULLI (10)", "sql.syntax", 1, None, None, ["SAMPLE"]),
    ("SELECT * EXCEPT (tow) FROM master", "sql.syntax", 1, None, None, ["write the columns out"]),
    ("SELECT * FROM master, LATERAL (SELECT 1)", "sql.syntax", 1, 23, "LATERAL", []),
    ("UPDATE master SET tow = ?", "sql.syntax", 1, 25, "?", ["?"]),
    ("UPDATE master SET tow = 1 RETURNING tow", "sql.syntax", 1, None, None, ["RETURNING"]),
    ("UPDATE master SET tow = 1 LIMIT 3", "sql.syntax", 1, None, None, ["LIMIT", "WHERE"]),
    ("DELETE FROM master USING ships WHERE TRUE", "sql.syntax", 1, None, None, ["WHERE EXISTS"]),
    ("UPDATE master SET volume = volume::bigint", "sql.syntax", 1, 34, "::", ["Athena's"]),
    ("UPDATE master SET volume = tow DIV 2", "sql.syntax", 1, 32, "DIV", ["double quotes"]),
    ("DELETE FROM master WHERE ship ILIKE 'x'", "sql.syntax", 1, 31, "ILIKE", []),
    ("DELETE FROM master WHERE is_day IS NOT TRUE", "sql.syntax", 1, 26, None, ["COALESCE"]),
    ("UPDATE master SET volume = DECIMAL '1.5'", "sql.syntax", 1, 36, "'1.5'", ["CAST"]),
    ("UPDATE master SET ship = 'a' 'b'", "sql.syntax", 1, 30, "'b'", ["||"]),
    ("UPDATE master SET ship = concat('a', 'b',)", "sql.syntax", 1, 41, ",", ["comma"]),
    ("UPDATE master AS m(a, b) SET a = 1", "sql.syntax", 1, 8, None, ["another name"]),
    ("DELETE FROM master", "sql.empty", 1, 1, "DELETE", ["every row", "WHERE"]),
    ("INSERT OVERWRITE TABLE master SELECT * FROM master", "sql.syntax", 1, None, None, ["OVERWRITE"]),
    ("UPDATE master", "sql.syntax", 1, 1, "UPDATE", ["SET"]),
    ("UPDATE master SET tow", "sql.syntax", 1, 19, "tow", ["one value"]),
    ("UPDATE master SET (tow, net) = (1, 2)", "sql.syntax", 1, 20, None, ["one column one value"]),
    ("UPDATE master SET ships.tow = 1", "sql.column", 1, 19, "ships.tow", ["not the table that is edited"]),
    ("UPDATE master SET tow = 1, TOW = 2", "sql.column", 1, 28, "TOW", ["twice"]),
    ("UPDATE master SET volum = 1", "sql.column", 1, 19, "volum", ["did you mean volume?"]),
    ("UPDATE master SET volume = 1\n WHERE shp = 'x'", "sql.column", 2, 8, "shp", ["did you mean ship?"]),
    ("UPDATE master m SET volume = master.tow", "sql.column", 1, 30, "master.tow", []),
    ("UPDATE master SET volume = factor FROM ships WHERE ship = 'x'", "sql.column", 1, 52, "ship", ["several tables"]),
    ("UPDATE master SET volume = s.factr FROM ships s", "sql.column", 1, 28, "s.factr", ["did you mean factor?"]),
    ("UPDATE master SET volume = f FROM (SELECT tow f FROM master)", "sql.syntax", 1, None, None, ["(SELECT …) AS s"]),
    (
        "MERGE INTO master USING (ships a JOIN ships b ON TRUE) ON TRUE WHEN NOT MATCHED THEN INSERT VALUES (1)",
        "sql.syntax",
        1,
        None,
        None,
        ["one table"],
    ),
    ("UPDATE master SET volume = 1 FROM ships a, ships b", "sql.syntax", 1, 41, None, ["one table"]),
    ("UPDATE master SET volume = max(volume)", "sql.function", 1, 28, None, ["subquery"]),
    ("UPDATE master SET volume = lag(volume) OVER (ORDER BY net)", "sql.function", 1, 28, None, ["subquery"]),
    ("DELETE FROM master WHERE volume = max(volume)", "sql.function", 1, 35, None, ["subquery"]),
    ("UPDATE master SET volume = rand()", "sql.function", 1, 28, "rand", ["every run"]),
    ("UPDATE master SET ship = CAST(uuid() AS varchar)", "sql.function", 1, 31, "uuid", ["every run"]),
    ("UPDATE master SET day = current_date", "sql.function", 1, 25, "current_date", ["DATE '"]),
    ("UPDATE master SET day = CAST(now() AS date)", "sql.function", 1, 30, "now", ["every run"]),
    ("SELECT tow, net, volume, ship, is_day FROM master", "sql.column", 1, 1, "SELECT", ["lacks day"]),
    ("SELECT *, 1 AS speed FROM master", "sql.column", 1, 11, None, ["speed", "has not"]),
    ("SELECT *, tow FROM master", "sql.column", 1, 11, "tow", ["2 columns tow"]),
    ("SELECT tow, net, volume, ship, is_day, 1 FROM master", "sql.column", 1, 40, "1", ["AS"]),
    ("SELECT tow, net, CAST(volume AS double), ship, is_day, day FROM master", "sql.column", 1, None, None, ["AS"]),
    ("SELECT * FROM master m JOIN ships s ON s.ship = m.shp", "sql.column", 1, 49, "m.shp", ["did you mean ship?"]),
    ("SELECT x.* FROM UNNEST(ARRAY[1]) AS x", "sql.column", 1, None, None, ["write the columns out"]),
    ("SELECT * FROM master WHERE tow IN (SELECT numbr FROM audit)", "sql.column", 1, 43, "numbr", ["number"]),
    ("DELETE FROM master WHERE tow IN (SELECT x.tow FROM ships_snapshots x)", "sql.column", 1, 41, "x.tow", ["factor"]),
    ("INSERT INTO master (tow, net, speed) VALUES (1, 2, 3)", "sql.column", 1, 31, "speed", ["no column speed"]),
    ("INSERT INTO master (tow, net, tow) VALUES (1, 2, 3)", "sql.column", 1, 31, "tow", ["twice"]),
    ("INSERT INTO master (tow) VALUES (1)", "sql.key", 1, 21, "tow", ["net", "key"]),
    ("INSERT INTO master (tow, net) VALUES (1, 2), (3, 4, 5)", "sql.column", 1, 47, None, ["3 values for 2 columns"]),
    ("INSERT INTO master (tow, net) SELECT tow FROM master", "sql.column", 1, None, None, ["1 values for 2 columns"]),
    ("INSERT INTO master DEFAULT VALUES", "sql.syntax", 1, None, None, []),
    ("MERGE INTO master USING ships ON TRUE WHEN NOT MATCHED THEN INSERT *", "sql.syntax", 1, None, None, ["VALUES"]),
    (
        "MERGE INTO master USING ships ON TRUE WHEN MATCHED THEN UPDATE SET *",
        "sql.syntax",
        1,
        None,
        None,
        ["one value"],
    ),
    (
        "MERGE INTO master USING ships ON TRUE WHEN NOT MATCHED BY SOURCE THEN DELETE",
        "sql.syntax",
        1,
        None,
        None,
        ["SOURCE"],
    ),
    (
        "MERGE INTO master m USING ships m ON TRUE WHEN MATCHED THEN DELETE",
        "sql.table",
        1,
        None,
        None,
        ["both called m"],
    ),
    ("MERGE INTO ships m USING master s ON TRUE WHEN MATCHED THEN DELETE", "sql.table", 1, 12, None, ["not edited"]),
]


@pytest.mark.parametrize(("sql", "rule", "line", "column", "text", "words"), REFUSALS)
def test_what_is_not_fully_understood_is_refused_at_its_place(
    sql: str, rule: str, line: int, column: int | None, text: str | None, words: list[str]
) -> None:
    with pytest.raises(SqlRefused) as found:
        compiled(sql)
    refusal = found.value
    assert isinstance(refusal, BadProposal)
    assert refusal.rule == rule, str(refusal)
    assert (refusal.line, refusal.column if column is not None else None) == (line, column), str(refusal)
    assert text is None or refusal.text == text
    assert all(word in refusal.reason for word in words), refusal.reason


def test_a_refusal_shows_people_the_place() -> None:
    with pytest.raises(SqlRefused) as found:
        compiled("UPDATE master\nSET volum = 1")
    assert str(found.value) == (
        "line 2:5: hauls has no column volum; did you mean volume?\n  SET volum = 1\n      ^^^^^"
    )


def test_the_excerpt_of_a_long_line_is_cut_around_the_place() -> None:
    with pytest.raises(SqlRefused) as found:
        compiled(f"DELETE FROM master WHERE ship = '{'x' * 500}' AND shp = 'y' AND ship = '{'z' * 500}'")
    excerpt, caret = str(found.value).split("\n")[1:]
    assert len(excerpt) < 130
    assert excerpt[caret.index("^") :].startswith("shp")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM master WHERE tow = 1;",
        "DELETE FROM master WHERE tow = 1 ; ; -- done",
        "/* ; DROP TABLE x */ DELETE FROM master -- ; DROP TABLE x\n WHERE tow = 1 /* '; */",
        "DELETE FROM master WHERE ship = '; DROP TABLE master; --'",
        'DELETE FROM "awsdatacatalog"."towline"."MASTER" WHERE Master.TOW = 1',
        "DELETE FROM master WHERE tow IN (SELECT towline.audit.number FROM towline.audit)",
        "DELETE FROM hauls WHERE ship IN (SELECT \"user\" FROM audit WHERE date > DATE '2026-03-01' AND dataset > '')",
        "DELETE FROM master WHERE EXISTS (SELECT old, new FROM changes WHERE number = tow)",
        "DELETE FROM master WHERE tow IN (SELECT s.tow FROM hauls_snapshots s WHERE \"$path\" LIKE '%x%')",
        "DELETE FROM master WHERE EXISTS (SELECT q.r.a FROM (SELECT CAST(ROW(1) AS ROW(a bigint)) AS r) q)",
        'DELETE FROM master m WHERE EXISTS (SELECT 1 AS "div" FROM (SELECT 1 AS "semi") AS "anti")',
    ],
)
def test_what_looks_odd_and_is_not(sql: str) -> None:
    assert compiled(sql).verb == "delete"


def test_comments_do_not_reach_the_engine() -> None:
    assert "DROP" not in compiled("DELETE FROM master /* DROP */ WHERE tow = 1 -- DROP").select


def test_functions_keep_their_names_where_another_would_give_other_digits() -> None:
    select = compiled("UPDATE master SET volume = log10(volume) + log2(volume) + log(3, volume)").select
    assert all(f"{name}(" in select.lower() for name in ("log10", "log2", "log")), select


def test_length_and_depth_are_bounded() -> None:
    many = " OR ".join(f"tow = {number}" for number in range(300))
    assert compiled(f"DELETE FROM master WHERE {many}").verb == "delete"
    long = f"DELETE FROM master WHERE tow IN ({', '.join(['1'] * (MAX_BYTES // 3))})"
    chain = " OR ".join(["tow = 1"] * 5000)
    deep = f"DELETE FROM master WHERE tow = {'(' * 3000}1{')' * 3000}"
    negated = f"DELETE FROM master WHERE {'NOT ' * 3000} is_day"
    sums = f"UPDATE master SET volume = {' + '.join(['tow'] * 380)}"
    assert compiled(sums).verb == "update"
    signs = f"DELETE FROM master WHERE tow = {'- ' * 3000}1"
    for sql, rule in [
        (long, "sql.length"),
        (f"DELETE FROM master WHERE {chain}", "sql.depth"),
        (deep, "sql.depth"),
        (negated, "sql.depth"),
        (signs, "sql.depth"),
    ]:
        with pytest.raises(SqlRefused) as found:
            compiled(sql)
        assert found.value.rule == rule


def test_what_a_statement_comes_to_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    values = ", ".join(f"({number}, 0)" for number in range(150))
    sql = (
        f"MERGE INTO master AS m USING (VALUES {values}) AS s(tow, net) ON m.tow = s.tow AND m.net = s.net"
        " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (tow, net) VALUES (s.tow, s.net)"
    )
    laid_out = compiled(sql).select
    monkeypatch.setattr(compiling, "MAX_COMPILED", len(json.dumps(laid_out)) - 1)
    on_one_line = compiled(sql).select
    assert "\n" in laid_out
    assert "\n" not in on_one_line
    monkeypatch.setattr(compiling, "MAX_COMPILED", len(json.dumps(on_one_line)) - 1)
    with pytest.raises(SqlRefused, match="comes to in Athena's SQL has") as found:
        compiled(sql)
    assert found.value.rule == "sql.length"


def test_columns_that_differ_by_case_only_cannot_be_told_apart() -> None:
    twins = contract("twins", {"a": "integer", "A": "integer"}, ["a"])
    with pytest.raises(SqlRefused, match="a and A") as found:
        compiled("DELETE FROM master WHERE a = 1", twins)
    assert found.value.rule == "sql.contract"


def test_a_query_reads_the_tables_that_it_may_and_nothing_else() -> None:
    tables = ["hauls", "audit"]
    found = sqledit.read_only('SELECT "user", now() FROM AUDIT a JOIN hauls USING (tow) -- x', tables, "towline")
    assert found == (
        'SELECT\n  "user",\n  CURRENT_TIMESTAMP\nFROM "towline"."audit" AS "a"\nJOIN "towline"."hauls" AS "hauls"\n'
        '  USING ("tow")'
    )
    for sql, rule in [
        ("SELECT * FROM changes", "sql.table"),
        ("SELECT * FROM other.audit", "sql.catalog"),
        ("DELETE FROM audit WHERE TRUE", "sql.verb"),
        ("WITH x AS (SELECT 1) DELETE FROM audit WHERE TRUE", "sql.verb"),
        ("SELECT 1; SELECT 2", "sql.statements"),
        ("CREATE VIEW v AS SELECT 1", "sql.verb"),
    ]:
        with pytest.raises(SqlRefused) as refusal:
            sqledit.read_only(sql, tables, "towline")
        assert refusal.value.rule == rule


def test_the_statements_about_tables() -> None:
    odd = contract("odd", {"tow": "integer", "a `b`": "number", "d": "date", "t": "datetime", "y": "boolean"}, ["tow"])
    assert sqledit.base_ddl(odd, BASE, "s3://bucket/sql/odd/1/base/") == (
        "CREATE EXTERNAL TABLE IF NOT EXISTS `towline`.`run_1_base` (\n  `tow` bigint,\n  `a ``b``` double,\n"
        "  `d` date,\n  `t` timestamp,\n  `y` boolean\n)\nSTORED AS PARQUET\nLOCATION 's3://bucket/sql/odd/1/base/'"
    )
    assert sqledit.ctas("SELECT 1 AS tow", "towline.run_1_next", "s3://bucket/sql/odd/1/next/") == (
        "CREATE TABLE \"towline\".\"run_1_next\"\nWITH (\n  format = 'PARQUET',\n  write_compression = 'SNAPPY',\n"
        "  external_location = 's3://bucket/sql/odd/1/next/'\n) AS\nSELECT 1 AS tow"
    )
    assert sqledit.drop(BASE) == "DROP TABLE IF EXISTS `towline`.`run_1_base`"
    assert [sqledit.athena_type(field) for field in SHIPS.fields] == ["string", "double"]
    assert HAULS.dataset == "hauls"


def test_every_rule_is_explained() -> None:
    sources = (Path(sqledit.__file__).parent).glob("*.py")
    rules = {rule for source in sources for rule in re.findall(r'"(sql\.[a-z]+)"', source.read_text())}
    page = (ROOT / "docs" / "sql.md").read_text()
    assert len(rules) > 10
    assert {rule for rule in rules if f"`{rule}`" not in page} == set()
