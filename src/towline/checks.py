"""The contract's rules, run over whole tables. Every table here has the contract's schema already (`conform`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from towline.rules.cross import Check
from towline.rules.field import ALLOW, Field
from towline.rules.finding import Finding, report, row_key, value_at
from towline.rules.text import text_findings
from towline.values import Value, shown
from towline.violation import ERROR, Report, ReportBuilder, Violation

_LIMITS: tuple[tuple[str, str, Callable[..., pa.ChunkedArray], str], ...] = (
    ("constraint.minimum", "minimum", pc.less, "at least"),
    ("constraint.maximum", "maximum", pc.greater, "at most"),
    ("constraint.exclusiveMinimum", "exclusive_minimum", pc.less_equal, "more than"),
    ("constraint.exclusiveMaximum", "exclusive_maximum", pc.greater_equal, "less than"),
)


def check(table: pa.Table, fields: Sequence[Field], key: Sequence[str], checks: Sequence[Check], limit: int) -> Report:
    """All rules that look at one row at a time: for a whole table, or for the rows that a proposal changes."""
    return report(table, key, findings(table, fields, key, checks), limit)


def check_unique(table: pa.Table, fields: Sequence[Field], key: Sequence[str], limit: int) -> Report:
    """The rules that need the whole table: no key twice, and no value twice where a field says `unique`.

    One violation for each key or value that occurs more than once.
    """
    builder = ReportBuilder(limit)
    builder.add(ERROR, *_duplicate_keys(table, key, limit))
    for field in fields:
        if field.constraints.unique:
            builder.add(field.severity("constraint.unique"), *_duplicate_values(table, field, key, limit))
    return builder.report()


def check_key(keys: pa.Table, key: Sequence[str], limit: int) -> Report:
    """No key twice, of a table that has the key columns."""
    builder = ReportBuilder(limit)
    builder.add(ERROR, *_duplicate_keys(keys, key, limit))
    return builder.report()


def findings(
    table: pa.Table, fields: Sequence[Field], key: Sequence[str], checks: Sequence[Check]
) -> Iterator[Finding]:
    """The same, a mask a rule."""
    for field in fields:
        yield from _presence(field, table.column(field.name), field.name in key)
        yield from _field_findings(field, table.column(field.name))
    for each in checks:
        yield each.finding(table)


def _presence(field: Field, column: pa.ChunkedArray, is_key: bool) -> Iterator[Finding]:
    if is_key:
        yield null_key(field.name, column)
    elif field.constraints.required:
        mask = pc.is_null(column)
        yield _finding(field, "constraint.required", mask, lambda _: "is empty; this column needs a value")


def null_key(name: str, column: pa.ChunkedArray) -> Finding:
    return Finding(
        "key.null", ERROR, (name,), pc.is_null(column), lambda _: f"{name} is empty; it is part of the row's key"
    )


def _field_findings(field: Field, column: pa.ChunkedArray) -> Iterator[Finding]:
    if field.type == "string":
        yield from text_findings(field, column)
        yield from _text_constraints(field, column)
    if field.type == "number" and field.nonfinite != ALLOW:
        mask = pc.invert(pc.is_finite(column))
        yield Finding("number.finite", field.nonfinite, (field.name,), mask, lambda v: _nonfinite(field, v[0]))
    yield from _limits(field, column)
    if field.constraints.enum is not None:
        yield _enum(field, column, field.constraints.enum)


def _nonfinite(field: Field, value: Value) -> str:
    return f"{field.name} is {shown(value)}, not a finite number; leave it empty where there is no value"


def _text_constraints(field: Field, column: pa.ChunkedArray) -> Iterator[Finding]:
    least, pattern = field.constraints.min_length, field.constraints.pattern
    if least is not None:
        mask = pc.less(pc.utf8_length(column), least)
        say = f"needs at least {least:,} characters"
        yield _finding(field, "constraint.minLength", mask, lambda v: f"is {shown(v)}; it {say}")
    if pattern is not None:
        mask = pc.invert(pc.match_substring_regex(column, rf"\A(?:{pattern})\z"))
        yield _finding(field, "constraint.pattern", mask, lambda v: f"is {shown(v)}, which does not match {pattern}")


def _limits(field: Field, column: pa.ChunkedArray) -> Iterator[Finding]:
    for rule, name, breaks, words in _LIMITS:
        bound = getattr(field.constraints, name)
        if bound is not None:
            yield _limit(field, rule, breaks(column, pa.scalar(bound, field.arrow)), f"{words} {shown(bound)}")


def _limit(field: Field, rule: str, mask: pa.ChunkedArray, expected: str) -> Finding:
    return _finding(field, rule, mask, lambda v: f"is {shown(v)}; expected {expected}{_unit(field)}")


def _unit(field: Field) -> str:
    return f" {field.unit}" if field.unit else ""


def _enum(field: Field, column: pa.ChunkedArray, allowed: tuple[Value, ...]) -> Finding:
    known = pc.is_in(column, value_set=pa.array(allowed, field.arrow))
    mask = pc.and_(pc.is_valid(column), pc.invert(known))
    listed = ", ".join(map(shown, allowed[:10])) + (", …" if len(allowed) > 10 else "")
    return _finding(field, "constraint.enum", mask, lambda v: f"is {shown(v)}; expected one of {listed}")


def _finding(field: Field, rule: str, mask: pa.ChunkedArray, say: Callable[[Value], str]) -> Finding:
    return Finding(rule, field.severity(rule), (field.name,), mask, lambda values: f"{field.name} {say(values[0])}")


def _duplicate_keys(table: pa.Table, key: Sequence[str], limit: int) -> tuple[list[Violation], int]:
    counts = _counted(table.select(list(key)))
    return [_duplicate_key(counts, key, row) for row in range(min(limit, len(counts)))], len(counts)


def _duplicate_key(counts: pa.Table, key: Sequence[str], row: int) -> Violation:
    named = row_key(counts, key, row)
    spelled = ", ".join(f"{name}={shown(value)}" for name, value in named.items())
    times = counts.column(len(key))[row].as_py()
    message = f"the key {spelled} occurs {times:,} times; keep one row, or give the others keys of their own"
    return Violation("key.duplicate", ERROR, named, None, None, message)


def _duplicate_values(table: pa.Table, field: Field, key: Sequence[str], limit: int) -> tuple[list[Violation], int]:
    present = table.select([field.name]).filter(pc.is_valid(table.column(field.name)))
    counts = _counted(present)
    return [_duplicate_value(table, field, key, counts, row) for row in range(min(limit, len(counts)))], len(counts)


def _duplicate_value(table: pa.Table, field: Field, key: Sequence[str], counts: pa.Table, row: int) -> Violation:
    first = pc.index(table.column(field.name), counts.column(0)[row]).as_py()
    named = row_key(table, key, first) if first >= 0 else None  # NaN equals nothing, so it has no index
    return duplicate_value(field, value_at(counts, field.name, row), named, counts.column(1)[row].as_py())


def duplicate_value(field: Field, value: Value, key: Mapping[str, Value] | None, times: int) -> Violation:
    """A value that stands in so many rows, the first of which has this key."""
    message = f"{field.name} is {shown(value)} in {times:,} rows; it must be unique"
    rule = "constraint.unique"
    return Violation(rule, field.severity(rule), key, field.name, value, message)


def _counted(columns: pa.Table) -> pa.Table:
    """The distinct rows that occur more than once, in order of first occurrence; a last column, whose name
    no contract can have, says how often."""
    for index, field in enumerate(columns.schema):
        if pa.types.is_floating(field.type):  # to a group, -0.0 and 0.0 are two values; to us they are one
            columns = columns.set_column(index, field.name, pc.add(columns.column(index), 0.0))
    names = [f"c{index}" for index in range(columns.num_columns)]
    counts = columns.rename_columns(names).group_by(names, use_threads=False).aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts.column("count_all"), 1))
    return repeated.select([*names, "count_all"]).rename_columns([*columns.column_names, ""])
