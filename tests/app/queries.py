"""Stands in for Athena where a page only reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pyarrow as pa

from towline.execution import Execution
from towline.store import TooLarge


@dataclass
class Queries:
    """An engine that has every answer ready: what it `finds`, or why it `fails`. `breaks`: the result is
    too large. `holds`: it takes its time. `read` counts how often the result was asked for."""

    finds: pa.Table
    fails: str = ""
    breaks: bool = False
    holds: bool = False
    read: int = 0
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
        self.read += 1
        if self.breaks:
            raise TooLarge("sql/results/x.csv", 2**31, 2**30)
        return self.finds
