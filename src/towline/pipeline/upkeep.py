"""What Reconcile does for files and for the lake: what a crash or a lost event left behind is found by listing.

    raw files and retries without an entry          to be sent to the ingest queue again
    bronze files without a sample                   to the sample queue
    an entry that no load has taken, a dataset each to the load queue: one is enough, a load takes all that wait
    gold that is not of the silver that is there    to the load queue, too
    rows that a master was not told of yet          to the load queue, too

It also compacts the manifests, and takes away files of the lake that count no more.

One dataset in trouble does not keep the others waiting: what is wrong with it is a problem, for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from towline import keys
from towline.errors import TowlineError
from towline.inbox import Arrival
from towline.ingest import manifest
from towline.ingest.heal import heal
from towline.ingest.sampled import missing
from towline.pipeline import goldsql, mastering
from towline.pipeline import inventory as inventories
from towline.pipeline.gold import sources
from towline.pipeline.inventory import Inventory
from towline.pipeline.plan import waiting
from towline.pipeline.registry import BrokenPipeline, Package
from towline.pipeline.sweep import sweep
from towline.workbench import Workbench

Found = TypeVar("Found")
Packages = Mapping[str, Package | BrokenPipeline]


@dataclass(frozen=True)
class Upkeep:
    """What a run found. `raw`, `bronze` and `entries` are to be queued again; `gathered`: dataset -> entries that were
    compacted; `swept`: the keys that were deleted; `problems` are datasets that need a person, with the reason."""

    raw: tuple[Arrival, ...]
    bronze: tuple[Arrival, ...]
    entries: tuple[Arrival, ...]
    gathered: Mapping[str, int]
    swept: tuple[str, ...]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Of files there may be many, hence their number."""
        return {
            "raw": len(self.raw),
            "bronze": len(self.bronze),
            "loads": [arrival.key.split("/")[1] for arrival in self.entries],
            "gathered": dict(self.gathered),
            "swept": len(self.swept),
            "problems": list(self.problems),
        }


def keep_up(
    bench: Workbench, packages: Packages, since: datetime | None = None, until: datetime | None = None
) -> Upkeep:
    """Find what fell by the way among what was written from `since` (None: ever) up to `until` (None: now)."""
    healed = heal(bench, since, until)
    problems = list(healed.problems)
    bronze = _of_each(
        manifest.datasets(bench.store), lambda dataset: missing(bench.store, dataset, since, until), problems
    )
    entries = _of_each(packages, lambda dataset: _to_load(bench, packages[dataset], since, until), problems)
    swept = _of_each(packages, lambda dataset: sweep(bench, dataset), problems)
    return Upkeep(healed.unseen, bronze, entries, healed.gathered, swept, tuple(problems))


def _of_each(datasets: Iterable[str], look: Callable[[str], Iterable[Found]], problems: list[str]) -> tuple[Found, ...]:
    """What `look` finds of all datasets; a problem of each of which it finds nothing."""
    found: list[Found] = []
    for dataset in datasets:
        try:
            found += look(dataset)
        except TowlineError as error:
            problems.append(f"{dataset}: {error}")
    return tuple(found)


def _to_load(
    bench: Workbench, package: Package | BrokenPipeline, since: datetime | None, until: datetime | None
) -> list[Arrival]:
    """An arrival that has the dataset loaded, where files wait for that, gold for silver, or a master for either. Where
    the pipeline has changed, all files do."""
    if isinstance(package, BrokenPipeline):
        raise package
    found = inventories.read(bench.store, keys.SILVER, package.dataset)
    is_made_so = found.pipeline == package.digest
    silver = found if is_made_so else Inventory(package.dataset, keys.SILVER)
    for entry in waiting(silver, manifest.entries(bench.store, package.dataset, since if is_made_so else None)):
        if until is None or not entry.ingested or datetime.fromisoformat(entry.ingested) <= until:
            return [Arrival(manifest.key_of(entry), None, entry.etag, entry.size)]
    is_due = _gold_lags(bench, package, found) or mastering.owes(bench, package)
    return [Arrival(keys.entries(package.dataset), None, "", 0)] if is_due else []


def _gold_lags(bench: Workbench, package: Package, silver: Inventory) -> bool:
    """Whether gold is not of this silver: a load died between the two."""
    gold = inventories.read(bench.store, keys.GOLD, package.dataset)
    layers = {**silver.tables, **gold.tables}
    for table in goldsql.ordered(package):
        there = {name: file.sources for name, file in gold.tables.get(table.table, {}).items()}
        if there != sources(table, layers):
            return True
    return False
