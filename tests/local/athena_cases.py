"""What Athena answers: queries with the results, the errors and the refusals that the local Athena is held to.

Every expectation is Trino's (https://trino.io/docs/current/functions.html and its language pages), not DuckDB's.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

SCHEMA = {
    "towline.tows": {
        "vessel": "VARCHAR",
        "tow": "BIGINT",
        "depth": "DOUBLE",
        "start": "TIMESTAMP",
        "day": "BOOLEAN",
        "landed": "DATE",
        "nets": "INTEGER[]",
    },
    "towline.nets": {"tow": "BIGINT", "net": "INTEGER", "volume": "DOUBLE"},
    "towline.clocks": {"at": "TIMESTAMP"},
    "towline.ships": {"flag": 'STRUCT("code" VARCHAR, "since" BIGINT)', "crew": 'STRUCT("name" VARCHAR)[]'},
}
ROWS = """
CREATE SCHEMA towline;
CREATE TABLE towline.tows (
    vessel VARCHAR, tow BIGINT, depth DOUBLE, start TIMESTAMP, day BOOLEAN, landed DATE, nets INTEGER[]
);
INSERT INTO towline.tows VALUES
    ('Aldebaran', 1, 100.5, TIMESTAMP '2024-05-04 18:03:09.250', TRUE, DATE '2024-05-31', [1, 2]),
    ('Aldebaran', 2, NULL, TIMESTAMP '2024-05-05 06:00:00', FALSE, DATE '2024-02-29', []),
    ('Bellona', 3, 'nan', NULL, TRUE, NULL, NULL),
    ('Bellona', 4, -20, TIMESTAMP '2024-12-30 23:59:59.999', NULL, DATE '2023-12-31', [3]);
CREATE TABLE towline.nets (tow BIGINT, net INTEGER, volume DOUBLE);
CREATE TABLE towline.clocks AS SELECT TIMESTAMP '2024-05-04 18:03:09.250501' AS "at";
CREATE TABLE towline.ships (flag STRUCT(code VARCHAR, since BIGINT), crew STRUCT(name VARCHAR)[]);
INSERT INTO towline.ships VALUES ({'code': 'DE', 'since': 1990}, [{'name': 'Ann'}]);
INSERT INTO towline.nets VALUES (1, 0, 10), (1, 1, 20), (4, 0, 5), (9, 0, 1);
"""
NAN, INFINITY = math.nan, math.inf
Rows = list[tuple[Any, ...]]


def one(*values: Any) -> Rows:
    """One row."""
    return [values]


def column(*values: Any) -> Rows:
    """One column."""
    return [(value,) for value in values]


def numbers(*values: str) -> Rows:
    """One row of decimals."""
    return [tuple(map(Decimal, values))]


ANSWERS: list[tuple[str, Rows]] = [
    # Whole numbers divide to whole numbers, towards zero; the remainder has the sign of what is divided.
    ("SELECT 7 / 2, -7 / 2, 7 / -2, -7 / -2", one(3, -3, -3, 3)),
    ("SELECT 7 % 3, -7 % 3, 7 % -3, mod(-7, 3)", one(1, -1, 1, -1)),
    ("SELECT tow / 2 FROM tows ORDER BY tow", column(0, 1, 1, 2)),
    ("SELECT sum(tow) / count(*) FROM tows", one(2)),
    ("SELECT 7 / 2e0, 7e0 / 2, CAST(7 AS double) / 2", one(3.5, 3.5, 3.5)),
    ("SELECT 1e0 / 0, -1e0 / 0, 0e0 / 0, 5e0 % 0", one(INFINITY, -INFINITY, NAN, NAN)),
    ("SELECT NULL / 0, CAST(NULL AS double) / 0, NULL + NULL, -NULL", one(None, None, None, None)),
    ("SELECT 2 - 3 - 4, 12 / 3 / 2, 7 * 5 % 3, 10 - 7 % 4, -2 * 3", one(-5, 2, 2, 7, -6)),
    # 1.5 is a decimal, and a decimal's quotient has as many digits after the point as the longer of the two.
    (
        "SELECT typeof(1.5), typeof(1.50), typeof(.5), typeof(1e0)",
        one("decimal(2,1)", "decimal(3,2)", "decimal(1,1)", "double"),
    ),
    ("SELECT 1.0 / 3, 2.0 / 3, 1.00 / 3, -2.0 / 3", numbers("0.3", "0.7", "0.33", "-0.7")),
    ("SELECT count(*) * 100.0 / 3 FROM tows", numbers("133.3")),
    ("SELECT 1.5 + 1, 1.5 * 1.5, 2.25 - 1", numbers("2.5", "2.25", "1.25")),
    (
        "SELECT typeof(1.5 + 1), typeof(1.5 * 1.5), typeof(1.0 / 3)",
        one("decimal(12,1)", "decimal(4,2)", "decimal(2,1)"),
    ),
    ("SELECT depth / 2.0 FROM tows WHERE tow = 1", one(50.25)),
    (
        "SELECT typeof(1 + 1), typeof(tow + 1), typeof(3000000000), typeof(depth + 1) FROM tows LIMIT 1",
        one("integer", "bigint", "bigint", "double"),
    ),
    ("SELECT DECIMAL '1.50', CAST('1.5' AS decimal), CAST(1.25 AS decimal(2,1))", numbers("1.50", "2", "1.3")),
    # NaN is equal to nothing, less than nothing and greater than nothing; it sorts last, before NULL.
    (
        "SELECT nan() = nan(), nan() <> nan(), nan() > 1, 1 < nan(), nan() >= nan()",
        one(False, True, False, False, False),
    ),
    ("SELECT tow FROM tows WHERE depth > 0", column(1)),
    ("SELECT tow FROM tows WHERE depth >= tow", column(1)),
    ("SELECT tow FROM tows WHERE NOT depth > 0 ORDER BY 1", column(3, 4)),
    ("SELECT max(depth), min(depth), greatest(nan(), 1e0), least(nan(), 1e0) FROM tows", one(100.5, -20.0, 1.0, 1.0)),
    ("SELECT tow FROM tows ORDER BY depth", column(4, 1, 3, 2)),
    ("SELECT a.tow FROM tows a JOIN tows b ON a.depth = b.depth ORDER BY 1", column(1, 4)),
    # NULL comes last in both directions, unless told otherwise.
    ("SELECT x FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY x", column(1, 2, None)),
    ("SELECT x FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY x DESC", column(2, 1, None)),
    ("SELECT x FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY x NULLS FIRST", column(None, 1, 2)),
    ("SELECT array_agg(x ORDER BY x DESC) FROM (VALUES 2, NULL, 1) AS t(x)", one([2, 1, None])),
    ("SELECT x, row_number() OVER (ORDER BY x DESC) FROM (VALUES 2, NULL) AS t(x) ORDER BY 2", [(2, 1), (None, 2)]),
    # CAST: to the nearest, half away from zero; text must be a number as it stands.
    (
        "SELECT CAST(2.5e0 AS bigint), CAST(-2.5e0 AS bigint), CAST(0.4e0 AS integer), CAST(3.5 AS integer)",
        one(3, -3, 0, 4),
    ),
    ("SELECT CAST(1.005e0 AS decimal(5,2)), CAST(-1.005e0 AS decimal(5,2))", numbers("1.01", "-1.01")),
    (
        "SELECT CAST('+12' AS bigint), CAST(' 1.5 ' AS double), CAST('t' AS boolean), CAST('2024-1-5' AS date)",
        one(12, 1.5, True, date(2024, 1, 5)),
    ),
    (
        "SELECT TRY_CAST('1.5' AS bigint), TRY_CAST('x' AS double), TRY_CAST('2024-02-30' AS date), "
        "TRY_CAST('yes' AS boolean)",
        one(None, None, None, None),
    ),
    ("SELECT TRY(CAST('x' AS integer)), TRY(1 / 0), TRY(date_parse('x', '%Y'))", one(None, None, None)),
    (
        "SELECT CAST(12 AS varchar), CAST(1.50 AS varchar), CAST(TRUE AS varchar), CAST(0.1e0 AS varchar), "
        "CAST(1e0 AS varchar)",
        one("12", "1.50", "true", "0.1", "1.0"),
    ),
    (
        "SELECT CAST(nan() AS varchar), CAST(infinity() AS varchar), CAST(-infinity() AS varchar)",
        one("NaN", "Infinity", "-Infinity"),
    ),
    (
        "SELECT CAST('abcdef' AS varchar(3)), CAST(start AS varchar) FROM tows WHERE tow = 2",
        one("abc", "2024-05-05 06:00:00.000"),
    ),
    (
        "SELECT CAST(TIMESTAMP '2024-01-01 10:00:00' AS varchar), CAST(DATE '2024-01-01' AS varchar)",
        one("2024-01-01 10:00:00", "2024-01-01"),
    ),
    (
        "SELECT CAST('2024-01-01 10:00' AS timestamp), CAST(TIMESTAMP '2024-01-01 23:59:59' AS date)",
        one(datetime(2024, 1, 1, 10), date(2024, 1, 1)),
    ),
    (
        "SELECT CAST(TRUE AS bigint), CAST(0 AS boolean), CAST(2 AS boolean), CAST(NULL AS double)",
        one(1, False, True, None),
    ),
    # Text: NULL swallows all that is joined to it; positions count from 1, from the end if negative.
    ("SELECT 'a' || NULL, concat('a', NULL), concat('a', 'b', 'c'), 'a' || 'b'", one(None, None, "abc", "ab")),
    ("SELECT concat_ws(',', 'a', NULL, 'b'), concat_ws(NULL, 'a', 'b')", one("a,b", None)),
    (
        "SELECT substr('hello', 2), substr('hello', -3, 2), substr('hello', 0), substr('hello', 9), "
        "substr('hello', -9, 2)",
        one("ello", "ll", "", "", ""),
    ),
    ("SELECT substr('hello', 2, 0), substr('hello', 2, -1), substring('hello', 2, 99)", one("", "", "ello")),
    ("SELECT split('a,b,', ','), split_part('a-b', '-', 2), split_part('a-b', '-', 5)", one(["a", "b", ""], "b", None)),
    ("SELECT strpos('hello', 'l'), strpos('hello', 'z'), position('l' IN 'hello')", one(3, 0, 3)),
    (
        "SELECT trim('\t a \n'), ltrim('  a '), rtrim(' a  '), trim(BOTH 'x' FROM 'xax'), trim(LEADING 'x' FROM 'xax')",
        one("a", "a ", " a", "a", "ax"),
    ),
    (
        "SELECT lpad('a', 3, 'xy'), rpad('abc', 2, 'x'), upper('ß'), lower('ÀB'), length('Ærø')",
        one("xya", "ab", "ß", "àb", 3),
    ),
    (
        "SELECT replace('abab', 'a'), replace('abab', 'a', 'c'), starts_with('abc', 'ab'), chr(65)",
        one("bb", "cbcb", True, "A"),
    ),
    (
        "SELECT 'a%' LIKE 'a!%' ESCAPE '!', 'ab' LIKE 'a!%' ESCAPE '!', 'A' LIKE 'a', 'ab' LIKE 'a_'",
        one(True, False, False, True),
    ),
    ("SELECT 'a' < 'B', 'Z' < 'a', 'a' = 'a '", one(False, True, False)),
    # Regular expressions: NULL for no match, $1 for a group.
    (
        "SELECT regexp_extract('tow 12', '(\\w+) (\\d+)', 2), regexp_extract('tow', '\\d'), "
        "regexp_extract('a1', '\\d')",
        one("12", None, "1"),
    ),
    (
        "SELECT regexp_replace('a1b2', '(\\d)', '<$1>'), regexp_replace('a1b2', '\\d'), "
        "regexp_replace('ab', 'a', '\\$')",
        one("a<1>b<2>", "ab", "$b"),
    ),
    (
        "SELECT regexp_like('abc', 'b'), regexp_like('abc', '^b'), regexp_extract_all('a1b2', '\\d')",
        one(True, False, ["1", "2"]),
    ),
    # Numbers.
    (
        "SELECT round(2.5), round(-2.5e0), round(2.345, 2), round(1.255e0, 2), round(7)",
        one(Decimal(3), -3.0, Decimal("2.350"), 1.25, 7),
    ),
    (
        "SELECT typeof(round(2.345, 2)), typeof(round(2.345)), typeof(ceil(1.2)), typeof(floor(5))",
        one("decimal(5,3)", "decimal(2,0)", "decimal(2,0)", "integer"),
    ),
    (
        "SELECT log(2, 8), log10(100), ln(1), ln(0), sqrt(-1), power(2, 10), exp(0)",
        one(3.0, 2.0, 0.0, -INFINITY, NAN, 1024.0, 1.0),
    ),
    ("SELECT truncate(-1.9e0), sign(-3), abs(-2), ceil(1.2e0), floor(-1.2e0)", one(-1.0, -1, 2, 2.0, -2.0)),
    (
        "SELECT is_nan(nan()), is_infinite(infinity()), bitwise_and(6, 3), bitwise_or(6, 3), bitwise_xor(6, 3)",
        one(True, True, 2, 7, 5),
    ),
    # Conditions.
    ("SELECT greatest(1, NULL, 3), least(1, NULL), greatest('a', 'b'), least(2, 1)", one(None, None, "b", 1)),
    (
        "SELECT coalesce(NULL, 2), nullif(1, 1), nullif(1, 2), if(1 > 2, 'a', 'b'), if(1 > 2, 'a')",
        one(2, None, 1, "b", None),
    ),
    ("SELECT CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END, CASE WHEN NULL THEN 1 ELSE 2 END", one("b", 2)),
    ("SELECT 1 IN (NULL, 2), 2 IN (NULL, 2), NULL IN (1), 1 NOT IN (2, 3)", one(None, True, None, True)),
    (
        "SELECT NULL AND FALSE, NULL OR TRUE, NULL = NULL, 1 IS DISTINCT FROM NULL, NULL IS NOT DISTINCT FROM NULL",
        one(False, True, None, True, True),
    ),
    ("SELECT tow FROM tows WHERE (vessel, tow) IN (('Bellona', 3), ('Aldebaran', 4))", column(3)),
    ("SELECT 2 BETWEEN 1 AND 3, 2 BETWEEN 3 AND 1, NULL BETWEEN 1 AND 2", one(True, False, None)),
    # Dates: whole units that have gone by; the last day of a month stays within it.
    ("SELECT date_diff('day', TIMESTAMP '2024-01-01 23:00:00', TIMESTAMP '2024-01-02 01:00:00')", one(0)),
    (
        "SELECT date_diff('month', DATE '2024-01-31', DATE '2024-02-29'), date_diff('year', "
        "DATE '2024-02-29', DATE '2025-02-28')",
        one(1, 1),
    ),
    (
        "SELECT date_diff('day', DATE '2024-03-01', DATE '2024-02-01'), date_diff('hour', start, "
        "start) FROM tows WHERE tow = 1",
        one(-29, 0),
    ),
    (
        "SELECT date_add('month', 1, DATE '2024-01-31'), date_add('day', -1, DATE '2024-03-01'), "
        "date_add('quarter', 1, DATE '2024-01-01')",
        one(date(2024, 2, 29), date(2024, 2, 29), date(2024, 4, 1)),
    ),
    (
        "SELECT DATE '2024-01-31' + INTERVAL '1' MONTH, TIMESTAMP '2024-01-01 00:00:00' - INTERVAL '2' HOUR",
        one(date(2024, 2, 29), datetime(2023, 12, 31, 22)),
    ),
    (
        "SELECT date_trunc('week', landed), date_trunc('month', landed), date_trunc('year', "
        "landed) FROM tows WHERE tow = 1",
        one(date(2024, 5, 27), date(2024, 5, 1), date(2024, 1, 1)),
    ),
    (
        "SELECT date_trunc('hour', start), date_trunc('day', start) FROM tows WHERE tow = 1",
        one(datetime(2024, 5, 4, 18), datetime(2024, 5, 4)),
    ),
    (
        "SELECT year(start), month(start), day(start), hour(start), minute(start), second(start), "
        "millisecond(start) FROM tows WHERE tow = 1",
        one(2024, 5, 4, 18, 3, 9, 250),
    ),
    (
        "SELECT week(start), year_of_week(start), day_of_week(start), quarter(start), "
        "day_of_year(start) FROM tows WHERE tow = 4",
        one(1, 2025, 1, 4, 365),
    ),
    (
        "SELECT extract(year FROM landed), extract(dow FROM landed), last_day_of_month(landed) FROM tows WHERE tow = 2",
        one(2024, 4, date(2024, 2, 29)),
    ),
    (
        "SELECT date_format(start, '%Y-%m-%d %H:%i:%s'), date_format(start, '%e %M %y, %l:%i %p'), "
        "date_format(start, '%f%%') FROM tows WHERE tow = 1",
        one("2024-05-04 18:03:09", "4 May 24, 6:03 PM", "250000%"),
    ),
    (
        "SELECT date_parse('2024-5-4 18:03', '%Y-%m-%d %H:%i'), date_parse('04.05.2024', '%d.%m.%Y')",
        one(datetime(2024, 5, 4, 18, 3), datetime(2024, 5, 4)),
    ),
    (
        "SELECT to_unixtime(TIMESTAMP '1970-01-01 00:00:01.5'), CAST(from_unixtime(1.5) AS varchar)",
        one(1.5, "1970-01-01 00:00:01.500 UTC"),
    ),
    (
        "SELECT CAST(from_iso8601_timestamp('2024-05-04T18:03:09Z') AS varchar), from_iso8601_date('2024-05-04')",
        one("2024-05-04 18:03:09.000 UTC", date(2024, 5, 4)),
    ),
    (
        "SELECT DATE '2024-01-01' < TIMESTAMP '2024-01-01 00:00:01', date('2024-01-01') = DATE '2024-01-01'",
        one(True, True),
    ),
    (
        "SELECT typeof(TIMESTAMP '2024-01-01 00:00:00'), typeof(TIMESTAMP '2024-01-01 00:00:00.12'), "
        "typeof(start), typeof(now()) FROM tows LIMIT 1",
        one("timestamp(0)", "timestamp(2)", "timestamp(3)", "timestamp(3) with time zone"),
    ),
    # A table's times are read to the millisecond.
    (
        "SELECT at, at = TIMESTAMP '2024-05-04 18:03:09.251' FROM clocks",
        one(datetime(2024, 5, 4, 18, 3, 9, 251000), True),
    ),
    # Aggregates.
    (
        "SELECT count(*), count(depth), count(DISTINCT vessel), count_if(day), count(*) FILTER (WHERE day) FROM tows",
        one(4, 3, 2, 2, 2),
    ),
    ("SELECT sum(tow), typeof(sum(tow)), avg(tow), typeof(avg(tow)) FROM tows", one(10, "bigint", 2.5, "double")),
    ("SELECT avg(x), typeof(avg(x)) FROM (VALUES 1.0, 1.0, 0.0) AS t(x)", one(Decimal("0.7"), "decimal(2,1)")),
    ("SELECT avg(CASE WHEN day THEN 1.00 ELSE -0.01 END) FROM tows", numbers("0.50")),
    ("SELECT sum(tow), max(vessel), count(*), array_agg(tow) FROM tows WHERE FALSE", one(None, None, 0, None)),
    (
        "SELECT max_by(depth, tow), min_by(tow, vessel), max_by(vessel, depth) FROM tows WHERE tow <> 3 AND tow <> 1",
        one(-20.0, 2, "Bellona"),
    ),
    ("SELECT max_by(depth, tow) FROM tows WHERE tow < 3", one(None)),
    ("SELECT bool_and(day), bool_or(day), every(day) FROM tows", one(False, True, False)),
    ("SELECT arbitrary(vessel), any_value(vessel) FROM tows WHERE tow = 1", one("Aldebaran", "Aldebaran")),
    ("SELECT array_agg(depth ORDER BY tow) FROM tows WHERE tow < 3", one([100.5, None])),
    ("SELECT stddev(tow), var_pop(tow), stddev(depth) FROM tows WHERE tow = 1", one(None, 0.0, None)),
    ("SELECT approx_distinct(vessel), approx_percentile(tow, 0.5) FROM tows", one(2, 2)),
    (
        "SELECT vessel, sum(tow) AS total FROM tows GROUP BY vessel ORDER BY total DESC",
        [("Bellona", 7), ("Aldebaran", 3)],
    ),
    ("SELECT vessel, count(*) FROM tows GROUP BY 1 HAVING sum(tow) > 3", [("Bellona", 2)]),
    ("SELECT tow / 3, count(*) FROM tows GROUP BY tow / 3 ORDER BY tow / 3", [(0, 2), (1, 2)]),
    (
        "SELECT vessel, count(*) FROM tows GROUP BY ROLLUP (vessel) ORDER BY 1",
        [("Aldebaran", 2), ("Bellona", 2), (None, 4)],
    ),
    (
        "SELECT vessel, day, count(*) FROM tows WHERE tow < 3 GROUP BY GROUPING SETS ((vessel, day), ()) ORDER BY 1, 2",
        [("Aldebaran", False, 1), ("Aldebaran", True, 1), (None, None, 2)],
    ),
    # Windows.
    (
        "SELECT tow, lag(tow) OVER (PARTITION BY vessel ORDER BY tow), lead(tow, 1, "
        "0) OVER (ORDER BY tow) FROM tows ORDER BY 1",
        [(1, None, 2), (2, 1, 3), (3, None, 4), (4, 3, 0)],
    ),
    (
        "SELECT lag(depth) IGNORE NULLS OVER (ORDER BY tow) FROM tows WHERE tow <> 3 ORDER BY tow",
        column(None, 100.5, 100.5),
    ),
    (
        "SELECT first_value(depth) IGNORE NULLS OVER (ORDER BY tow DESC ROWS BETWEEN UNBOUNDED PRECEDING "
        "AND CURRENT ROW) FROM tows WHERE tow < 3 ORDER BY tow",
        column(100.5, None),
    ),
    ("SELECT sum(tow) OVER (ORDER BY vessel) FROM tows ORDER BY tow", column(3, 3, 10, 10)),
    (
        "SELECT sum(tow) OVER (ORDER BY tow ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM tows ORDER BY tow",
        column(3, 6, 9, 7),
    ),
    ("SELECT last_value(tow) OVER (ORDER BY tow) FROM tows ORDER BY tow", column(1, 2, 3, 4)),
    (
        "SELECT rank() OVER w, dense_rank() OVER w, "
        "ntile(2) OVER w FROM tows WINDOW w AS (ORDER BY vessel) ORDER BY 1, 3",
        [(1, 1, 1), (1, 1, 1), (3, 2, 2), (3, 2, 2)],
    ),
    (
        "SELECT vessel, sum(sum(tow)) OVER (ORDER BY vessel) FROM tows GROUP BY vessel ORDER BY 1",
        [("Aldebaran", 3), ("Bellona", 10)],
    ),
    ("SELECT nth_value(tow, 2) OVER (ORDER BY tow) FROM tows ORDER BY tow", column(None, 2, 2, 2)),
    # Arrays and maps.
    (
        "SELECT ARRAY[1, 2][1], element_at(ARRAY[1, 2], -1), element_at(ARRAY[1, 2], 5), cardinality(ARRAY[1, 2, 3])",
        one(1, 2, None, 3),
    ),
    ("SELECT contains(ARRAY[1, 2], 2), contains(ARRAY[1, NULL], 2), contains(ARRAY[1], 2)", one(True, None, False)),
    (
        "SELECT sequence(1, 3), sequence(3, 1), sequence(1, 7, 3), sequence(DATE '2024-02-28', DATE '2024-03-01')",
        one([1, 2, 3], [3, 2, 1], [1, 4, 7], [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]),
    ),
    (
        "SELECT array_max(ARRAY[1, 3]), array_min(ARRAY[1, NULL]), array_sort(ARRAY[2, NULL, 1]), "
        "array_join(ARRAY['a', NULL, 'b'], '-')",
        one(3, None, [1, 2, None], "a-b"),
    ),
    (
        "SELECT MAP(ARRAY['a'], ARRAY[1])['a'], element_at(MAP(ARRAY['a'], ARRAY[1]), 'b'), "
        "map_keys(MAP(ARRAY['a'], ARRAY[1]))",
        one(1, None, ["a"]),
    ),
    ("SELECT tow, net FROM tows CROSS JOIN UNNEST(nets) AS n(net) ORDER BY 1, 2", [(1, 1), (1, 2), (4, 3)]),
    (
        "SELECT tow, net FROM tows LEFT JOIN UNNEST(nets) AS n(net) ON TRUE WHERE tow > 1 ORDER BY 1",
        [(2, None), (3, None), (4, 3)],
    ),
    (
        "SELECT v, n, w FROM UNNEST(ARRAY['a', 'b'], ARRAY[1]) WITH ORDINALITY AS t(v, w, n)",
        [("a", 1, 1), ("b", 2, None)],
    ),
    ("SELECT count(*) FROM UNNEST(ARRAY[1, 2]) WITH ORDINALITY", one(2)),
    ("SELECT k, v FROM UNNEST(MAP(ARRAY['a'], ARRAY[1])) AS t(k, v)", [("a", 1)]),
    (
        """SELECT json_extract_scalar('{"a": {"b": [1, "x"]}}', '$.a.b[1]'), json_extract_scalar('{"a": [1]}', '$.a'),
        json_extract_scalar('no json', '$.a'), json_extract_scalar('{"a": true}', '$.a'),
        json_extract_scalar('{"a": null}', '$.a')""",
        one("x", None, None, "true", None),
    ),
    (
        "SELECT a.tow, b.tow, c.tow FROM tows a LEFT JOIN tows b JOIN tows c ON c.tow = b.tow + 3 ON a.tow = b.tow "
        "WHERE a.tow < 3 ORDER BY 1",
        [(1, 1, 4), (2, None, None)],
    ),
    ("SELECT count(*) FROM tows a, nets b RIGHT JOIN (VALUES 7) c(x) ON b.tow = c.x", one(4)),
    ("SELECT a.tow, u.x FROM nets a, UNNEST(ARRAY[a.net, 7]) AS u(x) WHERE tow = 9 ORDER BY 2", [(9, 0), (9, 7)]),
    ("SELECT ARRAY['a'] || ARRAY['bc'], concat(ARRAY[1], NULL)", one(["a", "bc"], None)),
    # Joins, subqueries, set operations, WITH, and which column a name is.
    ("SELECT tow, volume FROM tows JOIN nets USING (tow) ORDER BY 2", [(4, 5.0), (1, 10.0), (1, 20.0)]),
    ("SELECT * FROM (VALUES (1, 'a')) AS t(x, y) JOIN (VALUES (1, 'b')) AS u(x, z) USING (x)", [(1, "a", "b")]),
    (
        "SELECT t.tow, n.net FROM tows t LEFT JOIN nets n ON t.tow = n.tow AND n.net = 1 ORDER BY 1",
        [(1, 1), (2, None), (3, None), (4, None)],
    ),
    ("SELECT count(*) FROM tows, nets", one(16)),
    (
        "SELECT coalesce(t.tow, n.tow) FROM tows t FULL JOIN nets n ON t.tow = n.tow ORDER BY 1",
        column(1, 1, 2, 3, 4, 9),
    ),
    ("SELECT tow FROM tows t WHERE EXISTS (SELECT 1 FROM nets n WHERE n.tow = t.tow) ORDER BY 1", column(1, 4)),
    ("SELECT tow FROM tows WHERE tow NOT IN (SELECT tow FROM nets) ORDER BY 1", column(2, 3)),
    (
        "SELECT (SELECT max(volume) FROM nets n WHERE n.tow = t.tow) FROM tows t ORDER BY tow",
        column(20.0, None, None, 5.0),
    ),
    ("SELECT 1 UNION SELECT 1 UNION ALL SELECT 2 ORDER BY 1", column(1, 2)),
    ("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", column(1)),
    ("SELECT tow FROM tows EXCEPT SELECT tow FROM nets ORDER BY tow", column(2, 3)),
    ("SELECT 1 AS x UNION ALL SELECT 2.5 ORDER BY x", [(Decimal("1.0"),), (Decimal("2.5"),)]),
    ("WITH a (x) AS (SELECT tow FROM tows), b AS (SELECT x + 1 AS y FROM a) SELECT max(y) FROM b", one(5)),
    ("SELECT max(tow) AS vessel FROM tows GROUP BY vessel ORDER BY vessel", column(2, 4)),
    ("SELECT -tow AS tow FROM tows ORDER BY tow", column(-4, -3, -2, -1)),
    ("SELECT tow AS n, depth FROM tows WHERE tow < 3 ORDER BY -n", [(2, None), (1, 100.5)]),
    ("SELECT vessel FROM tows ORDER BY tow DESC OFFSET 1 LIMIT 2", column("Bellona", "Aldebaran")),
    ("SELECT DISTINCT vessel FROM tows ORDER BY vessel FETCH FIRST 1 ROW ONLY", column("Aldebaran")),
    ("SELECT * FROM (SELECT 1 AS a, 2 AS a)", one(1, 2)),
    (
        "SELECT flag.code, flag.since / 100, typeof(flag), crew[1] FROM ships",
        one("DE", 19, "row(code varchar, since bigint)", {"name": "Ann"}),
    ),
    ("VALUES (1, 'a'), (2, 'b')", [(1, "a"), (2, "b")]),
]

CANNOT = "cannot be resolved or requester is not authorized to access requested resources"
ERRORS: list[tuple[str, str]] = [
    # Names.
    ("SELECT nope FROM tows", f"COLUMN_NOT_FOUND: line 1:8: Column 'nope' {CANNOT}"),
    ("SELECT tow\nFROM tows\nWHERE tows.nope = 1", f"COLUMN_NOT_FOUND: line 3:7: Column 'tows.nope' {CANNOT}"),
    ("SELECT tow AS x FROM tows WHERE x = 1", f"COLUMN_NOT_FOUND: line 1:33: Column 'x' {CANNOT}"),
    ("SELECT tow AS x FROM tows GROUP BY x", f"COLUMN_NOT_FOUND: line 1:36: Column 'x' {CANNOT}"),
    ("SELECT sum(tow) AS x FROM tows HAVING x > 1", f"COLUMN_NOT_FOUND: line 1:39: Column 'x' {CANNOT}"),
    ("SELECT tow AS x, x + 1 FROM tows", f"COLUMN_NOT_FOUND: line 1:18: Column 'x' {CANNOT}"),
    ('SELECT tow FROM tows WHERE vessel = "Bellona"', f"COLUMN_NOT_FOUND: line 1:37: Column 'Bellona' {CANNOT}"),
    ("SELECT a.tow FROM tows a JOIN nets b USING (tow)", f"COLUMN_NOT_FOUND: line 1:8: Column 'a.tow' {CANNOT}"),
    ("SELECT tow FROM tows, nets", "AMBIGUOUS_NAME: line 1:8: Column 'tow' is ambiguous"),
    ("SELECT 1 FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.towline.nope' does not exist"),
    ("SELECT 1 FROM UNNEST(ARRAY[1]) AS t(a, b)", "MISMATCHED_COLUMN_ALIASES: "),
    ("SELECT nope(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nope' not registered"),
    ("SELECT 1 ORDER BY 2", "INVALID_COLUMN_REFERENCE: line 1:19: ORDER BY position 2 is not in select list"),
    # Types.
    ("SELECT '1' + 1", "TYPE_MISMATCH: line 1:12: Cannot apply operator: varchar(1) + integer"),
    ("SELECT vessel = 1 FROM tows", "TYPE_MISMATCH: line 1:15: Cannot apply operator: varchar = integer"),
    ("SELECT landed = '2024-01-01' FROM tows", "TYPE_MISMATCH: line 1:15: Cannot apply operator: date = varchar(10)"),
    ("SELECT tow IN ('1') FROM tows", "TYPE_MISMATCH: "),
    ("SELECT CASE tow WHEN 1 THEN 'a' ELSE 5 END FROM tows", "TYPE_MISMATCH: "),
    ("SELECT 1 WHERE 1", "TYPE_MISMATCH: line 1:16: WHERE clause must evaluate to a boolean: actual type integer"),
    (
        "SELECT 1 WHERE TRUE AND 1",
        "TYPE_MISMATCH: line 1:25: Logical expression term must evaluate to a boolean (actual: integer)",
    ),
    ("SELECT vessel FROM tows UNION SELECT tow FROM tows", "TYPE_MISMATCH: "),
    ("SELECT 1, 2 UNION SELECT 1", "TYPE_MISMATCH: "),
    ("SELECT upper(tow) FROM tows", "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (bigint) for function upper"),
    ("SELECT sum(vessel) FROM tows", "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar) for function sum"),
    (
        "SELECT 1 || 'a'",
        "FUNCTION_NOT_FOUND: line 1:10: Unexpected parameters (integer, varchar(1)) for function concat",
    ),
    ("SELECT hour(landed) FROM tows", "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (date) for function hour"),
    ("SELECT CAST(landed AS bigint) FROM tows", "TYPE_MISMATCH: line 1:13: Cannot cast date to bigint"),
    # Aggregates where there can be none, and columns beside them.
    (
        "SELECT vessel, count(*) FROM tows",
        "EXPRESSION_NOT_AGGREGATE: line 1:8: 'vessel' must be an aggregate expression or appear in GROUP BY clause",
    ),
    ("SELECT tow + 2, count(*) FROM tows GROUP BY tow + 1", "EXPRESSION_NOT_AGGREGATE: "),
    (
        "SELECT tow FROM tows WHERE count(*) > 1",
        "EXPRESSION_NOT_SCALAR: line 1:28: WHERE clause cannot contain aggregations",
    ),
    ("SELECT sum(count(*)) FROM tows", "NESTED_AGGREGATION: "),
    ("SELECT DISTINCT vessel FROM tows ORDER BY tow", "EXPRESSION_NOT_IN_DISTINCT: "),
    ("SELECT row_number() FROM tows", "MISSING_OVER: "),
    ("SELECT lag(tow) OVER (PARTITION BY vessel) FROM tows", "MISSING_ORDER_BY: "),
    # DuckDB's language, which is not Athena's.
    ("SELECT tow::integer FROM tows", "SYNTAX_ERROR: line 1:11: mismatched input '::'"),
    ("FROM tows SELECT tow", "SYNTAX_ERROR: line 1:1: mismatched input 'FROM'"),
    ("FROM tows", "SYNTAX_ERROR: line 1:1: mismatched input 'FROM'"),
    ("SELECT * EXCLUDE (tow) FROM tows", "SYNTAX_ERROR: "),
    ("SELECT * REPLACE (1 AS tow) FROM tows", "SYNTAX_ERROR: "),
    ("SELECT tow FROM tows QUALIFY row_number() OVER (ORDER BY tow) = 1", "SYNTAX_ERROR: "),
    ("SELECT DISTINCT ON (vessel) tow FROM tows", "SYNTAX_ERROR: "),
    ("SELECT vessel, count(*) FROM tows GROUP BY ALL", "SYNTAX_ERROR: "),
    ("SELECT tow FROM tows ORDER BY ALL", "COLUMN_NOT_FOUND: "),
    ("SELECT tow FROM tows LIMIT 5 OFFSET 3", "SYNTAX_ERROR: line 1:30: mismatched input 'OFFSET'"),
    ("SELECT tow, FROM tows", "SYNTAX_ERROR: line 1:13: mismatched input 'FROM'"),
    ("SELECT tow,", "SYNTAX_ERROR: line 1:11: mismatched input '<EOF>'"),
    ("SELECT [1, 2]", "SYNTAX_ERROR: line 1:8: mismatched input '['"),
    ("SELECT {'a': 1}", "SYNTAX_ERROR: line 1:8: mismatched input '{'"),
    ("SELECT tow FROM tows LIMIT 1, 2", "SYNTAX_ERROR: line 1:29: mismatched input ','"),
    ("SELECT 1 FROM tows JOIN nets", "SYNTAX_ERROR: "),
    (
        "SELECT 1 FROM tows a, nets b JOIN nets c ON a.tow = c.tow",
        f"COLUMN_NOT_FOUND: line 1:45: Column 'a.tow' {CANNOT}",
    ),
    ("SELECT 1 FROM tows LEFT JOIN UNNEST(nets) AS n(x) ON x = tow", "NOT_SUPPORTED: "),
    ("SELECT 1 UNION ALL BY NAME SELECT 1", "SYNTAX_ERROR: "),
    (
        "SELECT * FROM read_csv('/etc/passwd')",
        "FUNCTION_NOT_FOUND: line 1:15: Table function 'read_csv' not registered",
    ),
    ("SELECT * FROM '/etc/passwd'", "TABLE_NOT_FOUND: "),
    ("SELECT INTERVAL '--5' DAY + DATE '2024-01-01'", "INVALID_LITERAL: "),
    ("SELECT 7 // 2", "SYNTAX_ERROR: "),
    ("SELECT 2 ** 3", "SYNTAX_ERROR: "),
    ("SELECT 1 == 1", "SYNTAX_ERROR: "),
    ("SELECT 1_000", "SYNTAX_ERROR: "),
    ("SELECT 1 < 2 < 3", "SYNTAX_ERROR: "),
    ("SELECT TRUE IS TRUE", "SYNTAX_ERROR: "),
    ("SELECT 'a' ILIKE 'A'", "SYNTAX_ERROR: "),
    ("SELECT vessel FROM tows ANTI JOIN nets ON tows.tow = nets.tow", "SYNTAX_ERROR: "),
    ("SELECT INTERVAL 3 DAY", "SYNTAX_ERROR: "),
    ("SELECT `tow` FROM tows", "SYNTAX_ERROR: "),
    ("SELECT ifnull(1, 2)", "FUNCTION_NOT_FOUND: line 1:8: Function 'ifnull' not registered"),
    ("SELECT list_sum(nets) FROM tows", "FUNCTION_NOT_FOUND: line 1:8: Function 'list_sum' not registered"),
    ("SELECT read_csv('/etc/passwd')", "FUNCTION_NOT_FOUND: line 1:8: Function 'read_csv' not registered"),
    ("SELECT 1; SELECT 2", "SYNTAX_ERROR: Only one sql statement is allowed."),
    ("DELETE FROM tows", "SYNTAX_ERROR: "),
    # Values.
    ("SELECT 5 / 0", "DIVISION_BY_ZERO: Division by zero"),
    ("SELECT tow % (tow - tow) FROM tows", "DIVISION_BY_ZERO: Division by zero"),
    ("SELECT 1.0 / 0", "DIVISION_BY_ZERO: Division by zero"),
    ("SELECT 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE: "),
    ("SELECT sum(x) FROM (VALUES 9223372036854775807, 1) AS t(x)", "NUMERIC_VALUE_OUT_OF_RANGE: "),
    (
        "SELECT CAST(vessel AS bigint) FROM tows WHERE tow = 1",
        "INVALID_CAST_ARGUMENT: Cannot cast 'Aldebaran' to BIGINT",
    ),
    ("SELECT CAST(' 1' AS bigint)", "INVALID_CAST_ARGUMENT: Cannot cast ' 1' to BIGINT"),
    ("SELECT CAST('1.5' AS integer)", "INVALID_CAST_ARGUMENT: Cannot cast '1.5' to INT"),
    ("SELECT CAST('yes' AS boolean)", "INVALID_CAST_ARGUMENT: Cannot cast 'yes' to BOOLEAN"),
    ("SELECT CAST('x' AS date)", "INVALID_CAST_ARGUMENT: Value cannot be cast to date: x"),
    ("SELECT CAST(123 AS varchar(2))", "INVALID_CAST_ARGUMENT: Value 123 cannot be represented as varchar(2)"),
    ("SELECT CAST(nan() AS bigint)", "INVALID_CAST_ARGUMENT: "),
    (
        "SELECT ARRAY[1, 2][3]",
        "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: 3 > 2",
    ),
    ("SELECT ARRAY[1][0]", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
    ("SELECT MAP(ARRAY['a'], ARRAY[1])['b']", "INVALID_FUNCTION_ARGUMENT: Key not present in map: b"),
    ("SELECT date_parse('x', '%Y')", 'INVALID_FUNCTION_ARGUMENT: Invalid format: "x"'),
    (
        "SELECT date_trunc('hour', DATE '2024-01-01')",
        "INVALID_FUNCTION_ARGUMENT: line 1:8: 'hour' is not a valid DATE field",
    ),
    (
        "SELECT DATE '2024-01-01' + INTERVAL '1' HOUR",
        "INVALID_FUNCTION_ARGUMENT: line 1:26: Cannot add hour, minutes or seconds to a date",
    ),
    ("SELECT 'ab' LIKE 'a!b' ESCAPE '!'", "INVALID_FUNCTION_ARGUMENT: line 1:8: Escape character must be followed by"),
    (
        "SELECT sequence(3, 1, 1)",
        "INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start",
    ),
    (
        "SELECT sequence(1, 10001)",
        "INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000",
    ),
    ("SELECT date_parse('2024-02-30', '%Y-%m-%d')", "INVALID_FUNCTION_ARGUMENT: "),
    ("SELECT CAST('2024-02-30' AS date)", "INVALID_CAST_ARGUMENT: Value cannot be cast to date: 2024-02-30"),
    ("SELECT split_part('a', '-', 0)", "INVALID_FUNCTION_ARGUMENT: line 1:8: Index must be greater than zero"),
    ("SELECT (SELECT tow FROM tows)", "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows"),
]

# A query for each thing that Athena runs and the local Athena refuses, before or while the query runs.
REFUSED: list[tuple[str, str]] = [
    ("FOR VERSION AS OF", "SELECT tow FROM tows FOR VERSION AS OF 3"),
    ("FOR TIMESTAMP AS OF", "SELECT tow FROM tows FOR TIMESTAMP AS OF TIMESTAMP '2024-01-01 00:00:00'"),
    ("TABLESAMPLE", "SELECT tow FROM tows TABLESAMPLE BERNOULLI (50)"),
    (
        "MATCH_RECOGNIZE",
        "SELECT x FROM tows MATCH_RECOGNIZE (ORDER BY tow MEASURES 1 AS x PATTERN (A) DEFINE A AS TRUE)",
    ),
    ("WITH RECURSIVE", "WITH RECURSIVE t(n) AS (SELECT 1) SELECT n FROM t"),
    ("LATERAL", "SELECT 1 FROM tows CROSS JOIN LATERAL (SELECT 1)"),
    ("NATURAL JOIN", "SELECT 1 FROM tows NATURAL JOIN nets"),
    ("quantified comparison", "SELECT 1 = ANY (SELECT tow FROM tows)"),
    ("AT TIME ZONE", "SELECT start AT TIME ZONE 'UTC' FROM tows"),
    ("time of day", "SELECT TIME '10:00:00'"),
    ("interval as a result", "SELECT INTERVAL '1' DAY"),
    ("interval as a result", "SELECT INTERVAL '1' DAY * 2"),
    ("difference of two times", "SELECT start - start FROM tows"),
    ("decimal modulo", "SELECT 10.5 % 3"),
    ("average of decimals", "SELECT avg(CAST(tow AS decimal(30,10))) FROM tows"),
    ("char(n)", "SELECT CAST('a' AS char(3))"),
    ("CAST of nested types", "SELECT CAST(nets AS array(varchar)) FROM tows"),
    ("CAST to JSON", "SELECT CAST('1' AS json)"),
    ("comparison of nested types", "SELECT nets = nets FROM tows"),
    ("ROW constructor", "SELECT (1, 2)"),
    ("UNNEST of rows", "SELECT name FROM ships CROSS JOIN UNNEST(crew) AS c(name)"),
    ("varbinary literal", "SELECT X'00'"),
    ("RANGE with an offset", "SELECT sum(tow) OVER (ORDER BY tow RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM tows"),
    ("GROUPS frame", "SELECT sum(tow) OVER (ORDER BY tow GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM tows"),
    ("FETCH FIRST WITH TIES", "SELECT tow FROM tows ORDER BY 1 FETCH FIRST 1 ROW WITH TIES"),
    ("regular expression", "SELECT regexp_like(vessel, '(?<=A)l') FROM tows"),
    ("regular expression", "SELECT regexp_replace(vessel, 'x*', '-') FROM tows"),
    ("regular expression", "SELECT regexp_extract(vessel, '(x)?A', 1) FROM tows"),
    ("regular expression over other letters", "SELECT regexp_like('Ærø', '\\w')"),
    ("regular expression over other letters", "SELECT regexp_like(chr(97) || chr(10), 'a$')"),
    ("regular expression over other letters", "SELECT TRY(regexp_like(vessel, '\\w')) FROM tows"),
    ("format of a date", "SELECT date_format(start, '%D') FROM tows"),
    ("format of a date", "SELECT date_parse(vessel, '%j') FROM tows"),
    ("format of a date", "SELECT date_parse('10:00', '%H:%i')"),
    ("format of a date", "SELECT date_parse('24-01-01', '%y-%m-%d')"),
    ("format of a date", "SELECT date_parse('2024-01-01 12', '%Y-%m-%d %h')"),
    ("pattern from a column", "SELECT date_format(start, vessel) FROM tows"),
    ("JSON path", "SELECT json_extract_scalar(vessel, '$..a') FROM tows"),
    ("text of a double", "SELECT CAST(1e10 AS varchar)"),
    ("text of a double", "SELECT TRY_CAST(depth AS varchar) FROM tows"),
    ("JSON number with a fraction", """SELECT json_extract_scalar('{"a": 1.10}', '$.a')"""),
    ("time with an offset", "SELECT from_iso8601_timestamp('2024-05-04T18:03:09+02:00')"),
    ("precision of a timestamp", "SELECT CAST(start AS timestamp(9)) FROM tows"),
    ("weighted approx_percentile", "SELECT approx_percentile(tow, 1.0, 0.5) FROM tows"),
    ("several answers of max_by", "SELECT max_by(vessel, tow, 2) FROM tows"),
    ("long expression", "SELECT " + "sqrt(" * 20 + "depth" + ")" * 20 + " FROM tows"),
    ("other clause", "SELECT round(123, -2)"),
    ("other clause", "SELECT sequence(DATE '2024-01-01', DATE '2024-02-01', INTERVAL '7' DAY)"),
]
