"""CREATE TABLE AS SELECT: its properties, the parts it writes, the table it registers."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlglot import exp

from towline.local.athena import catalog, storage
from towline.local.athena.error import QueryFailed
from towline.local.athena.statement import place
from towline.local.athena.storage import Location
from towline.local.athena.tables import literal, quoted


@dataclass(frozen=True)
class Plan:
    """What a CTAS is to make. `columns` of the result are known only once it has been bound."""

    database: str
    table: str
    location: Location
    format: str
    compression: str
    partitioned_by: tuple[str, ...]
    if_not_exists: bool


def plan(statement: exp.Create, database: str, results: Location, query_id: str) -> Plan:
    """Read a CTAS; `results` is where tables without an external_location go. Raises QueryFailed."""
    properties = _properties(statement)
    target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    location = properties.pop("external_location", None)
    made = Plan(
        (target.db or database).lower(),
        target.name.lower(),
        Location.parse(location) if location else results.below(f"tables/{query_id}/"),
        str(properties.pop("format", "PARQUET")).upper(),
        str(properties.pop("write_compression", properties.pop("parquet_compression", "SNAPPY"))).upper(),
        tuple(name.lower() for name in properties.pop("partitioned_by", ())),
        bool(statement.args.get("exists")),
    )
    if properties:
        unknown = f"{place(statement)}: Table property '{min(properties)}' does not exist"
        raise QueryFailed("INVALID_TABLE_PROPERTY", unknown)
    if made.format != "PARQUET":
        raise QueryFailed("NOT_SUPPORTED", f"the local stack writes PARQUET tables only, not {made.format}")
    return made


def _properties(statement: exp.Create) -> dict[str, Any]:
    given = statement.args.get("properties")
    return dict(_property(one) for one in given.expressions) if given else {}


def _property(node: exp.Expression) -> tuple[str, Any]:
    if isinstance(node, exp.FileFormatProperty):
        return "format", node.name
    if isinstance(node, exp.PartitionedByProperty):
        return "partitioned_by", [one.name for one in node.this.expressions]
    value = node.args.get("value")
    if isinstance(value, exp.Array):
        return node.name.lower(), [one.name for one in value.expressions]
    return node.name.lower(), value.name if value is not None else None


def check_free(made: Plan) -> None:
    """Raise QueryFailed where the table or something below its location is there already."""
    name = f"{made.database}.{made.table}"
    if not catalog.has_database(made.database):
        raise QueryFailed("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{made.database}' does not exist")
    if catalog.find(made.database, made.table) is not None:
        raise QueryFailed("TABLE_ALREADY_EXISTS", f"line 1:1: Table 'awsdatacatalog.{name}' already exists")
    if storage.listing(made.location, hidden=True):
        raise QueryFailed(
            "HIVE_PATH_ALREADY_EXISTS",
            f"Target directory for table '{name}' already exists: {made.location}. You may need to manually clean the "
            "data at this location before retrying.",
        )


def write(connection: Any, made: Plan, select: str, directory: Path) -> dict[str, str]:
    """Run `select` into files below `directory`; the columns of the result with Hive's types."""
    described = connection.execute(f"DESCRIBE {select}").fetchall()
    columns = {str(row[0]).lower(): catalog.hive_type(str(row[1])) for row in described}
    names = ", ".join(f"{quoted(row[0])} AS {quoted(str(row[0]).lower())}" for row in described)
    connection.execute(
        f"COPY (SELECT {names} FROM ({select})) TO {literal(str(directory))} "
        f"(FORMAT parquet, COMPRESSION {made.compression.lower()}, PER_THREAD_OUTPUT true)"
    )
    return columns


def publish(made: Plan, directory: Path) -> list[Location]:
    """Put the parts, each named as Athena names them: when, which query of the session, and a UUID."""
    stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
    session = f"{stamp}_{uuid.uuid4().int % 100000:05}_{uuid.uuid4().hex[:5]}"
    written = []
    for file in sorted(path for path in directory.rglob("*") if path.is_file()):
        location = made.location.below(f"{session}_{uuid.uuid4()}")
        storage.put(location, file.read_bytes())
        written.append(location)
    return written


def register(made: Plan, columns: dict[str, str]) -> None:
    """Enter the table into the catalog."""
    from ministack.services import athena

    input_format, output_format, serde = athena._STORED_AS["parquet"]
    storage_descriptor = {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items() if name not in made.partitioned_by],
        "Location": str(made.location).rstrip("/"),
        "InputFormat": input_format,
        "OutputFormat": output_format,
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": {}},
    }
    catalog.create(
        made.database,
        {
            "Name": made.table,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false"},
            "StorageDescriptor": storage_descriptor,
            "PartitionKeys": [{"Name": name, "Type": columns[name]} for name in made.partitioned_by],
        },
    )
