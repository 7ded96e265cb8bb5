"""Reading a table of the lake: the rows of exactly the files that its inventory names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from towline import keys
from towline.errors import NotFound
from towline.objects import open_table
from towline.pipeline import inventory, partition
from towline.pipeline.inventory import PartitionFile
from towline.store import ObjectStore

Where = Mapping[str, object]


def read(
    store: ObjectStore, dataset: str, table: str, columns: Sequence[str] | None = None, where: Where | None = None
) -> pa.Table:
    """The rows of a silver or gold table, partition by partition. `columns`: these and no others; `where`: values of
    columns that part it, one or several each, so that other files are not read.

    NotFound: there is no such table, or it is not parted by such a column. Corrupt: a file is not what was written.
    """
    files = _files(store, keys.check_dataset(dataset), table)
    chosen = _chosen(files, where or {}, table)
    found = [_rows(store, file, columns) for file in chosen.values()]
    if not found and files:
        return _rows(store, min(files.items())[1], columns).slice(0, 0)
    return pa.concat_tables(found) if found else pa.table({})


def tables(store: ObjectStore, dataset: str) -> dict[str, dict[str, PartitionFile]]:
    """The files that count, by table and partition: of silver, and of gold."""
    layers = [inventory.read(store, layer, dataset).tables for layer in (keys.SILVER, keys.GOLD)]
    return {table: dict(files) for layer in layers for table, files in layer.items()}


def _rows(store: ObjectStore, file: PartitionFile, columns: Sequence[str] | None) -> pa.Table:
    opened = open_table(store, file.key)
    if unknown := [name for name in columns or () if name not in opened.schema.names]:
        raise NotFound(f"there is no column {unknown[0]!r}; there are {', '.join(opened.schema.names)}")
    return opened.read(range(opened.num_groups), columns)


def _files(store: ObjectStore, dataset: str, table: str) -> dict[str, PartitionFile]:
    found = tables(store, dataset)
    if table not in found:
        there = ", ".join(sorted(found)) or "none: nothing was loaded yet"
        raise NotFound(f"{dataset} has no table {table!r} in the lake; those that there are: {there}")
    return dict(sorted(found[table].items()))


def _chosen(files: Mapping[str, PartitionFile], where: Where, table: str) -> dict[str, PartitionFile]:
    known = {name for each in files for name in partition.values(each)}
    if files and (missing := [name for name in where if name not in known]):
        by = ", ".join(sorted(known)) or "no column"
        raise NotFound(f"{table} is not parted by {missing[0]!r}, but by {by}: take the rows, and choose among them")
    wanted = {name: _texts(value) for name, value in where.items()}
    return {each: file for each, file in files.items() if _fits(partition.values(each), wanted)}


def _fits(values: Mapping[str, str | None], wanted: Mapping[str, Collection[str | None]]) -> bool:
    return all(values[name] in texts for name, texts in wanted.items())


def _texts(value: object) -> set[str | None]:
    """A value or several, as a partition's name has them."""
    values = value if isinstance(value, list | tuple | set | frozenset) else [value]
    return {None if each is None else str(each).lower() if isinstance(each, bool) else str(each) for each in values}
