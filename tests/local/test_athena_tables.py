"""What the local Athena reads and writes: formats, types, partitions, tables made of queries, the catalog."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlglot import exp

from tests.local import athena as shared
from tests.local.athena import Athena
from tests.local_stack import BUCKET
from towline.local.athena import storage
from towline.local.athena.catalog import duck_type, hive_type
from towline.local.athena.ctas import plan, publish
from towline.local.athena.dialect import parse
from towline.local.athena.errors import AthenaError
from towline.local.athena.failure import Cancelled
from towline.local.athena.projection import projected
from towline.local.athena.storage import Location
from towline.pipeline import tables

athena_of_the_stack = shared.athena_of_the_stack

JSON = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
OPEN_CSV = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"


def test_all_objects_below_a_location_are_read_but_the_hidden_ones(athena: Athena) -> None:
    for path in ("seen/a", "seen/deep/b.parquet", "seen/_SUCCESS", "seen/.c", "seen/_deep/d", "seen_not/e"):
        athena.put(path, pa.table({"n": [path.rpartition("/")[2]]}))
    athena.s3.put_object(Bucket=BUCKET, Key=f"{athena.database}/seen/folder/", Body=b"")
    athena.table("seen", "n string", "seen")
    assert athena.rows("SELECT n FROM seen ORDER BY n") == [["a"], ["b.parquet"]]


def test_the_current_version_is_read(athena: Athena) -> None:
    athena.table("versions", "n bigint", "versions/")
    assert athena.rows("SELECT n FROM versions") == []
    for n in (1, 2):
        athena.put("versions/part", pa.table({"n": [n]}))
    assert athena.rows("SELECT n FROM versions") == [["2"]]
    athena.s3.delete_object(Bucket=BUCKET, Key=f"{athena.database}/versions/part")
    assert athena.rows("SELECT n FROM versions") == []


def test_columns_go_by_name_and_one_that_a_file_lacks_is_null(athena: Athena) -> None:
    athena.put("evolved/1", pa.table({"Tow": [1], "gone": ["x"]}))
    athena.put("evolved/2", pa.table({"added": ["y"], "Tow": [2]}))
    athena.table("evolved", "tow bigint, added string, never date", "evolved/")
    assert athena.rows("SELECT * FROM evolved ORDER BY tow") == [["1", None, None], ["2", "y", None]]


def test_a_column_of_another_type_than_the_tables_is_bad_data(athena: Athena) -> None:
    athena.put("narrow/part", pa.table({"n": [1], "ok": ["x"]}))
    athena.table("narrow", "n int, ok string", "narrow/")
    assert athena.rows("SELECT ok FROM narrow") == [["x"]]
    assert athena.fail("SELECT n FROM narrow") == (
        f"HIVE_BAD_DATA: Field n's type INT64 in parquet file {athena.at('narrow/part')} is incompatible with type "
        "integer defined in table schema"
    )


def test_what_is_no_parquet_is_bad_data(athena: Athena) -> None:
    athena.put("broken/part", b"tow,species\n")
    athena.table("broken", "tow bigint", "broken/")
    assert athena.fail("SELECT * FROM broken").startswith("HIVE_BAD_DATA: Not valid Parquet file: s3://")


def test_all_types_of_a_contract_come_through(athena: Athena) -> None:
    instant = datetime(2026, 1, 31, 10, 20, 30, 123456)
    words = pa.array(["é"]).dictionary_encode()
    row = {"i": [1], "n": [0.1], "s": words, "b": [True], "d": [instant.date()]}
    table = pa.table({**row, "t": pa.array([instant], pa.timestamp("us"))})
    athena.put("types/naive", table)
    athena.put(
        "types/zoned", table.set_column(5, "t", pa.array([instant.replace(tzinfo=UTC)], pa.timestamp("us", "UTC")))
    )
    athena.table("types", "i bigint, n double, s string, b boolean, d date, t timestamp", "types/")
    expected = ["1", "0.1", "é", "true", "2026-01-31", "2026-01-31 10:20:30.123"]
    assert athena.rows("SELECT * FROM types") == [expected, expected]


def test_json_is_one_object_a_line(athena: Athena) -> None:
    athena.put("json/1", b'{"tow": 1, "more": {"species": ["cod"]}, "text": {"a": 1}}\n{"tow": null, "extra": 2}\n')
    athena.put("json/2.gz", gzip.compress(b'{"tow": 3, "text": "x"}'))
    athena.table("json_lines", "tow bigint, more struct<species:array<string>>, text string", "json/", JSON)
    assert athena.rows("SELECT tow, more, text FROM json_lines ORDER BY tow") == [
        ["1", "{species=[cod]}", '{"a":1}'],
        ["3", None, "x"],
        [None, None, None],
    ]


def test_a_line_that_is_no_json_is_bad_data(athena: Athena) -> None:
    athena.put("bad_json/1", b'{"tow": 1}\n{"tow":\n')
    athena.table("bad_json", "tow bigint", "bad_json/", JSON)
    assert athena.fail("SELECT * FROM bad_json").startswith("HIVE_BAD_DATA: ")


def test_text_is_delimited_and_knows_no_quotes(athena: Athena) -> None:
    athena.put("text/1", b'tow|note|kg\n1|"a"|1.5\n2|\\N|heavy\n3\n')
    rest = "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' STORED AS TEXTFILE"
    rows = "tow bigint, note string, kg double"
    athena.run(
        f"CREATE EXTERNAL TABLE delimited ({rows}) {rest} LOCATION '{athena.at('text/')}' "
        "TBLPROPERTIES ('skip.header.line.count' = '1')"
    )
    expected = [["1", '"a"', "1.5"], ["2", None, None], ["3", None, None]]
    assert athena.rows("SELECT * FROM delimited ORDER BY tow") == expected


def test_csv_has_quotes_and_its_empty_texts_are_no_nulls(athena: Athena) -> None:
    athena.put("csv/1", b'1,"a ""b"", c",\n2,,3.5\n')
    athena.table("csv_lines", "tow bigint, note string, kg double", "csv/", OPEN_CSV)
    assert athena.rows("SELECT * FROM csv_lines ORDER BY tow") == [["1", 'a "b", c', None], ["2", "", "3.5"]]


def test_rows_tell_the_object_that_they_are_in(athena: Athena) -> None:
    assert athena.rows('SELECT tow, "$path" FROM hauls WHERE tow = 1') == [["1", athena.at("hauls/part")]]


def test_names_go_in_any_case_quoted_and_in_full(athena: Athena) -> None:
    for name in ("HAULS", '"hauls"', f"{athena.database}.hauls", f'"awsdatacatalog"."{athena.database}"."hauls"'):
        assert athena.rows(f"SELECT count(*) FROM {name}") == [["3"]]
    assert athena.rows("WITH other AS (SELECT 1 AS n) SELECT other.n FROM other") == [["1"]]
    assert "CATALOG_NOT_FOUND: line 1:15" in athena.fail("SELECT * FROM elsewhere.a.b")
    assert "SCHEMA_NOT_FOUND: line 1:15: Schema 'nowhere'" in athena.fail("SELECT * FROM nowhere.b")


def put_days(athena: Athena, path: str) -> None:
    for day in ("2026-01-01", "2026-01-02", "2027-01-01"):
        athena.put(f"{path}/vessel=a%20b/day={day}/part", pa.table({"n": [day]}))


def test_partitions_are_read_once_they_are_registered(athena: Athena) -> None:
    put_days(athena, "days")
    keys = "PARTITIONED BY (vessel string, day date) STORED AS PARQUET"
    athena.table("days", "n string", "days/", keys)
    assert athena.rows("SELECT * FROM days") == []
    athena.run(
        "ALTER TABLE days ADD IF NOT EXISTS PARTITION (vessel = 'a b', day = '2026-01-01')"
        f" LOCATION '{athena.at('days/vessel=a%20b/day=2026-01-01/')}'"
    )
    assert athena.rows("SELECT * FROM days") == [["2026-01-01", "a b", "2026-01-01"]]
    athena.run("MSCK REPAIR TABLE days")
    assert athena.rows("SELECT n FROM days WHERE day > DATE '2026-01-01' ORDER BY n") == [
        ["2026-01-02"],
        ["2027-01-01"],
    ]
    athena.run("ALTER TABLE days DROP PARTITION (vessel = 'a b', day = '2027-01-01')")
    query_id = athena.run("SHOW PARTITIONS days")["QueryExecutionId"]
    answer = athena.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    shown = [row["Data"][0]["VarCharValue"] for row in answer]
    assert shown == ["vessel=a b/day=2026-01-01", "vessel=a b/day=2026-01-02"]


def project(athena: Athena, name: str, keys: str, template: str, properties: dict[str, str]) -> None:
    given = {"projection.enabled": "true", "storage.location.template": athena.at(template), **properties}
    listed = ", ".join(f"'{key}' = '{value}'" for key, value in given.items())
    athena.run(
        f"CREATE EXTERNAL TABLE {name} (n string) PARTITIONED BY ({keys}) STORED AS PARQUET "
        f"LOCATION '{athena.at(template.partition('$')[0])}' TBLPROPERTIES ({listed})"
    )


def test_dates_are_projected_between_a_first_and_a_last(athena: Athena) -> None:
    for day in ("2025/12/31", "2026/01/01", "2026/01/02", "nonsense/01/01", "9999/01/01"):
        athena.put(f"dated/{day}/part", pa.table({"n": [day]}))
    project(
        athena,
        "dated",
        "day string",
        "dated/${day}/",
        {
            "projection.day.type": "date",
            "projection.day.format": "yyyy/MM/dd",
            "projection.day.range": "2026/01/01,NOW",
        },
    )
    assert athena.rows("SELECT n, day FROM dated") == []
    put_days(athena, "ranged")
    project(
        athena,
        "ranged",
        "day string",
        "ranged/vessel=a%20b/day=${day}/",
        {
            "projection.day.type": "date",
            "projection.day.format": "yyyy-MM-dd",
            "projection.day.range": "2026-01-02,NOW+50YEARS",
            "projection.day.interval": "1",
        },
    )
    assert athena.rows("SELECT n, day FROM ranged ORDER BY n") == [["2026-01-02"] * 2, ["2027-01-01"] * 2]


def test_words_and_numbers_are_projected(athena: Athena) -> None:
    for path in ("net/01", "net/2", "net/03", "net/11", "line/01", "pot/01"):
        athena.put(f"gear/{path}/part", pa.table({"n": [path]}))
    project(
        athena,
        "gear",
        "kind string, tow int",
        "gear/${kind}/${tow}/",
        {
            "projection.kind.type": "enum",
            "projection.kind.values": "net,line",
            "projection.tow.type": "integer",
            "projection.tow.range": "1,10",
            "projection.tow.digits": "2",
        },
    )
    assert athena.rows("SELECT n, kind, tow FROM gear ORDER BY n") == [
        ["line/01", "line", "1"],
        ["net/01", "net", "1"],
        ["net/03", "net", "3"],
    ]


def test_a_key_that_only_the_query_knows_must_be_in_it(athena: Athena) -> None:
    for who in ("ana", "bo"):
        athena.put(f"who/{who}/part", pa.table({"n": [who]}))
    project(athena, "who", "name string", "who/${name}/", {"projection.name.type": "injected"})
    assert athena.rows("SELECT n FROM who WHERE name = 'bo'") == [["bo"]]
    assert athena.fail("SELECT n FROM who").startswith(
        "CONSTRAINT_VIOLATION: For the injected projected partition column name, the WHERE clause must contain only"
    )


def test_a_projection_that_is_not_described_is_refused(athena: Athena) -> None:
    project(athena, "undescribed", "day string", "hauls/${day}/", {"projection.day.type": "date"})
    assert "projection.day.format is missing" in athena.fail("SELECT * FROM undescribed")


def ctas(athena: Athena, name: str, select: str, **properties: str) -> str:
    given = {"external_location": f"'{athena.at(name)}/'", **properties}
    listed = ", ".join(f"{key} = {value}" for key, value in given.items())
    return f"CREATE TABLE {name} WITH ({listed}) AS {select}"


def test_a_location_that_is_not_empty_is_left_alone(athena: Athena) -> None:
    athena.put("full/_anything", b"x")
    reason = athena.fail(ctas(athena, "full", "SELECT 1 AS n"))
    assert reason.startswith(
        f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{athena.database}.full' already exists: "
        f"{athena.at('full/')}"
    )
    assert athena.keys("full/") == [f"{athena.database}/full/_anything"]


def test_a_table_that_is_there_is_left_alone(athena: Athena) -> None:
    assert "TABLE_ALREADY_EXISTS: line 1:14" in athena.fail(ctas(athena, "hauls", "SELECT 1 AS n"))
    athena.run("CREATE TABLE IF NOT EXISTS hauls AS SELECT 1 AS n")
    assert athena.rows("SELECT count(*) FROM hauls") == [["3"]]


def test_a_table_without_a_location_goes_to_the_results(athena: Athena) -> None:
    query_id = athena.run("CREATE TABLE placed AS SELECT 1 AS n")["QueryExecutionId"]
    assert athena.keys(f"results/tables/{query_id}/")
    assert athena.rows("SELECT n FROM placed") == [["1"]]


@pytest.mark.parametrize(
    ("select", "properties", "reason"),
    [
        ("SELECT 1", {}, "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"),
        ("SELECT 1 AS n, 2 AS N", {}, "DUPLICATE_COLUMN_NAME"),
        ("SELECT 1 AS n", {"format": "'ORC'"}, "NOT_SUPPORTED: the local stack writes JSON, PARQUET, TEXTFILE"),
        ("SELECT 1 AS n", {"colour": "'red'"}, "INVALID_TABLE_PROPERTY"),
        ("SELECT 1 AS k, 2 AS n", {"partitioned_by": "ARRAY['k']"}, "HIVE_COLUMN_ORDER_MISMATCH"),
        ("SELECT * FROM nowhere", {}, "TABLE_NOT_FOUND"),
    ],
)
def test_a_table_that_cannot_be_is_refused(
    athena: Athena, select: str, properties: dict[str, str], reason: str
) -> None:
    assert reason in athena.fail(ctas(athena, "impossible", select, **properties))
    assert not athena.keys("impossible")
    assert "TABLE_NOT_FOUND" in athena.fail("SELECT * FROM impossible")


def test_a_table_is_written_in_partitions(athena: Athena) -> None:
    athena.run(
        ctas(athena, "parted", "SELECT tow, species FROM hauls", partitioned_by="ARRAY['species']", format="'PARQUET'")
    )
    folders = {PurePosixPath(key).parent.name for key in athena.keys("parted/")}
    assert folders == {"species=cod", "species=__HIVE_DEFAULT_PARTITION__", "species="}
    assert athena.rows("SELECT tow FROM parted WHERE species = 'cod'") == [["1"]]


@pytest.mark.parametrize("properties", [{}, {"partitioned_by": "ARRAY['species']"}])
def test_a_table_of_no_rows_is_a_table(athena: Athena, properties: dict[str, str]) -> None:
    name = f"no_rows_{len(properties)}"
    athena.run(ctas(athena, name, "SELECT tow, species FROM hauls WHERE tow < 0", **properties))
    assert athena.rows(f"SELECT * FROM {name}") == []


def test_a_table_has_a_hundred_partitions_at_most(athena: Athena) -> None:
    athena.put("hundred/part", pa.table({"n": list(range(101))}))
    athena.table("hundred", "n bigint", "hundred/")
    query = "SELECT n AS k, n FROM hundred"
    reason = athena.fail(ctas(athena, "too_many", query, partitioned_by="ARRAY['n']"))
    assert reason == "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets"


@pytest.mark.parametrize(
    ("name", "properties", "line"),
    [
        ("as_json", {"format": "'JSON'"}, b'{"tow":2,"catch_kg":null,"species":""}\n'),
        ("as_text", {"format": "'TEXTFILE'", "field_delimiter": "'|'"}, b"2|\\N|\n"),
        ("as_gzip", {"format": "'JSON'", "write_compression": "'GZIP'"}, None),
        ("as_zstd", {"format": "'PARQUET'", "parquet_compression": "'ZSTD'"}, None),
    ],
)
def test_a_table_is_written_in_other_formats_and_read_again(
    athena: Athena, name: str, properties: dict[str, str], line: bytes | None
) -> None:
    athena.run(ctas(athena, name, "SELECT * FROM hauls WHERE tow = 2", **properties))
    body = athena.s3.get_object(Bucket=BUCKET, Key=athena.keys(f"{name}/")[0])["Body"].read()
    assert line is None or body == line
    assert athena.rows(f"SELECT * FROM {name}") == [["2", None, ""]]


def test_a_made_table_keeps_the_types_of_its_query(athena: Athena) -> None:
    select = "SELECT CAST(1 AS bigint) AS B, 1 AS i, 0.5e0 AS d, 'x' AS s, DATE '2026-01-01' AS day, ARRAY[1] AS a"
    athena.run(ctas(athena, "typed", select))
    columns = athena.glue.get_table(DatabaseName=athena.database, Name="typed")["Table"]["StorageDescriptor"]["Columns"]
    kinds = {column["Name"]: column["Type"] for column in columns}
    assert kinds == {"b": "bigint", "i": "int", "d": "double", "s": "string", "day": "date", "a": "array<int>"}
    body = athena.s3.get_object(Bucket=BUCKET, Key=athena.keys("typed/")[0])["Body"].read()
    assert pq.read_schema(io.BytesIO(body)).names == list(kinds)


def test_a_query_that_is_stopped_leaves_the_parts_that_it_had_put(
    athena: Athena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("1", "2", "3"):
        (tmp_path / name).write_bytes(b"x")
    put: list[Location] = []
    monkeypatch.setattr(storage, "put", lambda location, body: put.append(location))

    def go_on() -> None:
        if len(put) == 2:
            raise Cancelled

    created = parse(ctas(athena, "stopped", "SELECT 1 AS n"))
    assert isinstance(created, exp.Create)
    with pytest.raises(Cancelled):
        publish(plan(created, athena.database, Location(BUCKET, "")), tmp_path, go_on)
    assert [location.key.rpartition("/")[0] for location in put] == [f"{athena.database}/stopped"] * 2


def lines(athena: Athena, query: str) -> list[str]:
    query_id = athena.run(query)["QueryExecutionId"]
    answer = athena.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    return [row["Data"][0]["VarCharValue"].split("\t")[0].strip() for row in answer]


def test_the_catalog_is_listed(athena: Athena) -> None:
    assert "hauls" in lines(athena, "SHOW TABLES")
    assert lines(athena, f"SHOW TABLES IN {athena.database} 'hau*'") == ["hauls"]
    assert athena.database in lines(athena, "SHOW DATABASES")
    assert lines(athena, "SHOW COLUMNS IN hauls") == ["tow", "catch_kg", "species"]
    assert lines(athena, "DESCRIBE `hauls`") == ["tow", "catch_kg", "species"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("CREATE EXTERNAL TABLE hauls (n bigint) STORED AS PARQUET LOCATION 's3://b/a/'", "AlreadyExistsException"),
        ("CREATE EXTERNAL TABLE no.t (n bigint) STORED AS PARQUET LOCATION 's3://b/a/'", "Database does not exist: no"),
        ("DROP TABLE nowhere", "Table not found"),
        ("MSCK REPAIR TABLE nowhere", "Table not found"),
        ("ALTER TABLE hauls RENAME TO other", "NOT_SUPPORTED"),
        ("SHOW PARTITIONS hauls", "not a partitioned table"),
        ("SHOW COLUMNS hauls", "SYNTAX_ERROR"),
        ("INSERT INTO hauls SELECT 1, 2, 'x'", "NOT_SUPPORTED"),
        ("UNLOAD (SELECT 1) TO 's3://b/a/' WITH (format = 'PARQUET')", "NOT_SUPPORTED"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1 AS n", "NOT_SUPPORTED"),
        ("SELEC 1", "SYNTAX_ERROR"),
    ],
)
def test_a_statement_that_cannot_be_done_says_why(athena: Athena, query: str, reason: str) -> None:
    assert reason in athena.fail(query)


def is_projected(value: str, **properties: str) -> bool:
    return projected("k", {f"projection.k.{name}": given for name, given in properties.items()}).has(value)


def test_a_projected_date_has_the_form_and_the_range_that_are_given() -> None:
    hours = {"type": "date", "format": "yyyy-MM-dd'T'HH", "range": "2026-01-31T10,2026-01-31T12"}
    assert [is_projected(f"2026-01-31T{hour}", **hours) for hour in ("09", "10", "12", "13")] == [
        False,
        True,
        True,
        False,
    ]
    assert not is_projected("2026-01-31 10", **hours)


@pytest.mark.parametrize(
    ("first", "there"), [("NOW", False), ("NOW-2DAYS", True), ("NOW-1MONTH", True), ("NOW - 1 YEAR", True)]
)
def test_a_projected_date_may_begin_some_time_ago(first: str, there: bool) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d")
    assert is_projected(yesterday, type="date", format="yyyy-MM-dd", range=f"{first},NOW+1DAYS") is there


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"type": "colour"}, "type 'colour' is none of"),
        ({"type": "integer", "range": "1"}, "is not of the form first,last"),
        ({"type": "date", "format": "yyyy", "range": "2020,NOW+1FORTNIGHTS"}, "has an unknown unit"),
        ({"type": "date", "format": "yyyy", "range": "then,NOW"}, "'then' is not of the format yyyy"),
    ],
)
def test_a_projection_that_makes_no_sense_says_so(properties: dict[str, str], reason: str) -> None:
    with pytest.raises(AthenaError, match=reason):
        is_projected("1", **properties)


@pytest.mark.parametrize(
    "hive",
    [
        "boolean",
        "tinyint",
        "int",
        "bigint",
        "float",
        "double",
        "string",
        "binary",
        "date",
        "timestamp",
        "decimal(10,2)",
        "array<array<int>>",
        "map<string,array<double>>",
        "struct<a:int,b:struct<c:string,d:map<string,int>>>",
    ],
)
def test_a_type_is_the_same_after_a_table_was_made(hive: str) -> None:
    assert hive_type(duck_type(hive)) == hive


def test_a_type_that_no_table_can_hold_is_refused() -> None:
    with pytest.raises(AthenaError, match="Unsupported Hive type: interval"):
        hive_type("INTERVAL")
    with pytest.raises(AthenaError, match="Unsupported Hive type: uniontype"):
        duck_type("uniontype<int,string>")


def symlinked(athena: Athena, name: str, *paths: str, text: str | None = None) -> None:
    """A table of the objects that a text names, as the catalog describes such tables."""
    athena.put(f"{name}/links/files.txt", (text or "".join(f"{athena.at(path)}\n" for path in paths)).encode())
    storage = {**tables.SYMLINKS, "Location": athena.at(f"{name}/links/"), "Columns": [{"Name": "n", "Type": "bigint"}]}
    described = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage, "PartitionKeys": []}
    athena.glue.create_table(DatabaseName=athena.database, TableInput=described)


def test_of_symlinks_the_objects_that_they_name_are_read_and_no_others(athena: Athena) -> None:
    odd = "linked/course=o'hara ⛳ %27/1.parquet"
    for number, path in enumerate((odd, "linked/_hidden/2.parquet", "linked/unnamed.parquet")):
        athena.put(path, pa.table({"n": [number]}))
    symlinked(athena, "linked", odd, "linked/_hidden/2.parquet")
    assert athena.rows('SELECT n, "$path" FROM linked ORDER BY n') == [
        ["0", athena.at(odd)],
        ["1", athena.at("linked/_hidden/2.parquet")],
    ]
    symlinked(athena, "linked_to_none", text="\n")
    assert athena.rows("SELECT * FROM linked_to_none") == []


def test_a_symlink_to_nothing_is_an_error(athena: Athena) -> None:
    symlinked(athena, "dangling", "dangling/gone.parquet")
    assert athena.fail("SELECT n FROM dangling").startswith("HIVE_FILE_NOT_FOUND: Manifest file from the location")
    symlinked(athena, "elsewhere", text="/etc/passwd\n")
    assert "not of the form s3://" in athena.fail("SELECT n FROM elsewhere")


def test_of_files_that_a_query_names_no_others_are_opened(athena: Athena) -> None:
    athena.put("named/1", pa.table({"n": [1]}))
    athena.put("named/2", b"no Parquet")
    athena.table("named", "n bigint", "named/")
    one, other = athena.at("named/1"), athena.at("named/2")
    assert athena.rows(f"""SELECT * FROM (SELECT * FROM named WHERE "$path" IN ('{one}') AND n > 0)""") == [["1"]]
    assert athena.rows(f"""SELECT a.n FROM (SELECT * FROM named WHERE "$path" IN ('{one}')) a""") == [["1"]]
    for opens in (
        f"""SELECT n FROM named WHERE "$path" IN ('{one}', '{other}')""",
        f"""SELECT n FROM named WHERE "$path" IN ('{one}') OR n > 0""",
        f"""SELECT a.n FROM (SELECT * FROM named WHERE "$path" IN ('{one}')) a JOIN named b ON a.n = b.n""",
    ):
        assert "Not valid Parquet file" in athena.fail(opens)


def test_the_hidden_column_is_no_part_of_all_columns(athena: Athena) -> None:
    assert athena.rows("""SELECT * FROM hauls WHERE "$path" LIKE '%part' AND tow = 1""") == [["1", "1.5", "cod"]]
    shown = athena.rows("""SELECT * FROM (SELECT tow, "$path" AS path FROM hauls) WHERE tow = 1""")
    assert shown == [["1", athena.at("hauls/part")]]
