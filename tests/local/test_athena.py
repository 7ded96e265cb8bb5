"""Athena on the local stack: the API, what it reads and writes, its events, and Step Functions waiting for it."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.local_stack import BUCKET, client, eventually
from towline.local.stack import StackInfo

ROLE = "arn:aws:iam::000000000000:role/any"


@dataclass
class Athena:
    """A database of its own, a place for results, and the clients."""

    stack: StackInfo
    database: str

    def __post_init__(self) -> None:
        self.athena, self.s3, self.glue = (client(self.stack, name) for name in ("athena", "s3", "glue"))
        self.states, self.events, self.sqs = (client(self.stack, name) for name in ("stepfunctions", "events", "sqs"))

    def at(self, path: str) -> str:
        return f"s3://{BUCKET}/{self.database}/{path}"

    def put(self, path: str, body: bytes | pa.Table) -> None:
        if isinstance(body, pa.Table):
            sink = io.BytesIO()
            pq.write_table(body, sink)
            body = sink.getvalue()
        self.s3.put_object(Bucket=BUCKET, Key=f"{self.database}/{path}", Body=body)

    def keys(self, path: str) -> list[str]:
        prefix = f"{self.database}/{path}"
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def start(self, query: str, **more: Any) -> str:
        request = {"ResultConfiguration": {"OutputLocation": self.at("results/")}, **more}
        context = {"Database": self.database}
        return str(
            self.athena.start_query_execution(QueryString=query, QueryExecutionContext=context, **request)[
                "QueryExecutionId"
            ]
        )

    def look(self, query_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        return found

    def ended(self, query_id: str) -> dict[str, Any]:
        def done() -> dict[str, Any] | None:
            found = self.look(query_id)
            return found if found["Status"]["State"] not in ("QUEUED", "RUNNING") else None

        return eventually(done)

    def run(self, query: str, **more: Any) -> dict[str, Any]:
        """The execution of a query that is to succeed."""
        ended = self.ended(self.start(query, **more))
        assert ended["Status"]["State"] == "SUCCEEDED", ended["Status"]
        return ended

    def fail(self, query: str) -> str:
        """Why a query that is to fail failed."""
        ended = self.ended(self.start(query))
        assert ended["Status"]["State"] == "FAILED", ended["Status"]
        return str(ended["Status"]["StateChangeReason"])

    def rows(self, query: str) -> list[list[str | None]]:
        """The rows of a query's answer, without the header."""
        query_id = self.run(query)["QueryExecutionId"]
        answer = self.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
        return [[value.get("VarCharValue") for value in row["Data"]] for row in answer[1:]]

    def table(self, name: str, columns: str, path: str, rest: str = "STORED AS PARQUET") -> None:
        self.run(f"CREATE EXTERNAL TABLE {name} ({columns}) {rest} LOCATION '{self.at(path)}'")


@pytest.fixture(scope="module")
def athena(stack: StackInfo) -> Athena:
    made = Athena(stack, f"athena_{uuid.uuid4().hex[:8]}")
    made.glue.create_database(DatabaseInput={"Name": made.database})
    made.put("hauls/part", pa.table({"tow": [1, 2, 3], "catch_kg": [1.5, None, 3.0], "species": ["cod", "", None]}))
    made.table("hauls", "tow bigint, catch_kg double, species string", "hauls/")
    return made


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


def machine(athena: Athena, query: str, **state: Any) -> str:
    """Start a state machine that runs one query and waits for it; the execution's ARN."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
        "Parameters": {
            "QueryString": query,
            "QueryExecutionContext": {"Database": athena.database},
            "ResultConfiguration": {"OutputLocation": athena.at("results/")},
        },
        "End": True,
        **state,
    }
    made = athena.states.create_state_machine(
        name=f"m{uuid.uuid4().hex}",
        roleArn=ROLE,
        definition=json.dumps({"StartAt": "Query", "States": {"Query": task}}),
    )
    return str(athena.states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"])


def over(athena: Athena, arn: str) -> dict[str, Any]:
    def done() -> dict[str, Any] | None:
        found: dict[str, Any] = athena.states.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    return eventually(done)


def test_a_state_machine_waits_for_a_query(athena: Athena) -> None:
    ended = over(athena, machine(athena, "SELECT count(*) FROM hauls"))
    assert ended["status"] == "SUCCEEDED"
    found = json.loads(ended["output"])["QueryExecution"]
    assert found["Status"]["State"] == "SUCCEEDED"
    assert found["Status"]["CompletionDateTime"] >= found["Status"]["SubmissionDateTime"] > 1e12


def test_a_query_that_fails_fails_its_state_with_all_that_is_known_of_it(athena: Athena) -> None:
    ended = over(athena, machine(athena, "SELECT * FROM nowhere"))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    status = json.loads(ended["cause"])["QueryExecution"]["Status"]
    assert status["AthenaError"]["ErrorMessage"].startswith("TABLE_NOT_FOUND: line 1:15")


@pytest.fixture
def events(athena: Athena) -> Iterator[Any]:
    """Reads the details of the state changes so far of one query."""
    name = f"q{uuid.uuid4().hex}"
    url = athena.sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = athena.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    athena.events.put_rule(Name=name, EventPattern=json.dumps({"detail-type": ["Athena Query State Change"]}))
    athena.events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    seen: list[dict[str, Any]] = []

    def of(query_id: str, count: int) -> list[dict[str, Any]]:
        def enough() -> list[dict[str, Any]] | None:
            messages = athena.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            seen.extend(json.loads(message["Body"]) for message in messages)
            found = [one["detail"] for one in seen if one["detail"]["queryExecutionId"] == query_id]
            return found if len(found) >= count else None

        return sorted(eventually(enough), key=lambda detail: int(detail["sequenceNumber"]))

    yield of
    athena.events.remove_targets(Rule=name, Ids=["1"])
    athena.events.delete_rule(Name=name)
    athena.sqs.delete_queue(QueueUrl=url)


def test_every_change_of_state_is_an_event(athena: Athena, events: Any) -> None:
    found = events(athena.run("SELECT 1")["QueryExecutionId"], 3)
    assert [(one.get("previousState"), one["currentState"]) for one in found] == [
        (None, "QUEUED"),
        ("QUEUED", "RUNNING"),
        ("RUNNING", "SUCCEEDED"),
    ]
    assert {(one["workgroupName"], one["statementType"]) for one in found} == {("primary", "DML")}
