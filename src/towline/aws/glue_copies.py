"""Partitioned tables in Glue, and their partitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from towline import catalog
from towline.aws import FAILURES, failure, is_unclear
from towline.copies import Described, Places
from towline.errors import Contended, LostRace, NotFound, Refused, Unavailable

_BATCH = 100  # partitions that Glue takes in one request


@dataclass(frozen=True)
class GlueCopies:
    """`towline.copies.Tables` in one database, through a boto3 client."""

    client: Any
    database: str

    def look(self, name: str) -> Described | None:
        try:
            table = self._call("get_table", Name=name)["Table"]
        except NotFound:
            return None
        places = {tuple(each["Values"]): _location(each) for each in self._partitions(name)}
        return Described(table["VersionId"], table.get("Parameters", {}), _location(table), places)

    def create(self, table: catalog.Table) -> None:
        self._change("create_table", table["Name"], TableInput=table)

    def change(self, table: catalog.Table, version: str) -> None:
        self._change("update_table", table["Name"], TableInput=table, VersionId=version, SkipArchive=True)

    def move(self, table: catalog.Table, places: Places, there: Places) -> None:
        name = table["Name"]
        inputs = {values: _partition(table, values, place) for values, place in places.items()}
        for some in _batches([each for values, each in inputs.items() if values not in there]):
            self._batch("batch_create_partition", name, PartitionInputList=some)
        moved = [each for values, each in inputs.items() if there.get(values) not in (None, places[values])]
        for some in _batches(moved):
            entries = [{"PartitionValueList": each["Values"], "PartitionInput": each} for each in some]
            self._batch("batch_update_partition", name, Entries=entries)
        for values in there.keys() - places.keys():
            with suppress(NotFound):
                self._call("delete_partition", TableName=name, PartitionValues=[*values])

    def _partitions(self, name: str) -> Iterator[Mapping[str, Any]]:
        page = self._call("get_partitions", TableName=name, ExcludeColumnSchema=True)
        while True:
            yield from page["Partitions"]
            if not page.get("NextToken"):
                return
            page = self._call("get_partitions", TableName=name, ExcludeColumnSchema=True, NextToken=page["NextToken"])

    def _change(self, operation: str, name: str, **sent: Any) -> None:
        try:
            self._call(operation, **sent)
        except Contended as error:
            raise LostRace(f"{self.database}.{name} was changed by somebody else ({error})") from error

    def _batch(self, operation: str, name: str, **sent: Any) -> None:
        """One request for many partitions, each of which may fail by itself."""
        errors = self._call(operation, TableName=name, **sent).get("Errors") or []
        codes = {each["ErrorDetail"]["ErrorCode"] for each in errors}
        if codes & {"AlreadyExistsException", "EntityNotFoundException", "ConcurrentModificationException"}:
            raise LostRace(f"{self.database}.{name}: somebody else changed its partitions")
        if codes:
            told = errors[0]["ErrorDetail"]
            kind = Refused if "AccessDeniedException" in codes else Unavailable
            raise kind(f"{self.database}.{name}: {len(errors)} partitions failed, {told.get('ErrorMessage', codes)}")

    def _call(self, operation: str, **sent: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(DatabaseName=self.database, **sent)
        except FAILURES as error:
            in_doubt = not operation.startswith("get_") and is_unclear(error)
            raise failure(error, f"Glue, database {self.database} ({operation})", in_doubt=in_doubt) from error
        return answer


def _batches(partitions: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    return (partitions[start : start + _BATCH] for start in range(0, len(partitions), _BATCH))


def _location(described: Mapping[str, Any]) -> str:
    return str(described.get("StorageDescriptor", {}).get("Location", ""))


def _partition(table: catalog.Table, values: Sequence[str], place: str) -> dict[str, Any]:
    storage = {**table["StorageDescriptor"], "Location": place}
    return {"Values": [*values], "StorageDescriptor": storage}
