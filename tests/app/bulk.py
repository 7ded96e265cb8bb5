"""Stands in for the state machine and for Athena, in memory: tries edits out, hears words on them, answers queries.

What an edit does is said by the test, as a function of the table; all else (receipts, previews, commits) is as the real
one leaves it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from tests.core.nets import NAME, Nets
from towline import keys, preview, receipts
from towline import table as tables
from towline.diff import diff
from towline.execution import Execution
from towline.receipts import Receipt
from towline.values import Row
from towline.violation import Report

Edit = Callable[[Row], Row | None]
QUERY = {"scanned_bytes": 19_004, "cost_usd": 0.00005, "engine_ms": 812, "query_id": "q-1"}


@dataclass
class Bulk:
    """`does` turns a row into what becomes of it (None: it goes). `holds`: nothing moves until `step` is called.
    `is_slow`: what was accepted gets no further."""

    nets: Nets
    does: Edit = dict
    reasons: tuple[str, ...] = ()
    holds: bool = False
    is_slow: bool = False
    fails: str = ""

    def hear(self, key: str) -> None:
        """Something was put into the inbox."""
        where = keys.parse_inbox(key)
        if where is None or self.holds:
            return
        raw = json.loads(self.nets.pipeline.store.get(key).body)
        if key.endswith(".sql.json"):
            self._try(where.proposal, where.principal, raw)
        elif key.endswith(".promote.json"):
            self._promote(where.proposal, raw)
        elif key.endswith(".discard.json"):
            self._move(where.proposal, "rejected", message="discarded by its author")

    def step(self) -> None:
        """Have everything happen that was held back."""
        self.holds = False
        for entry in list(self.nets.pipeline.store.list(keys.INBOX)):
            if entry.key.endswith((".sql.json", ".promote.json", ".discard.json")):
                self.hear(entry.key)

    def _try(self, run: str, principal: str, raw: dict[str, Any]) -> None:
        if receipts.load(self.nets.pipeline.store, NAME, run) is not None:
            return
        about = {"statement": raw["sql"]}
        receipt = Receipt(run, NAME, "received", principal, principal, "sql", raw["note"], run=about)
        receipt = self._store(receipt.moved("accepted", self._now()))
        if self.is_slow:
            return
        if self.fails:
            lies = f"quarantine/{NAME}/2026-03-01/{run}/"
            self._store(receipt.moved("rejected", self._now(), message=self.fails, quarantine=lies))
            return
        head = self.nets.head()
        assert head is not None
        shown = self._preview(run, raw["sql"])
        about |= {"effect": shown["effect"], "base": head.commit, "number": head.number}
        self._store(receipt.moved("previewed", self._now(), run=about))

    def _preview(self, run: str, statement: str) -> dict[str, Any]:
        head = self.nets.head()
        assert head is not None
        assert head.commit is not None
        contract = self.nets.dataset.contract()
        rows = [self.does(row) for row in head.table.to_pylist()]
        result = tables.from_rows((row for row in rows if row is not None), head.table.schema)
        place = keys.Run(NAME, run)
        shown = preview.build(
            head.table,
            result,
            diff(head.table, result, contract.key),
            contract,
            run=place,
            statement=statement,
            commit=head.commit,
            number=head.number,
            report=Report(),
            reasons=self.reasons,
            query=QUERY,
        )
        self.nets.pipeline.store.put(place.preview, json.dumps(shown).encode())
        return shown

    def _promote(self, run: str, word: dict[str, Any]) -> None:
        receipt = self.nets.dataset.status(run)
        if receipt.status != "previewed" or word["effect"] != receipt.run["effect"]:
            return
        base = self.nets.dataset.table(receipt.run["base"])[1]
        contract = self.nets.dataset.contract()
        rows = [self.does(row) for row in base.to_pylist()]
        result = tables.from_rows((row for row in rows if row is not None), base.schema)
        changes = diff(base, result, contract.key).changes
        draft = self.nets.dataset.rows(changes, receipt.note, receipt.run["base"])
        (made,) = self.nets.send(draft)
        content = {name: getattr(made, name) for name in ("commit", "number", "message", "conflicts")}
        base_number = made.number - 1 if made.number else None
        self._move(run, made.status, **content, base_number=base_number)

    def _move(self, run: str, status: str, **changes: Any) -> None:
        receipt = receipts.load(self.nets.pipeline.store, NAME, run)
        if receipt is not None and not receipt.final:
            self._store(receipt.moved(status, self._now(), **changes))

    def _store(self, receipt: Receipt) -> Receipt:
        stored = receipts.swap(self.nets.pipeline.store, receipt)
        assert stored is not None
        return stored

    def _now(self) -> Any:
        return self.nets.pipeline.bench.clock()


@dataclass
class Queries:
    """An engine that has every answer ready: what it `finds`, or why it `fails`. `holds`: it takes its time."""

    finds: pa.Table
    fails: str = ""
    holds: bool = False
    asked: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def start(self, statement: str, token: str) -> str:
        self.asked.append(statement)
        return f"q-{len(self.asked)}"

    def wait(self, id: str, timeout: float) -> Execution:
        asked = Execution(id, "RUNNING", self.asked[-1], scanned_bytes=19_004, engine_ms=812)
        if id in self.stopped:
            return replace(asked, state="CANCELLED", reason="Query cancelled by user")
        if self.holds:
            return asked
        return replace(asked, state="FAILED" if self.fails else "SUCCEEDED", reason=self.fails)

    def stop(self, id: str) -> None:
        self.stopped.append(id)

    def result(self, execution: Execution, store: object) -> pa.Table:
        return self.finds
