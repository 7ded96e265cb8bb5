"""Dates and times written as text: whole columns read and written by a format, strictly.

Arrow's own strptime takes 2024-02-30 for 1 March and 23:59:60 for midnight; this one takes neither. A format is
a strptime pattern made of %Y %m %d %H %M %S %f (1 to 6 digits) %z ("Z" or "+07:00") and literal characters, or
"default", which is ISO 8601 with a "T" or a space and an optional fraction of a second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

DEFAULT = "default"
MICROSECOND = pa.timestamp("us")
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "m": r"(?P<m>0[1-9]|1[0-2])",
    "d": r"(?P<d>0[1-9]|[12]\d|3[01])",
    "H": r"(?P<H>[01]\d|2[0-3])",
    "M": r"(?P<M>[0-5]\d)",
    "S": r"(?P<S>[0-5]\d)",
    "f": r"(?P<f>\d{1,6})",
    "z": r"(?P<z>Z|[+-](?:0\d|1[0-4]):?[0-5]\d)",
}
# What can be written and read, and held by Python: the years 1 to 9999.
_EPOCH = datetime(1970, 1, 1)
FIRST = (datetime.min - _EPOCH) // timedelta(microseconds=1)
LAST = (datetime.max - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class TimeFormat:
    """How a column writes dates (`kind` "date") or dates with times ("datetime"), in UTC or without a zone."""

    text: str = DEFAULT
    kind: str = "datetime"
    utc: bool = False

    @property
    def tokens(self) -> list[str]:
        """The format taken apart: directives without their "%", and literals with a leading "=". Raises ValueError."""
        return [_token(found) for found in re.findall(r"%.|%|[^%]+", self._spelled, re.DOTALL)]

    @property
    def pattern(self) -> str:
        """A regular expression with one named group a directive (RE2), without anchors."""
        if self.text == DEFAULT and self.kind == "datetime":
            return _iso(self.utc)
        return "".join(re.escape(t[1:]) if t[0] == "=" else _DIRECTIVES[t] for t in self.tokens)

    @property
    def _spelled(self) -> str:
        if self.text != DEFAULT:
            return self.text
        zone = "Z" if self.utc else ""
        return "%Y-%m-%d" if self.kind == "date" else f"%Y-%m-%dT%H:%M:%S{zone}"

    def problem(self) -> str | None:
        """Why this cannot be a format, or None when it can."""
        try:
            used = [token for token in self.tokens if token[0] != "="]
        except ValueError as error:
            return str(error)
        if len(set(used)) < len(used):
            return "it has a directive twice"
        return self._lacks(used) or self._zone_problem(used)

    def _lacks(self, used: list[str]) -> str | None:
        needed = "Ymd" if self.kind == "date" else "YmdH"
        missing = [f"%{directive}" for directive in needed if directive not in used]
        if missing:
            return f"it lacks {', '.join(missing)}"
        extra = [f"%{directive}" for directive in used if self.kind == "date" and directive not in "Ymd"]
        return f"a date has no {', '.join(extra)}" if extra else None

    def _zone_problem(self, used: list[str]) -> str | None:
        if self.text == DEFAULT or self.kind == "date" or ("z" in used) == self.utc:
            return None
        return (
            "it has no %z, but the column is in UTC"
            if self.utc
            else 'it has %z, so say "timezone": "UTC" in the field\'s towline block'
        )

    def read(self, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Moments (timestamp[us], UTC where the text has a zone); null where the text is null or does not fit."""
        parts = pc.extract_regex(texts, rf"\A(?:{self.pattern})\z")
        names = {field.name for field in parts.type}
        at = _calendar(parts, names)
        if "f" in names:
            at = _shift(at, pc.utf8_rpad(pc.struct_field(parts, "f"), 6, "0").cast(pa.int64()))
        if "z" in names:
            at = _shift(at, pc.negate(_offset(pc.struct_field(parts, "z"))))
        return _within_years(at)

    def write(self, at: pa.ChunkedArray) -> pa.ChunkedArray:
        """The texts of dates or moments; null where they are null."""
        at = at.cast(MICROSECOND)
        pieces = [t[1:] if t[0] == "=" else _written(t, at) for t in self.tokens]
        if self.text == DEFAULT and self.kind == "datetime":
            pieces.insert(-1 if self.utc else len(pieces), _optional_fraction(at))
        # Led by an empty column, so that a format of literals alone still makes a column.
        blank = pc.if_else(pc.is_valid(at), "", None)
        return pc.binary_join_element_wise(blank, *pieces, "")


def _token(found: str) -> str:
    if found[0] != "%":
        return "=" + found
    if found == "%%":
        return "=%"
    if found[1:] not in _DIRECTIVES:
        raise ValueError(f"it has {found}; use %Y %m %d %H %M %S %f %z and literal characters")
    return found[1:]


def _iso(utc: bool) -> str:
    day = "-".join(_DIRECTIVES[d] for d in "Ymd")
    clock = ":".join(_DIRECTIVES[d] for d in "HMS")
    return rf"{day}[T ]{clock}(?:\.{_DIRECTIVES['f']})?" + (_DIRECTIVES["z"] if utc else "")


def _calendar(parts: pa.ChunkedArray, names: set[str]) -> pa.ChunkedArray:
    """The moments that the directives name to the second; null for days that are not in the calendar."""
    part = {name: pc.struct_field(parts, name) if name in names else "00" for name in "YmdHMS"}
    day = pc.binary_join_element_wise(part["Y"], part["m"], part["d"], "-")
    clock = pc.binary_join_element_wise(part["H"], part["M"], part["S"], ":")
    text = pc.binary_join_element_wise(day, clock, " ")
    at = pc.strptime(text, format="%Y-%m-%d %H:%M:%S", unit="us", error_is_null=True)
    real = pc.equal(_digits(pc.day(at), 2), part["d"])
    return pc.if_else(real, at, None)


def _offset(zones: pa.ChunkedArray) -> pa.ChunkedArray:
    """Microseconds east of Greenwich of "Z", "+07:00" and "-0330"."""
    spelled = pc.if_else(pc.match_substring(zones, ":"), zones, pc.replace_substring_regex(zones, r"(\d\d)$", r":\1"))
    spelled = pc.if_else(pc.is_in(zones, value_set=pa.array(["Z", ""])), "+00:00", spelled)
    hours = pc.utf8_slice_codeunits(spelled, 1, 3).cast(pa.int64())
    minutes = pc.utf8_slice_codeunits(spelled, 4, 6).cast(pa.int64())
    size = pc.multiply(pc.add(pc.multiply(hours, 60), minutes), 60_000_000)
    return pc.if_else(pc.starts_with(spelled, "-"), pc.negate(size), size)


def _shift(at: pa.ChunkedArray, by: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.add(at.cast(pa.int64()), by).cast(MICROSECOND)


def _within_years(at: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.invert(outside_years(at)), at, None)


def outside_years(at: pa.ChunkedArray) -> pa.ChunkedArray:
    """True where a date or timestamp[us] lies outside the years 1 to 9999, which Python cannot hold."""
    if pa.types.is_date32(at.type):
        first, last = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))
        number = at.cast(pa.int32())
    else:
        first, last, number = FIRST, LAST, at.cast(pa.int64())
    return pc.or_(pc.less(number, first), pc.greater(number, last))


def _written(directive: str, at: pa.ChunkedArray) -> pa.ChunkedArray | str:
    if directive == "z":
        return "Z"
    width = {"Y": 4, "f": 6}.get(directive, 2)
    return _digits(_component(directive, at), width)


def _component(directive: str, at: pa.ChunkedArray) -> pa.ChunkedArray:
    if directive == "f":
        return pc.add(pc.multiply(pc.millisecond(at), 1000), pc.microsecond(at))
    names = {"Y": "year", "m": "month", "d": "day", "H": "hour", "M": "minute", "S": "second"}
    return getattr(pc, names[directive])(at)


def _digits(numbers: pa.ChunkedArray, width: int) -> pa.ChunkedArray:
    return pc.utf8_lpad(numbers.cast(pa.string()), width, "0")


def _optional_fraction(at: pa.ChunkedArray) -> pa.ChunkedArray:
    fraction = _component("f", at)
    return pc.if_else(pc.equal(fraction, 0), "", pc.binary_join_element_wise(".", _digits(fraction, 6), ""))
