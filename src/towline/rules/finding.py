"""From masks over whole columns to violations of single rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from towline.values import Value
from towline.violation import Report, ReportBuilder, Violation

_SHOWN = 200  # characters of a value that has no place in any contract, such as a list


@dataclass(frozen=True)
class Finding:
    """One rule, and where a table breaks it.

    `mask` is true at the offending rows (null counts as false). `columns` are those whose values the rule looks
    at; the first one is where the violation is shown. `say` gets their values at an offending row and returns the
    message.
    """

    rule: str
    severity: str
    columns: tuple[str, ...]
    mask: pa.ChunkedArray
    say: Callable[[Sequence[Value]], str]


def report(table: pa.Table, key: Sequence[str], findings: Iterable[Finding], limit: int) -> Report:
    """All violations counted, at most `limit` of them listed with their row's key and value."""
    builder = ReportBuilder(limit)
    for finding in findings:
        total = pc.sum(finding.mask).as_py() or 0
        if total:
            rows = pc.indices_nonzero(finding.mask).slice(0, limit).to_pylist()
            builder.add(finding.severity, [_violation(table, key, finding, row) for row in rows], total)
    return builder.report()


def row_key(table: pa.Table, key: Sequence[str], row: int) -> dict[str, Value]:
    """The key of one row, as far as the table has its columns."""
    return {name: value_at(table, name, row) for name in key if name in table.column_names}


def value_at(table: pa.Table, name: str, row: int) -> Value:
    """One cell; as text where it is of a type that no contract has, or that Python cannot hold."""
    index = table.column_names.index(name)
    scalar = table.column(index)[row]
    try:
        value = scalar.as_py()
    except (ValueError, OverflowError):  # invalid UTF-8, or a year beyond 9999
        return "(not readable)"
    return value if value is None or isinstance(value, bool | int | float | str | date) else str(value)[:_SHOWN]


def _violation(table: pa.Table, key: Sequence[str], finding: Finding, row: int) -> Violation:
    values = [value_at(table, name, row) for name in finding.columns]
    column = finding.columns[0]
    return Violation(finding.rule, finding.severity, row_key(table, key, row), column, values[0], finding.say(values))
