"""What a load finds: the inventory that it builds on, and in the manifest what it has to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from towline import keys
from towline.errors import Corrupt, NotFound
from towline.ingest.entry import Entry
from towline.pipeline import inventory as inventories
from towline.pipeline import plan
from towline.pipeline.inventory import FAILED, Inventory, Loaded
from towline.pipeline.plan import Plan
from towline.pipeline.registry import Package
from towline.workbench import Workbench


@dataclass(frozen=True)
class Ground:
    """What a load builds on: `before` is the inventory that counts; `base` it, or what was loaded anew so far.
    `is_begun`: something was loaded anew in its place already, which is over when the inventory has another number."""

    before: Inventory
    base: Inventory
    is_begun: bool = False

    @property
    def is_full(self) -> bool:
        return self.base.is_rebuild


def ground(bench: Workbench, package: Package, full: bool) -> Ground:
    """A rebuild that was begun goes on before anything else; it is over when the inventory is another."""
    before = inventories.read(bench.store, keys.SILVER, package.dataset)
    rebuild = inventories.read(bench.store, keys.SILVER, package.dataset, rebuild=True)
    is_begun = bool(rebuild.load) and rebuild.number == before.number
    if is_begun and rebuild.pipeline == package.digest and not full:
        return Ground(before, rebuild, is_begun)
    if full or before.pipeline != package.digest:
        return Ground(before, replace(rebuild, number=before.number, tables={}, loaded={}), is_begun)
    return Ground(before, before)


def planned(bench: Workbench, on: Ground, entries: Sequence[Entry], limit: int) -> tuple[Plan, Mapping[str, Loaded]]:
    """What is to be done, and what cannot be: a file that was tried again waits, where others that its rows met with
    are not in bronze any more."""
    lost: dict[str, Loaded] = {}
    while True:
        todo = plan.plan(on.base, [entry for entry in entries if entry.ingest not in lost], limit)
        gone = [entry.bronze for entry in todo.again if not _is_there(bench, entry)]
        if not gone:
            return todo, lost
        why = f"{gone[0]} is gone, and without it partitions cannot be made anew: bring it back, or load with --full"
        retries = {entry.ingest: Loaded(FAILED, reasons=(why,)) for entry in todo.take if entry.retry_of}
        if not retries:
            raise Corrupt(why)
        lost |= retries


def _is_there(bench: Workbench, entry: Entry) -> bool:
    try:
        return bench.store.head(entry.bronze, version=entry.bronze_version).size == entry.size
    except NotFound:
        return False
