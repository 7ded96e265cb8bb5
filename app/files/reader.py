"""What the Files page reads: a dataset's ledger, kept for some seconds, and a file's sample and whereabouts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from app.files import sheet
from app.files.ledger import Ledger
from app.files.sheet import Sheet
from towline import keys, reconcile
from towline.errors import NotFound
from towline.ingest import landed, manifest
from towline.ingest.entry import Entry
from towline.pipeline import inventory, trace
from towline.sampling.sample import ENDINGS
from towline.store import TooLarge
from towline.workbench import Workbench

KEPT = 4.0  # seconds for which a ledger is shown again without a look


@dataclass
class Reader:
    """One for all tabs, so that they share what was read."""

    bench: Workbench
    _kept: dict[str, tuple[float, Ledger]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def ledger(self, dataset: str, *, anew: bool = False) -> Ledger:
        """All files of a dataset, as they were some seconds ago at most."""
        with self._lock:
            at, known = self._kept.get(dataset, (0.0, None))
            if known is None or anew or time.monotonic() - at > max(KEPT, len(known.lines) / 2_000):
                known = self._read(dataset)
                self._kept[dataset] = (time.monotonic(), known)
            return known

    def _read(self, dataset: str) -> Ledger:
        entries = manifest.entries(self.bench.store, dataset)
        loaded = inventory.read(self.bench.store, keys.SILVER, dataset).loaded
        return Ledger.of(entries, loaded, landed.under_way(self.bench.store, dataset, entries))

    def problems(self, dataset: str) -> list[str]:
        """What Reconcile found that keeps the dataset's files waiting."""
        return reconcile.problems(self.bench.store, dataset)

    def sample(self, bronze: str) -> tuple[str, list[Sheet]] | None:
        """The name of the sample of a bronze file, and what it shows; None: there is none yet."""
        for key in (f"{keys.sample(bronze)}{ending}" for ending in ENDINGS):
            try:
                body = self.bench.store.get(key, max_bytes=sheet.MOST_BYTES).body
            except NotFound:
                continue
            except TooLarge as error:
                return key.rsplit("/", 1)[-1], [Sheet(note=str(error))]
            return key.rsplit("/", 1)[-1], sheet.read(key, body)
        return None

    def went(self, entry: Entry) -> Mapping[str, Sequence[str]]:
        """The partitions of silver and of gold tables that hold rows of a file, by table."""
        found: dict[str, list[str]] = {}
        for layer, files in zip(("silver", "gold"), trace.went(self.bench, entry), strict=True):
            for each in files:
                found.setdefault(f"{layer} {each.table}", []).append(each.partition)
        return found
