"""CREATE TABLE AS SELECT: its properties, the parts it writes, the table it registers."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlglot import exp

from towline.local.athena import catalog, statement, storage
from towline.local.athena.catalog import Table
from towline.local.athena.errors import AthenaError
from towline.local.athena.parsing import place
from towline.local.athena.sql import literal, quoted
from towline.local.athena.storage import Location

PARTITIONS_AT_MOST = 100


@dataclass(frozen=True)
class Plan:
    """What a CTAS is to make. `place` is where it names the table; `is_placed`: it has an external_location."""

    database: str
    table: str
    place: str
    location: Location
    is_placed: bool
    format: str
    compression: str
    partitioned_by: tuple[str, ...]
    bucketed_by: tuple[str, ...]
    buckets: int
    delimiter: str
    if_not_exists: bool

    @property
    def name(self) -> str:
        return f"{self.database}.{self.table}"


def plan(created: exp.Create, database: str, results: Location) -> Plan:
    """Read a CTAS; a table without an external_location goes below `results`. Raises AthenaError."""
    given = _properties(created)
    target = created.this.this if isinstance(created.this, exp.Schema) else created.this
    named = given.pop("external_location", None)
    form = str(given.pop("format", "PARQUET")).upper()
    compression = given.pop("write_compression", given.pop(f"{form.lower()}_compression", None))
    made = Plan(
        database=(target.db or database).lower(),
        table=target.name.lower(),
        place=place(target),
        location=Location.parse(named) if named else results,
        is_placed=named is not None,
        format=form,
        compression=str(compression or _USUAL_COMPRESSION.get(form, "NONE")).upper(),
        partitioned_by=tuple(name.lower() for name in given.pop("partitioned_by", ())),
        bucketed_by=tuple(name.lower() for name in given.pop("bucketed_by", ())),
        buckets=int(given.pop("bucket_count", -1)),
        delimiter=str(given.pop("field_delimiter", "\x01")),
        if_not_exists=bool(created.args.get("exists")),
    )
    _check(form, unknown=sorted(given))
    return made


def _check(form: str, unknown: list[str]) -> None:
    if unknown:
        named = f"line 1:1: Catalog '{statement.CATALOG}' table property '{unknown[0]}' does not exist"
        raise AthenaError("INVALID_TABLE_PROPERTY", named)
    if form not in _WRITTEN:
        raise AthenaError("NOT_SUPPORTED", f"the local stack writes {', '.join(sorted(_WRITTEN))} tables, not {form}")


# Athena's is GZIP for Parquet, which takes thrice the time and which no reader can tell from this.
_USUAL_COMPRESSION = {"PARQUET": "SNAPPY"}


def _properties(created: exp.Create) -> dict[str, Any]:
    given = created.args.get("properties")
    return dict(_property(one) for one in given.expressions) if given else {}


def _property(node: exp.Expr) -> tuple[str, Any]:
    if isinstance(node, exp.FileFormatProperty):
        return "format", node.name
    if isinstance(node, exp.PartitionedByProperty):
        return "partitioned_by", _names(node.this)
    value = node.args.get("value")
    return node.name.lower(), _names(value) if isinstance(value, exp.Array) else value.name if value else None


def _names(array: exp.Expr) -> list[str]:
    return [one.name for one in array.expressions]


def check_free(made: Plan) -> None:
    """Raise AthenaError where the table or anything below its location is there already."""
    if not catalog.has_database(made.database):
        raise AthenaError("SCHEMA_NOT_FOUND", f"{made.place}: Schema '{made.database}' does not exist")
    if catalog.find(made.database, made.table) is not None:
        known = f"{statement.CATALOG}.{made.name}"
        raise AthenaError("TABLE_ALREADY_EXISTS", f"{made.place}: Table '{known}' already exists")
    if storage.listing(made.location, hidden=True):
        raise AthenaError(
            "HIVE_PATH_ALREADY_EXISTS",
            f"Target directory for table '{made.name}' already exists: {made.location}. You may need to manually "
            f"clean the data at location '{made.location}' before retrying. Athena will not delete data in your "
            "account.",
        )


def check_named(query: exp.Expr) -> None:
    """Raise AthenaError where a column of the result would have no name."""
    if (at := statement.unnamed(query)) is not None:
        raise AthenaError("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {at}")


Columns = dict[str, str]


def columns(connection: Any, made: Plan, select: str) -> Columns:
    """The columns that `select` yields, with Hive's types. Raises AthenaError where no such table can be."""
    found: Columns = {}
    for name, kind, *_ in connection.execute(f"DESCRIBE {select}").fetchall():
        if name.lower() in found:
            raise AthenaError("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{name}' specified more than once")
        found[name.lower()] = catalog.hive_type(kind)
    keys = made.partitioned_by
    if keys and tuple(found)[-len(keys) :] != keys:
        raise AthenaError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the table properties: "
            f"[{', '.join(keys)}]",
        )
    return found


def write(connection: Any, made: Plan, select: str, named: Columns, directory: Path) -> int:
    """Run `select` into files below `directory`; how many rows there were."""
    names = ", ".join(map(quoted, named))
    keys = ", ".join(map(quoted, made.partitioned_by))
    options = [*_WRITTEN[made.format](made), f"PARTITION_BY ({keys})" if keys else "PER_THREAD_OUTPUT"]
    copied = connection.execute(
        f"COPY (SELECT * FROM ({select}) AS written({names})) TO {literal(str(directory))} ({', '.join(options)})"
    ).fetchone()
    if len({file.parent for file in _files(directory)}) > PARTITIONS_AT_MOST:
        raise AthenaError(
            "HIVE_TOO_MANY_OPEN_PARTITIONS",
            f"Exceeded limit of {PARTITIONS_AT_MOST} open writers for partitions/buckets",
        )
    return int(copied[0])


def _parquet(made: Plan) -> list[str]:
    return ["FORMAT parquet", f"COMPRESSION {literal(made.compression.lower().replace('none', 'uncompressed'))}"]


def _json(made: Plan) -> list[str]:
    return ["FORMAT json", f"COMPRESSION {literal(made.compression.lower())}"]


def _text(made: Plan) -> list[str]:
    how = f"DELIMITER {literal(made.delimiter)}, QUOTE '', ESCAPE '', HEADER false, NULLSTR '\\N'"
    return ["FORMAT csv", f"COMPRESSION {literal(made.compression.lower())}", how]


_WRITTEN: dict[str, Callable[[Plan], list[str]]] = {"PARQUET": _parquet, "JSON": _json, "TEXTFILE": _text}


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in sorted(directory.rglob("*")) if path.is_file())


def publish(made: Plan, directory: Path, go_on: Callable[[], None]) -> list[Location]:
    """Put the parts, named as Athena names them: when, which query of which session, and a UUID.

    `go_on` is called before each and raises where the query was stopped; the parts before it then stay, as they do
    on AWS.
    """
    query = f"{time.strftime('%Y%m%d_%H%M%S', time.gmtime())}_{uuid.uuid4().int % 100000:05}_{uuid.uuid4().hex[:5]}"
    ending = ".gz" if made.format != "PARQUET" and made.compression == "GZIP" else ""
    written = []
    for file in _files(directory):
        go_on()
        folder = file.parent.relative_to(directory).as_posix().removeprefix(".")
        location = made.location.below(f"{folder}{'/' if folder else ''}{query}_{uuid.uuid4()}{ending}")
        storage.put(location, file.read_bytes())
        written.append(location)
    return written


def register(made: Plan, named: Columns, written: list[Location]) -> None:
    """Enter the table into the catalog, and the partitions that were written."""
    described = {
        "Name": made.table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false"},
        "StorageDescriptor": _storage(made, named),
        "PartitionKeys": [{"Name": name, "Type": named[name]} for name in made.partitioned_by],
    }
    catalog.create(made.database, described)
    if made.partitioned_by:
        table = catalog.find(made.database, made.table)
        assert table is not None  # noqa: S101 - it was created just above
        _register_partitions(table, written)


def _storage(made: Plan, named: Columns) -> dict[str, Any]:
    from ministack.services import athena

    input_format, output_format, serde = athena._STORED_AS["parquet" if made.format == "PARQUET" else "textfile"]
    parameters = {"field.delim": made.delimiter} if made.format == "TEXTFILE" else {}
    return {
        "Columns": [{"Name": name, "Type": kind} for name, kind in named.items() if name not in made.partitioned_by],
        "Location": str(made.location).rstrip("/"),
        "InputFormat": input_format,
        "OutputFormat": output_format,
        "SerdeInfo": {"SerializationLibrary": _SERDES.get(made.format, serde), "Parameters": parameters},
        "BucketColumns": list(made.bucketed_by),
        "NumberOfBuckets": made.buckets,
    }


_SERDES = {"JSON": "org.openx.data.jsonserde.JsonSerDe"}


def _register_partitions(table: Table, written: list[Location]) -> None:
    root = Location.parse(table.location)
    folders = {location.key[len(root.prefix) :].rpartition("/")[0] for location in written}
    found = [(_values(folder), f"{root.below(folder)}/") for folder in sorted(folders)]
    catalog.add_partitions(table, found)


def _values(folder: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in folder.split("/"))
    return {name.lower(): unquote(value) for name, _, value in pairs}
