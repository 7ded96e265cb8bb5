"""The state machine of SQL edits in memory: its steps in the order of statemachines/bulk_edit.asl.json, over an Athena
that runs what was compiled on DuckDB, or answers what a test has it answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.core.nets import NAME, Nets
from tests.sql_pipeline import on_duckdb
from towline import inbox, keys, parts, receipts, reviewing, rowgroups
from towline import table as tables
from towline.bulk import adopting, checking, cleaning, handover, pinning, refusing, words
from towline.bulk import state as states
from towline.bulk.leftovers import leftovers
from towline.commit import commit
from towline.errors import TowlineError
from towline.execution import SUCCEEDED, Execution
from towline.flatten import flatten
from towline.inbox import Arrival
from towline.local.athena.errors import AthenaError
from towline.memory import Fault
from towline.receipts import Receipt
from towline.reconcile import reconcile
from towline.store import ObjectStore
from towline.workbench import Workbench

BUCKET = "towline"
Answer = Callable[[pa.Table], pa.Table]


class QueryFailed(Exception):
    """Athena's word on a query."""


@dataclass
class Athena:
    """The tables and queries of the workgroup of edits. `answer` makes the result of the base, instead of the statement
    that was asked. The same ClientRequestToken again is the same query; where parts lie, no query writes."""

    bench: Workbench
    answer: Answer | None = None
    tables: set[str] = field(default_factory=set)
    ran: dict[str, str] = field(default_factory=dict)

    def rewrite(self, run: keys.Run, token: str) -> dict[str, Any]:
        """The two queries of a run; what Athena tells of the second."""
        state = states.need(self.bench.store, run)
        self.tables |= {state.base_table, state.next_table}
        if token not in self.ran:
            if list(self.bench.store.list(state.prefix)):
                raise QueryFailed(f"HIVE_PATH_ALREADY_EXISTS: s3://{BUCKET}/{state.prefix}")
            result = self._result(run)
            for number, start in enumerate(range(0, max(result.num_rows, 1), 2)):
                put_part(self.bench.store, f"{state.prefix}part_{number}", result.slice(start, 2))
            self.ran[token] = f"q-{len(self.ran) + 1}"
        return {"query_id": self.ran[token], "scanned_bytes": 1_234, "engine_ms": 12, "manifest": None}

    def _result(self, run: keys.Run) -> pa.Table:
        if self.answer is not None:
            return self.answer(tables.from_parquet(self.bench.store.get(run.base).body, run.base))
        try:
            return on_duckdb(self.bench, run)
        except (AthenaError, duckdb.Error) as error:
            raise QueryFailed(str(error)) from error

    def drop(self, prefix: str) -> list[str]:
        gone = sorted(name for name in self.tables if name.startswith(prefix))
        self.tables -= {*gone}
        return gone


def put_part(store: ObjectStore, key: str, table: pa.Table) -> None:
    body = pa.BufferOutputStream()
    pq.write_table(table, body)
    store.put(key, body.getvalue().to_pybytes())


class Runs:
    """The dataset of `nets`, edited by SQL. `queue` is what the committer was given, `waiting` the runs whose execution
    waits, by token; `held` keeps the committer from looking at its queue."""

    def __init__(self, nets: Nets | None = None, answer: Answer | None = None) -> None:
        self.nets = nets or Nets()
        self.store, self.bench = self.nets.pipeline.store, self.nets.pipeline.bench
        self.athena = Athena(self.bench, answer)
        self.waiting: dict[str, keys.Run] = {}
        self.queue: list[Receipt] = []
        self.held = False
        self._executions = 0

    def sql(
        self, statement: str, person: str = "ana", *, preview: bool = False, base: str | None = None, note: str = "why"
    ) -> keys.Run:
        """Send an edit; nobody is told of it yet."""
        dataset = self.nets.by(person).dataset
        return keys.Run(NAME, dataset.send(dataset.sql(statement, note, base, preview=preview)).proposal)

    def done(self, statement: str, person: str = "ana", **more: Any) -> Receipt:
        run = self.sql(statement, person, **more)
        self.pump()
        return self.receipt(run)

    def receipt(self, run: keys.Run) -> Receipt:
        found = receipts.load(self.store, run.dataset, run.id)
        assert found is not None
        return found

    def rule(self, run: keys.Run) -> str:
        """The rule by which an edit was refused."""
        receipt = self.receipt(run)
        assert receipt.status == "rejected", receipt
        return str(receipt.violations[0]["rule"])

    def word(self, run: keys.Run, word: str, person: str = "ana", **said: Any) -> None:
        """Say a word on a run, in an object of its own; nobody is told of it yet."""
        about = {"format": "towline.word/v1", "dataset": run.dataset, "proposal": run.id, **said}
        self.store.put(keys.inbox(NAME, person, f"{run.id}.{word}.json"), json.dumps(about).encode())

    def promote(self, run: keys.Run, person: str = "ana") -> None:
        self.word(run, "promote", person, effect=self.receipt(run).run["effect"])
        self.pump()

    def discard(self, run: keys.Run, person: str = "ana") -> None:
        self.word(run, "discard", person)
        self.pump()

    def pump(self) -> None:
        """Deliver what waits in the inbox."""
        for arrival in self.nets.pipeline.arrivals():
            self.deliver(arrival)

    def deliver(self, arrival: Arrival) -> None:
        """What ValidateProposal does, and what follows."""
        if words.word_of(arrival.key):
            heard = words.hear(self.bench, arrival)
            if heard is not None:
                self.answer(keys.Run(heard.receipt.dataset, heard.receipt.proposal))
            return
        is_review = arrival.key.startswith(keys.REVIEWS)
        receipt = (reviewing if is_review else inbox).receive(self.bench, arrival)
        if receipt is None:
            return
        if receipt.kind == "sql" and not receipt.rests:
            self.take_up(keys.Run(receipt.dataset, receipt.proposal))
        elif not receipt.final:
            self.queue.append(receipt)
            self.work()

    def answer(self, run: keys.Run) -> None:
        """The execution that waits goes on; where none does, another takes the run up."""
        token = words.token(self.bench, run)
        if token in self.waiting:
            self.waiting.pop(token)
            self.hand_over(run)
        else:
            self.take_up(run)

    def take_up(self, run: keys.Run, execution: str = "") -> None:
        """One execution, from Pin on."""
        self._executions += 1
        plan: dict[str, Any] = pinning.pin(self.bench, run, execution or f"execution-{self._executions}", BUCKET)
        query: dict[str, Any] = {}
        if plan["decision"] == pinning.QUERY:
            try:
                query = self.athena.rewrite(run, plan["rewrite_token"])
            except QueryFailed as error:
                status = {"State": "FAILED", "StateChangeReason": str(error)}
                self.refuse(run, "States.TaskFailed", {"QueryExecutionId": "q-0", "Status": status})
                return
        self.go_on(run, plan, query)

    def go_on(self, run: keys.Run, plan: Mapping[str, Any], query: Mapping[str, Any] = MappingProxyType({})) -> None:
        """From GoOn on, when the query is done. What a query by hand told is in the plan."""
        decision = plan["decision"]
        if decision == pinning.FLATTEN:
            query = plan["query"]
        if decision in (pinning.QUERY, pinning.FLATTEN):
            contract = self.bench.contract(run.dataset)
            try:
                manifest = plan.get("manifest")
                found = parts.find(self.store, plan["prefix"], manifest and parts.key_of(manifest, BUCKET))
                cuts = rowgroups.firsts(self.store, run.base, contract.fields, contract.key)
                flatten(self.store, found, run.result, contract.fields, contract.key, cuts=cuts, canonical=True)
            except TowlineError as error:
                told = {"errorMessage": str(error), "errorType": type(error).__name__}
                self.refuse(run, type(error).__name__, told)
                return
        if decision != pinning.CLEAN:
            decision = checking.check(self.bench, run, query)["decision"]
        if decision == checking.WAIT:
            self._executions += 1
            token = f"token-{self._executions}"
            if not handover.await_word(self.bench, run, token).answer:
                self.waiting[token] = run
                return
        if decision in (checking.WAIT, checking.PROMOTE):
            self.hand_over(run)
            return
        self.clean(run)

    def hand_over(self, run: keys.Run) -> None:
        """Promote, and Clean if it is decided."""
        self._executions += 1
        token = f"token-{self._executions}"
        waits = handover.await_commit(self.bench, run, token)
        if waits.answer:
            self.clean(run)
            return
        self.waiting[token] = run
        if waits.queue:
            self.queue.append(waits.receipt)
            self.work()

    def work(self) -> None:
        """What ApplyProposals does with its queue, all in one batch."""
        if self.held or not self.queue:
            return
        batch, self.queue = self.queue, []
        for receipt in commit(self.bench, NAME, batch):
            run = keys.Run(NAME, receipt.proposal)
            token = words.token(self.bench, run) if receipt.kind == "sql" and receipt.final else None
            if token in self.waiting:
                self.waiting.pop(token)
                self.clean(run)

    def refuse(self, run: keys.Run, error: str, cause: object, *, waiting: bool = False) -> None:
        """Refuse or Expire, and Clean."""
        failed = refusing.failure(error, json.dumps(cause), while_waiting=waiting)
        refusing.refuse(self.bench, self.receipt(run), failed.rule, failed.message, failed.query)
        self.clean(run)

    def clean(self, run: keys.Run) -> None:
        cleaning.clean(self.bench, run, self.athena)

    def recover(self, faults: Fault | None = None) -> None:
        """Fresh processes, and what Reconcile does when the local stack starts: all executions are gone."""
        self.store.faults, self.held = faults, False
        self.queue, self.waiting = [], {}
        bench = Workbench(self.store, clock=self.bench.clock, notify=self.bench.notify, pause=lambda seconds: None)
        self.bench = self.nets.pipeline.bench = bench
        found = reconcile(bench)
        assert found.problems == ()
        for arrival in found.unseen:
            self.deliver(arrival)
        for receipt in found.undecided:
            if receipt.kind == "sql" and not receipt.run.get("effect"):
                self.take_up(keys.Run(receipt.dataset, receipt.proposal))
            else:
                self.queue.append(receipt)
                self.work()
        for run in leftovers(bench):
            self.take_up(run)

    def left(self, run: keys.Run) -> set[str]:
        """The names of what lies in a run's working area."""
        return {entry.key.removeprefix(run.prefix) for entry in self.store.list(run.prefix)}

    def kept(self, run: keys.Run) -> set[str]:
        """The names of what lies in the quarantine of an edit."""
        found = (entry.key.split("/") for entry in self.store.list(f"{keys.QUARANTINE}{NAME}/"))
        return {name for *_, proposal, name in found if proposal == run.id}

    # ---------------------------------------------------------------------------------- what somebody runs by hand

    def by_hand(self, execution: Execution, name: str = "by-hand") -> str:
        """The event of a query that ended, and what follows; what became of it."""
        plan: dict[str, Any] = adopting.adopt(self.bench, execution, BUCKET, name)
        if plan["decision"] != adopting.NONE:
            self.go_on(keys.Run(plan["dataset"], plan["run"]), plan)
        return str(plan["decision"])

    def ctas(
        self, result: pa.Table | None = None, id: str = "hand-1", place: str | None = None, **instead: Any
    ) -> Execution:
        """A CTAS that ran on the master as it is, for some seconds, and wrote `result`."""
        place = keys.by_hand(NAME, "ana", id) if place is None else place
        moved, clock = self.bench.clock, self.nets.pipeline.bench.clock
        for _ in range(3):  # what was committed lies some seconds back
            moved()
        begun = clock()
        if result is not None:
            put_part(self.store, f"{place}part_0", result)
        statement = (
            f"CREATE TABLE t WITH (format = 'PARQUET', external_location = 's3://{BUCKET}/{place}') AS SELECT 1 AS x"
        )
        told: dict[str, Any] = {
            "state": SUCCEEDED, "statement": statement, "submitted": begun, "completed": clock(),
            "scanned_bytes": 1_234, "engine_ms": 12,
        }  # fmt: skip
        return Execution(id, **{**told, **instead})
