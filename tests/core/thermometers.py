"""A bucket with files of thermometers in bronze, as if they had landed, and the pipeline that reads them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from towline import keys
from towline.ingest.entry import BRONZE, Entry
from towline.memory import MemoryStore
from towline.pipeline import inventory, registry
from towline.pipeline.inventory import Inventory
from towline.workbench import Workbench

PIPELINES = Path(__file__).parent / "pipelines"
DATASET = "thermometers"
THERMOMETERS = registry.load(PIPELINES / DATASET)
START = datetime(2026, 3, 1, tzinfo=UTC)


def bench(store: MemoryStore | None = None) -> Workbench:
    return Workbench(store or MemoryStore(), pause=lambda seconds: None)


def csv(*rows: str) -> bytes:
    """`"a 1 0 1.5"`: sensor a, on the first of January at 00:00, has 1.5 degrees."""
    lines = ["sensor,time,temperature"]
    for row in rows:
        sensor, day, hour, temperature = row.split(" ")
        lines.append(f"{sensor},2026-01-{int(day):02}T{int(hour):02}:00:00,{temperature}")
    return ("\n".join(lines) + "\n").encode()


def land(
    at: Workbench, number: int, body: bytes, *, kind: str = "csv", retry_of: str | None = None, attempt: int = 0
) -> Entry:
    """Put a file in bronze, with its entry. `number` tells files apart and orders their ingests; `attempt` the tries of
    one file."""
    moment = START + timedelta(minutes=number)
    digest = md5(f"{number}".encode(), usedforsecurity=False).hexdigest()
    ingest = f"{moment:%Y%m%dT%H%M%S}-{digest[:12]}" + (f".{attempt}" if attempt else "")
    body = gzip.compress(body) if kind.endswith("gz") else body
    bronze = keys.bronze(DATASET, {}, f"{number}.{kind}", moment, f"-{attempt}" if attempt else "")
    stat = at.store.put(bronze, body)
    entry = Entry(
        ingest=ingest,
        dataset=DATASET,
        raw=keys.raw(DATASET, (), f"{number}.{kind}"),
        status=BRONZE,
        mtime=moment.timestamp(),
        size=len(body),
        etag=stat.etag,
        fingerprint=f"{digest}-{len(body)}",
        bronze=bronze,
        bronze_version=stat.version,
        kind=kind,
        retry_of=retry_of,
    )
    at.store.put(keys.entry(DATASET, entry.fingerprint, ingest), entry.to_line())
    return entry


def silver(at: Workbench) -> Inventory:
    return inventory.read(at.store, keys.SILVER, DATASET)


def digests(at: Workbench) -> dict[str, str]:
    return {name: file.digest for name, file in silver(at).tables.get("readings", {}).items()}


def readings(at: Workbench) -> list[tuple[str, float]]:
    """The sensors and temperatures in silver, in order."""
    return [(each["sensor"], each["temperature"]) for each in rows(at).to_pylist()]


def rows(at: Workbench) -> pa.Table:
    """All rows of silver, partition by partition."""
    found = [at.store.get(file.key).body for _, file in sorted(silver(at).tables["readings"].items())]
    return pa.concat_tables([pq.read_table(pa.BufferReader(body)) for body in found])
