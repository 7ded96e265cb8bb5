"""A load: new bronze files become rows of silver, and count from one moment on, all together.

    1  read the inventory and the manifest: which files no load has taken
    2  conform each, hold it against the contracts; what is refused goes to the quarantine with its reasons
    3  make the file of each partition that has new rows, of these and of the file that it had
    4  replace the inventory, on the condition that it is the one of step 1: the commit point

A load that dies before step 4 has changed nothing; the next does it again and comes to the same bytes. So does a load
of all files from nothing, whatever order they came in. Of two loads at once one is late at step 4 and begins anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from towline import keys
from towline.ahead import ahead
from towline.errors import LostRace, NotFound, OutcomeUnknown, PreconditionFailed
from towline.ingest import manifest
from towline.ingest.entry import Entry
from towline.pipeline import inventory as inventories
from towline.pipeline import parts, report
from towline.pipeline.bronzefile import StoredFile
from towline.pipeline.inventory import FAILED, Inventory, Loaded, PartitionFile
from towline.pipeline.plan import Place, Plan, plan
from towline.pipeline.plan import waiting as _waiting
from towline.pipeline.registry import Package
from towline.pipeline.report import Refusals
from towline.pipeline.spool import FILE, Spooled
from towline.pipeline.taking import Taken, Taking
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


class _Late(Exception):
    """Another load has replaced the inventory meanwhile."""


def load(bench: Workbench, package: Package, *, full: bool = False, limit_bytes: int = LIMIT) -> LoadResult:
    """Bring silver up to the manifest. `full`, or where the pipeline has changed: from nothing. LostRace: other loads
    were quicker, again and again. Unavailable: the store does not answer; nothing has changed."""
    for _ in range(TRIES):
        try:
            return _try(bench, package, full, limit_bytes)
        except _Late:
            continue
    raise LostRace(f"{TRIES} times another load of {package.dataset} was quicker: what waits, waits for the next one")


def waiting(bench: Workbench, package: Package) -> list[Entry]:
    """The files that no load has taken; all of them where the pipeline has changed."""
    found = inventories.read(bench.store, keys.SILVER, package.dataset)
    known = found if found.pipeline == package.digest else Inventory(package.dataset, keys.SILVER)
    return _waiting(known, manifest.entries(bench.store, package.dataset))


def _try(bench: Workbench, package: Package, full: bool, limit: int) -> LoadResult:
    before = inventories.read(bench.store, keys.SILVER, package.dataset)
    full = full or before.pipeline != package.digest
    base = replace(before, tables={}, loaded={}) if full else before
    todo = plan(base, manifest.entries(bench.store, package.dataset), limit)
    if not todo.take and not full:
        return LoadResult(package.dataset)
    with TemporaryDirectory(prefix="towline-load-") as directory:
        return _Load(bench, package, before, todo, bench.new_id(), full, Path(directory)).run()


@dataclass
class _Load:
    bench: Workbench
    package: Package
    before: Inventory
    plan: Plan
    id: str
    full: bool
    directory: Path

    def run(self) -> LoadResult:
        spools = {
            table: Spooled(self.directory / f"{table}.arrow", contract)
            for table, contract in self.package.contracts.items()
        }
        taken = {entry.ingest: self._take(number, entry, spools) for number, entry in enumerate(self.plan.files)}
        tables = {table: dict(self.plan.base.tables.get(table, {})) for table in self.package.contracts}
        written: list[Place] = []
        for (table, name), file in ahead(self._make, self._partitions(spools), AT_ONCE):
            tables[table][name] = file
            if file.key == keys.lake(keys.SILVER, self.package.dataset, table, name, self.id):
                written.append((table, name))
        fresh = {entry.ingest: taken[entry.ingest] for entry in self.plan.take}
        after = replace(
            self.before,
            number=self.before.number + 1,
            load=self.id,
            pipeline=self.package.digest,
            tables=tables,
            loaded={**self.plan.base.loaded, **fresh},
        )
        return self._commit(after, fresh, written)

    def _take(self, number: int, entry: Entry, spools: Mapping[str, Spooled]) -> Loaded:
        refusals = Refusals(self.directory / f"{number}.parquet")
        taking = Taking(self.package, spools, number, refusals, self._only(entry))
        taken = taking.take(StoredFile(self.bench.store, entry))
        if number < len(self.plan.take):
            self._report(entry, taken)
        refusals.path.unlink(missing_ok=True)
        return taken.loaded

    def _only(self, entry: Entry) -> dict[str, set[str]] | None:
        if entry in self.plan.take:
            return None
        return {table: {name for at, name in self.plan.anew if at == table} for table in self.package.contracts}

    def _report(self, entry: Entry, taken: Taken) -> None:
        """Nothing where nothing is refused, or where it was reported when the same came of it before."""
        is_known = self.before.pipeline == self.package.digest
        if (taken.loaded.refused or taken.loaded.status == FAILED) and not (
            is_known and self.before.loaded.get(entry.ingest) == taken.loaded
        ):
            report.write(
                self.bench.store, entry, taken.loaded, taken.rows, taken.refusals, taken.unknown, self.bench.clock()
            )

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
        known = self.before.tables.get(table, {}).get(name)
        if known and known.digest == made.digest:
            return (table, name), known
        key = keys.lake(keys.SILVER, self.package.dataset, table, name, self.id)
        store.put(key, made.body)
        return (table, name), parts.placed(key, made)

    def _commit(self, after: Inventory, taken: Mapping[str, Loaded], written: list[Place]) -> LoadResult:
        was = {(table, name) for table, found in self.before.tables.items() for name in found}
        now = {(table, name) for table, found in after.tables.items() for name in found}
        kept = now - set(written) if self.full else self.plan.anew & now - set(written)
        if not _is_same(self.before, after):
            self._replace(after)
        return LoadResult(
            self.package.dataset,
            self.id,
            self.full,
            taken,
            tuple(sorted(written)),
            tuple(sorted(kept)),
            tuple(sorted(was - now)),
            self.plan.more,
        )

    def _replace(self, after: Inventory) -> None:
        """The commit point. What seems lost may have happened: the inventory says whose it is."""
        try:
            inventories.write(self.bench.store, after)
        except (PreconditionFailed, NotFound, OutcomeUnknown) as error:
            found = inventories.read(self.bench.store, keys.SILVER, self.package.dataset)
            if found.load == self.id:
                return
            if isinstance(error, OutcomeUnknown) and found.etag == self.before.etag:
                raise
            raise _Late from error


def _is_same(one: Inventory, other: Inventory) -> bool:
    return (one.tables, one.loaded, one.pipeline) == (other.tables, other.loaded, other.pipeline)
