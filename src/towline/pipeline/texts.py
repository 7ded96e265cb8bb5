"""What pipelines need most: texts of files as numbers and moments, and rows that no table can hold.

Empty texts are null. A text that cannot be read is null, too, and goes into the quarantine as one of `unread`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from towline.rules.times import DEFAULT, TimeFormat

REFUSED = pa.schema(
    [
        ("row", pa.int64()),
        ("table", pa.string()),
        ("column", pa.string()),
        ("value", pa.string()),
        ("reason", pa.string()),
    ]
)
_NUMBER = r"\A[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\z"
_SHOWN = 200  # characters of a value that are kept in the quarantine


def numbers(texts: pa.Array) -> pa.Array:
    """Floats; null where the text is empty or no number."""
    return pc.cast(pc.if_else(pc.match_substring_regex(texts, _NUMBER), texts, None), pa.float64())


def moments(texts: pa.Array, format: str = DEFAULT, *, utc: bool = False) -> pa.Array:
    """Timestamps in microseconds of texts in a contract's format (docs/contract.md); null where there is none."""
    return TimeFormat(format, "datetime", utc).read(texts)


def unread(rows: pa.Array, column: str, texts: pa.Array, read: pa.Array, reason: str) -> pa.Table:
    """The rows (their numbers in the file) whose text is not empty and yet was not read, as `Conformed.refused`."""
    mask = pc.and_(pc.is_null(read), pc.not_equal(pc.utf8_length(pc.coalesce(texts, "")), 0))
    return refused(rows.filter(mask), column, texts.filter(mask), reason)


def refused(rows: pa.Array, column: str, values: pa.Array, reason: str, table: str | None = None) -> pa.Table:
    """Rows that no table can hold, and why. `table`: the silver table that they were for; None: the first of the piece
    that they come with."""
    count, named = len(rows), pa.scalar(table, pa.string())
    columns = [rows, pa.repeat(named, count), pa.repeat(column, count), _short(values), pa.repeat(reason, count)]
    return pa.table(columns, schema=REFUSED)


def gathered(tables: Sequence[pa.Table]) -> pa.Table:
    """Several of them as one."""
    return pa.concat_tables([REFUSED.empty_table(), *tables])


def without(rows: pa.Table, refused: pa.Table) -> pa.Table:
    """The rows, which have their numbers in a column `row`, that are not among the refused ones."""
    return rows.filter(pc.invert(pc.is_in(rows["row"], refused["row"].combine_chunks())))


def _short(values: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(values.type):  # Lambda has no database of time zones, which Arrow would look UTC up in
        values = values.cast(pa.timestamp(values.type.unit))
    return pc.utf8_slice_codeunits(pc.cast(values, pa.string()), 0, _SHOWN)
