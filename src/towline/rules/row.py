"""One row of a proposal, read from JSON strictly.

Reported here is what keeps it from being stored: wrong columns, wrong types, text and numbers that the contract
does not allow. The rest (limits, patterns, cross-column checks, everything of severity `warn`) is for `check`.
A row whose columns and types are right is returned also when its text or numbers are not allowed: it may be the
old side of a change that mends just that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from towline.rules.conform import missing_column, unknown_column
from towline.rules.field import TEXT_RULES, Field
from towline.rules.text import text_breaches
from towline.values import Key, Row, Value, decode, shown
from towline.violation import ERROR, Violation

# Half a surrogate pair (text.unicode) is not among them: Arrow cannot hold it.
_READABLE = (*TEXT_RULES, "number.finite")


def decode_row(
    fields: Sequence[Field], key: Sequence[str], raw: object, where: str
) -> tuple[Row | None, list[Violation]]:
    """The row with all columns in the contract's order, and what is wrong with it; None where it cannot be read.

    `where` is the row's place in its proposal, such as `changes[3].new`; it begins each message.
    """
    at = f"{where}: " if where else ""
    if not isinstance(raw, Mapping):
        return None, [_violation("row.type", None, None, raw, f"{at}{shown(raw)} is not a row; write an object")]
    row, violations = _decode(fields, raw, at)
    if not violations:
        return row, []
    named = _key_dict(fields, key, raw)
    is_readable = all(violation.rule in _READABLE for violation in violations)
    return (row if is_readable else None), [replace(violation, key=named) for violation in violations]


def decode_key(
    fields: Sequence[Field], key: Sequence[str], raw: object, where: str
) -> tuple[Key | None, list[Violation]]:
    """The same for a key written as an object of the key columns alone, none of them null."""
    columns = [field for field in fields if field.name in key]
    row, violations = decode_row(columns, key, raw, where)
    nulls = [name for name in key if row is not None and row[name] is None]
    if row is None or nulls or violations:
        at = f"{where}: " if where else ""
        empty = [_violation("key.null", row, name, None, f"{at}{name} is empty in a key; fill it in") for name in nulls]
        return None, [*violations, *empty]
    return tuple(row[name] for name in key), []


def _decode(fields: Sequence[Field], raw: Mapping[str, object], at: str) -> tuple[Row, list[Violation]]:
    names = [field.name for field in fields]
    violations = [unknown_column(str(name), names, at) for name in raw if name not in names]
    row: dict[str, Value] = {}
    for field in fields:
        if field.name not in raw:
            violations.append(missing_column(field.name, at))
            continue
        row[field.name], found = _cell(field, raw[field.name], at)
        violations += found
    return row, violations


def _cell(field: Field, raw: object, at: str) -> tuple[Value, list[Violation]]:
    try:
        value = decode(raw, field.type)
    except ValueError as error:
        return None, [_violation(f"type.{field.type}", None, field.name, raw, f"{at}{field.name}: {error}")]
    found = list(_breaches(field, value))
    return value, [_violation(rule, None, field.name, value, f"{at}{field.name} {text}") for rule, text in found]


def _breaches(field: Field, value: Value) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield from (breach for breach in text_breaches(field, value) if field.severity(breach[0]) == ERROR)
    if isinstance(value, float) and not math.isfinite(value) and field.nonfinite == ERROR:
        yield "number.finite", f"is {shown(value)}, not a finite number; leave it empty where there is no value"
    if isinstance(value, datetime) and (value.tzinfo is not None) != field.utc:
        yield "type.datetime", "needs a time zone, such as Z" if field.utc else "has a time zone; this column has none"


def _key_dict(fields: Sequence[Field], key: Sequence[str], raw: Mapping[str, object]) -> dict[str, Value] | None:
    """The key as far as it can be read; None when none of it can."""
    named: dict[str, Value] = {}
    for field in fields:
        if field.name in key and field.name in raw:
            value, violations = _cell(field, raw[field.name], "")
            if not violations:
                named[field.name] = value
    return named or None


def _violation(rule: str, key: Mapping[str, Value] | None, column: str | None, raw: object, message: str) -> Violation:
    value = raw if isinstance(raw, bool | int | float | str | datetime) else None if raw is None else shown(raw)
    return Violation(rule, ERROR, key, column, value, message)
