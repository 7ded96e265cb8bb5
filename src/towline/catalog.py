"""The tables that Athena sees, as Glue describes them: made of the contracts, and of nothing else.

    <dataset>             the master
    <dataset>_snapshots   every snapshot that is not archived, "$path" telling them apart
    changes               the changes files: one row a cell, of all datasets
    audit                 the audit records of all datasets
    <dataset>_<table>     a table of the lake, silver or gold, where files make one (`towline.pipeline.tables`)
    manifest              what became of each file, of all datasets (there, too)

`audit` and `changes` are partitioned by dataset and date. Where each partition is follows from its name (partition
projection), so nobody has to add one. docs/catalog.md shows what can be asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from towline import audit, changefile, keys, sqledit
from towline.contract import Contract
from towline.errors import BadProposal, UsageError
from towline.rules.field import Field
from towline.sqledit.tables import HISTORY, SNAPSHOTS

AUDIT, CHANGES = HISTORY
MANIFEST = "manifest"
ICEBERG, RUN = "_iceberg", "run_"

# A `TableInput` of Glue's API.
Table = Mapping[str, Any]

_DESCRIPTION, _COMMENT = 2048, 255  # characters that Glue takes
_COUNTS = {"row_count", "column_count", "number", "rows_inserted", "rows_updated", "rows_deleted", "cells_changed"}
_PARTITIONS = [{"Name": "dataset", "Type": "string"}, {"Name": "date", "Type": "string"}]

_HIVE = "org.apache.hadoop.hive.ql.io"
PARQUET = {
    "InputFormat": f"{_HIVE}.parquet.MapredParquetInputFormat",
    "OutputFormat": f"{_HIVE}.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": f"{_HIVE}.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}
JSON_LINES = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": f"{_HIVE}.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        # A record that is not JSON is to be seen, not to be skipped.
        "Parameters": {"serialization.format": "1", "ignore.malformed.json": "false"},
    },
}


@dataclass(frozen=True)
class Place:
    """Where the data is: the bucket, what can be moved in it, and the day (UTC) of the first commit of all."""

    bucket: str
    layout: keys.Layout
    since: date

    def url(self, prefix: str) -> str:
        return f"s3://{self.bucket}/{prefix}"


def names(datasets: Collection[str]) -> list[str]:
    """The names of all tables that there are with these datasets."""
    tabled = [dataset for dataset in datasets if clash(dataset) is None]
    return [AUDIT, CHANGES, *(name for dataset in tabled for name in (dataset, dataset + SNAPSHOTS))]


def clash(dataset: str) -> str | None:
    """What else has the name that the dataset's table would have; None: nothing."""
    if dataset in (AUDIT, CHANGES):
        return f"the table {dataset}, which has the history of all datasets"
    if dataset == MANIFEST:
        return "the table manifest, which has the files of all datasets"
    for ending, what in ((SNAPSHOTS, "snapshots"), (ICEBERG, "Iceberg copy")):
        if dataset.endswith(ending):
            return f"the table of the {what} of {dataset.removesuffix(ending)}"
    return "the tables of SQL edits on their way" if dataset.startswith(RUN) else None


def check_name(dataset: str) -> None:
    """Raises BadProposal where a new dataset of this name could not be asked by SQL."""
    if (taken := clash(dataset)) is not None:
        raise BadProposal(
            f"{dataset!r} cannot name a new dataset: in SQL that is {taken}; choose another name", rule="dataset.name"
        )


def of_lake(dataset: str, table: str) -> str:
    """What SQL calls a table of a dataset's lake."""
    return f"{dataset}_{table}"


def tables(contracts: Sequence[Contract], place: Place) -> list[Table]:
    """All tables of these datasets. Without datasets there are none: partitions need the name of at least one."""
    if not contracts:
        return []
    found = [table for contract in contracts if why_not(contract) is None for table in _of_dataset(contract, place)]
    datasets = sorted(contract.dataset for contract in contracts)
    return [*found, _changes(datasets, place), _audit(datasets, place)]


def why_not(contract: Contract) -> str | None:
    """Why a dataset has no table of its own; None: it has one."""
    if (taken := clash(contract.dataset)) is not None:
        return f"{contract.dataset} has no table: its name is that of {taken}"
    try:
        sqledit.check_names(contract)
    except UsageError as error:
        return str(error)
    return None


def _of_dataset(contract: Contract, place: Place) -> list[Table]:
    name, columns = contract.dataset, [column(field, contract) for field in contract.fields]
    master = place.url(f"{keys.DATA}{name}/")
    snapshots = place.url(f"{place.layout.snapshots}{name}/")
    past = f"Every snapshot of {name} that is not archived; $path names the commit"
    return [
        table(name, f"{name} as it is now", columns, {**PARQUET, "Location": master}),
        table(name + SNAPSHOTS, past, columns, {**PARQUET, "Location": snapshots}),
    ]


def _changes(datasets: Sequence[str], place: Place) -> Table:
    columns = [{"Name": field.name, "Type": type_of(field.type)} for field in changefile.SCHEMA]
    template = place.url(f"{keys.CHANGES}dataset=${{dataset}}/date=${{date}}/")
    what = "Each cell that a commit changed, with its old and its new value"
    return _projected(
        CHANGES, what, columns, {**PARQUET, "Location": place.url(keys.CHANGES)}, template, datasets, place
    )


def _audit(datasets: Sequence[str], place: Place) -> Table:
    # The partition tells the dataset, and no column may have a partition's name.
    fields = [field for field in (*audit.FIELDS, audit.QUERY) if field != "dataset"]
    columns = [{"Name": field, "Type": "bigint" if field in _COUNTS else "string"} for field in fields]
    template = place.url(f"{place.layout.audit}${{dataset}}/${{date}}/")
    what = "What was committed, by whom, when and why: one record a proposal"
    location = place.url(place.layout.audit)
    return _projected(AUDIT, what, columns, {**JSON_LINES, "Location": location}, template, datasets, place)


def _projected(
    name: str,
    what: str,
    columns: Sequence[Mapping[str, str]],
    storage: Mapping[str, Any],
    template: str,
    datasets: Sequence[str],
    place: Place,
) -> Table:
    """A table of all datasets, whose partitions follow from their names.
    https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html"""
    projection = {
        **by_dataset(datasets),
        "projection.date.type": "date",
        "projection.date.format": "yyyy-MM-dd",
        "projection.date.range": f"{place.since.isoformat()},NOW",
        "storage.location.template": template,
    }
    return {**table(name, what, columns, storage, projection), "PartitionKeys": _PARTITIONS}


def by_dataset(datasets: Sequence[str]) -> dict[str, str]:
    """The properties of a table that has a partition for each dataset."""
    return {
        "projection.enabled": "true",
        "projection.dataset.type": "enum",
        "projection.dataset.values": ",".join(datasets),
    }


def table(
    name: str,
    what: str,
    columns: Sequence[Mapping[str, str]],
    storage: Mapping[str, Any],
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A table without partitions. `what`: what it is, for people; `storage`: PARQUET or JSON_LINES with a location."""
    classification = "json" if storage["SerdeInfo"] is JSON_LINES["SerdeInfo"] else "parquet"
    return {
        "Name": name,
        "Description": what[:_DESCRIPTION],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": classification, **(parameters or {})},
        "StorageDescriptor": {**storage, "Columns": list(columns)},
        "PartitionKeys": [],
    }


def column(field: Field, contract: Contract) -> dict[str, str]:
    """A column as Glue has it: its name in lower case, as Athena reads all names, and what the contract says of it."""
    role = "key" if field.name in contract.key else ""
    said = [field.title or field.name, f"[{field.unit}]" if field.unit else "", f"({role})" if role else ""]
    text = " ".join(filter(None, said)) + (f": {field.description}" if field.description else "")
    comment = " ".join(text.split())  # on one line, or Glue refuses it
    return {"Name": field.name.lower(), "Type": sqledit.athena_type(field), "Comment": comment[:_COMMENT]}


def type_of(arrow: pa.DataType) -> str:
    """The type of a column of ours that no contract describes."""
    if pa.types.is_timestamp(arrow):
        return "timestamp"
    if pa.types.is_integer(arrow):
        return "bigint" if arrow.bit_width == 64 else "int"
    if pa.types.is_decimal(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    return next((name for name, is_of in _SIMPLE.items() if is_of(arrow)), "string")


_SIMPLE = {
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date,
    "double": pa.types.is_float64,
    "float": pa.types.is_float32,
    "binary": pa.types.is_binary,
}
