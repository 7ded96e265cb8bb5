"""Whether a change gives a column that must be unique a value twice.

Only values that a change brings are looked for: a value that no changed row holds anew stands as often as before, and
what was wrong before, and is not touched, is not held against a proposal (`towline.plan.check`). A change that takes a
value away can only end a repetition. So it is enough to count, in the table with the changes, the values that changed
cells hold now; of a table in a store that reads one column, and of that only where the statistics allow for them.

Keys need no such look: a proposal has one change a key, and each was merged with the row of that key in the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline import checks
from towline import table as tables
from towline.change import RowChange
from towline.contract import Contract
from towline.rows import Rows
from towline.values import Value
from towline.violation import LIMIT, Report, ReportBuilder

_VALUE, _COUNT = "", "count_all"  # no column has the first name


def check(changes: Sequence[RowChange], contract: Contract, after: Rows) -> Report:
    """The values that `changes` bring, and that `after`, the table with them, holds more than once."""
    builder = ReportBuilder(LIMIT)
    for field in contract.fields:
        wanted = list(_brought(changes, field.name)) if field.constraints.unique else []
        if wanted:
            found = _repeated(after, field.name, contract.key, wanted)
            listed = (
                checks.duplicate_value(field, row[_VALUE], _first_key(row, contract.key), row[f"{_COUNT}_sum"])
                for row in found.slice(0, LIMIT).to_pylist()
            )
            builder.add(field.severity("constraint.unique"), listed, found.num_rows)
    return builder.report()


def _brought(changes: Sequence[RowChange], column: str) -> Iterator[Value]:
    for change in changes:
        for cell in change.cells():
            if cell.column == column and cell.new is not None:
                yield cell.new


def _repeated(after: Rows, column: str, key: tuple[str, ...], wanted: Sequence[Value]) -> pa.Table:
    """The values that stand in more than one row, how often, and the lowest key that has each. Counted piece by piece,
    so that a value which stands in millions of rows takes no more room than another."""
    pieces = [_counted(found, column, key) for found in after.values(column, wanted)]
    lowest = pa.concat_tables(pieces).sort_by([(f"{name}_first", "ascending") for name in key])
    firsts = [(f"{name}_first", "first") for name in key]
    sums = lowest.group_by(_VALUE, use_threads=False).aggregate([(_COUNT, "sum"), *firsts])
    return sums.filter(pc.greater(sums[f"{_COUNT}_sum"], 1))


def _counted(found: pa.Table, column: str, key: tuple[str, ...]) -> pa.Table:
    """Of each value in a piece: how many rows hold it, and the key of the first."""
    plain = tables.without_negative_zero(found, [column])
    cells = found.select(list(key)).append_column(_VALUE, plain[column])
    return cells.group_by(_VALUE, use_threads=False).aggregate([([], "count_all"), *((name, "first") for name in key)])


def _first_key(row: Mapping[str, Any], key: tuple[str, ...]) -> dict[str, Value]:
    return {name: row[f"{name}_first_first"] for name in key}
