"""Functions of dates and times. https://trino.io/docs/current/functions/datetime.html

A time with a zone is UTC's time here, which is also the zone of every session of Athena's.
"""

from __future__ import annotations

from sqlglot import exp

from towline.local.athena.errors import failing, quoted
from towline.local.athena.expressions import Binder
from towline.local.athena.functions import Call, Function, plain
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import Bound
from towline.local.athena.types import (
    BIGINT,
    DATE,
    DOUBLE,
    TIMES,
    TIMESTAMP,
    TIMESTAMP_ZONE,
    VARCHAR,
    Type,
)

_OF_DATE = ("day", "week", "month", "quarter", "year")
_OF_TIME = ("millisecond", "second", "minute", "hour")
_STEPS = {"day": "to_days", "week": "to_weeks", "month": "to_months", "year": "to_years", "quarter": "to_months"}
_STEPS |= {"hour": "to_hours", "minute": "to_minutes", "second": "to_seconds", "millisecond": "to_milliseconds"}

# A part of a time: DuckDB's expression, and whether a date has it.
_FIELDS = {name: (f"{name}({{0}})", True) for name in ("year", "quarter", "month", "week", "day")}
_FIELDS |= {name: (f"{name}({{0}})", False) for name in ("hour", "minute", "second")}
_FIELDS |= {"millisecond": ("(millisecond({0}) % 1000)", False)}
_FIELDS |= dict.fromkeys(("day_of_week", "dow"), ("isodow({0})", True))
_FIELDS |= dict.fromkeys(("day_of_year", "doy"), ("dayofyear({0})", True))
_FIELDS |= dict.fromkeys(("year_of_week", "yow"), ("isoyear({0})", True))
_FIELDS |= {"day_of_month": _FIELDS["day"], "week_of_year": _FIELDS["week"]}


def _moment(call: Call, number: int) -> Bound:
    if call.args[number].type.name not in ("date", *TIMES):
        raise call.unexpected()
    return call.args[number]


def field(binder: Binder, node: exp.Expr, name: str, value: Bound) -> Bound:
    """year(x), EXTRACT(year FROM x)."""
    call = Call(binder, node, name, [value])
    if name not in _FIELDS:
        raise call.invalid(f"Invalid EXTRACT field: {name}")
    template, dated = _FIELDS[name]
    if value.type.name not in (("date", *TIMES) if dated else TIMES):
        raise call.unexpected()
    return Bound(f"CAST({template.format(value.sql)} AS BIGINT)", BIGINT)


def _part(name: str) -> Function:
    def function(call: Call) -> Bound:
        call.count(1)
        return field(call.binder, call.node, name, call.args[0])

    return function


def _unit(call: Call, kind: Type) -> str:
    unit = call.constant(0).lower()
    allowed = _OF_DATE if kind.name == "date" else (*_OF_DATE, *_OF_TIME)
    if unit not in allowed:
        what = "DATE" if kind.name == "date" else "TIMESTAMP"
        raise call.invalid(f"'{unit}' is not a valid {what} field")
    return unit


def _date_trunc(call: Call) -> Bound:
    call.count(2)
    value = _moment(call, 1)
    unit = _unit(call, value.type)
    return Bound(f"CAST(date_trunc('{unit}', {value.sql}) AS {value.type.duck})", value.type)


def _date_add(call: Call) -> Bound:
    """A month later is the last day of the month at most, as in DuckDB."""
    call.count(3)
    value, count = _moment(call, 2), call.take(1, BIGINT).sql
    unit = _unit(call, value.type)
    factor = " * 3" if unit == "quarter" else ""
    step = f"{_STEPS[unit]}(CAST({count}{factor} AS INTEGER))"
    return Bound(f"CAST(({value.sql} + {step}) AS {value.type.duck})", value.type)


def _date_diff(call: Call) -> Bound:
    """Whole units that have gone by; DuckDB's date_diff counts boundaries, its date_sub what Trino counts."""
    call.count(3)
    first, last = _moment(call, 1), _moment(call, 2)
    kind = first.type if first.type.name != "date" else last.type
    unit = _unit(call, kind)
    values = ", ".join(f"CAST({each.sql} AS {kind.duck})" for each in (first, last))
    return Bound(f"date_sub('{unit}', {values})", BIGINT)


# MySQL's specifiers that Trino knows: DuckDB's, and the text that Trino reads for them (None: it only writes them).
_SPECIFIERS: dict[str, tuple[str, str | None]] = {
    "a": ("%a", None),
    "b": ("%b", "[A-Za-z]{3}"),
    "c": ("%-m", "[0-9]{1,2}"),
    "d": ("%d", "[0-9]{1,2}"),
    "e": ("%-d", "[0-9]{1,2}"),
    "f": ("%f", "[0-9]{1,6}"),
    "H": ("%H", "[0-9]{1,2}"),
    "h": ("%I", "[0-9]{1,2}"),
    "I": ("%I", "[0-9]{1,2}"),
    "i": ("%M", "[0-9]{1,2}"),
    "j": ("%j", None),
    "k": ("%-H", "[0-9]{1,2}"),
    "l": ("%-I", "[0-9]{1,2}"),
    "M": ("%B", "[A-Za-z]{3,9}"),
    "m": ("%m", "[0-9]{1,2}"),
    "p": ("%p", "[AaPp][Mm]"),
    "r": ("%I:%M:%S %p", "[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2} [AaPp][Mm]"),
    "S": ("%S", "[0-9]{1,2}"),
    "s": ("%S", "[0-9]{1,2}"),
    "T": ("%H:%M:%S", "[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}"),
    "W": ("%A", None),
    "Y": ("%Y", "[0-9]{4}"),
    "y": ("%y", None),
    "%": ("%%", "%"),
}


def _format(call: Call) -> tuple[str, str | None]:
    """The format of `date_format` and `date_parse` in DuckDB's specifiers, and the texts that it reads (RE2)."""
    written, read, text = "", "", call.constant(1)
    parts = iter(text)
    for character in parts:
        if character != "%":
            written, read = written + character, read + _escaped(character)
            continue
        after = next(parts, "")
        if after not in _SPECIFIERS:
            refuse(call.node, "format of a date", f"%{after}")
        specifier, pattern = _SPECIFIERS[after]
        written += specifier
        read = read + pattern if pattern else read + "\0"
    return written, None if "\0" in read else read


def _is_whole(format_: str) -> bool:
    """Whether a time is read alike: with its year, and with the half of the day just where hours go to twelve."""
    halves, hours = "%p" in format_, "%I" in format_ or "%-I" in format_
    return "%Y" in format_ and halves == hours and not (hours and ("%H" in format_ or "%-H" in format_))


def _escaped(character: str) -> str:
    return character if character.isalnum() or character in " /:,-_" else f"\\{character}"


def _date_format(call: Call) -> Bound:
    call.count(2)
    return Bound(f"strftime({_moment(call, 0).sql}, {quoted(_format(call)[0])})", VARCHAR)


def _date_parse(call: Call) -> Bound:
    call.count(2)
    text, (format_, pattern) = call.take(0, VARCHAR).sql, _format(call)
    if pattern is None or not _is_whole(format_):
        refuse(call.node, "format of a date", call.constant(1))
    format_ = format_.replace("%-", "%")
    message = f"concat('Invalid format: \"', {text}, '\"')"
    failure = failing("INVALID_FUNCTION_ARGUMENT", message)
    parsed = f"strptime({text}, {quoted(format_)})"
    if "%f" in format_:
        parsed = f"date_trunc('millisecond', {parsed})"
    return Bound(
        f"CASE WHEN NOT regexp_full_match({text}, {quoted(pattern)}) THEN {failure} ELSE {parsed} END", TIMESTAMP
    )


_ISO_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ISO_TIME = _ISO_DATE + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?"


def _from_iso_date(call: Call) -> Bound:
    call.count(1)
    text = call.take(0, VARCHAR).sql
    failure = failing("INVALID_FUNCTION_ARGUMENT", f"concat('Invalid format: \"', {text}, '\"')")
    wrong = f"NOT regexp_full_match({text}, {quoted(_ISO_DATE)})"
    return Bound(f"CASE WHEN {wrong} THEN {failure} ELSE CAST({text} AS DATE) END", DATE)


def _from_iso_timestamp(call: Call) -> Bound:
    """Times of UTC only: another offset would be kept by Athena and shown."""
    call.count(1)
    text = call.take(0, VARCHAR).sql
    in_utc = f"regexp_full_match({text}, {quoted(f'({_ISO_DATE}|{_ISO_TIME}(Z|[+]00:?00)?)')})"
    value = f"CAST(regexp_extract({text}, {quoted(f'^({_ISO_TIME}|{_ISO_DATE})')}) AS TIMESTAMP)"
    refused = call.refusing("time with an offset")
    return Bound(f"CASE WHEN NOT {in_utc} THEN {refused} ELSE {value} END", TIMESTAMP_ZONE)


def _from_unixtime(call: Call) -> Bound:
    call.count(1)
    seconds = call.take(0, DOUBLE).sql
    return Bound(f"make_timestamp(CAST(floor({seconds} * 1000 + 0.5) AS BIGINT) * 1000)", TIMESTAMP_ZONE)


def _to_unixtime(call: Call) -> Bound:
    call.count(1)
    if call.args[0].type.name not in TIMES:
        raise call.unexpected()
    return Bound(f"(CAST(epoch_us({call.args[0].sql}) AS DOUBLE) / 1000000)", DOUBLE)


def _date(call: Call) -> Bound:
    """date(x) is CAST(x AS date)."""
    from towline.local.athena.casts import cast

    call.count(1)
    return cast(call.node, call.args[0], DATE, safe=False, trying=call.binder.trying)


_NOW = "(now() AT TIME ZONE 'UTC')"
_NOW_MILLISECONDS = f"date_trunc('millisecond', {_NOW})"

FUNCTIONS: dict[str, Function] = {
    **{name: _part(name) for name in _FIELDS},
    **dict.fromkeys(("current_timestamp", "now"), plain(_NOW_MILLISECONDS, TIMESTAMP_ZONE)),
    "localtimestamp": plain(_NOW_MILLISECONDS, TIMESTAMP),
    "current_date": plain(f"CAST({_NOW} AS DATE)", DATE),
    "date": _date,
    "date_trunc": _date_trunc,
    "date_add": _date_add,
    "date_diff": _date_diff,
    "date_format": _date_format,
    "date_parse": _date_parse,
    "last_day_of_month": plain("last_day({0})", DATE, (DATE, TIMESTAMP)),
    "from_iso8601_date": _from_iso_date,
    "from_iso8601_timestamp": _from_iso_timestamp,
    "from_unixtime": _from_unixtime,
    "to_unixtime": _to_unixtime,
}
