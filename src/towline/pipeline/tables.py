"""The lake's tables in the catalog: those of silver and gold by their symlinks, and the manifest.

    <dataset>_<table>   the rows of a silver or gold table: of the files that the inventory names, and no others
    manifest            one row a file that landed, of all datasets: the entries that are compacted

A silver table has the columns of its contract and `ingest`; a gold one those of its files, with what the header of its
SQL says of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

from towline import catalog, keys
from towline.catalog import Place, Table
from towline.errors import TowlineError, UsageError
from towline.ingest.entry import Entry
from towline.objects import open_table
from towline.pipeline import goldsql, inventory
from towline.pipeline.inventory import Inventory
from towline.pipeline.registry import INGEST, Package
from towline.pipeline.registry import package as installed
from towline.sqledit import check_names
from towline.store import ObjectStore, folders

Packages = Callable[[str], Package | None]

# As S3's own inventory is read: a text file names the Parquet files.
SYMLINKS = {
    **catalog.PARQUET,
    "InputFormat": "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
}
_INGEST = {"Name": INGEST, "Type": "string", "Comment": "Id of the ingest that the row came with"}
_TYPES = {"mtime": "double", "size": "bigint", "columns": "array<string>", "reasons": "array<string>"}


@dataclass(frozen=True)
class Found:
    """Tables, and why others are none, a sentence each."""

    tables: tuple[Table, ...] = ()
    without: tuple[str, ...] = ()


def find(store: ObjectStore, place: Place, taken: Collection[str], packages: Packages = installed) -> Found:
    """All tables of the bucket's lake. `taken`: names that the tables of datasets have; those come first."""
    tables: dict[str, Table] = {}
    without: list[str] = []
    for dataset in folders(store, keys.SILVER):
        try:
            package = packages(dataset)
            for table in _of_package(store, package, place) if package else ():
                if (name := table["Name"]) in taken or name in tables or catalog.clash(name):
                    without.append(f"{dataset} has no table {name}: another one has the name")
                else:
                    tables[name] = table
        except TowlineError as error:
            without.append(f"{dataset} lacks tables of its lake: {error}")
    landed = list(folders(store, keys.MANIFESTS))
    return Found((*tables.values(), *([manifest(landed, place)] if landed else ())), tuple(without))


def manifest(datasets: Sequence[str], place: Place) -> Table:
    columns = [
        {"Name": each.name, "Type": _TYPES.get(each.name, "string")} for each in fields(Entry) if each.name != "dataset"
    ]
    storage = {**catalog.JSON_LINES, "Location": place.url(keys.MANIFESTS)}
    template = {"storage.location.template": place.url(keys.lines("${dataset}"))}
    what = "What became of each file that landed: one row a file, some minutes after it"
    found = catalog.table(catalog.MANIFEST, what, columns, storage, {**catalog.by_dataset(datasets), **template})
    return {**found, "PartitionKeys": [{"Name": "dataset", "Type": "string"}]}


def _of_package(store: ObjectStore, package: Package, place: Place) -> Iterator[Table]:
    silver, gold = (inventory.read(store, layer, package.dataset) for layer in (keys.SILVER, keys.GOLD))
    for table in sorted(silver.tables.keys() & package.contracts.keys()):
        contract = package.contracts[table]
        check_names(contract)
        columns = [*(catalog.column(field, contract) for field in contract.fields), _INGEST]
        yield _table(silver, table, f"Silver of {package.dataset}: {table}", columns, place)
    for each in goldsql.ordered(package):
        if gold.tables.get(each.table):
            columns = _columns(_schema(store, gold, each.table), each.columns)
            yield _table(gold, each.table, each.about or f"Gold of {package.dataset}: {each.table}", columns, place)


def _table(layer: Inventory, table: str, what: str, columns: Sequence[Mapping[str, str]], place: Place) -> Table:
    prefix = keys.symlink(layer.layer, layer.dataset, table).rpartition("/")[0]
    storage: Mapping[str, Any] = {**SYMLINKS, "Location": place.url(f"{prefix}/")}
    return catalog.table(catalog.of_lake(layer.dataset, table), what, columns, storage)


def _schema(store: ObjectStore, gold: Inventory, table: str) -> pa.Schema:
    """The columns of a gold table: all its files have the same."""
    return open_table(store, min(gold.tables[table].items())[1].key).schema


def _columns(schema: pa.Schema, said: Mapping[str, str]) -> list[dict[str, str]]:
    found = [{"Name": field.name.lower(), "Type": catalog.type_of(field.type)} for field in schema]
    if len({each["Name"] for each in found}) < len(found):
        raise UsageError(f"two columns of {', '.join(schema.names)} are one to Athena; name one of them otherwise")
    return [each | ({"Comment": said[each["Name"]][:255]} if each["Name"] in said else {}) for each in found]
