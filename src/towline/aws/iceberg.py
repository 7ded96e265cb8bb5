"""The Iceberg table of a dataset, in Glue's catalog: with pyiceberg, which only `iceberg_files` imports beside.

pyiceberg makes the metadata. Its files, and the data files, go through the object store like everything else, so that
credentials, retries and failures are those of the rest. A commit's data file has a name of its own and is written once;
who comes second, after a crash or in a race, takes the one that is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchIcebergTableError,
    NoSuchNamespaceError,
    NoSuchPropertyException,
    NoSuchTableError,
    TableAlreadyExistsError,
    ValidationException,
)
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.manifest import ManifestFile
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Operation, ancestors_of
from pyiceberg.table.update.snapshot import _OverwriteFiles
from pyiceberg.types import (
    BooleanType,
    DateType,
    DoubleType,
    LongType,
    NestedField,
    PrimitiveType,
    StringType,
    TimestampType,
    TimestamptzType,
)

from towline import keys
from towline import table as tables
from towline.aws import FAILURES, failure, is_unclear
from towline.aws.iceberg_files import key_of
from towline.contract import Contract
from towline.errors import LostRace, NotFound, PreconditionFailed, Refused, UsageError
from towline.publish import COMMIT, NUMBER, PREFIX, Snapshot
from towline.rules.field import Field
from towline.store import ABSENT
from towline.workbench import Workbench

_TYPES: Mapping[str, PrimitiveType] = {
    "string": StringType(),
    "integer": LongType(),
    "number": DoubleType(),
    "boolean": BooleanType(),
    "date": DateType(),
    "datetime": TimestampType(),
}
_FILES = "towline.aws.iceberg_files.StoreIO"
_COMMENT = 255  # characters that Glue keeps of a column's comment
_PROPERTIES = {
    # Trying again blindly would put a commit twice: whoever lost a race has to look first.
    "commit.retry.num-retries": "0",
    # Each snapshot is in all later metadata files, which add up.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "10",
}


class GlueLake:
    """`towline.publish.Lake` in a Glue database, its files under iceberg/ in the dataset's own bucket."""

    def __init__(self, glue: Any, bench: Workbench, bucket: str, database: str, dataset: str) -> None:
        self._bench, self._bucket, self._database, self._dataset = bench, bucket, database, dataset
        self._identifier = (database, f"{dataset}_iceberg")
        files = {
            "py-io-impl": "towline.aws.iceberg_files.StoreIO",
            "towline.store": bench.store,
            "towline.bucket": bucket,
        }
        self._catalog = GlueCatalog("towline", client=glue, **files)
        self._table: Table | None = None

    @property
    def name(self) -> str:
        return ".".join(self._identifier)

    def snapshots(self) -> list[Snapshot] | None:
        self._table = self._load()
        if self._table is None:
            return None
        line = [*ancestors_of(self._table.current_snapshot(), self._table.metadata)]
        return [Snapshot(each.snapshot_id, _ours(each)) for each in reversed(line)]

    def create(self, contract: Contract) -> None:
        place = keys.iceberg(self._dataset, self._bench.new_id())
        try:
            with self._asking("creating"):
                self._table = self._catalog.create_table(
                    self._identifier,
                    schema_of(contract),
                    f"s3://{self._bucket}/{place}".rstrip("/"),
                    properties=_PROPERTIES | {"towline.dataset": self._dataset},
                )
        except TableAlreadyExistsError:
            self._table = self._load()
            return
        self._clear(place)

    def append(self, table: pa.Table, summary: Mapping[str, str], after: int | None) -> int:
        target = self._current()
        if target.metadata.current_snapshot_id != after:
            raise LostRace(f"{self.name} has another snapshot by now: {target.metadata.current_snapshot_id}")
        location = self._write(target, table, summary)
        with (
            self._asking("publishing to", in_doubt=True),
            _Transaction(target) as transaction,
            _Replacement(transaction, target, summary) as change,
        ):
            change.delete_by_predicate(AlwaysTrue())
            for task in target.scan().plan_files():
                change.delete_data_file(task.file)
            if table.num_rows:
                change.append_data_file(parquet_file_to_data_file(target.io, target.metadata, location))
        return change.snapshot_id

    def drop(self) -> None:
        with suppress(NotFound):  # its metadata is gone, and it is to go as well
            self._load()
        with self._asking("dropping"), suppress(NoSuchTableError):
            self._catalog.drop_table(self._identifier)

    def _write(self, target: Table, table: pa.Table, summary: Mapping[str, str]) -> str:
        """Put a commit's data file where there is none yet; its location."""
        schema = target.schema()
        if table.schema.names != schema.column_names:
            raise UsageError(
                f"commit {summary[NUMBER]} has the columns {', '.join(table.schema.names)}, and {self.name} "
                f"{', '.join(schema.column_names)}: publish the table anew with --rebuild --from {summary[NUMBER]}"
            )
        place = key_of(target.location(), self._bucket) + "/"
        key = keys.iceberg_data(place, summary[COMMIT])
        named = pa.schema(_identified(field, schema) for field in table.schema)
        body = tables.to_parquet(table.cast(named), (), commit=summary[COMMIT], number=int(summary[NUMBER]))
        with suppress(PreconditionFailed):
            self._bench.store.put(key, body, when=ABSENT)
        return f"s3://{self._bucket}/{key}"

    def _current(self) -> Table:
        if self._table is None:
            self._table = self._load()
        if self._table is None:
            raise LostRace(f"{self.name} is gone: somebody dropped it meanwhile. Run it again")
        return self._table

    def _load(self) -> Table | None:
        try:
            with self._asking("reading"):
                return self._catalog.load_table(self._identifier)
        except (NoSuchIcebergTableError, NoSuchPropertyException) as error:
            raise Refused(
                f"{self.name} is there, and is no Iceberg table: it is left alone. Rename or drop it first ({error})"
            ) from error
        except NoSuchTableError:
            return None
        except NotFound as error:
            raise NotFound(f"the metadata of {self.name} is gone: publish it anew with --rebuild ({error})") from error

    def _clear(self, stays: str) -> None:
        """Remove the files of the tables that this one takes the place of: those made before it, for somebody may have
        made the next one by now."""
        for entry in self._bench.store.list(keys.iceberg(self._dataset)):
            if entry.key < stays:
                self._bench.store.delete(entry.key)

    @contextmanager
    def _asking(self, what: str, *, in_doubt: bool = False) -> Iterator[None]:
        """Failures of Glue's and of pyiceberg's as ours, those aside that have a meaning to the caller."""
        try:
            yield
        except (CommitFailedException, ValidationException) as error:
            raise LostRace(f"{self.name}: another snapshot came first ({error})") from error
        except NoSuchNamespaceError as error:
            raise NotFound(
                f"there is no Glue database {self._database}: the stack's template makes it; deploy it, or name "
                "another one in GLUE_DATABASE"
            ) from error
        except FAILURES as error:
            raise failure(error, f"{what} {self.name}", in_doubt=in_doubt and is_unclear(error)) from error


class _Transaction(Transaction):
    """pyiceberg copies all metadata, with every snapshot in it, at each of two dozen looks; here only where something
    is staged that the copy would differ by."""

    @property
    def table_metadata(self) -> TableMetadata:
        return super().table_metadata if self._updates else self._table.metadata


class _Replacement(_OverwriteFiles):
    """A snapshot that replaces everything, so that no manifest of before stays in its list. pyiceberg's own overwrite
    carries on each manifest that tells of deleted files only, and reads them all again for every commit."""

    def __init__(self, transaction: Transaction, table: Table, summary: Mapping[str, str]) -> None:
        operation = Operation.APPEND if table.current_snapshot() is None else Operation.OVERWRITE
        super().__init__(operation, transaction, table.io, snapshot_properties=dict(summary))

    def _existing_manifests(self) -> list[ManifestFile]:
        return []


def schema_of(contract: Contract) -> Schema:
    """A contract's columns as Iceberg has them. The key columns are required, and the table's identifier, unless a
    number is among them, which Iceberg does not allow there."""
    fields = [_column(number, field, field.name in contract.key) for number, field in enumerate(contract.fields, 1)]
    exact = all(contract.field(name).type != "number" for name in contract.key)
    return Schema(*fields, identifier_field_ids=[each.field_id for each in fields if each.required and exact])


def _column(number: int, field: Field, required: bool) -> NestedField:
    type_ = TimestamptzType() if field.utc else _TYPES[field.type]
    about = ". ".join(filter(None, (field.title, field.description)))
    doc = " ".join(filter(None, (about, f"[{field.unit}]" if field.unit else "")))
    return NestedField(number, field.name, type_, required=required, doc=doc[:_COMMENT] or None)


def _identified(field: pa.Field, schema: Schema) -> pa.Field:
    """A column with the id that Iceberg knows it by, which Parquet keeps."""
    return field.with_metadata({"PARQUET:field_id": str(schema.find_field(field.name).field_id)})


def _ours(snapshot: Any) -> dict[str, str]:
    """What Towline wrote into a snapshot's summary."""
    summary = snapshot.summary.additional_properties if snapshot.summary else {}
    return {name: value for name, value in summary.items() if name.startswith(PREFIX)}
