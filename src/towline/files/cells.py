"""Columns of a workbook, whose cells know their own types, read as a contract's or given one type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import UnreadableFile
from towline.files import columns
from towline.rules.cross import DatetimeText
from towline.rules.field import Field
from towline.rules.times import TimeFormat
from towline.values import EXACT_FLOAT, INT64_MAX, INT64_MIN, Value, shown

if TYPE_CHECKING:
    from towline.contract import Contract


@dataclass(frozen=True)
class Cell:
    """`kind` is number, text, boolean, time (a date or a date with a time), error, formula, duration or empty."""

    value: Value
    kind: str


@dataclass(frozen=True)
class Column:
    """`number` counts columns from 1, `rows` are the row numbers of the cells."""

    name: str
    number: int
    rows: list[int]
    cells: list[Cell]

    def fail(self, index: int, why: str) -> NoReturn:
        place = coordinate(self.rows[index], self.number)
        raise UnreadableFile(f"cell {place}, column {self.name}: {shown(self.cells[index].value)} {why}")

    def kinds(self) -> set[str]:
        return {cell.kind for cell in self.cells if cell.kind != "empty"}


def coordinate(row: int, column: int) -> str:
    """A cell as spreadsheets name it: (5, 28) is AB5."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def read(column: Column, contract: Contract | None, notes: list[str]) -> pa.ChunkedArray:
    """The column as Arrow; `notes` takes what was converted. Raises UnreadableFile, naming the cell."""
    missing = contract.missing_values if contract else ("",)
    column = _without_missing(column, missing)
    for index, cell in enumerate(column.cells):
        if cell.kind in _REFUSED:
            column.fail(index, _REFUSED[cell.kind])
    field = next((each for each in contract.fields if each.name == column.name), None) if contract else None
    if field is None:
        return pa.chunked_array([_inferred(column)])
    if field.type == "string":
        return pa.chunked_array([_texts(column, _text_format(contract, field), notes)])
    return _typed(column, field, missing, notes)


_REFUSED = {
    "error": "is an error value; correct the cell, or empty it",
    "duration": "is a duration, which no column type holds; write it as a number with a unit",
}


def _without_missing(column: Column, missing: tuple[str, ...]) -> Column:
    """Text that stands for a missing value becomes an empty cell. An empty text stays one in columns of text."""
    spelled = {text for text in missing if text}
    cells = [Cell(None, "empty") if cell.value in spelled else cell for cell in column.cells]
    return Column(column.name, column.number, column.rows, cells)


def _inferred(column: Column) -> pa.Array:
    kinds = column.kinds()
    if len(kinds) > 1:
        first = column.cells[next(i for i, cell in enumerate(column.cells) if cell.kind != "empty")]
        index = next(i for i, cell in enumerate(column.cells) if cell.kind not in ("empty", first.kind))
        column.fail(index, f"is a {column.cells[index].kind} in a column of {first.kind}s; give the column one type")
    values = [cell.value for cell in column.cells]
    return pa.array(values, _inferred_type(kinds, values))


def _inferred_type(kinds: set[str], values: list[Value]) -> pa.DataType:
    if kinds == {"number"}:
        return pa.int64() if all(v is None or _is_int64(v) for v in values) else pa.float64()
    if kinds == {"time"}:
        return pa.date32() if all(v is None or _is_midnight(v) for v in values) else pa.timestamp("us")
    return pa.bool_() if kinds == {"boolean"} else pa.string()


def _is_int64(value: Value) -> bool:
    return isinstance(value, int) and INT64_MIN <= value <= INT64_MAX


def _is_midnight(value: Value) -> bool:
    return not isinstance(value, datetime) or value.time() == time.min


def _text_format(contract: Contract | None, field: Field) -> TimeFormat | None:
    """The format in which the contract has this column of text write its times, if it does."""
    declared = contract.checks if contract else ()
    found = (c.format for c in declared if isinstance(c, DatetimeText) and c.column == field.name)
    return next(found, None)


def _texts(column: Column, format: TimeFormat | None, notes: list[str]) -> pa.Array:
    """Spreadsheet programs turn text that looks like a time into one; the contract says how to turn it back."""
    texts: list[str | None] = []
    for index, cell in enumerate(column.cells):
        if cell.kind == "time" and format is not None and not format.utc:
            texts.append(_spelled(column, index, format))
        elif cell.kind in ("text", "empty"):
            texts.append(None if cell.value is None else str(cell.value))
        else:
            column.fail(index, f"is a {cell.kind} in a column of text; format the cell as text and type it again")
    if "time" in column.kinds() and format is not None:
        notes.append(f"{column.name}: dates and times as text ({format.text})")
    return pa.array(texts, pa.string())


def _spelled(column: Column, index: int, format: TimeFormat) -> str:
    moment = pa.chunked_array([pa.array([column.cells[index].value], pa.timestamp("us"))])
    text = format.write(moment)
    if not format.read(text).equals(moment):
        column.fail(index, f"cannot be written as {format.text} without loss; type it as text")
    return str(text[0].as_py())


def _typed(column: Column, field: Field, missing: tuple[str, ...], notes: list[str]) -> pa.ChunkedArray:
    """Cells of the field's own kind as they are; text cells as a CSV file's would be read."""
    takes = _TAKES[field.type]
    native = [takes(cell.value, field) if cell.kind == _KIND[field.type] else None for cell in column.cells]
    texts = [cell.value if cell.kind == "text" else None for cell in column.cells]
    cells = columns.blank_as_null(pa.chunked_array([pa.array(texts, pa.string())]), missing)
    parsed, bad = columns.read_as(cells, field)
    for index, (cell, is_bad) in enumerate(zip(column.cells, bad.to_pylist(), strict=True)):
        is_read = native[index] is not None or cell.kind == "empty" or (cell.kind == "text" and not is_bad)
        if not is_read:
            column.fail(index, f"is not {columns.EXPECTED[field.type]}{' in UTC; write it as text' * field.utc}")
    if pc.any(pc.is_valid(parsed)).as_py():
        notes.append(f"{column.name}: {field.type}s stored as text")
    return pc.coalesce(pa.chunked_array([pa.array(native, field.arrow)]), parsed)


def _integer(value: Value, field: Field) -> Value:
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT_FLOAT:
        return int(value)
    return value if _is_int64(value) else None


def _number(value: Value, field: Field) -> Value:
    return float(value) if isinstance(value, int | float) else None


def _date(value: Value, field: Field) -> Value:
    if isinstance(value, datetime):
        return value.date() if _is_midnight(value) else None
    return value


def _datetime(value: Value, field: Field) -> Value:
    """A workbook's times have no zone, so they cannot say what a UTC column needs."""
    if field.utc or not isinstance(value, date):
        return None
    return value if isinstance(value, datetime) else datetime.combine(value, time.min)


_KIND = {"integer": "number", "number": "number", "boolean": "boolean", "date": "time", "datetime": "time"}
_TAKES: Mapping[str, Callable[[Value, Field], Value]] = {
    "integer": _integer,
    "number": _number,
    "boolean": lambda value, _: value,
    "date": _date,
    "datetime": _datetime,
}
