"""The state machine of SQL edits in memory: its steps in their order, with rows changed in Python instead of Athena."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.core.nets import NAME, Nets
from towline import inbox, keys, master, parts, receipts, reconcile
from towline.bulk import checking, cleaning, handover, pinning, refusing
from towline.bulk.leftovers import leftovers
from towline.commit import commit
from towline.flatten import flatten
from towline.master import Head
from towline.receipts import Receipt

BUCKET = "bucket"
Query = Callable[[pa.Table], pa.Table]


class Failed(Exception):
    """Athena could not run a query."""


class Killed(BaseException):
    """The process is gone: nothing in it catches that."""


@dataclass
class Tables:
    """The tables of the catalog, by name."""

    names: set[str] = field(default_factory=set)

    def drop(self, prefix: str) -> list[str]:
        dropped = [name for name in self.names if name.startswith(prefix)]
        self.names.difference_update(dropped)
        return dropped


@dataclass
class Machine:
    """Executions of runs of one dataset, in one process. `query` makes of the base what the statement would."""

    nets: Nets
    query: Query
    tables: Tables = field(default_factory=Tables)
    executions: int = 0
    prefixes: list[str] = field(default_factory=list)

    def send(self, statement: str, *, preview: bool = False) -> keys.Run:
        """Put an edit into the inbox and let it be received."""
        ticket = self.nets.dataset.send(self.nets.dataset.sql(statement, "because", preview=preview))
        self.receive()
        return keys.Run(NAME, ticket.proposal)

    def receive(self) -> None:
        for arrival in self.nets.pipeline.arrivals():
            inbox.receive(self.nets.pipeline.bench, arrival)

    def execute(self, run: keys.Run) -> Receipt:
        """One execution, to its end or until it waits."""
        self.executions += 1
        bench = self.nets.pipeline.bench
        answer = pinning.pin(bench, run, f"execution-{self.executions}", BUCKET)
        return self.go_on(run, answer)

    def go_on(self, run: keys.Run, answer: Mapping[str, Any]) -> Receipt:
        try:
            decision = self._to_result(run, answer)
        except Failed as error:
            receipt = self.receipt(run)
            refusing.refuse(self.nets.pipeline.bench, receipt, refusing.QUERY, str(error), {"State": "FAILED"})
            decision = "clean"
        return self._to_end(run, decision)

    def _to_result(self, run: keys.Run, answer: Mapping[str, Any]) -> str:
        bench, decision = self.nets.pipeline.bench, answer["decision"]
        if decision == pinning.CLEAN:
            return decision
        query: dict[str, object] = {"query_id": "q1", "scanned_bytes": 1000, "engine_ms": 5}
        if decision == pinning.QUERY:
            self._query(run, answer["prefix"])
        if decision in (pinning.QUERY, pinning.FLATTEN):
            contract = bench.contract(NAME)
            found = parts.find(bench.store, answer["prefix"], None)
            flatten(bench.store, found, run.result, contract.fields, contract.key)
        return str(checking.check(bench, run, query)["decision"])

    def _query(self, run: keys.Run, prefix: str) -> None:
        """CreateBase and Rewrite: Athena refuses a prefix that holds parts."""
        store = self.nets.pipeline.store
        assert not list(store.list(prefix)), "HIVE_PATH_ALREADY_EXISTS"
        self.prefixes.append(prefix)
        self.tables.names.add(f"{pinning.states.table_prefix(run)}base")
        made = self.query(pq.read_table(io.BytesIO(store.get(run.base).body)))
        half = made.num_rows // 2
        for n, part in enumerate((made.slice(0, half), made.slice(half))):
            sink = io.BytesIO()
            pq.write_table(part, sink)
            store.put(f"{prefix}part-{n}", sink.getvalue())

    def _to_end(self, run: keys.Run, decision: str) -> Receipt:
        bench = self.nets.pipeline.bench
        if decision == checking.WAIT:
            waiting = handover.await_word(bench, run, "token")
            if not waiting.answer:
                return waiting.receipt
            decision = checking.PROMOTE
        if decision == checking.PROMOTE:
            waiting = handover.await_commit(bench, run, "token")
            if waiting.queue:
                commit(bench, NAME, [waiting.receipt])
            if not self.receipt(run).final:
                return self.receipt(run)
        cleaning.clean(bench, run, self.tables)
        return self.receipt(run)

    def reconcile(self) -> None:
        """Take up whatever has no execution: here, everything."""
        bench = self.nets.pipeline.bench
        found = reconcile.reconcile(bench)
        self.receive()
        undecided = {keys.Run(receipt.dataset, receipt.proposal) for receipt in found.undecided}
        for run in undecided | set(leftovers(bench)):
            self.execute(run)

    def receipt(self, run: keys.Run) -> Receipt:
        found = receipts.load(self.nets.pipeline.store, run.dataset, run.id)
        assert found is not None
        return found

    @property
    def number(self) -> int:
        """The head's."""
        return self.head().number

    def table(self) -> pa.Table:
        return self.head().table

    def head(self) -> Head:
        head = master.read(self.nets.pipeline.store, NAME)
        assert head is not None
        return head

    def left(self, run: keys.Run) -> set[str]:
        """What lies in the working area of a run, by name."""
        return {entry.key.removeprefix(run.prefix) for entry in self.nets.pipeline.store.list(run.prefix)}
