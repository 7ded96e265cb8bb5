"""Table Schema fields, read from a contract's JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import ContractError
from towline.rules.document import Node
from towline.rules.field import ALLOW, TYPES, Constraints, Field
from towline.rules.times import DEFAULT
from towline.values import Value, decode, shown
from towline.violation import ERROR, WARN

MAX_FIELDS = 2_000
MAX_ENUM = 10_000
MAX_PATTERN = 1_000
SEVERITIES = (ERROR, WARN)
NONFINITE = (ERROR, WARN, ALLOW)

_ORDERED = ("integer", "number", "date", "datetime")
_LIMITS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
}
_LENGTHS = {"minLength": "min_length", "maxLength": "max_length"}
_CONSTRAINTS = ("required", "unique", *_LIMITS, *_LENGTHS, "pattern", "enum")
# Table Schema lets a field change how its values are spelled. Towline reads one spelling; to accept these words
# and not act on them would misread data.
_SPELLINGS = ("decimalChar", "groupChar", "bareNumber", "trueValues", "falseValues")


@dataclass(frozen=True)
class ColumnRules:
    """What the contract's towline block says about single columns, by column name."""

    units: Mapping[str, Node]
    severities: Mapping[str, Node]
    nonfinite: str

    def check_names(self, names: set[str]) -> None:
        for block in (self.units, self.severities):
            for name, node in block.items():
                if name not in names:
                    raise ContractError(f"{node.path}: there is no column {shown(name)}; name one of the fields")


def read_fields(node: Node, rules: ColumnRules, key: tuple[str, ...]) -> tuple[Field, ...]:
    fields = tuple(_field(each, rules, key) for each in node.array(MAX_FIELDS))
    names = [field.name for field in fields]
    if not fields:
        node.fail("has no fields; a table needs at least its key")
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ContractError(f"{node.path}[{index}].name: {shown(name)} is taken by another field; rename one")
    rules.check_names(set(names))
    return fields


def _field(node: Node, rules: ColumnRules, key: tuple[str, ...]) -> Field:
    members = node.object()
    name = _member(node, members, "name").name()
    type = _member(node, members, "type").one_of(TYPES)
    field = Field(
        name,
        type,
        title=_text(members, "title"),
        description=_text(members, "description"),
        unit=_unit(members, rules.units.get(name)),
        format=_text(members, "format") or DEFAULT,
    )
    field = _own_block(members.get("towline"), field, name in key, rules.nonfinite)
    _check_spelling(node, members, field)
    if "constraints" in members:
        field = replace(field, constraints=_constraints(members["constraints"], field))
    return replace(field, severities=_severities(rules.severities.get(name), field, name in key))


def _member(node: Node, members: Mapping[str, Node], name: str) -> Node:
    if name not in members:
        raise ContractError(f"{node.path}: this field has no {name}; add one")
    return members[name]


def _text(members: Mapping[str, Node], name: str) -> str:
    return members[name].text() if name in members else ""


def _unit(members: Mapping[str, Node], elsewhere: Node | None) -> str | None:
    own = members["unit"].text() if "unit" in members else None
    other = elsewhere.text() if elsewhere is not None else None
    if elsewhere is not None and own is not None and own != other:
        elsewhere.fail(f"differs from the field's own unit {shown(own)}; say it in one place")
    return own if own is not None else other


def _own_block(node: Node | None, field: Field, is_key: bool, nonfinite: str) -> Field:
    """The field's own towline block: `multiline`, `nonfinite`, `timezone`."""
    block = node.object(("multiline", "nonfinite", "timezone")) if node else {}
    nonfinite = ERROR if is_key else nonfinite
    if "nonfinite" in block:
        nonfinite = block["nonfinite"].one_of(NONFINITE)
        _applies(block["nonfinite"], field, ("number",))
        if is_key and nonfinite != ERROR:
            block["nonfinite"].fail("cannot be said of a key column: NaN names no row; leave it out")
    if "multiline" in block:
        _applies(block["multiline"], field, ("string",))
    if "timezone" in block:
        block["timezone"].one_of(("UTC",))
        _applies(block["timezone"], field, ("datetime",))
    multiline = "multiline" in block and block["multiline"].flag()
    return replace(field, nonfinite=nonfinite, multiline=multiline, utc="timezone" in block)


def _check_spelling(node: Node, members: Mapping[str, Node], field: Field) -> None:
    for name in _SPELLINGS:
        if name in members:
            members[name].fail(f"asks for another spelling of values ({name}), which is not read; leave it out")
    if field.type in ("date", "datetime"):
        problem = field.time_format.problem()
        if problem:
            raise ContractError(f"{node.path}.format: {shown(field.format)} cannot be read: {problem}")
    elif field.format != DEFAULT:
        members["format"].fail("is not checked; leave it out, or write it as constraints.pattern or datetime_text")


def _constraints(node: Node, field: Field) -> Constraints:
    members = node.object(_CONSTRAINTS)
    limits = {_LIMITS[name]: _limit(members[name], field) for name in members if name in _LIMITS}
    lengths = {_LENGTHS[name]: _count(members[name], field) for name in members if name in _LENGTHS}
    constraints = Constraints(
        required="required" in members and members["required"].flag(),
        unique="unique" in members and members["unique"].flag(),
        pattern=_pattern(members["pattern"], field) if "pattern" in members else None,
        enum=_enum(members["enum"], field) if "enum" in members else None,
        **limits,  # type: ignore[arg-type]  # the names of _LIMITS and _LENGTHS are those of Constraints
        **lengths,
    )
    _check_order(node, constraints.minimum, constraints.maximum, "minimum", "maximum")
    _check_order(node, constraints.min_length, constraints.max_length, "minLength", "maxLength")
    return constraints


def _check_order(node: Node, low: Value, high: Value, low_name: str, high_name: str) -> None:
    if low is not None and high is not None and low > high:  # type: ignore[operator]  # both are of the field's type
        raise ContractError(
            f"{node.path}: {low_name} {shown(low)} is above {high_name} {shown(high)}; no value fits both"
        )


def _limit(node: Node, field: Field) -> Value:
    _applies(node, field, _ORDERED)
    return typed(node, field)


def _count(node: Node, field: Field) -> int:
    _applies(node, field, ("string",))
    return node.count()


def _pattern(node: Node, field: Field) -> str:
    """A pattern that RE2 can match: linear in the text, so no value can make a check run for ever."""
    _applies(node, field, ("string",))
    pattern = node.text()
    if len(pattern) > MAX_PATTERN:
        node.fail(f"is a pattern of more than {MAX_PATTERN:,} characters; shorten it")
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        node.fail(f"is not a pattern that RE2 can match ({error}); rewrite it without look-arounds and back references")
    return pattern


def _enum(node: Node, field: Field) -> tuple[Value, ...]:
    values = tuple(typed(each, field) for each in node.array(MAX_ENUM))
    if not values:
        node.fail("allows no value at all; list some")
    return values


def typed(node: Node, field: Field) -> Value:
    """A JSON value as one of the field's type, finite and not null."""
    try:
        value = decode(node.value, field.type)
    except ValueError as error:
        node.fail(f"does not fit a column of type {field.type}: {error}")
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        node.fail("cannot be compared with; write a value")
    if isinstance(value, datetime) and (value.tzinfo is not None) != field.utc:
        node.fail(f"must {'carry' if field.utc else 'not carry'} a time zone, as column {field.name} does")
    return value


def _applies(node: Node, field: Field, types: tuple[str, ...]) -> None:
    if field.type not in types:
        node.fail(f"applies to columns of type {' or '.join(types)}; {field.name} is of type {field.type}")


def _severities(node: Node | None, field: Field, is_key: bool) -> Mapping[str, str]:
    options = [rule for rule in field.adjustable if not (is_key and rule == "constraint.required")]
    members = node.object(options) if node else {}
    return MappingProxyType({rule: each.one_of(SEVERITIES) for rule, each in members.items()})
