"""One column of a contract: its type, unit and constraints, and how severe a breach of each rule is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pyarrow as pa

from towline.rules.times import DEFAULT, TimeFormat
from towline.values import Value
from towline.violation import ERROR

TYPES = ("string", "integer", "number", "boolean", "date", "datetime")
ALLOW = "allow"
TEXT_BOUND = 10_000  # characters of a cell, where no maxLength says otherwise

# The rules that a contract may make a warning of, beside its constraints. The others (types, columns, keys)
# cannot be: a table that breaks them could not be stored.
TEXT_RULES = ("text.control", "text.linebreak", "text.length")

_ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Constraints:
    """Table Schema's constraints; None and False where there is none. They let nulls pass, except `required`."""

    required: bool = False
    unique: bool = False
    minimum: Value = None
    maximum: Value = None
    exclusive_minimum: Value = None
    exclusive_maximum: Value = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    enum: tuple[Value, ...] | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules in force, by their ids."""
        declared = {
            "constraint.required": self.required,
            "constraint.unique": self.unique,
            "constraint.minimum": self.minimum is not None,
            "constraint.maximum": self.maximum is not None,
            "constraint.exclusiveMinimum": self.exclusive_minimum is not None,
            "constraint.exclusiveMaximum": self.exclusive_maximum is not None,
            "constraint.minLength": self.min_length is not None,
            "constraint.pattern": self.pattern is not None,
            "constraint.enum": self.enum is not None,
        }
        return tuple(rule for rule, is_declared in declared.items() if is_declared)


@dataclass(frozen=True)
class Field:
    """One column. `severities` holds only what differs from `error`; `nonfinite` is error, warn or allow."""

    name: str
    type: str
    title: str = ""
    description: str = ""
    unit: str | None = None
    constraints: Constraints = Constraints()
    format: str = DEFAULT
    utc: bool = False
    multiline: bool = False
    nonfinite: str = ERROR
    severities: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def arrow(self) -> pa.DataType:
        return pa.timestamp("us", "UTC") if self.utc else _ARROW[self.type]

    @property
    def time_format(self) -> TimeFormat:
        """How files write the dates and times of this column."""
        return TimeFormat(self.format, self.type, self.utc)

    @property
    def text_bound(self) -> int:
        """Characters that a cell may have."""
        return TEXT_BOUND if self.constraints.max_length is None else self.constraints.max_length

    @property
    def adjustable(self) -> tuple[str, ...]:
        """The rules whose severity the contract may set for this column."""
        return self.constraints.rules + (TEXT_RULES if self.type == "string" else ())

    def severity(self, rule: str) -> str:
        return self.severities.get(rule, ERROR)
