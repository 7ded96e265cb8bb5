"""CSV out: UTF-8, commas, LF; numbers in their shortest form that reads back the same.

A null is an empty cell and an empty text is `""`, so that both survive a round trip.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import UsageError
from towline.rules.conform import decoded, is_text
from towline.rules.times import MICROSECOND, TimeFormat

if TYPE_CHECKING:
    from towline.contract import Contract

FORMULA = r"\A[=+\-@\t\r]"


def write_csv(table: pa.Table, contract: Contract | None, escape_formulas: bool) -> bytes:
    missing = contract.missing_values if contract else ("",)
    head = _quoted(_text(pa.chunked_array([table.column_names], pa.string()), escape_formulas), missing)
    columns = [
        _printed(decoded(table.column(index)), name, contract, escape_formulas)
        for index, name in enumerate(table.column_names)
    ]
    lines = [",".join(head.to_pylist())]
    if columns:
        lines += pc.binary_join_element_wise(*columns, ",").to_pylist()
    return ("\n".join(lines) + "\n").encode()


def escaped(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """An apostrophe before what a spreadsheet would run."""
    is_formula = pc.fill_null(pc.match_substring_regex(texts, FORMULA), False)
    return pc.if_else(is_formula, pc.binary_join_element_wise("'", texts, ""), texts)


def spelled(name: str, column: pa.ChunkedArray, format: TimeFormat | None) -> pa.ChunkedArray:
    """Dates and times as text, in their column's format or else as ISO 8601.

    Raises UsageError where the format drops a part of one.
    """
    is_utc = pa.types.is_timestamp(column.type) and column.type.tz is not None
    kind = "date" if pa.types.is_date(column.type) else "datetime"
    format = format or TimeFormat(kind=kind, utc=is_utc)
    moments = _moments(name, column)
    texts = format.write(moments)
    lost = pc.fill_null(pc.not_equal(format.read(texts), moments), True)
    first = pc.index(pc.and_(lost, pc.is_valid(column)), True).as_py()
    if first >= 0:
        raise UsageError(
            f"column {name}: {moments[first]} cannot be written as {format.text} without loss; "
            "export to Parquet, or change the column's format"
        )
    return texts


def _moments(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Microseconds without a zone: as the clock shows them, in UTC where there is one."""
    try:
        if pa.types.is_timestamp(column.type):
            return column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).cast(MICROSECOND)
        return column.cast(MICROSECOND)
    except pa.ArrowInvalid as error:
        raise UsageError(f"column {name} cannot be written to the microsecond: {error}; use Parquet") from None


def _printed(column: pa.ChunkedArray, name: str, contract: Contract | None, escape_formulas: bool) -> pa.ChunkedArray:
    type = column.type
    if is_text(type):
        missing = contract.missing_values if contract else ("",)
        return pc.fill_null(_quoted(_text(column.cast(pa.string()), escape_formulas), missing), "")
    if pa.types.is_boolean(type):
        texts = pc.if_else(column, "TRUE", "FALSE")
    elif pa.types.is_date(type) or pa.types.is_timestamp(type):
        texts = spelled(name, column, time_format(name, contract))
    elif pa.types.is_primitive(type) or pa.types.is_decimal(type) or pa.types.is_null(type):
        texts = column.cast(pa.string())
    else:
        raise UsageError(f"column {name} is of type {type}, which CSV cannot hold; export to Parquet")
    return pc.fill_null(texts, "")


def time_format(name: str, contract: Contract | None) -> TimeFormat | None:
    """How the contract writes this column's dates and times; None where it says nothing of them."""
    found = (field for field in contract.fields if field.name == name) if contract else iter(())
    field = next(found, None)
    return field.time_format if field and field.type in ("date", "datetime") else None


def _text(texts: pa.ChunkedArray, escape_formulas: bool) -> pa.ChunkedArray:
    return escaped(texts) if escape_formulas else texts


def _quoted(texts: pa.ChunkedArray, missing: Sequence[str]) -> pa.ChunkedArray:
    """Texts in quotation marks where they need them; a text that looks like a missing value does."""
    special = pc.match_substring_regex(texts, '[",;\t\r\n]')
    needs = pc.or_(special, pc.is_in(texts, value_set=pa.array(["", *missing], pa.string())))
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), texts)
