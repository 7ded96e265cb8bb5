"""A table's objects as files of a query's own: each a hard link, in folders that tell its partition."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from towline.local.athena import storage
from towline.local.athena.catalog import Table
from towline.local.athena.partitions import Split, Values
from towline.local.athena.storage import Location


@dataclass(frozen=True)
class Linked:
    """An object as a file that a query can read, while others write new versions of the object."""

    location: Location
    size: int
    path: Path


def link_all(table: Table, found: list[Split], directory: Path) -> list[Linked]:
    """Link the objects below `directory`, as `tow=12/species=cod/7`: the last number counts through them."""
    return [_link(table, split, directory, number) for number, split in enumerate(found)]


def _link(table: Table, split: Split, directory: Path, number: int) -> Linked:
    folder = directory.joinpath(*_folders(table, split.values))
    folder.mkdir(parents=True, exist_ok=True)
    location = split.stored.location
    path = folder / f"{number}{'.gz' if location.key.endswith('.gz') else ''}"  # readers go by the ending
    storage.link(location, path)
    return Linked(location, split.stored.size, path)


def _folders(table: Table, values: Values) -> list[str]:
    return [f"{quote(name, safe='')}={quote(values[name], safe='')}" for name in table.partition_keys]
