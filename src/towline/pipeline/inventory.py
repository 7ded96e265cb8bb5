"""Which files a layer of the lake consists of: one object, replaced as a whole, so that a load counts whole or not.

Files of partitions are written first, under names of their own; they count from the moment that the inventory names
them. What no inventory names is what a load left that came to nothing, or what a later load replaced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from towline import keys
from towline.errors import Corrupt, NotFound, OutcomeUnknown, PreconditionFailed
from towline.store import ABSENT, Matches, ObjectStore

FORMAT = "towline.inventory/v1"
LOADED, FAILED = "loaded", "failed"


class Late(Exception):
    """Another load has replaced the inventory meanwhile: begin anew on what it left."""


@dataclass(frozen=True)
class PartitionFile:
    """The file of one partition. `digest`: BLAKE2b (128 bits, hex) of its bytes. `sources`: what it was made of: of a
    silver file the ids of ingests, of a gold file `<table>/<partition>@<digest>` of silver ones; sorted."""

    key: str
    rows: int
    bytes: int
    digest: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Loaded:
    """What came of one bronze file: rows by table, rows in quarantine, or why all of it failed; of one that did not,
    what there is to say of it."""

    status: str
    rows: Mapping[str, int] = field(default_factory=dict)
    refused: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether all of it is, or some rows."""
        return self.status == FAILED or self.refused > 0


@dataclass(frozen=True)
class Inventory:
    """What a layer holds. `number` counts loads; `load` is the last one's id; `pipeline` the digest of the pipeline
    that made it; `tables`: table -> partition (`a=1/b=2`) -> file; `loaded`: ingest -> what came of it; `etag`: of the
    object that it was read from, None where there was none. A rebuild is what is to replace the inventory of the same
    `number` when all files are in it: no reader looks at it."""

    dataset: str
    layer: str
    number: int = 0
    load: str = ""
    pipeline: str = ""
    tables: Mapping[str, Mapping[str, PartitionFile]] = field(default_factory=dict)
    loaded: Mapping[str, Loaded] = field(default_factory=dict)
    etag: str | None = None
    is_rebuild: bool = False

    @property
    def key(self) -> str:
        return (keys.rebuild if self.is_rebuild else keys.inventory)(self.layer, self.dataset)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "dataset": self.dataset,
            "number": self.number,
            "load": self.load,
            "pipeline": self.pipeline,
            "tables": {
                t: {p: vars(file) for p, file in sorted(parts.items())} for t, parts in sorted(self.tables.items())
            },
            "loaded": {ingest: vars(each) for ingest, each in sorted(self.loaded.items())},
        }


def read(store: ObjectStore, layer: str, dataset: str, *, rebuild: bool = False) -> Inventory:
    """The inventory of a layer, or what is to replace it; an empty one where there is none. Corrupt: it cannot be
    read."""
    none = Inventory(dataset, layer, is_rebuild=rebuild)
    try:
        blob = store.get(none.key)
    except NotFound:
        return none
    try:
        raw = json.loads(blob.body)
        if raw["format"] != FORMAT:
            raise ValueError(f"its format is {raw['format']!r}")
        tables = {t: {p: _file(each) for p, each in parts.items()} for t, parts in raw["tables"].items()}
        loaded = {ingest: _loaded(each) for ingest, each in raw["loaded"].items()}
        told = (raw["number"], raw["load"], raw["pipeline"])
        return Inventory(dataset, layer, *told, tables, loaded, blob.stat.etag, rebuild)
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(
            f"{none.key} cannot be read ({error!r}): restore its version before, or delete it, and the next load makes "
            "it anew"
        ) from error


def write(store: ObjectStore, inventory: Inventory) -> Inventory:
    """Put it in the place of the one that it was made of. PreconditionFailed, Contended: another load was quicker."""
    body = json.dumps(inventory.to_json(), ensure_ascii=False, separators=(",", ":")).encode()
    when = Matches(inventory.etag) if inventory.etag else ABSENT
    stat = store.put(inventory.key, body, when=when, content_type="application/json")
    return replace(inventory, etag=stat.etag)


def commit(store: ObjectStore, inventory: Inventory) -> Inventory:
    """`write`, whose answer may be lost: what seems lost may have happened, and the inventory there says whose it is.
    Late: another load was quicker. OutcomeUnknown: it is not known, and that of before is still there."""
    try:
        return write(store, inventory)
    except (PreconditionFailed, NotFound, OutcomeUnknown) as error:
        found = read(store, inventory.layer, inventory.dataset, rebuild=inventory.is_rebuild)
        if (found.load, found.number) == (inventory.load, inventory.number):
            return found
        if isinstance(error, OutcomeUnknown) and found.etag == inventory.etag:
            raise
        raise Late from error


def _file(raw: Mapping[str, Any]) -> PartitionFile:
    return PartitionFile(raw["key"], raw["rows"], raw["bytes"], raw["digest"], tuple(raw["sources"]))


def _loaded(raw: Mapping[str, Any]) -> Loaded:
    return Loaded(raw["status"], dict(raw["rows"]), raw["refused"], tuple(raw["reasons"]))
