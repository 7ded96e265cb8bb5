"""Where a file's rows went, and where a table's came from: from raw to gold, and back.

Every silver file names the ingests that it was made of, and every gold file the silver files; the manifest knows each
ingest's raw and bronze file. All of it lies in the inventories, so nothing but them and the manifest is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from towline import keys
from towline.errors import NotFound, UsageError
from towline.ingest import manifest
from towline.ingest.entry import Entry
from towline.pipeline import inventory
from towline.pipeline.inventory import Inventory, Loaded, PartitionFile
from towline.workbench import Workbench

LAYERS = (keys.RAW, keys.BRONZE, keys.QUARANTINE, keys.SILVER, keys.GOLD)


@dataclass(frozen=True)
class Named:
    """One partition's file, and whose it is."""

    table: str
    partition: str
    file: PartitionFile

    @property
    def place(self) -> str:
        return "/".join(filter(None, (self.table, self.partition)))

    def to_json(self) -> dict[str, Any]:
        return {"table": self.table, "partition": self.partition, "key": self.file.key, "rows": self.file.rows}


@dataclass(frozen=True)
class Trace:
    """What hangs together with a key. `loaded`: by ingest, what came of the files; one that is not there waits for a
    load, or has been tried again since."""

    key: str
    dataset: str
    files: Sequence[Entry] = ()
    loaded: Mapping[str, Loaded] = field(default_factory=dict)
    silver: Sequence[Named] = ()
    gold: Sequence[Named] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "dataset": self.dataset,
            "files": [self._file(entry) for entry in self.files],
            "silver": [each.to_json() for each in self.silver],
            "gold": [each.to_json() for each in self.gold],
        }

    def _file(self, entry: Entry) -> dict[str, Any]:
        came = self.loaded.get(entry.duplicate_of or entry.ingest) or self.loaded.get(entry.ingest)
        told = {name: getattr(entry, name) for name in ("ingest", "status", "raw", "version", "bronze", "quarantine")}
        return {**told, "load": vars(came) if came else None}


def trace(bench: Workbench, key: str) -> Trace:
    """What a raw, bronze, quarantine, silver or gold key hangs together with. NotFound: it is none that is known.
    UsageError: it is no such key."""
    layer, dataset = f"{key.split('/')[0]}/", "".join(key.split("/")[1:2])
    if layer not in LAYERS:
        raise UsageError(f"{key!r} has no lineage; name a key under {', '.join(LAYERS)}")
    known = _Known(
        key,
        manifest.entries(bench.store, keys.check_dataset(dataset)),
        inventory.read(bench.store, keys.SILVER, dataset),
        inventory.read(bench.store, keys.GOLD, dataset),
    )
    return known.of_table(layer) if layer in (keys.SILVER, keys.GOLD) else known.of_file()


def went(bench: Workbench, entry: Entry) -> tuple[list[Named], list[Named]]:
    """Where the rows of one file are: in which files of silver, and in which of gold. Reads the inventories alone."""
    silver, gold = (inventory.read(bench.store, layer, entry.dataset) for layer in (keys.SILVER, keys.GOLD))
    holding = _holding(silver, _ingests([entry]))
    return holding, _made_of(gold, holding)


@dataclass(frozen=True)
class _Known:
    key: str
    entries: Sequence[Entry]
    silver: Inventory
    gold: Inventory

    def of_file(self) -> Trace:
        files = [entry for entry in self.entries if self._is_of(entry)]
        if not files:
            raise NotFound(f"the manifest of {self.silver.dataset} has no file {self.key!r}: did it land?")
        silver = _holding(self.silver, _ingests(files))
        return self._trace(files, silver, _made_of(self.gold, silver))

    def of_table(self, layer: str) -> Trace:
        found = self.silver if layer == keys.SILVER else self.gold
        named = [each for each in _all(found) if each.file.key == self.key]
        if not named:
            raise NotFound(
                f"the inventory of {layer}{found.dataset} does not name {self.key!r}: a load has replaced it"
            )
        silver = named if layer == keys.SILVER else self._sources(named)
        gold = _made_of(self.gold, silver) if layer == keys.SILVER else named
        ingests = {ingest for each in silver for ingest in each.file.sources}
        return self._trace([entry for entry in self.entries if entry.ingest in ingests], silver, gold)

    def _is_of(self, entry: Entry) -> bool:
        place = f"/{entry.ingest}/"
        is_refused = self.key.startswith(keys.QUARANTINE) and place in self.key
        return self.key in (entry.raw, entry.bronze, entry.quarantine) or is_refused

    def _sources(self, gold: Iterable[Named]) -> list[Named]:
        """The silver files that gold ones were made of, as they are now."""
        wanted = {place for each in gold for place in _places(each.file)}
        return [each for each in _all(self.silver) if each.place in wanted]

    def _trace(self, files: Sequence[Entry], silver: Sequence[Named], gold: Sequence[Named]) -> Trace:
        loaded = {each: self.silver.loaded[each] for each in sorted(_ingests(files)) if each in self.silver.loaded}
        return Trace(self.key, self.silver.dataset, files, loaded, silver, gold)


def _ingests(files: Iterable[Entry]) -> set[str]:
    """Under which ids rows of these files may have been loaded: a duplicate's under that of the first."""
    return {ingest for entry in files for ingest in (entry.ingest, entry.duplicate_of) if ingest}


def _holding(silver: Inventory, ingests: set[str]) -> list[Named]:
    return [each for each in _all(silver) if not ingests.isdisjoint(each.file.sources)]


def _made_of(gold: Inventory, silver: Iterable[Named]) -> list[Named]:
    places = {each.place for each in silver}
    return [each for each in _all(gold) if not places.isdisjoint(_places(each.file))]


def _all(found: Inventory) -> list[Named]:
    return [Named(table, name, file) for table, parts in found.tables.items() for name, file in parts.items()]


def _places(file: PartitionFile) -> set[str]:
    """The silver partitions in a gold file's sources, each of which is `<table>/<partition>@<digest>`."""
    return {source.rpartition("@")[0].rstrip("/") for source in file.sources}
