"""An Athena without one: it answers what a test has it answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

from towline.execution import SUCCEEDED, Execution
from towline.store import ObjectStore

ODD = pa.table(
    {
        "n": pa.array([1, None], pa.int64()),
        "x": pa.array([0.1, 1e300], pa.float64()),
        "text": ["", None],
        "price": pa.array([Decimal("1.10"), None], pa.decimal128(5, 2)),
        "day": pa.array([date(2026, 1, 4), None]),
        "at": pa.array([datetime(2026, 1, 4, 18, 3, 9, 250000), None], pa.timestamp("us")),
        "is_day": [True, None],
    }
)


@dataclass
class Answers:
    """An Athena that gives `table`, or ends in `state`. `asked` and `stopped` are statements and ids."""

    table: pa.Table = field(default_factory=lambda: ODD)
    state: str = SUCCEEDED
    reason: str = ""
    interrupts: bool = False
    asked: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def start(self, statement: str, token: str) -> str:
        self.asked.append(statement)
        return "q-1"

    def wait(self, id: str, timeout: float) -> Execution:
        if self.interrupts:
            raise KeyboardInterrupt
        return Execution(id, self.state, self.asked[-1], reason=self.reason, scanned_bytes=12_345, engine_ms=67)

    def stop(self, id: str) -> None:
        self.stopped.append(id)

    def result(self, execution: Execution, store: ObjectStore) -> pa.Table:
        return self.table
