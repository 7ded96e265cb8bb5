"""The contract of a dataset: its columns, their types and rules, and what its tables are held against.

A contract is a Frictionless Table Schema with a `towline` block; docs/contract.md describes the format and every
rule. This module is the front: reading the JSON is in `towline.rules`, running the rules in `towline.checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import pyarrow as pa

from towline import checks, keys
from towline.errors import ContractError, UsageError
from towline.rules import conform, document, row
from towline.rules.cross import Check
from towline.rules.document import Node
from towline.rules.field import Constraints, Field
from towline.rules.read_checks import read_checks
from towline.rules.read_fields import NONFINITE, ColumnRules, read_fields
from towline.rules.read_review import ReviewPolicy, read_review
from towline.rules.read_silver import SilverRules, read_silver
from towline.values import Key, Row, Value, shown
from towline.violation import ERROR, LIMIT, Report, Violation

__all__ = ["MERGE_MODES", "Constraints", "Contract", "Field", "Retention", "ReviewPolicy"]

VERSION = 1
MERGE_MODES = ("cell", "row", "table", "fill")
TOLERANCES = ("rows_deleted",)
_MAX_KEY = 100
_BLOCK = (
    "version",
    "dataset",
    "units",
    "severities",
    "checks",
    "tolerances",
    "review",
    "merge",
    "retention",
    "nonfinite",
    "silver",
)


@dataclass(frozen=True)
class Retention:
    """How many snapshots to keep; None keeps every one."""

    snapshots: int | None = None


@dataclass(frozen=True)
class Contract:
    """The rules of one dataset. Two contracts are equal when their canonical JSON is."""

    source: bytes  # canonical JSON, with what Table Schema allows and Towline does not read

    @staticmethod
    def parse(raw: bytes | str | Mapping[str, object]) -> Contract:
        """Read a contract. Raises ContractError, naming the place, the value and the way out."""
        contract = Contract(document.canonical(document.read(raw).value))
        contract._read_everything()
        return contract

    def to_json(self) -> bytes:
        return self.source

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        return sha256(self.source).hexdigest()

    @cached_property
    def dataset(self) -> str:
        node = self._member(self._block, "towline", "dataset")
        try:
            return keys.check_dataset(node.text())
        except UsageError as error:
            raise ContractError(f"{node.path}: {error}") from None

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        block = self._block
        units, severities = (block[name].object() if name in block else {} for name in ("units", "severities"))
        nonfinite = block["nonfinite"].one_of(NONFINITE) if "nonfinite" in block else ERROR
        rules = ColumnRules(units, severities, nonfinite)
        return read_fields(self._member(self._root, "", "fields"), rules, self.key)

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The names of the key columns, in the key's order."""
        node = self._member(self._root, "", "primaryKey")
        nodes = [node] if isinstance(node.value, str) else node.array(_MAX_KEY)
        names = tuple(each.text() for each in nodes)
        if not names or len(set(names)) < len(names):
            node.fail("is not a key; list one or more different columns")
        return names

    @cached_property
    def missing_values(self) -> tuple[str, ...]:
        """The texts that files write for an empty cell."""
        node = self._root.get("missingValues", Node([""]))
        return tuple(each.text() for each in node.array(100))

    @cached_property
    def merge_mode(self) -> str:
        return self._block["merge"].one_of(MERGE_MODES) if "merge" in self._block else MERGE_MODES[0]

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        node = self._block.get("checks", Node([]))
        return read_checks(node, {field.name: field for field in self.fields})

    @cached_property
    def tolerances(self) -> Mapping[str, float]:
        """Shares (0 to 1) of a table that one proposal may change without being taken for a mistake."""
        members = self._block["tolerances"].object(TOLERANCES) if "tolerances" in self._block else {}
        return {name: node.share() for name, node in members.items()}

    @cached_property
    def review(self) -> ReviewPolicy:
        return read_review(self._block["review"], self.names) if "review" in self._block else ReviewPolicy()

    @cached_property
    def silver(self) -> SilverRules:
        """How rows become this table, where it is a silver one."""
        return read_silver(self._block["silver"], self.fields) if "silver" in self._block else SilverRules()

    @cached_property
    def retention(self) -> Retention:
        members = self._block["retention"].object(("snapshots",)) if "retention" in self._block else {}
        return Retention(members["snapshots"].count(1) if "snapshots" in members else None)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the master: key columns are not nullable, the others are."""
        return pa.schema([pa.field(f.name, f.arrow, nullable=f.name not in self.key) for f in self.fields])

    def field(self, name: str) -> Field:
        """The field of one column. Raises UsageError when there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise UsageError(f"{self.dataset} has no column {shown(name)}; its columns are {', '.join(self.names)}")

    def key_of(self, row: Row) -> Key:
        return tuple(row[name] for name in self.key)

    def key_dict(self, key: Key) -> dict[str, Value]:
        """A key as people and JSON see it: `{"tow": 4, "net": 1}`."""
        return dict(zip(self.key, key, strict=True))

    def conform(self, table: pa.Table, *, limit: int = LIMIT) -> tuple[pa.Table | None, Report]:
        """The table brought to the schema without loss; None, and the reasons, when that cannot be."""
        return conform.conform(table, self.fields, self.key, self.schema, limit)

    def check(self, table: pa.Table, *, limit: int = LIMIT) -> Report:
        """Every rule that looks at single rows. `table` has the contract's schema: all rows, or the changed ones."""
        return checks.check(table, self.fields, self.key, self.checks, limit)

    def check_key(self, keys: pa.Table, *, limit: int = LIMIT) -> Report:
        """Duplicate keys. `keys` has the key columns of all rows, or of those that repeat one."""
        return checks.check_key(keys, self.key, limit)

    def check_unique(self, table: pa.Table, *, limit: int = LIMIT) -> Report:
        """Duplicate keys and, where a field says so, duplicate values. Needs the whole table."""
        return checks.check_unique(table, self.fields, self.key, limit)

    def decode_row(self, raw: object, where: str = "") -> tuple[Row | None, list[Violation]]:
        """One JSON row of a proposal, strictly; None and the violations when it cannot be stored."""
        return row.decode_row(self.fields, self.key, raw, where)

    def decode_key(self, raw: object, where: str = "") -> tuple[Key | None, list[Violation]]:
        """A key written as a JSON object, such as `{"tow": 4, "net": 1}`."""
        return row.decode_key(self.fields, self.key, raw, where)

    @cached_property
    def _root(self) -> dict[str, Node]:
        return document.read(self.source).object()

    @cached_property
    def _block(self) -> dict[str, Node]:
        block = self._member(self._root, "", "towline").object(_BLOCK)
        version = self._member(block, "towline", "version")
        if version.value is True or version.value != VERSION:
            version.fail(f"is not a version that this Towline reads; use {VERSION}")
        return block

    @staticmethod
    def _member(members: Mapping[str, Node], path: str, name: str) -> Node:
        if name not in members:
            raise ContractError(f"{'.'.join(filter(None, ('$', path)))}: the contract has no {name}; add it")
        return members[name]

    def _read_everything(self) -> None:
        """Contracts that exist are sound: whatever is wrong with one is found when it is parsed."""
        _ = (self.dataset, self.fields, self.missing_values, self.merge_mode, self.checks)
        _ = (self.tolerances, self.review, self.retention, self.silver)
        for name in self.key:
            if name not in self.names:
                raise ContractError(f"$.primaryKey: {shown(name)} is not a column; name one of the fields")
