"""Tables as the Glue data catalog of MiniStack describes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from towline.local.athena.errors import AthenaError
from towline.local.athena.loop import on_loop

DuckType = str

_HIVE_TO_DUCKDB = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "binary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}


@dataclass(frozen=True)
class Table:
    """A table of the catalog. Column types are Hive's ("bigint"), as Glue keeps them."""

    database: str
    name: str
    columns: Mapping[str, str]
    partition_keys: Mapping[str, str]
    location: str
    format: str
    serde: Mapping[str, str]
    properties: Mapping[str, str]
    has_symlinks: bool = False  # what lies at the location is no data, but text that names the objects which are

    @property
    def all_columns(self) -> dict[str, str]:
        return {**self.columns, **self.partition_keys}

    @property
    def is_projected(self) -> bool:
        return self.properties.get("projection.enabled", "").lower() == "true"

    @property
    def injected(self) -> list[str]:
        """The partition keys whose values only a query can know."""
        if not self.is_projected:
            return []
        return [name for name in self.partition_keys if self.properties.get(f"projection.{name}.type") == "injected"]

    def partition_location(self, values: Mapping[str, str]) -> str:
        """Where a partition lies that is registered without a location: `key=value/` below the table's."""
        folders = (f"{name}={quote(values[name], safe=' ')}/" for name in self.partition_keys)
        return f"{self.location.rstrip('/')}/{''.join(folders)}"


def has_database(name: str) -> bool:
    from ministack.services import glue

    return on_loop(lambda: name in glue._databases)


def find(database: str, name: str) -> Table | None:
    from ministack.services import glue

    described = on_loop(lambda: glue._tables.get(f"{database}/{name}"))
    return None if described is None else _table(described)


def _table(described: Mapping[str, Any]) -> Table:
    storage = described.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    properties = described.get("Parameters") or {}
    return Table(
        database=described["DatabaseName"],
        name=described["Name"],
        columns=_columns(storage.get("Columns")),
        partition_keys=_columns(described.get("PartitionKeys")),
        location=storage.get("Location") or "",
        format=_format(storage, serde),
        serde=serde.get("Parameters") or {},
        properties=properties,
        has_symlinks="symlinktextinputformat" in (storage.get("InputFormat") or "").lower(),
    )


def _columns(described: list[dict[str, str]] | None) -> dict[str, str]:
    return {column["Name"].lower(): column.get("Type", "string").lower() for column in described or []}


_FORMATS = {
    "parquet": "PARQUET",
    "openx.data.jsonserde": "JSON",
    "jsonserde": "JSON",
    "opencsvserde": "CSV",
    "lazysimpleserde": "TEXTFILE",
}


def _format(storage: Mapping[str, Any], serde: Mapping[str, Any]) -> str:
    named = f"{serde.get('SerializationLibrary', '')} {storage.get('InputFormat', '')}".lower()
    return next((name for part, name in _FORMATS.items() if part in named), named.strip())


def create(database: str, table_input: Mapping[str, Any]) -> None:
    from ministack.services import glue

    _done(on_loop(glue._create_table, {"DatabaseName": database, "TableInput": table_input}))


def drop(database: str, name: str) -> None:
    from ministack.services import glue

    _done(on_loop(glue._delete_table, {"DatabaseName": database, "Name": name}))


def partitions(table: Table) -> list[tuple[dict[str, str], str]]:
    """The partitions that are registered: the keys' values as text, and the location."""
    from ministack.services import glue

    registered = on_loop(lambda: list(glue._partitions.get(f"{table.database}/{table.name}", [])))
    return [_partition(table, described) for described in registered]


def _partition(table: Table, described: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    values = dict(zip(table.partition_keys, map(str, described["Values"]), strict=True))
    named = (described.get("StorageDescriptor") or {}).get("Location")
    return values, named or table.partition_location(values)


def add_partitions(table: Table, added: Iterable[tuple[Mapping[str, str], str]]) -> None:
    """Register partitions: the keys' values, and the location of each."""
    from ministack.services import glue

    inputs = [
        {"Values": [values[name] for name in table.partition_keys], "StorageDescriptor": {"Location": location}}
        for values, location in added
    ]
    named = {"DatabaseName": table.database, "TableName": table.name}
    _done(on_loop(glue._batch_create_partition, {**named, "PartitionInputList": inputs}))


def drop_partition(table: Table, values: Mapping[str, str]) -> None:
    from ministack.services import glue

    named = {"DatabaseName": table.database, "TableName": table.name}
    listed = [values[name] for name in table.partition_keys]
    _done(on_loop(glue._delete_partition, {**named, "PartitionValues": listed}))


def tables(database: str) -> list[str]:
    """The names of a database's tables, sorted."""
    from ministack.services import glue

    return sorted(on_loop(lambda: [key.partition("/")[2] for key in glue._tables if key.startswith(f"{database}/")]))


def databases() -> list[str]:
    from ministack.services import glue

    return sorted(on_loop(lambda: list(glue._databases)))


def _done(answer: tuple[int, Any, bytes | str]) -> None:
    status, _, body = answer
    if status >= 300:
        raise AthenaError("HIVE_METASTORE_ERROR", str(json.loads(body).get("message", body)))


def duck_type(hive: str) -> DuckType:
    """DuckDB's type for one of Hive's: "array<struct<a:int>>" is `STRUCT("a" INTEGER)[]`."""
    hive = hive.strip().lower()
    outer, _, inner = hive.partition("<")
    inner = inner.removesuffix(">")
    if outer == "array":
        return f"{duck_type(inner)}[]"
    if outer == "map":
        key, value = _split(inner)
        return f"MAP({duck_type(key)}, {duck_type(value)})"
    if outer == "struct":
        fields = (field.partition(":") for field in _split(inner))
        return "STRUCT(" + ", ".join(f'"{name.strip()}" {duck_type(kind)}' for name, _, kind in fields) + ")"
    if re.fullmatch(r"decimal(\(\d+(,\s*\d+)?\))?", hive):
        return hive.upper() if "(" in hive else "DECIMAL(10, 0)"
    if re.fullmatch(r"(var)?char\(\d+\)", hive):
        return "VARCHAR"
    if hive not in _HIVE_TO_DUCKDB:
        raise AthenaError("HIVE_UNSUPPORTED_FORMAT", f"Unsupported Hive type: {hive}")
    return _HIVE_TO_DUCKDB[hive]


def _split(inner: str) -> list[str]:
    """The parts of a type's inside, at its outermost commas."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(inner):
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append(inner[start:at])
            start = at + 1
    return [*parts, inner[start:]]


def hive_type(duck: str) -> str:
    """Hive's type for a column that DuckDB made; AthenaError where a table cannot hold it."""
    if duck.endswith("[]"):
        return f"array<{hive_type(duck[:-2])}>"
    if duck.startswith("DECIMAL"):
        return duck.lower().replace(" ", "")
    if duck.startswith("MAP("):
        return "map<" + ",".join(hive_type(part.strip()) for part in _split(duck[4:-1])) + ">"
    if duck.startswith("STRUCT("):
        fields = (part.strip().partition(" ") for part in _split(duck[7:-1]))
        return "struct<" + ",".join(f"{name.strip(chr(34))}:{hive_type(kind)}" for name, _, kind in fields) + ">"
    found = {"INTEGER": "int", "HUGEINT": "decimal(38,0)", "TIMESTAMP_MS": "timestamp", "TIMESTAMP_NS": "timestamp"}
    found |= {kind: name for name, kind in _HIVE_TO_DUCKDB.items() if name != "integer"}
    if duck not in found:
        raise AthenaError("NOT_SUPPORTED", f"Unsupported Hive type: {duck.lower()}")
    return found[duck]
