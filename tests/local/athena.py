"""A client of the local stack's Athena for tests, with a database and a place in the bucket of its own."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.local_stack import BUCKET, client, eventually
from towline.local.stack import StackInfo


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

    def put(self, path: str, body: bytes | pa.Table, **options: Any) -> None:
        if isinstance(body, pa.Table):
            sink = io.BytesIO()
            pq.write_table(body, sink, **options)
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


def own(stack: StackInfo) -> Athena:
    """With a database of its own."""
    made = Athena(stack, f"athena_{uuid.uuid4().hex[:8]}")
    made.glue.create_database(DatabaseInput={"Name": made.database})
    return made


@pytest.fixture(scope="session", name="athena")
def athena_of_the_stack(stack: StackInfo) -> Athena:
    """With the table `hauls` of three rows."""
    made = own(stack)
    made.put("hauls/part", pa.table({"tow": [1, 2, 3], "catch_kg": [1.5, None, 3.0], "species": ["cod", "", None]}))
    made.table("hauls", "tow bigint, catch_kg double, species string", "hauls/")
    return made


# More rows together than any machine goes through in the time that a test has.
ENDLESS = "SELECT sum(a.n * b.n * c.n * d.n) FROM many a CROSS JOIN many b CROSS JOIN many c CROSS JOIN many d"


@pytest.fixture(name="endless")
def endless(athena: Athena) -> Iterator[str]:
    """A query that does not end; whatever a test leaves running is stopped."""
    if not athena.keys("many/"):
        athena.put("many/part", pa.table({"n": list(range(5000))}))
        athena.table("many", "n bigint", "many/")
    yield ENDLESS
    listed = athena.athena.list_query_executions(WorkGroup="primary")["QueryExecutionIds"]
    for query_id in listed:
        if athena.look(query_id)["Status"]["State"] in ("QUEUED", "RUNNING"):
            athena.athena.stop_query_execution(QueryExecutionId=query_id)
            athena.ended(query_id)


def running_now(athena: Athena, query: str) -> str:
    query_id = athena.start(query)
    eventually(lambda: athena.look(query_id)["Status"]["State"] == "RUNNING")
    return query_id
