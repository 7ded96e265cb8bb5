"""Columns of text, read as the types of a contract, or given the types that all their values allow.

Spaces around values other than text do not count. A number has a decimal point and no thousands separators; nan
and inf are numbers, which the contract may then refuse. true and false are accepted in any case, dates and times
as the field's format says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from towline.rules.field import Field
from towline.values import INT64_MAX, INT64_MIN

Cells = tuple[pa.ChunkedArray, pa.ChunkedArray]  # the column read, and a mask of the cells that could not be

NUMBER = r"\A[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\z"
_NONFINITE = r"\A(?i:nan|[+-]?inf(?:inity)?)\z"
_INTEGER = r"\A[+-]?\d+(?:\.0*)?\z"
_BOOLEAN = r"\A(?i:true|false)\z"

# What inference takes for a number is narrower: 007, +49 and 12E4 are more likely names than numbers.
_PLAIN_INTEGER = r"\A-?(?:0|[1-9]\d*)\z"
_PLAIN_NUMBER = r"\A-?(?:0|[1-9]\d*)(?:\.\d+)?\z|\A-?\d+\.\d+[eE][+-]?\d+\z|\A-?\d+[eE][+-]\d+\z"

EXPECTED = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date",
    "datetime": "a date and time",
}


def blank_as_null(texts: pa.ChunkedArray, missing: Sequence[str]) -> pa.ChunkedArray:
    """The cells without spaces around them; null where what is left stands for a missing value."""
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.is_in(trimmed, value_set=pa.array(missing, pa.string())), None, trimmed)


def read_as(cells: pa.ChunkedArray, field: Field) -> Cells:
    """Trimmed cells as a field's type, other than string."""
    return _READERS[field.type](cells, field)


def infer_type(cells: pa.ChunkedArray) -> str:
    """`boolean`, `integer`, `number` or `string`: the narrowest that fits every cell. All null is string."""
    present = cells.filter(pc.is_valid(cells))
    if not len(present):
        return "string"
    if _all(present, _BOOLEAN):
        return "boolean"
    if _all(present, _PLAIN_INTEGER):
        return "integer" if _fit_int64(present) else "string"
    return "number" if _all(present, f"{_PLAIN_NUMBER}|{_NONFINITE}") and _any_number(present) else "string"


def _all(cells: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())


def _any_number(cells: pa.ChunkedArray) -> bool:
    """Whether there is a digit at all: a column of nothing but "nan" is text."""
    return bool(pc.any(pc.match_substring_regex(cells, r"\d")).as_py())


def _fit_int64(cells: pa.ChunkedArray) -> bool:
    return not pc.any(_integers(cells)[1]).as_py()


def _integers(cells: pa.ChunkedArray, field: Field | None = None) -> Cells:
    bad = _mismatch(cells, _INTEGER)
    digits = pc.replace_substring_regex(_without(cells, bad), r"^\+|\.0*$", "")
    long = pc.greater(pc.utf8_length(digits), 18)
    if pc.any(long).as_py():
        too_long = pa.chunked_array([pa.array([not _is_int64(each) for each in digits.to_pylist()])])
        bad, digits = pc.or_(bad, too_long), _without(digits, too_long)
    return digits.cast(pa.int64()), bad


def _is_int64(digits: str | None) -> bool:
    # A long row of digits is not worth converting: 64 bits have at most 19, and leading zeros are rare.
    return digits is None or (len(digits) <= 40 and INT64_MIN <= int(digits) <= INT64_MAX)


def _numbers(cells: pa.ChunkedArray, field: Field | None = None) -> Cells:
    is_named = pc.fill_null(pc.match_substring_regex(cells, _NONFINITE), False)
    bad = pc.and_(_mismatch(cells, NUMBER), pc.invert(is_named))
    numbers = pc.utf8_lower(_without(cells, bad)).cast(pa.float64())
    overflow = pc.and_(pc.fill_null(pc.is_inf(numbers), False), pc.invert(is_named))
    return _without(numbers, overflow), pc.or_(bad, overflow)


def _booleans(cells: pa.ChunkedArray, field: Field | None = None) -> Cells:
    bad = _mismatch(cells, _BOOLEAN)
    return pc.equal(pc.utf8_lower(_without(cells, bad)), "true"), bad


def _times(cells: pa.ChunkedArray, field: Field) -> Cells:
    moments = field.time_format.read(cells)
    bad = pc.and_(pc.is_valid(cells), pc.is_null(moments))
    if field.utc:
        return moments.cast(pa.int64()).cast(field.arrow), bad
    return moments.cast(field.arrow), bad


def _mismatch(cells: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.invert(pc.match_substring_regex(cells, pattern)), False)


def _without(cells: pa.ChunkedArray, bad: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(bad, None, cells)


_READERS: dict[str, Callable[[pa.ChunkedArray, Field], Cells]] = {
    "integer": _integers,
    "number": _numbers,
    "boolean": _booleans,
    "date": _times,
    "datetime": _times,
}
