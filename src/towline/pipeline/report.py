"""What a load refused of a file: the rows with their reasons, and a report, in quarantine/<dataset>/<day>/<ingest>/.

    rows.parquet   row (its number in the file), table, column, value, reason: a line a breach
    report.json    what file, how many rows of how many, why, and the first lines

Both are written before the load counts, under keys that follow from the ingest, so that a load that is made again
writes the same again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from towline import keys
from towline.ingest.entry import Entry, ingest_time
from towline.pipeline.inventory import Loaded
from towline.pipeline.texts import REFUSED
from towline.store import ObjectStore

FORMAT = "towline.report/v1"
REPORT, ROWS = "report.json", "rows.parquet"
FIRST = 100  # lines that are in the report itself
LISTED = 1_000_000  # lines of rows.parquet; what goes beyond is counted
MAX_REASONS = 200

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
            self.writer = self.writer or pq.ParquetWriter(self.path, REFUSED, compression="zstd")
            self.writer.write_table(kept)
            self.listed += len(kept)

    def sentences(self) -> list[str]:
        """Why, most frequent first: a sentence a reason."""
        known = [f"{_named(why)} ({count:,} {'row' if count == 1 else 'rows'})" for why, count in self._common()]
        more = len(self.counts) - len(known)
        return known + ([f"{more:,} more reasons"] if more > 0 else [])

    def close(self) -> bytes | None:
        """rows.parquet; None: nothing was refused."""
        if self.writer is None:
            return None
        self.writer.close()
        return self.path.read_bytes()

    def _common(self) -> list[tuple[Why, int]]:
        return sorted(self.counts.items(), key=lambda each: (-each[1], each[0]))[:MAX_REASONS]

    def to_json(self) -> list[Mapping[str, Any]]:
        names = ("table", "column", "reason")
        return [{**dict(zip(names, why, strict=True)), "count": count} for why, count in self._common()]


def place(entry: Entry, name: str) -> str:
    return keys.quarantine(entry.dataset, entry.ingest, name, ingest_time(entry.ingest))


def write(
    store: ObjectStore,
    entry: Entry,
    loaded: Loaded,
    rows: int,
    refusals: Refusals,
    unknown: Sequence[str],
    at: datetime,
) -> None:
    """Put both where the file's quarantine is. `rows`: all that the file has."""
    body = refusals.close()
    if body is not None:
        store.put(place(entry, ROWS), body)
    told = {
        "format": FORMAT,
        "dataset": entry.dataset,
        "ingest": entry.ingest,
        "status": loaded.status,
        "raw": entry.raw,
        "bronze": entry.bronze,
        "at": at.isoformat(timespec="milliseconds"),
        "reasons": [*loaded.reasons, *refusals.sentences()],
        "rows": rows,
        "refused": loaded.refused,
        "counts": refusals.to_json(),
        "listed": refusals.listed,
        "unknown": list(unknown),
        "first": refusals.first,
    }
    text = json.dumps(told, ensure_ascii=False, indent=1).encode()
    store.put(place(entry, REPORT), text, content_type="application/json")


def _named(why: Why) -> str:
    table, column, reason = why
    return f"{'.'.join(filter(None, (table, column)))} {reason}".strip()
