"""Athena's API on the local stack: what it takes and answers, and what a query may reach."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from tests.local import athena as shared
from tests.local.athena import Athena
from tests.local_stack import BUCKET, SMALL, client, running
from towline.local.athena.results import csv_line, csv_page

athena_of_the_stack, endless = shared.athena_of_the_stack, shared.endless

ARN = "arn:aws:states:::athena:"
ROLE = "arn:aws:iam::000000000000:role/any"


def test_a_query_answers_with_a_header_and_nulls_that_are_not_empty_strings(athena: Athena) -> None:
    query_id = athena.run("SELECT tow, catch_kg, species FROM hauls ORDER BY tow")["QueryExecutionId"]
    answer = athena.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]
    assert [[value.get("VarCharValue") for value in row["Data"]] for row in answer["Rows"]] == [
        ["tow", "catch_kg", "species"],
        ["1", "1.5", "cod"],
        ["2", None, ""],
        ["3", "3.0", None],
    ]
    assert [column["Type"] for column in answer["ResultSetMetadata"]["ColumnInfo"]] == ["bigint", "double", "varchar"]


def test_a_result_is_kept_as_athena_writes_it(athena: Athena) -> None:
    ended = athena.run("SELECT tow, species FROM hauls ORDER BY tow")
    key = f"{athena.database}/results/{ended['QueryExecutionId']}.csv"
    assert ended["ResultConfiguration"]["OutputLocation"] == f"s3://{BUCKET}/{key}"
    assert athena.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() == (
        '"tow","species"\n"1","cod"\n"2",""\n"3",\n'
    )
    assert athena.s3.head_object(Bucket=BUCKET, Key=f"{key}.metadata")


def test_a_table_made_of_a_query_can_be_queried(athena: Athena) -> None:
    ended = athena.run(
        f"CREATE TABLE doubled WITH (format = 'PARQUET', external_location = '{athena.at('doubled/')}') AS "
        "SELECT tow, catch_kg * 2 AS catch_kg, LAG(tow) OVER (ORDER BY tow) AS before FROM hauls"
    )
    assert athena.rows("SELECT * FROM doubled ORDER BY tow") == [
        ["1", "3.0", None],
        ["2", None, "1"],
        ["3", "6.0", "2"],
    ]
    manifest = ended["Statistics"]["DataManifestLocation"]
    listed = athena.s3.get_object(Bucket=BUCKET, Key=manifest.removeprefix(f"s3://{BUCKET}/"))["Body"].read().decode()
    assert listed.split() == [f"s3://{BUCKET}/{key}" for key in athena.keys("doubled/")]
    assert all("." not in key for key in athena.keys("doubled/"))


def test_a_dropped_table_is_gone_and_its_objects_are_not(athena: Athena) -> None:
    athena.table("short_lived", "tow bigint", "hauls/")
    athena.run("DROP TABLE IF EXISTS short_lived")
    athena.run("DROP TABLE IF EXISTS `short_lived`")
    assert "TABLE_NOT_FOUND: line 1:15" in athena.fail("SELECT * FROM short_lived")
    assert athena.keys("hauls/")


def refusal(athena: Athena, query: str, **more: Any) -> str:
    with pytest.raises(ClientError) as refused:
        athena.start(query, **more)
    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"
    return str(refused.value.response["Error"]["Message"])


def test_a_statement_may_end_in_a_semicolon_and_be_the_only_one(athena: Athena) -> None:
    assert athena.rows("SELECT ';' AS c -- a; comment\n;") == [[";"]]
    assert refusal(athena, "SELECT 1; SELECT 2").startswith("Only one sql statement is allowed. Got: SELECT 1;")
    assert refusal(athena, "  ") == "queryString cannot be empty"


def test_the_same_request_again_is_the_same_query(athena: Athena) -> None:
    token = uuid.uuid4().hex
    first = athena.start("SELECT 1", ClientRequestToken=token)
    assert athena.start("SELECT 1", ClientRequestToken=token) == first
    athena.ended(first)
    assert athena.start("SELECT 1", ClientRequestToken=token) == first
    assert refusal(athena, "SELECT 2", ClientRequestToken=token) == "Idempotent parameters do not match"


@pytest.fixture
def workgroup(athena: Athena) -> Iterator[str]:
    name = f"g{uuid.uuid4().hex[:8]}"
    configuration = {"ResultConfiguration": {"OutputLocation": athena.at("group")}}
    athena.athena.create_work_group(Name=name, Configuration=configuration)
    yield name
    athena.athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True)


def output(athena: Athena, **more: Any) -> str:
    return str(athena.run("SELECT 1", **more)["ResultConfiguration"]["OutputLocation"]).rpartition("/")[0]


def test_results_go_where_the_request_says_or_else_the_workgroup(athena: Athena, workgroup: str) -> None:
    assert output(athena, WorkGroup=workgroup) == athena.at("results")
    assert output(athena, WorkGroup=workgroup, ResultConfiguration={}) == athena.at("group")
    enforced = {"EnforceWorkGroupConfiguration": True}
    athena.athena.update_work_group(WorkGroup=workgroup, ConfigurationUpdates=enforced)
    assert output(athena, WorkGroup=workgroup) == athena.at("group")
    placed = f"CREATE TABLE placed_myself WITH (external_location = '{athena.at('mine/')}') AS SELECT 1 AS n"
    reason = athena.ended(athena.start(placed, WorkGroup=workgroup))["Status"]["StateChangeReason"]
    assert "external_location cannot be given in a workgroup that enforces its own" in reason


def test_a_query_without_a_workgroup_or_a_place_for_its_result_is_refused(athena: Athena, workgroup: str) -> None:
    assert refusal(athena, "SELECT 1", WorkGroup="nowhere") == "WorkGroup nowhere is not found."
    assert refusal(athena, "SELECT 1", ResultConfiguration={}).startswith("No output location provided.")
    athena.athena.update_work_group(WorkGroup=workgroup, State="DISABLED")
    assert refusal(athena, "SELECT 1", WorkGroup=workgroup) == f"WorkGroup {workgroup} is disabled."


def test_a_query_may_read_as_much_as_its_workgroup_says(athena: Athena, workgroup: str) -> None:
    updates = {"BytesScannedCutoffPerQuery": 10_000_000}
    athena.athena.update_work_group(WorkGroup=workgroup, ConfigurationUpdates=updates)
    athena.run("SELECT tow FROM hauls", WorkGroup=workgroup)
    athena.put(
        "wide/part",
        pa.table({"text": [f"{n:040}"[::-1] * 100 for n in range(3000)]}),
        compression="none",
        use_dictionary=False,
    )
    athena.table("wide", "text string", "wide/")
    status = athena.ended(athena.start("SELECT max(text) FROM wide", WorkGroup=workgroup))["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Bytes scanned limit was exceeded")


def test_a_workgroups_queries_are_listed_from_the_newest_on(athena: Athena, workgroup: str) -> None:
    ids = [athena.run(f"SELECT {n}", WorkGroup=workgroup)["QueryExecutionId"] for n in range(3)]
    page = athena.athena.list_query_executions(WorkGroup=workgroup, MaxResults=2)
    assert page["QueryExecutionIds"] == [ids[2], ids[1]]
    rest = athena.athena.list_query_executions(WorkGroup=workgroup, MaxResults=2, NextToken=page["NextToken"])
    assert (rest["QueryExecutionIds"], "NextToken" in rest) == ([ids[0]], False)


@given(st.lists(st.tuples(st.none() | st.text(), st.none() | st.text())), st.integers(1, 3))
def test_what_is_written_as_a_result_is_read_again_page_by_page(rows: list[tuple[str | None, ...]], limit: int) -> None:
    body = "".join(map(csv_line, rows)).encode()
    seen, at = [], 0
    while at < len(body):
        page, at = csv_page(body, at, limit)
        seen += page
    assert seen == [list(row) for row in rows]


def test_a_result_comes_in_pages(athena: Athena) -> None:
    query_id = athena.run("SELECT tow FROM hauls ORDER BY tow")["QueryExecutionId"]
    seen, token = [], {}
    with pytest.raises(ClientError, match="Malformed query results token"):
        athena.athena.get_query_results(QueryExecutionId=query_id, NextToken="3")
    while True:
        page = athena.athena.get_query_results(QueryExecutionId=query_id, MaxResults=3, **token)
        seen.append([row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert seen == [["tow", "1", "2"], ["3"]]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("CAST(1 AS double)", "double", "1.0"),
        ("CAST(12345678.5 AS double)", "double", "1.23456785E7"),
        ("CAST(0.00025 AS double)", "double", "2.5E-4"),
        ("CAST(3000000000 AS bigint)", "bigint", "3000000000"),
        ("true", "boolean", "true"),
        ("DATE '2026-01-31'", "date", "2026-01-31"),
        ("TIMESTAMP '2026-01-31 10:20:30.5'", "timestamp", "2026-01-31 10:20:30.500"),
        ("'a \"b\", c'", "varchar", 'a "b", c'),
        ("ARRAY[1, NULL]", "array", "[1, null]"),
        ("CAST(1.50 AS decimal(10, 2))", "decimal", "1.50"),
    ],
)
def test_values_are_written_as_athena_writes_them(athena: Athena, value: str, kind: str, text: str) -> None:
    query_id = athena.run(f"SELECT {value} AS c")["QueryExecutionId"]
    answer = athena.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]
    assert answer["ResultSetMetadata"]["ColumnInfo"][0]["Type"] == kind
    assert answer["Rows"][1]["Data"] == [{"VarCharValue": text}]


def test_an_execution_tells_when_it_ran_and_what_it_read(athena: Athena) -> None:
    before = datetime.now(UTC)
    ended = athena.run("SELECT tow FROM hauls")
    status, statistics = ended["Status"], ended["Statistics"]
    assert before - timedelta(milliseconds=2) <= status["SubmissionDateTime"] <= status["CompletionDateTime"]
    assert (ended["StatementType"], ended["SubstatementType"]) == ("DML", "SELECT")
    everything = athena.run("SELECT * FROM hauls")["Statistics"]["DataScannedInBytes"]
    assert 0 < statistics["DataScannedInBytes"] < everything
    assert athena.run("SELECT count(*) FROM hauls")["Statistics"]["DataScannedInBytes"] == 0
    assert statistics["TotalExecutionTimeInMillis"] >= statistics["EngineExecutionTimeInMillis"]


def test_a_query_that_fails_says_why(athena: Athena) -> None:
    query_id = athena.start("SELECT * FROM nowhere")
    status = athena.ended(query_id)["Status"]
    reason = f"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{athena.database}.nowhere' does not exist"
    assert status["StateChangeReason"] == reason
    assert (status["AthenaError"]["ErrorCategory"], status["AthenaError"]["Retryable"]) == (2, False)
    with pytest.raises(ClientError, match="Final query state: FAILED"):
        athena.athena.get_query_results(QueryExecutionId=query_id)


def test_a_query_is_stopped_while_it_runs_and_while_it_waits(athena: Athena, endless: str) -> None:
    first, second = (shared.running_now(athena, endless) for _ in range(2))
    third = athena.start(endless)
    assert athena.look(third)["Status"]["State"] == "QUEUED"
    for query_id in (third, first, second):
        athena.athena.stop_query_execution(QueryExecutionId=query_id)
        status = athena.ended(query_id)["Status"]
        assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Query cancelled by user")
    assert athena.rows("SELECT 1") == [["1"]]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        'SELECT * FROM "/etc/passwd"',
        "COPY (SELECT 1) TO '/tmp/towline-escaped.csv'",
        "ATTACH '/tmp/towline-escaped.db'",
        "PRAGMA database_list",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "CALL pragma_version()",
        "EXPORT DATABASE '/tmp/towline-escaped'",
    ],
)
def test_a_query_reaches_nothing_but_tables(athena: Athena, query: str) -> None:
    athena.fail(query)
    assert not list(Path("/tmp").glob("towline-escaped*"))  # noqa: S108 - where it would be


def test_a_query_reads_and_writes_what_its_author_may(tmp_path: Path) -> None:
    with running(tmp_path, replace(SMALL, auth=True)) as info:
        mine = shared.own(info)
        mine.put("open/part", pa.table({"n": [1]}))
        for name in ("open", "shut"):
            mine.table(name, "n bigint", f"{name}/")
        theirs = shared.Athena(info, mine.database)
        theirs.athena = a_users_athena(mine)
        assert theirs.rows("SELECT n FROM open") == [["1"]]
        assert "PERMISSION_DENIED: Permission denied on S3 path" in theirs.fail("SELECT n FROM shut")
        location = mine.at("shut/next/")
        reason = theirs.fail(f"CREATE TABLE t WITH (external_location = '{location}') AS SELECT 1 AS n")
        assert reason.startswith(f"PERMISSION_DENIED: Permission denied on S3 path: {location}")
        location = mine.at("open/next/")
        reason = theirs.fail(f"CREATE TABLE t WITH (external_location = '{location}') AS SELECT 1 AS n")
        assert reason.startswith(f"PERMISSION_DENIED: Access denied when writing output to url: {location}")
        assert not mine.keys("open/next/")


def a_users_athena(athena: Athena) -> Any:
    """Athena's client of a user who may read below open/ and write below results/, and nothing else of S3."""
    objects = f"arn:aws:s3:::{BUCKET}/{athena.database}"
    listing = {"StringLike": {"s3:prefix": [f"{athena.database}/open/*", f"{athena.database}/results/*"]}}
    statements: list[dict[str, Any]] = [
        {"Action": ["athena:*", "glue:*"], "Resource": "*"},
        {"Action": "s3:GetObject", "Resource": [f"{objects}/open/*", f"{objects}/results/*"]},
        {"Action": "s3:PutObject", "Resource": f"{objects}/results/*"},
        {"Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}", "Condition": listing},
    ]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
    iam = client(athena.stack, "iam")
    iam.create_user(UserName="ana")
    iam.put_user_policy(UserName="ana", PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="ana")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=athena.stack.region)
    return session.client("athena", endpoint_url=athena.stack.endpoint)
