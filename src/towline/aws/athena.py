"""Athena: start a query in one workgroup, wait for it, stop it, and read what it found."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pyarrow as pa

from towline.aws import FAILURES, failure
from towline.aws.athena_result import ColumnInfo, read_result
from towline.errors import NotFound
from towline.execution import Execution
from towline.store import ObjectStore

CATALOG = "AwsDataCatalog"
RESULT_MAX = 2**30  # bytes of a result as CSV, which is read whole
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0  # seconds between two looks


@dataclass(frozen=True)
class Athena:
    """Queries of one workgroup, through a boto3 client. `output` is the URL of the prefix that results go to; names of
    tables without a database are of `database`."""

    client: Any
    workgroup: str
    output: str
    database: str

    def start(self, statement: str, token: str) -> str:
        """Submit a statement; its id. The same token and statement again are the same query: nothing runs twice."""
        answer = self._call(
            "start_query_execution",
            QueryString=statement,
            ClientRequestToken=sha256(token.encode()).hexdigest(),  # Athena wants at least 32 characters
            QueryExecutionContext={"Catalog": CATALOG, "Database": self.database},
            ResultConfiguration={"OutputLocation": self.output},
            WorkGroup=self.workgroup,
        )
        return str(answer["QueryExecutionId"])

    def execution(self, id: str) -> Execution:
        """How a query stands. Raises UsageError where Athena does not know it."""
        return Execution.of(self._call("get_query_execution", QueryExecutionId=id)["QueryExecution"])

    def wait(self, id: str, timeout: float) -> Execution:
        """Look again and again until the query has ended, or `timeout` seconds are over: then as it stands."""
        end, pause = time.monotonic() + timeout, _FIRST_PAUSE
        while not (found := self.execution(id)).is_final and time.monotonic() < end:
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, 1.5 * pause)
        return found

    def stop(self, id: str) -> None:
        """Cancel a query; one that has ended stays as it is."""
        self._call("stop_query_execution", QueryExecutionId=id)

    def stop_all(self, table: str) -> list[str]:
        """Cancel the queries of the workgroup that are under way and name this table, among the newest fifty; their
        ids."""
        recent = self._call("list_query_executions", WorkGroup=self.workgroup, MaxResults=50)["QueryExecutionIds"]
        found = (self.execution(id) for id in recent)
        stopped = [one.id for one in found if not one.is_final and table in one.statement]
        for id in stopped:
            self.stop(id)
        return stopped

    def result(self, execution: Execution, store: ObjectStore) -> pa.Table:
        """What a SELECT that succeeded found, with its types; `store` is the bucket that `output` is in.

        Raises TooLarge where it has more than 1 GiB as CSV, Corrupt where it does not fit its description.
        """
        asked = self._call("get_query_results", QueryExecutionId=execution.id, MaxResults=1)
        columns = [ColumnInfo.of(info) for info in asked["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
        key = execution.output.removeprefix("s3://").partition("/")[2]
        if not key:
            raise NotFound(f"query {execution.id} has left no result ({execution.output!r}); run it again")
        return read_result(store.get(key, max_bytes=RESULT_MAX).body, columns, execution.output)

    def is_ready(self) -> bool:
        """Whether the workgroup is there and takes queries."""
        answer = self._call("get_work_group", WorkGroup=self.workgroup)
        return bool(answer["WorkGroup"].get("State", "ENABLED") == "ENABLED")

    def _call(self, operation: str, **sent: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**sent)
        except FAILURES as error:
            raise failure(error, f"Athena, workgroup {self.workgroup} ({operation})") from error
        return answer
