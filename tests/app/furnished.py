"""Files as the functions leave them: entries, bronze, samples, quarantine, inventories; put there by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import md5

import pyarrow as pa
import pyarrow.parquet as pq

from towline import keys
from towline.ingest import manifest
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED, Entry, ingest_id
from towline.keys import parse_raw
from towline.pipeline import inventory
from towline.pipeline.inventory import LOADED, Inventory, Loaded, PartitionFile
from towline.store import ObjectStore, Stat

SET = "golf_rounds"
CSV = b"round_id,course,startTime,pace\nr1,erinhills,2025-07-01T08:00:00Z,12.5\nr2,erinhills,2025-07-01T09:10:00Z,\n"


class Furnished:
    """A dataset's files in a store. Every file lands a minute after the one before."""

    def __init__(self, store: ObjectStore, dataset: str = SET) -> None:
        self.store, self.dataset = store, dataset
        self.at = datetime(2026, 3, 1, 9, tzinfo=UTC)

    def entry(self, name: str, body: bytes = CSV, source: tuple[str, ...] = (), **more: object) -> Entry:
        """An entry of a file that is not written anywhere yet."""
        self.at += timedelta(minutes=1)
        fingerprint = f"{md5(body, usedforsecurity=False).hexdigest()}-{len(body)}"
        stat = Stat(keys.raw(self.dataset, source, name), len(body), fingerprint[:32], "v1", self.at, {})
        entry = Entry(
            ingest_id(stat, fingerprint),
            self.dataset,
            stat.key,
            BRONZE,
            self.at.timestamp(),
            len(body),
            stat.etag,
            fingerprint,
            "v1",
            kind=name.rsplit(".", 1)[-1],
            ingested=(self.at + timedelta(seconds=0.4)).isoformat(),
        )
        return replace(entry, **more)  # type: ignore[arg-type]

    def write(self, entry: Entry) -> Entry:
        return manifest.record(self.store, entry)

    def good(self, name: str, body: bytes = CSV, source: tuple[str, ...] = (), sample: str | None = None) -> Entry:
        """A file in bronze, with a sample of all of it."""
        entry = self.entry(name, body, source)
        raw = parse_raw(entry.raw)
        assert raw is not None
        bronze = keys.bronze(self.dataset, {"course": "erinhills"}, raw.name, self.at)
        self.store.put(bronze, body)
        self.store.put(keys.sample(bronze, sample and bronze.rsplit("/", 1)[1] + sample), body)
        return self.write(replace(entry, bronze=bronze, columns=("round_id", "course", "startTime", "pace")))

    def refused(self, name: str, *reasons: str, body: bytes = b"PK\x03\x04 no") -> Entry:
        """A file in quarantine."""
        entry = self.entry(name, body)
        kept = keys.quarantine(self.dataset, entry.ingest, keys.segment(name), self.at)
        self.store.put(kept, body)
        self.report(entry, reasons=reasons)
        return self.write(replace(entry, status=QUARANTINED, quarantine=kept, reasons=reasons))

    def report(self, entry: Entry, **told: object) -> None:
        key = keys.quarantine(self.dataset, entry.ingest, "report.json", self.at)
        about = {"ingest": entry.ingest, "dataset": self.dataset, "raw": entry.raw, "bronze": entry.bronze, **told}
        self.store.put(key, json.dumps(about).encode())

    def duplicate(self, of: Entry, name: str) -> Entry:
        entry = self.entry(name)
        return self.write(
            replace(entry, status=DUPLICATE, fingerprint=of.fingerprint, bronze=of.bronze, duplicate_of=of.ingest)
        )

    def refuse_rows(self, entry: Entry, rows: pa.Table, *reasons: str) -> None:
        """The refused rows of a file that is in bronze, as its load reports them."""
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink)
        self.store.put(
            keys.quarantine(self.dataset, entry.ingest, "rows.parquet", self.at), sink.getvalue().to_pybytes()
        )
        self.report(entry, reasons=reasons, refused=rows.num_rows, rows=40)

    def retried(self, entry: Entry, at: datetime) -> Entry:
        """What comes of a retry."""
        bronze = keys.bronze(self.dataset, {}, keys.segment(entry.raw.rsplit("/", 1)[1]), self.at)
        kept = {"status": BRONZE, "quarantine": "", "reasons": (), "bronze": bronze, "ingested": at.isoformat()}
        return self.write(replace(entry, ingest=f"{entry.ingest}.1", retry_of=entry.ingest, **kept))  # type: ignore[arg-type]

    def load(self, *of: Entry, refused: int = 0) -> None:
        """Silver and gold with a partition of the rows of these files."""
        part = "course_id=erinhills/event_date=2025-07-01"
        ids = tuple(sorted(each.ingest for each in of))
        silver = PartitionFile(f"silver/{self.dataset}/fix/{part}/l1.parquet", 80, 4000, "d1", ids)
        gold = PartitionFile(f"gold/{self.dataset}/pace/{part}/l1.parquet", 2, 900, "d2", (f"fix/{part}@d1",))
        loaded = {each.ingest: Loaded(LOADED, {"fix": 40}, refused) for each in of}
        for layer, table, file in ((keys.SILVER, "fix", silver), (keys.GOLD, "pace", gold)):
            before = inventory.read(self.store, layer, self.dataset)
            tables = {**before.tables, table: {part: file}}
            inventory.write(
                self.store,
                Inventory(
                    self.dataset, layer, before.number + 1, "l1", "p1", tables, {**before.loaded, **loaded}, before.etag
                ),
            )
