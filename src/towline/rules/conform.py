"""Bringing an Arrow table to a contract's schema, where nothing is lost by it.

| column of type | takes                                                                                      |
|----------------|--------------------------------------------------------------------------------------------|
| string         | any UTF-8 text type                                                                        |
| integer        | integers that fit 64 bits; decimals and floats that are whole, floats up to 2^53           |
| number         | floats of any width; integers and decimals that a 64-bit float holds exactly               |
| boolean        | booleans only                                                                              |
| date           | dates; timestamps without a zone, at midnight                                              |
| datetime       | timestamps that microseconds hold, with a zone exactly where the contract says UTC         |

Dictionary and run-end encodings are undone first, and a column of nulls becomes anything. Text is never read as
a number here: files that have only text are read by their contract in `towline.files`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from towline.checks import null_key
from towline.rules.field import Field
from towline.rules.finding import Finding, report
from towline.rules.times import outside_years
from towline.values import EXACT_FLOAT, INT64_MAX, Value, shown
from towline.violation import ERROR, Report, Violation

_HOLDS = {
    "string": "text",
    "integer": "whole numbers",
    "number": "numbers",
    "boolean": "true and false",
    "date": "dates",
    "datetime": "dates with times",
}


@dataclass(frozen=True)
class Fit:
    """A column brought to its type, and a mask of the cells that would not go."""

    column: pa.ChunkedArray
    bad: pa.ChunkedArray
    rule: str | None = None  # where it is not the usual type.<type>


class MisfitError(Exception):
    """The whole column is of a type that its field cannot take."""


def conform(
    table: pa.Table, fields: Sequence[Field], key: Sequence[str], schema: pa.Schema, limit: int
) -> tuple[pa.Table | None, Report]:
    """The table with the contract's columns, in its order and types; None when the report has errors."""
    shape = list(_shape(table, fields))
    known = [field for field in fields if table.column_names.count(field.name) == 1]
    fits = {field.name: fit(table.column(field.name), field) for field in known}
    findings = [_finding(field, fits[field.name], table.column(field.name)) for field in known]
    findings += [null_key(name, table.column(name)) for name in key if name in fits]
    found = Report.join(Report.of(shape), report(table, key, findings, limit))
    if not found.ok:
        return None, found
    return pa.Table.from_arrays([fits[field.name].column for field in fields], schema=schema), found


def _shape(table: pa.Table, fields: Sequence[Field]) -> Iterator[Violation]:
    names, expected = table.column_names, [field.name for field in fields]
    for name in dict.fromkeys(names):
        if name not in expected:
            yield unknown_column(name, expected)
        elif names.count(name) > 1:
            yield _column("column.duplicate", name, f"column {name} is there {names.count(name)} times; keep one")
    for name in expected:
        if name not in names:
            yield missing_column(name)


def unknown_column(name: str, expected: Sequence[str], where: str = "") -> Violation:
    near = [each for each in expected if each.casefold() == name.strip().casefold()]
    hint = f"did you mean {near[0]}?" if near else "remove it, or add it to the contract first"
    return _column("column.unknown", name, f"{where}the contract has no column {shown(name)}; {hint}")


def missing_column(name: str, where: str = "") -> Violation:
    return _column("column.missing", name, f"{where}column {name} is missing; add it (its cells may be empty)")


def _column(rule: str, name: str, message: str) -> Violation:
    return Violation(rule, ERROR, None, name, None, message)


def _finding(field: Field, fit: Fit, original: pa.ChunkedArray) -> Finding:
    held = str(original.type)

    def say(values: Sequence[Value]) -> str:
        return misfit(field, fit, values[0], held)

    return Finding(fit.rule or f"type.{field.type}", ERROR, (field.name,), fit.bad, say)


def misfit(field: Field, fit: Fit, value: Value, held: str) -> str:
    """What to say of a cell that would not go; `held` is the type that it came in."""
    if fit.rule == "text.unicode":
        return f"{field.name} is not valid UTF-8 text; write the file again as UTF-8"
    found = f"{field.name} is {shown(value)} ({held})"
    return f"{found}; this column holds {_HOLDS[field.type]}, and it cannot become one without loss"


def fit(column: pa.ChunkedArray, field: Field) -> Fit:
    """A column brought to its field's type. Never raises: one that Arrow cannot bring there has only bad cells."""
    try:
        plain = decoded(column)
        if pa.types.is_null(plain.type):
            return Fit(plain.cast(field.arrow), _nowhere(plain))
        return _FITTERS[field.type](plain, field)
    except (MisfitError, pa.ArrowException, NotImplementedError):  # no cast: each cell is reported as one that misfits
        return Fit(pa.chunked_array([pa.nulls(len(column), field.arrow)]), pc.is_valid(column))


def decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without dictionary or run-end encoding."""
    if pa.types.is_run_end_encoded(column.type):
        decoded_chunks = [pc.run_end_decode(chunk) for chunk in column.chunks]
        column = pa.chunked_array(decoded_chunks, column.type.value_type)
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _string(column: pa.ChunkedArray, field: Field) -> Fit:
    if not is_text(column.type):
        raise MisfitError
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return Fit(column, _invalid_text(column), "text.unicode")
    return Fit(column.cast(pa.string()), _nowhere(column))


def is_text(type: pa.DataType) -> bool:
    return bool(pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_string_view(type))


def _invalid_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    def is_invalid(cell: pa.Scalar) -> bool:
        try:
            cell.as_py()
        except UnicodeDecodeError:
            return True
        return False

    return pa.chunked_array([pa.array(map(is_invalid, column), pa.bool_())])


def _integer(column: pa.ChunkedArray, field: Field) -> Fit:
    if pa.types.is_uint64(column.type):
        return _cast(column, pa.int64(), pc.greater(column, pa.scalar(INT64_MAX, pa.uint64())))
    if pa.types.is_integer(column.type):
        return _cast(column, pa.int64(), _nowhere(column))
    if pa.types.is_decimal(column.type):
        return _there_and_back(column.cast(_widest(column.type)), pa.int64())
    if not pa.types.is_floating(column.type):
        raise MisfitError
    floats = column.cast(pa.float64())
    too_large = pc.greater(pc.abs(floats), float(EXACT_FLOAT))
    return _cast(floats, pa.int64(), pc.or_(too_large, pc.not_equal(pc.floor(floats), floats)))


def _widest(type: pa.DataType) -> pa.DataType:
    """The decimal type with room for any integer, so that casting back from one cannot overflow."""
    is_long = pa.types.is_decimal256(type)
    return pa.decimal256(76, type.scale) if is_long else pa.decimal128(38, type.scale)


def _number(column: pa.ChunkedArray, field: Field) -> Fit:
    if pa.types.is_floating(column.type):
        return _cast(column, pa.float64(), _nowhere(column))
    if pa.types.is_integer(column.type) or pa.types.is_decimal(column.type):
        return _there_and_back(column, pa.float64())
    raise MisfitError


def _boolean(column: pa.ChunkedArray, field: Field) -> Fit:
    if not pa.types.is_boolean(column.type):
        raise MisfitError
    return Fit(column, _nowhere(column))


def _date(column: pa.ChunkedArray, field: Field) -> Fit:
    is_naive = pa.types.is_timestamp(column.type) and column.type.tz is None
    if not (pa.types.is_date(column.type) or is_naive):
        raise MisfitError
    return _in_calendar(_there_and_back(column, pa.date32()))


def _datetime(column: pa.ChunkedArray, field: Field) -> Fit:
    if not pa.types.is_timestamp(column.type) or (column.type.tz is not None) != field.utc:
        raise MisfitError
    return _in_calendar(_there_and_back(column, field.arrow))


def _in_calendar(fit: Fit) -> Fit:
    return Fit(fit.column, pc.or_(fit.bad, outside_years(fit.column)))


def _there_and_back(column: pa.ChunkedArray, target: pa.DataType) -> Fit:
    """Cast, cast back, and compare: a cell that comes back changed has lost something."""
    there = column.cast(target, safe=False)
    return Fit(there, pc.not_equal(there.cast(column.type, safe=False), column))


def _cast(column: pa.ChunkedArray, target: pa.DataType, bad: pa.ChunkedArray) -> Fit:
    return Fit(column.cast(target, safe=False), bad)


def _nowhere(column: pa.ChunkedArray) -> pa.ChunkedArray:
    bits = pa.py_buffer(bytes(-(-len(column) // 8)))  # asked to make an array of a bool, Arrow would import pandas
    return pa.chunked_array([pa.Array.from_buffers(pa.bool_(), len(column), [None, bits])])


_FITTERS: dict[str, Callable[[pa.ChunkedArray, Field], Fit]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}
