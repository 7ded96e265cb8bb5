"""Cell values, rows and keys, and the form in which they travel through JSON.

A cell holds one of a handful of Python types, whatever its column's contract says:

| field type | Python            | JSON                                                             |
|------------|-------------------|------------------------------------------------------------------|
| any        | None              | null                                                             |
| string     | str               | string                                                           |
| integer    | int (64 bit)      | number                                                           |
| number     | float             | number, or {"$float": "nan" | "inf" | "-inf"}                    |
| boolean    | bool              | true, false                                                      |
| date       | date              | "2024-05-04"                                                     |
| datetime   | datetime, to 1 us | "2024-05-04T18:03:09.25", or with a "Z" when the column is in UTC |
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import TypeAlias, TypeVar

Value: TypeAlias = bool | int | float | str | date | datetime | None
Row: TypeAlias = Mapping[str, Value]  # every column of the contract, in its order
Key: TypeAlias = tuple[Value, ...]  # the values of the key columns, in the contract's order

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
# Up to here every whole number has its own float: beyond it, a float may be a neighbour rounded.
EXACT_FLOAT = 2**53

_Day = TypeVar("_Day", date, datetime)
_NONFINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_SHOWN = 80


def same(a: Value, b: Value) -> bool:
    """Whether two cells hold the same value: NaN is NaN, -0.0 is 0.0, null is only null, True is not 1.

    Floats are compared exactly; tolerances are a matter for checks, never for merging.
    """
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return a == b


def encode(value: Value) -> object:
    """The JSON form of a cell: what `json.dumps(..., allow_nan=False)` accepts and `decode` reads back."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    if isinstance(value, datetime):
        return _utc(value).isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat()
    return value.isoformat() if isinstance(value, date) else value


def decode(raw: object, type: str) -> Value:
    """Read a JSON value as a cell of the given field type, strictly: "4" is no number and true is not 1.

    Raises ValueError, saying what was found and what is expected.
    """
    return None if raw is None else _DECODERS[type](raw)


def shown(value: object) -> str:
    """A value as messages quote it: unmistakable, printable, and cut to a readable length."""
    text = repr(encode(value) if isinstance(value, date) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"


def _string(raw: object) -> str:
    if isinstance(raw, str):
        return raw
    raise ValueError(f"{shown(raw)} is not text; write it in quotes")


def _integer(raw: object) -> int:
    if isinstance(raw, float) and raw.is_integer() and abs(raw) <= EXACT_FLOAT:
        return int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError(f"{shown(raw)} is not a whole number")
    if not INT64_MIN <= raw <= INT64_MAX:
        raise ValueError("a whole number of more than 64 bits does not fit")
    return raw


def _number(raw: object) -> float:
    if isinstance(raw, float):
        return raw
    if isinstance(raw, Mapping) and set(raw) == {"$float"} and isinstance(raw["$float"], str):
        return _nonfinite(raw["$float"])
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError(f"{shown(raw)} is not a number")
    return _exact(raw)


def _nonfinite(name: str) -> float:
    if name not in _NONFINITE:
        raise ValueError(f'{{"$float": {shown(name)}}} is not a number; use "nan", "inf" or "-inf"')
    return _NONFINITE[name]


def _exact(raw: int) -> float:
    if raw.bit_length() > 64 or int(float(raw)) != raw:
        raise ValueError("a whole number this large cannot be held exactly as a number")
    return float(raw)


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    raise ValueError(f"{shown(raw)} is not true or false")


def _date(raw: object) -> date:
    if isinstance(raw, str) and _DATE.fullmatch(raw):
        return _calendar(date.fromisoformat, raw)
    raise ValueError(f"{shown(raw)} is not a date; write it like 2024-05-04")


def _datetime(raw: object) -> datetime:
    if isinstance(raw, str) and _DATETIME.fullmatch(raw):
        at = _calendar(datetime.fromisoformat, raw)
        return _utc(at) if at.tzinfo else at
    raise ValueError(f"{shown(raw)} is not a date and time; write it like 2024-05-04T18:03:09")


def _calendar(read: Callable[[str], _Day], raw: str) -> _Day:
    try:
        return read(raw)
    except ValueError as error:
        raise ValueError(f"{shown(raw)} is not in the calendar: {error}") from None


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{at.isoformat()} is outside the years 1 to 9999 in UTC") from None


_DECODERS: dict[str, Callable[[object], Value]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}
