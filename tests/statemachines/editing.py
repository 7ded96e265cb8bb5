"""Somebody who edits by SQL on a real local stack, and how things stand with their runs."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.researcher import Researcher
from tests.local_stack import BUCKET, client, eventually, outputs
from towline import keys
from towline.dataset import Ticket
from towline.local.stack import StackInfo
from towline.receipts import Receipt
from towline.settings import DATABASE, EDITS_WORKGROUP, WORKGROUP

RAISE = "UPDATE master SET volume_filtered = volume_filtered * 2 WHERE tow = 3"
# Seven times the table with itself: more rows than any machine goes through in the time that a test has.
_TABLES = " CROSS JOIN ".join(f"master t{n}" for n in range(7))
_PRODUCT = " * ".join(f"t{n}.net" for n in range(7))
ENDLESS = f"UPDATE master SET volume_filtered = (SELECT CAST(max({_PRODUCT}) AS double) FROM {_TABLES}) WHERE tow = 3"  # noqa: S608


class Editor(Researcher):
    """A researcher with a dataset of their own, who edits it by SQL and by hand in Athena."""

    def sql(self, statement: str, *, preview: bool = False, base: str | None = None) -> Ticket:
        return self.send(self.dataset.sql(statement, "because", base, preview=preview))

    def done(self, statement: str) -> Receipt:
        """The receipt of an edit without a preview."""
        return self.sql(statement).wait(60)

    def previewed(self, statement: str) -> Ticket:
        ticket = self.sql(statement, preview=True)
        receipt = ticket.wait(60)
        assert receipt.status == "previewed", receipt
        return ticket

    def refused(self, ticket: Ticket, rule: str) -> Receipt:
        """The receipt of an edit that was run and refused by this rule: its input is kept, the master untouched, and
        nothing left of the run."""
        receipt = ticket.wait(60)
        assert receipt.status == "rejected", receipt
        assert rule in [violation["rule"] for violation in receipt.violations], receipt
        assert self.kept(ticket) >= {"report.json", "query.json"}
        assert self.head().number == 1
        self.cleared(ticket.proposal)
        return receipt

    def kept(self, ticket: Ticket) -> set[str]:
        """The names of what lies in the quarantine of an edit."""
        found = self.bench.store.list(f"{keys.QUARANTINE}{self.name}/")
        return {entry.key.rsplit("/", 1)[1] for entry in found if f"/{ticket.proposal}/" in entry.key}

    def cleared(self, proposal: str) -> None:
        """Wait until nothing is left of a run but its small documents, and no execution has it."""
        run = keys.Run(self.name, proposal)

        def is_clear() -> bool:
            left = {entry.key for entry in self.bench.store.list(run.prefix)}
            small = {run.state, run.preview, run.proposal}
            return left <= small and not self.tables(proposal) and "RUNNING" not in self.executions(proposal)

        eventually(is_clear, 60)

    def tables(self, proposal: str) -> list[str]:
        """The tables that a run has in the catalog."""
        begin = "run_" + proposal.lower().replace("-", "_")
        found = client(self.info, "glue").get_tables(DatabaseName=DATABASE)["TableList"]
        return [table["Name"] for table in found if table["Name"].startswith(begin)]

    def executions(self, proposal: str) -> list[str]:
        """How the executions that have this run's name stand."""
        return [each["status"] for each in executions(self.info) if f"{self.name}.{proposal}" in each["name"]]

    def by_hand(self, select: str, name: str = "shift", note: str = "") -> str:
        """Run a CTAS in the people's workgroup into the dataset's next/, as one does in the console; the query's id."""
        where = f"s3://{BUCKET}/{keys.by_hand(self.name, self.person, name)}"
        made = f"{self.name}_{name}_{time.time_ns()}"
        return self.ask(
            f"{note}CREATE TABLE {made} WITH (format = 'PARQUET', external_location = '{where}') AS {select}"
        )

    def ask(self, statement: str) -> str:
        asked = client(self.info, "athena").start_query_execution(
            QueryString=statement, WorkGroup=WORKGROUP, QueryExecutionContext={"Database": DATABASE}
        )
        return str(asked["QueryExecutionId"])

    def settled(self, query_id: str) -> Receipt:
        """The final receipt of a CTAS by hand, with nothing left of it."""
        receipt = Ticket(self.bench, self.name, query_id).wait(60)
        self.cleared(query_id)
        eventually(lambda: not list(self.bench.store.list(keys.by_hand(self.name))))
        return receipt

    def wait_until_old(self) -> None:
        """Wait until the master is so old that a query is known to have read it: S3 tells whole seconds."""
        while datetime.now(UTC) - self.head().blob.stat.modified < timedelta(seconds=2.1):
            time.sleep(0.05)


def executions(info: StackInfo) -> list[dict[str, Any]]:
    machine = outputs(info)["BulkEditMachineArn"]
    listed = client(info, "stepfunctions").list_executions(stateMachineArn=machine, maxResults=1000)
    found: list[dict[str, Any]] = listed["executions"]
    return found


def running_queries(info: StackInfo) -> list[str]:
    """The queries of edits that run."""
    athena = client(info, "athena")
    ids = athena.list_query_executions(WorkGroup=EDITS_WORKGROUP)["QueryExecutionIds"]
    found = (athena.get_query_execution(QueryExecutionId=id)["QueryExecution"] for id in ids[:10])
    return [one["QueryExecutionId"] for one in found if one["Status"]["State"] == "RUNNING"]
