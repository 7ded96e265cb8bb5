"""Flattening in a process of its own, so that its memory can be measured.

    python -m tests.core.flattening DIRECTORY MEMORY

prints {"seconds", "rows", "bytes", "before", "peak", "arrow"}: resident bytes before and at most, and Arrow's own peak.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from towline import flatten, parts
from towline.memory import MemoryStore
from towline.rules.field import Field
from towline.store import (
    ALWAYS,
    Blob,
    CopyRange,
    Entry,
    FileRange,
    Metadata,
    Part,
    Precondition,
    Span,
    Stat,
    checked,
    clip,
)

ROOT = Path(__file__).parents[2]
KEY = ("tow", "net")
FIELDS = (
    Field("tow", "integer"),
    Field("net", "integer"),
    *(Field(f"x{number}", "number") for number in range(6)),
    Field("vessel", "string"),
    Field("comment", "string"),
    Field("at", "datetime"),
)
SCHEMA = pa.schema([(field.name, field.arrow) for field in FIELDS])


class Folder(MemoryStore):
    """A bucket whose objects are the files of a directory: what flattening needs of one, with nothing in memory.
    `copying`: seconds that it took to copy ranges of its own objects, as S3 does on its own side."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root, self.copying = root, 0.0

    def list(self, prefix: str, *, after: str | None = None) -> Iterator[Entry]:
        for path in sorted((self._root / prefix).iterdir()):
            yield Entry(f"{prefix}{path.name}", path.stat().st_size, "1", datetime.now(UTC))

    def get(
        self,
        key: str,
        *,
        version: str | None = None,
        span: Span | None = None,
        tail: int | None = None,
        max_bytes: int | None = None,
    ) -> Blob:
        stat = self._stat(key)
        start, stop = clip(span, stat.size, key, tail)
        return Blob(stat, FileRange(self._root / key, start, stop).read())

    def assemble(
        self,
        key: str,
        parts: Any,
        *,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
    ) -> Stat:
        with (self._root / key).open("wb") as file:
            for part in checked(parts):
                self._append(file, part)
        return self._stat(key)

    def _append(self, file: BinaryIO, part: Part) -> None:
        """The bytes of a part, where they lie in a file without passing through this process."""
        if isinstance(part, bytes):
            file.write(part)
            return
        begun = time.perf_counter()
        file.flush()
        with (part.path if isinstance(part, FileRange) else self._root / part.key).open("rb") as source:
            start = part.start
            while start < part.stop:
                start += os.sendfile(file.fileno(), source.fileno(), start, part.stop - start)
        if isinstance(part, CopyRange):
            self.copying += time.perf_counter() - begun

    def _stat(self, key: str) -> Stat:
        return Stat(key, (self._root / key).stat().st_size, "1", None, datetime.now(UTC), {})


def write_parts(directory: Path, rows: int, count: int) -> int:
    """`count` parts under `parts/`, each with rows of the whole range of keys in no order; their bytes in Arrow."""
    (directory / "parts").mkdir(parents=True)
    size = 0
    for number in range(count):
        table = some_rows(range(number, rows, count))
        pq.write_table(table, directory / "parts" / f"20260101_000000_00001_{number:05}", compression="snappy")
        size += table.nbytes
    return size


def some_rows(numbers: range) -> pa.Table:
    """Rows with these numbers, shuffled: unique keys, measurements, a name of 5,000, a text of its own and a time."""
    count = len(numbers)
    place = pa.array(range(numbers.start, numbers.stop, numbers.step), pa.int64())
    order = pc.sort_indices(pc.random(count, initializer=numbers.start))
    place = place.take(order)
    noise = [pc.round(pc.random(count, initializer=number), 4) for number in range(6)]
    chosen = pc.floor(pc.multiply(noise[0], 5_000)).cast(pa.int64())
    named = pa.array([f"research vessel {number:05}" for number in range(5_001)]).take(chosen)
    text = pc.binary_join_element_wise("haul", place.cast(pa.string()), " ")
    at = pc.add(pc.multiply(place, 1_000_003), 1_700_000_000_000_000).cast(pa.timestamp("us"))
    tow = pc.divide(place, 8)
    return pa.table([tow, pc.subtract(place, pc.multiply(tow, 8)), *noise, named, text, at], schema=SCHEMA)


def measured(directory: Path, memory: int) -> dict[str, Any]:
    """Flatten `parts/` into `result.parquet`."""
    pa.scalar(0)  # which imports pandas where there is one, and is none of flattening's business
    store, before = Folder(directory), _resident()
    begun = time.perf_counter()
    made = flatten.flatten(
        store, parts.find(store, "parts/"), "result.parquet", FIELDS, KEY, workdir=directory, memory=memory
    )
    seconds = time.perf_counter() - begun
    found = {"seconds": seconds, "rows": made.rows, "bytes": made.bytes, "before": before, "peak": _resident()}
    return {**found, "arrow": pa.system_memory_pool().max_memory()}


def _resident() -> int:
    """The most that this process ever had in memory, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_a_process(directory: Path, memory: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.core.flattening", str(directory), str(memory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]), int(sys.argv[2]))))
