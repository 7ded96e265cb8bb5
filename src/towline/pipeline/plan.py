"""What a load has to do: which files it takes, which it reads again, which partitions it makes anew. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from towline.ingest.entry import Entry
from towline.pipeline.inventory import Inventory

Place = tuple[str, str]  # a table and a partition of it


@dataclass(frozen=True)
class Plan:
    """`base`: the inventory that the load builds on, in which nothing is left of files that were replaced; `take`:
    files that are new to it; `again`: files of which the rows in `anew` are read once more, for these partitions lost
    the rows of a file that was replaced; `more`: whether files wait for a further load."""

    base: Inventory
    take: tuple[Entry, ...] = ()
    again: tuple[Entry, ...] = ()
    anew: frozenset[Place] = frozenset()
    more: bool = False

    @property
    def files(self) -> tuple[Entry, ...]:
        """All files that are read."""
        return self.take + self.again


def effective(entries: Sequence[Entry]) -> list[Entry]:
    """The files that silver is made of: those that brought bytes to bronze, in the order of their ingests, without
    those that were tried again since."""
    fresh = [entry for entry in entries if entry.is_new]
    replaced = {entry.retry_of for entry in fresh}
    return sorted((entry for entry in fresh if entry.ingest not in replaced), key=lambda entry: entry.ingest)


def waiting(inventory: Inventory, entries: Sequence[Entry]) -> list[Entry]:
    """The files that no load has taken."""
    return [entry for entry in effective(entries) if entry.ingest not in inventory.loaded]


def plan(inventory: Inventory, entries: Sequence[Entry], limit: int) -> Plan:
    """A load on top of an inventory. `limit`: bytes of bronze to take; a single file may be larger."""
    fresh = waiting(inventory, entries)
    take = _first(fresh, limit)
    base, anew = _without(inventory, _replaced(inventory, entries, take))
    again = {ingest for table, part in anew for ingest in inventory.tables[table][part].sources} & base.loaded.keys()
    read = tuple(entry for entry in effective(entries) if entry.ingest in again)
    return Plan(base, take, read, anew, len(take) < len(fresh))


def _replaced(inventory: Inventory, entries: Sequence[Entry], take: Sequence[Entry]) -> set[str]:
    """The ingests that count no more, now that these files are taken."""
    earlier = {entry.ingest: entry.retry_of for entry in entries if entry.is_new and entry.retry_of}
    todo, found = [*inventory.loaded, *(entry.ingest for entry in take)], set[str]()
    while todo:
        before = earlier.get(todo.pop())
        if before and before not in found:
            found.add(before)
            todo.append(before)  # which may have taken another's place, too
    return found & inventory.loaded.keys()


def _without(inventory: Inventory, ingests: Collection[str]) -> tuple[Inventory, frozenset[Place]]:
    """The inventory without these ingests and the partitions that they had rows for, and which these are."""
    gone = frozenset(ingests)
    anew = {
        (table, part)
        for table, parts in inventory.tables.items()
        for part, file in parts.items()
        if gone and not gone.isdisjoint(file.sources)
    }
    tables = {
        table: {part: file for part, file in parts.items() if (table, part) not in anew}
        for table, parts in inventory.tables.items()
    }
    loaded = {ingest: each for ingest, each in inventory.loaded.items() if ingest not in gone}
    return replace(inventory, tables=tables, loaded=loaded), frozenset(anew)


def _first(entries: Sequence[Entry], limit: int) -> tuple[Entry, ...]:
    sizes = accumulate(entry.size for entry in entries)
    return tuple(
        entry for number, (entry, size) in enumerate(zip(entries, sizes, strict=True)) if not number or size <= limit
    )
