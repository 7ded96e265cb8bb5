"""A load: new bronze files become rows of silver, and count from one moment on, all together.

    1  read the inventory and the manifest: which files no load has taken
    2  conform each, hold it against the contracts; what is refused goes to the quarantine with its reasons
    3  make the file of each partition that has new rows, of these and of the file that it had
    4  replace the inventory, on the condition that it is the one of step 1: the commit point

A load that dies before step 4 has changed nothing; the next does it again and comes to the same bytes. So does a load
of all files from nothing, whatever order they came in. Of two loads at once one is late at step 4 and begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from towline import keys
from towline.ahead import ahead
from towline.errors import Corrupt, LostRace
from towline.ingest import manifest, places
from towline.ingest.entry import QUARANTINED, Entry
from towline.pipeline import inventory as inventories
from towline.pipeline import parts, report
from towline.pipeline.bronzefile import StoredFile
from towline.pipeline.ground import Ground, ground, planned
from towline.pipeline.inventory import FAILED, Inventory, Late, Loaded, PartitionFile
from towline.pipeline.plan import Place, Plan
from towline.pipeline.registry import Package
from towline.pipeline.report import Refusals, Taken
from towline.pipeline.spool import FILE, Spooled
from towline.pipeline.taking import Opened, Taking
from towline.store import GIB
from towline.workbench import Workbench

LIMIT = 2 * GIB  # bytes of bronze that a load takes
TRIES = 5
AT_ONCE = 4  # partitions that are made side by side


@dataclass(frozen=True)
class LoadResult:
    """What a load did. `load`: its id, empty where there was nothing to do; `taken`, `failed`: what came of each file
    by ingest; `written`, `kept`, `removed`: partitions; `rows` passed, before those of equal keys became one; `more`:
    whether files wait for the next load."""

    dataset: str
    load: str = ""
    full: bool = False
    taken: Mapping[str, Loaded] = field(default_factory=dict)
    written: tuple[Place, ...] = ()
    kept: tuple[Place, ...] = ()
    removed: tuple[Place, ...] = ()
    more: bool = False

    def to_json(self) -> dict[str, Any]:
        changed = {"written": self.written, "kept": self.kept, "removed": self.removed}
        places = {name: ["/".join(filter(None, place)) for place in found] for name, found in changed.items()}
        files = {ingest: vars(each) for ingest, each in self.taken.items()}
        counts = {"rows": self.rows, "refused": self.refused}
        told = {"dataset": self.dataset, "load": self.load, "full": self.full}
        return {**told, **counts, **places, "files": files, "more": self.more}

    @property
    def failed(self) -> dict[str, tuple[str, ...]]:
        """Why, by ingest."""
        return {ingest: each.reasons for ingest, each in self.taken.items() if each.status == FAILED}

    @property
    def rows(self) -> int:
        return sum(count for each in self.taken.values() for count in each.rows.values())

    @property
    def refused(self) -> int:
        return sum(each.refused for each in self.taken.values())


Tell = Callable[[Entry], None]


def _silent(entry: Entry) -> None:
    """Nobody is told."""


def load(
    bench: Workbench, package: Package, *, full: bool = False, limit_bytes: int = LIMIT, tell: Tell = _silent
) -> LoadResult:
    """Bring silver up to the manifest. `full`, or where the pipeline has changed: from nothing. `tell` is told of each
    file that fails, with the reasons in its entry, before the load counts: maybe twice, but never not at all. LostRace:
    other loads were quicker, again and again. Unavailable: the store does not answer; nothing has changed."""
    for _ in range(TRIES):
        try:
            return _try(bench, package, full, limit_bytes, tell)
        except Late:
            continue
    raise LostRace(f"{TRIES} times another load of {package.dataset} was quicker: what waits, waits for the next one")


def _try(bench: Workbench, package: Package, full: bool, limit: int, tell: Tell) -> LoadResult:
    on = ground(bench, package, full)
    entries = manifest.entries(bench.store, package.dataset)
    todo, lost = planned(bench, on, entries, limit)
    for entry in entries:
        if entry.ingest in lost:
            tell(_failed(entry, lost[entry.ingest]))
    if not todo.take and not on.is_full:
        return LoadResult(package.dataset, taken=lost)
    with TemporaryDirectory(prefix="towline-load-") as directory:
        result = _Load(bench, package, on, todo, bench.new_id(), Path(directory), tell).run()
    return replace(result, taken={**result.taken, **lost})


def _failed(entry: Entry, loaded: Loaded) -> Entry:
    """The entry of a file that a load refuses, as it is told of."""
    place = places.report(entry.dataset, entry.ingest)
    return replace(entry, status=QUARANTINED, reasons=loaded.reasons, quarantine=place)


@dataclass
class _Load:
    bench: Workbench
    package: Package
    on: Ground
    plan: Plan
    id: str
    directory: Path
    tell: Tell

    def run(self) -> LoadResult:
        spools = {
            table: Spooled(self.directory / f"{table}.arrow", contract)
            for table, contract in self.package.contracts.items()
        }
        files = (StoredFile(self.bench.store, entry) for entry in self.plan.files)
        opened = enumerate(ahead(partial(Opened.of, self.package), files, 1))
        taken = {each.file.entry.ingest: self._take(number, each, spools) for number, each in opened}
        tables = {table: dict(self.plan.base.tables.get(table, {})) for table in self.package.contracts}
        written: list[Place] = []
        for (table, name), file in ahead(self._make, self._partitions(spools), AT_ONCE):
            tables[table][name] = file
            if file.key == keys.lake(keys.SILVER, self.package.dataset, table, name, self.id):
                written.append((table, name))
        return self._commit(tables, {entry.ingest: taken[entry.ingest] for entry in self.plan.take}, written)

    def _take(self, number: int, opened: Opened, spools: Mapping[str, Spooled]) -> Loaded:
        entry = opened.file.entry
        refusals = Refusals(self.directory / f"{number}.parquet")
        taking = Taking(self.package, spools, number, refusals, self._only(entry))
        taken = taking.take(opened)
        if number < len(self.plan.take):
            self._report(entry, taken)
        elif taken.loaded.status == FAILED:
            raise Corrupt(f"{entry.bronze} was loaded once, and now fails: {taken.loaded.reasons[0]}")
        refusals.drop()
        return taken.loaded

    def _only(self, entry: Entry) -> dict[str, set[str]] | None:
        if entry in self.plan.take:
            return None
        return {table: {name for at, name in self.plan.anew if at == table} for table in self.package.contracts}

    def _report(self, entry: Entry, taken: Taken) -> None:
        """Nothing where nothing is refused nor was before, or where it was reported when the same came of it before."""
        before, loaded = self.on.before.loaded.get(entry.ingest), taken.loaded
        is_told = before == loaded and self.on.before.pipeline == self.package.digest
        if is_told or not (loaded.is_refused or (before and before.is_refused)):
            return
        report.write(self.bench.store, entry, taken, self.bench.clock())
        if loaded.status == FAILED:
            self.tell(_failed(entry, loaded))

    def _partitions(self, spools: Mapping[str, Spooled]) -> Iterator[tuple[Place, list[pa.Table]]]:
        for table, spool in spools.items():
            for name, pieces in spool.read():
                yield (table, name), pieces

    def _make(self, partition: tuple[Place, list[pa.Table]]) -> tuple[Place, PartitionFile]:
        """The partition's file with the spooled rows in it: the one that is there, where it would be the same."""
        (table, name), pieces = partition
        contract, store = self.package.contracts[table], self.bench.store
        ingests = [entry.ingest for entry in self.plan.files]
        rows = [parts.of_spool(pieces, ingests)]
        sources = {ingests[number] for piece in pieces for number in piece.column(FILE).unique().to_pylist()}
        if held := self.plan.base.tables.get(table, {}).get(name):
            rows.append(parts.stored(store, held, contract))
            sources |= set(held.sources)
        made = parts.made(rows, sources, contract)
        for known in filter(None, (held, self.on.before.tables.get(table, {}).get(name))):
            if known.digest == made.digest and (held or parts.is_there(store, known)):
                return (table, name), known
        key = keys.lake(keys.SILVER, self.package.dataset, table, name, self.id)
        return (table, name), parts.write(store, key, made)

    def _commit(
        self, tables: Mapping[str, Mapping[str, PartitionFile]], taken: Mapping[str, Loaded], written: list[Place]
    ) -> LoadResult:
        before, base, is_full = self.on.before, self.plan.base, self.on.is_full
        loaded = {**base.loaded, **taken}
        after = replace(base, load=self.id, pipeline=self.package.digest, tables=tables, loaded=loaded)
        if not (is_full and self.plan.more):
            after = replace(after, number=before.number + 1, etag=before.etag, is_rebuild=False)
        # A rebuild is written even where it comes to what is there already: else its next step would be this one again.
        if after.is_rebuild or self.on.is_begun or not _is_same(before, after):
            inventories.commit(self.bench.store, after)
        was, now = _places(before), _places(after)
        return LoadResult(
            self.package.dataset,
            self.id,
            is_full,
            taken,
            tuple(sorted(written)),
            tuple(sorted(now - set(written) if is_full else self.plan.anew & now - set(written))),
            () if after.is_rebuild else tuple(sorted(was - now)),
            self.plan.more,
        )


def _places(inventory: Inventory) -> set[Place]:
    return {(table, name) for table, found in inventory.tables.items() for name in found}


def _is_same(one: Inventory, other: Inventory) -> bool:
    return (one.tables, one.loaded, one.pipeline) == (other.tables, other.loaded, other.pipeline)
