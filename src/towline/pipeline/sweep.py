"""Taking away files of a lake that count no more: what a load left that came to nothing, or what a later one replaced.

A query that began before a load still reads the files of then. So a file stays for a day after it was written, and for
a day after its partition got another.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from towline import keys
from towline.pipeline import inventory
from towline.pipeline.inventory import Inventory
from towline.store import Entry
from towline.workbench import Workbench

PATIENCE = timedelta(days=1)


def sweep(bench: Workbench, dataset: str) -> list[str]:
    """Delete what is left of a dataset's silver and gold; the keys. A version of each stays, as of all that is
    deleted."""
    gone = [key for layer in (keys.SILVER, keys.GOLD) for key in unused(bench, layer, dataset)]
    for key in gone:
        bench.store.delete(key)
    return gone


def unused(bench: Workbench, layer: str, dataset: str) -> list[str]:
    """The files of a layer that nothing names, and nobody reads any more."""
    before = bench.clock() - PATIENCE
    listed = [each for each in bench.store.list(f"{layer}{dataset}/") if _is_file(each) and each.modified < before]
    if not listed:
        return []
    # After the listing, and the rebuild first: what it names no more is in the inventory then.
    rebuild = inventory.read(bench.store, layer, dataset, rebuild=True)
    current = inventory.read(bench.store, layer, dataset)
    named = {*_named(current), *(_named(rebuild) if rebuild.number == current.number else ())}
    since = {_folder(key): _written(key) for key in _named(current)}
    last = keys.commit_time(current.load) if current.load else before
    return [each.key for each in listed if each.key not in named and since.get(_folder(each.key), last) < before]


def _named(found: Inventory) -> Iterator[str]:
    return (file.key for parts in found.tables.values() for file in parts.values())


def _is_file(listed: Entry) -> bool:
    name = listed.key.rsplit("/", 1)[1]
    return name.endswith(".parquet") and keys.is_commit(name.removesuffix(".parquet"))


def _folder(key: str) -> str:
    return key.rsplit("/", 1)[0]


def _written(key: str) -> datetime:
    """When the load began that wrote a file: its id is the file's name."""
    return keys.commit_time(key.rsplit("/", 1)[1].removesuffix(".parquet"))
