"""Reading what a contract says of a silver table: how it is parted, which row of a key stays, and when a file fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from towline.errors import ContractError
from towline.rules.document import Node
from towline.rules.field import Field

MEMBERS = ("partition", "prefer", "null_rate", "duplicate_rate", "quarantine_rate", "swapped")
_MAX_NAMES = 100
# What can be written in a key and read from it again without loss.
_PARTITIONED = ("string", "integer", "boolean", "date")


@dataclass(frozen=True)
class SilverRules:
    """How rows become a silver table.

    partition        columns whose values part the table into files; none: one file
    prefer           of rows with equal keys, that with the largest values here stays: true before false, null last
    null_rate        by column, the share (0 to 1) of a file's rows that may be empty there
    duplicate_rate   the share of a file's rows that may repeat a key of the same file; None: all
    quarantine_rate  the share of a file's rows that may be refused; None: all
    swapped          two columns, such as latitude and longitude, whose values may have been exchanged
    """

    partition: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    null_rate: Mapping[str, float] = field(default_factory=dict)
    duplicate_rate: float | None = None
    quarantine_rate: float | None = None
    swapped: tuple[str, str] | None = None


def read_silver(node: Node, fields: Sequence[Field]) -> SilverRules:
    """The rules in `towline.silver`; `fields` are the contract's. Raises ContractError."""
    members, types = node.object(MEMBERS), {each.name: each.type for each in fields}
    return SilverRules(
        partition=_partition(members["partition"], types) if "partition" in members else (),
        prefer=_columns(members["prefer"], types) if "prefer" in members else (),
        null_rate=_null_rate(members["null_rate"], types) if "null_rate" in members else {},
        duplicate_rate=_rate(members, "duplicate_rate"),
        quarantine_rate=_rate(members, "quarantine_rate"),
        swapped=_swapped(members["swapped"], types) if "swapped" in members else None,
    )


def _rate(members: Mapping[str, Node], name: str) -> float | None:
    return members[name].share() if name in members else None


def _null_rate(node: Node, types: Mapping[str, str]) -> dict[str, float]:
    rates = node.object()
    for name, each in rates.items():
        if name not in types:
            raise ContractError(f"{each.path}: there is no column {name!r}; name one of the fields")
    return {name: each.share() for name, each in rates.items()}


def _partition(node: Node, types: Mapping[str, str]) -> tuple[str, ...]:
    names = _columns(node, types)
    for index, name in enumerate(names):
        if types[name] not in _PARTITIONED:
            raise ContractError(
                f"{node.path}[{index}]: {name!r} is of type {types[name]}, which cannot name a partition; use columns "
                f"of type {', '.join(_PARTITIONED)}"
            )
    return names


def _swapped(node: Node, types: Mapping[str, str]) -> tuple[str, str]:
    names = _columns(node, types)
    if len(names) != 2 or any(types[name] != "number" for name in names):
        node.fail("is no pair of columns of numbers that may have been exchanged; name two")
    return names[0], names[1]


def _columns(node: Node, types: Mapping[str, str]) -> tuple[str, ...]:
    nodes = node.array(_MAX_NAMES)
    for each in nodes:
        if each.text() not in types:
            each.fail("is not a column; name one of the fields")
    names = tuple(each.text() for each in nodes)
    if len(set(names)) < len(names):
        node.fail("names a column twice; name each once")
    return names
