"""Where the tables of one measured size lie, and which rows each run edits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

KEY = ("tow", "net")
COLUMN = "volume_filtered"
SPREAD = 1_000  # cells of the larger edit
PAGE = 100  # rows
RUNS = 40  # at most: so many runs have rows of their own


@dataclass(frozen=True)
class Edit:
    """A new value of one cell; for an insert, that of a new row, which is whole in a file of its own."""

    tow: int
    net: int
    volume: float
    row: Path


def volume(run: int, number: int = 0) -> float:
    """A value that no generated net has, and no other edit: of its run, and its place among the run's edits."""
    return 1_000_000.0 + run + number / 1024


@dataclass(frozen=True)
class Place:
    """A directory for tables of one size.

    table      the table as it was made
    newer      the same with one cell changed: what a rewrite leaves as the next version
    disjoint   64 parts in key order that do not overlap; `shuffled`: 64 parts that overlap everywhere, in no order
    """

    root: Path

    @property
    def table(self) -> Path:
        return self.root / "table.parquet"

    @property
    def newer(self) -> Path:
        return self.root / "newer.parquet"

    @property
    def keys(self) -> Path:
        return self.root / "keys.json"

    def parts(self, how: str) -> Path:
        return self.root / how

    def of(self, way: str) -> Path:
        """What belongs to one way alone."""
        (self.root / way).mkdir(exist_ok=True)
        return self.root / way

    def edits(self, task: str, run: int) -> list[Edit]:
        """What this run changes: rows that no other run of the task does."""
        rows = json.loads(self.keys.read_text())[task][run]
        return [Edit(tow, net, volume(run, number), self.row(run)) for number, (tow, net) in enumerate(rows)]

    def row(self, run: int) -> Path:
        """The row that this run inserts."""
        return self.root / "rows" / f"{run}.parquet"
