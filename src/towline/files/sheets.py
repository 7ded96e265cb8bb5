"""XLSX out: one sheet with a frozen header, types kept, text never run as a formula."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import UsageError
from towline.files.printed import escaped, spelled, time_format
from towline.rules.conform import decoded, is_text
from towline.values import EXACT_FLOAT, Value

if TYPE_CHECKING:
    from towline.contract import Contract

_MAX_ROWS, _MAX_COLUMNS, _MAX_TEXT, _MAX_TITLE = 1_048_576, 16_384, 32_767, 31
_ILLEGAL = "[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\\x00"  # what XML cannot say
# The first day on which all spreadsheet programs count days alike: they believe in 29 February 1900.
_FIRST_DAY = (1900, 3, 1)


def write_xlsx(table: pa.Table, contract: Contract | None, escape_formulas: bool) -> bytes:
    """Raises UsageError for what a workbook cannot hold."""
    import openpyxl  # heavy, and most exports are no workbooks
    from openpyxl.cell import WriteOnlyCell

    if table.num_rows >= _MAX_ROWS or table.num_columns > _MAX_COLUMNS:
        raise UsageError(f"a sheet holds {_MAX_ROWS - 1:,} rows and {_MAX_COLUMNS:,} columns; export to Parquet or CSV")
    columns = _columns(table, contract, escape_formulas)  # first, since a sheet once begun must be finished
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet((contract.dataset if contract else "table")[:_MAX_TITLE])
    sheet.freeze_panes = "A2"
    for row in zip(*columns, strict=True):
        sheet.append([_cell(value, partial(WriteOnlyCell, sheet)) for value in row])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def _columns(table: pa.Table, contract: Contract | None, escape_formulas: bool) -> list[list[Value]]:
    """The columns as Python values, each under its name."""
    names = _texts(pa.chunked_array([table.column_names], pa.string()), "the header", escape_formulas)
    values = (
        _values(decoded(table.column(index)), name, contract, escape_formulas)
        for index, name in enumerate(table.column_names)
    )
    return [[name, *column] for name, column in zip(names, values, strict=True)]


def _values(column: pa.ChunkedArray, name: str, contract: Contract | None, escape_formulas: bool) -> list[Value]:
    """A column as Python values; as text, all of it, where a workbook's own types would lose a part."""
    type = column.type
    if is_text(type):
        return _texts(column.cast(pa.string()), f"column {name}", escape_formulas)
    if pa.types.is_date(type) or pa.types.is_timestamp(type):
        texts = spelled(name, column, time_format(name, contract))
        values = [] if pa.types.is_timestamp(type) and type.tz else column.cast(_python(type)).to_pylist()
        return values if values and all(map(_is_native, values)) else list(texts.to_pylist())
    if not (pa.types.is_primitive(type) or pa.types.is_decimal(type) or pa.types.is_null(type)):
        raise UsageError(f"column {name} is of type {type}, which a workbook cannot hold; export to Parquet")
    values = list(column.to_pylist())
    return values if all(map(_is_exact, values)) else list(column.cast(pa.string()).to_pylist())


def _python(type: pa.DataType) -> pa.DataType:
    return pa.date32() if pa.types.is_date(type) else pa.timestamp("us")


def _is_native(value: Value) -> bool:
    """Workbooks count days from 1900, to the millisecond."""
    if value is None:
        return True
    is_whole = not isinstance(value, datetime) or value.microsecond % 1000 == 0
    return is_whole and isinstance(value, date) and (value.year, value.month, value.day) >= _FIRST_DAY


def _is_exact(value: Value) -> bool:
    """Workbooks have no integers: beyond 2^53 they would round."""
    return not isinstance(value, int) or abs(value) <= EXACT_FLOAT


def _texts(column: pa.ChunkedArray, where: str, escape_formulas: bool) -> list[Value]:
    if pc.any(pc.match_substring_regex(column, _ILLEGAL)).as_py():
        raise UsageError(f"{where} holds a control character, which a workbook cannot; export to CSV or Parquet")
    longest = pc.max(pc.utf8_length(column)).as_py() or 0
    if longest > _MAX_TEXT:  # openpyxl would cut it without a word
        raise UsageError(f"{where} holds {longest:,} characters in a cell, a workbook {_MAX_TEXT:,}; export to CSV")
    return list((escaped(column) if escape_formulas else column).to_pylist())


def _cell(value: Value, make: Callable[[str], Any]) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        value = "NaN" if math.isnan(value) else "INF" if value > 0 else "-INF"
    if not isinstance(value, str):
        return value
    cell = make(value)
    cell.data_type = "s"  # else "=1+1" becomes a formula, and "#N/A" an error
    return cell
