"""An Iceberg table in memory, as `towline.publish` sees one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from towline.contract import Contract
from towline.errors import LostRace, NotFound
from towline.publish import COMMIT, Snapshot


@dataclass
class MemoryLake:
    """`line` is None where there is no table. `before` is called before each append, and may do what others would."""

    name: str = "towline.nets_iceberg"
    line: list[tuple[Snapshot, pa.Table]] | None = None
    before: Callable[[], None] = lambda: None
    made: list[str] = field(default_factory=list)
    _ids: int = 0

    def snapshots(self) -> list[Snapshot] | None:
        return None if self.line is None else [snapshot for snapshot, _ in self.line]

    def create(self, contract: Contract) -> None:
        if self.line is None:
            self.line = []
            self.made.append(contract.dataset)

    def append(self, table: pa.Table, summary: Mapping[str, str], after: int | None) -> int:
        self.before()
        if self.line is None:
            raise NotFound("the table is gone")
        current = self.line[-1][0].id if self.line else None
        if current != after:
            raise LostRace(f"{current} is on top, not {after}")
        self._ids += 1
        self.line.append((Snapshot(self._ids, dict(summary)), table))
        return self._ids

    def drop(self) -> None:
        self.line = None

    def tables(self) -> dict[str, pa.Table]:
        """What each snapshot holds, by its commit."""
        return {snapshot.summary[COMMIT]: table for snapshot, table in self.line or []}
