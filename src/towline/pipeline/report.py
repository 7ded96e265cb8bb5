"""What a load refused of a file: the rows with their reasons, and a report, in quarantine/<dataset>/<day>/<ingest>/.

    rows.parquet   row (its number in the file), table, column, value, reason: a line a breach
    report.json    what file, how many rows of how many, why, and the first lines

Both are written before the load counts, under keys that follow from the ingest, so that a load that is made again
writes the same again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from towline.ingest import places
from towline.ingest.entry import Entry
from towline.pipeline.inventory import FAILED, Loaded
from towline.pipeline.texts import REFUSED
from towline.store import ObjectStore

FORMAT = "towline.report/v1"
FIRST = 100  # lines that are in the report itself
LISTED = 1_000_000  # lines of rows.parquet; what goes beyond is counted
MAX_REASONS = 200
ACCEPTED = "nothing is refused any more: the pipeline has changed since"

Why = tuple[str, str, str]  # table, column, reason


@dataclass
class Refusals:
    """The breaches of one file, on disk as they come."""

    path: Path
    counts: Counter[Why] = field(default_factory=Counter)
    first: list[dict[str, Any]] = field(default_factory=list)
    listed: int = 0
    writer: Any = None

    def add(self, rows: pa.Table) -> None:
        """Take lines of REFUSED, each with its table."""
        if not len(rows):
            return
        grouped = rows.group_by(["table", "column", "reason"], use_threads=False).aggregate([([], "count_all")])
        for each in grouped.to_pylist():
            self.counts[each["table"] or "", each["column"] or "", each["reason"] or ""] += each["count_all"]
        self.first += rows.slice(0, FIRST - len(self.first)).to_pylist()
        kept = rows.slice(0, LISTED - self.listed)
        if len(kept):
            self._opened().write_table(kept)
            self.listed += len(kept)

    def sentences(self) -> list[str]:
        """Why, most frequent first: a sentence a reason."""
        known = [f"{_named(why)} ({count:,} {'row' if count == 1 else 'rows'})" for why, count in self._common()]
        more = len(self.counts) - len(known)
        return known + ([f"{more:,} more reasons"] if more > 0 else [])

    def close(self) -> bytes:
        """rows.parquet."""
        self._opened().close()
        return self.path.read_bytes()

    def drop(self) -> None:
        """Take the lines off the disk."""
        if self.writer is not None:
            self.writer.close()
            self.path.unlink()

    def _opened(self) -> pq.ParquetWriter:
        self.writer = self.writer or pq.ParquetWriter(self.path, REFUSED, compression="zstd")
        return self.writer

    def _common(self) -> list[tuple[Why, int]]:
        return sorted(self.counts.items(), key=lambda each: (-each[1], each[0]))[:MAX_REASONS]

    def to_json(self) -> list[Mapping[str, Any]]:
        names = ("table", "column", "reason")
        return [{**dict(zip(names, why, strict=True)), "count": count} for why, count in self._common()]


@dataclass(frozen=True)
class Taken:
    """What came of one file. `rows`: of all its tables, those that were refused included; `unknown`: its columns that
    the pipeline has no use for."""

    loaded: Loaded
    refusals: Refusals
    rows: int = 0
    unknown: tuple[str, ...] = ()


def write(store: ObjectStore, entry: Entry, taken: Taken, at: datetime) -> None:
    """Put both where the file's quarantine is."""
    loaded, refusals = taken.loaded, taken.refusals
    store.put(places.beside(entry.dataset, entry.ingest, places.ROWS), refusals.close())
    reasons = [*(loaded.reasons if loaded.status == FAILED else ()), *refusals.sentences()]
    told = {
        "format": FORMAT,
        "dataset": entry.dataset,
        "ingest": entry.ingest,
        "status": loaded.status,
        "raw": entry.raw,
        "bronze": entry.bronze,
        "at": at.isoformat(timespec="milliseconds"),
        "reasons": reasons or [ACCEPTED],
        "rows": taken.rows,
        "refused": loaded.refused,
        "counts": refusals.to_json(),
        "listed": refusals.listed,
        "unknown": list(taken.unknown),
        "first": refusals.first,
    }
    text = json.dumps(told, ensure_ascii=False, indent=1).encode()
    store.put(places.report(entry.dataset, entry.ingest), text, content_type="application/json")


def _named(why: Why) -> str:
    table, column, reason = why
    return f"{table}.{column} {reason}" if column else f"{table}: {reason}"
