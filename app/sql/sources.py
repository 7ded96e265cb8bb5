"""The tables that a statement can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from towline import catalog
from towline.catalog import Place
from towline.contract import Contract
from towline.keys import Layout

# What only matters to who makes the tables.
_ANYWHERE = Place("", Layout(), date.min)


@dataclass(frozen=True)
class Source:
    """A table: what it holds, and its columns with their types; `is_edited` where it is the one that edits change."""

    name: str
    about: str
    columns: Mapping[str, str]
    is_edited: bool = False


def sources(edited: str, contracts: Sequence[Contract]) -> list[Source]:
    """All of them, the one that is edited first."""
    found = [_source(table, edited) for table in catalog.tables(contracts, _ANYWHERE)]
    return sorted(found, key=lambda source: not source.is_edited)


def _source(table: Mapping[str, Any], edited: str) -> Source:
    columns = [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", ())]
    types = {column["Name"]: column["Type"] for column in columns}
    return Source(table["Name"], table["Description"], types, table["Name"] == edited)
