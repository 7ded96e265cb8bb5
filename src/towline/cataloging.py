"""Keeping the catalog in step with the datasets: what is there is looked at, and only what differs is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from towline import catalog, keys
from towline.pipeline import registry, tables
from towline.pipeline.tables import Packages
from towline.workbench import Workbench

_DAY = re.compile(r"/(?:date=)?(\d{4}-\d\d-\d\d)/")


@dataclass(frozen=True)
class Kept:
    """What keeping the catalog in step came to: names of tables that were made and that were changed, and why datasets
    and files have no table, a sentence each. Tables of no dataset are left alone, for people make some by hand."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {"created": list(self.created), "updated": list(self.updated), "without": list(self.without)}


class Catalog(Protocol):
    """One database of tables."""

    def keep(self, tables: Sequence[catalog.Table]) -> tuple[list[str], list[str]]:
        """Make these tables what is said here; the names of those that were made and of those that were changed.
        Raises a TowlineError where the catalog cannot be reached or refuses; asking again is harmless."""
        ...


def keep_in_step(bench: Workbench, bucket: str, kept: Catalog, packages: Packages = registry.package) -> Kept:
    """Make the catalog's tables those of the datasets and of the lake in `bucket`, which `bench` works on."""
    listed = (keys.dataset_of_contract(entry.key) for entry in bench.store.list(keys.CONTRACTS))
    contracts = [bench.contract(dataset) for dataset in listed if dataset]
    place = catalog.Place(bucket, bench.layout, _first_day(bench, [contract.dataset for contract in contracts]))
    lake = tables.find(bench.store, place, catalog.names([contract.dataset for contract in contracts]), packages)
    created, updated = kept.keep([*catalog.tables(contracts, place), *lake.tables])
    without = tuple(why for contract in contracts if (why := catalog.why_not(contract)))
    return Kept(tuple(created), tuple(updated), without + lake.without)


def _first_day(bench: Workbench, datasets: Sequence[str]) -> date:
    """The day of the first record or changes file of these datasets; today where there is none yet. Records may be in
    the archive, changes files never are."""
    prefixes = [
        prefix for dataset in datasets
        for prefix in (f"{bench.layout.audit}{dataset}/", f"{keys.CHANGES}dataset={dataset}/")
    ]  # fmt: skip
    firsts = (next(iter(bench.store.list(prefix)), None) for prefix in prefixes)
    days = [found[1] for entry in firsts if entry is not None and (found := _DAY.search(entry.key))]
    return min(map(date.fromisoformat, days), default=bench.clock().date())
