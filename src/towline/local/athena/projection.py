"""The values that a projected partition key takes, from the table's properties `projection.<key>.…`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from towline.local.athena.errors import AthenaError


@dataclass(frozen=True)
class Enum:
    values: frozenset[str]

    def has(self, value: str) -> bool:
        return value in self.values


@dataclass(frozen=True)
class Injected:
    """Any value; the query must say which (see `statement.check_injected`)."""

    def has(self, value: str) -> bool:
        return True


@dataclass(frozen=True)
class Integer:
    first: int
    last: int
    interval: int
    digits: int

    def has(self, value: str) -> bool:
        if not re.fullmatch(r"-?\d+", value):
            return False
        number = int(value)
        in_range = self.first <= number <= self.last and (number - self.first) % self.interval == 0
        return in_range and value == f"{number:0{self.digits}d}"


@dataclass(frozen=True)
class Dates:
    """Instants of one form; the first and the last may be relative to now."""

    form: str
    first: datetime
    last: datetime

    def has(self, value: str) -> bool:
        try:
            found = datetime.strptime(value, self.form).replace(tzinfo=UTC)
        except ValueError:
            return False
        return self.first <= found <= self.last


Projected = Enum | Injected | Integer | Dates


def projected(name: str, properties: Mapping[str, str]) -> Projected:
    """The values of the key `name`. Raises AthenaError where the properties do not say them."""
    given = _Given(name, properties)
    kind = given("type").lower()
    if kind == "enum":
        return Enum(frozenset(value.strip() for value in given("values").split(",")))
    if kind == "integer":
        first, last = given.range()
        return Integer(int(first), int(last), int(given("interval", "1")), int(given("digits", "1")))
    if kind == "date":
        form = _form(given("format"))
        begin, end = (_instant(text, form, given) for text in given.range())
        return Dates(form, begin, end)
    if kind == "injected":
        return Injected()
    raise given.wrong(f"type '{kind}' is none of enum, integer, date, injected")


@dataclass(frozen=True)
class _Given:
    """The properties of one key."""

    name: str
    properties: Mapping[str, str]

    def __call__(self, property: str, default: str | None = None) -> str:
        value = self.properties.get(f"projection.{self.name}.{property}", default)
        if value is None:
            raise self.wrong(f"projection.{self.name}.{property} is missing")
        return value

    def range(self) -> tuple[str, str]:
        first, comma, last = self("range").partition(",")
        if not comma:
            raise self.wrong(f"range '{first}' is not of the form first,last")
        return first.strip(), last.strip()

    def wrong(self, why: str) -> AthenaError:
        return AthenaError("INVALID_TABLE_PROPERTY", f"Partition projection of column {self.name}: {why}")


_JAVA_TO_PYTHON = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


def _form(java: str) -> str:
    """strptime's form of a Java DateTimeFormatter's: "yyyy-MM-dd'T'HH" is "%Y-%m-%dT%H"."""

    def piece(found: re.Match[str]) -> str:
        text = found[0]
        return text.strip("'") if text.startswith("'") else _JAVA_TO_PYTHON.get(text, text)

    return re.sub(r"'[^']*'|([A-Za-z])\1*", piece, java)


_UNITS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 7 * 86400, "MONTH": None, "YEAR": None}


def _instant(text: str, form: str, given: _Given) -> datetime:
    """A date of the form, or NOW with something added or taken away: "NOW-3YEARS"."""
    relative = re.fullmatch(r"NOW(?:\s*([+-])\s*(\d+)\s*([A-Z]+?)S?)?", text.strip())
    if relative is None:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            raise given.wrong(f"range: '{text}' is not of the format {given('format')}") from None
    now = datetime.now(UTC)
    if relative[1] is None:
        return now
    if relative[3] not in _UNITS:
        raise given.wrong(f"range: '{text}' has an unknown unit")
    return _moved(now, int(relative[1] + relative[2]), relative[3])


def _moved(now: datetime, count: int, unit: str) -> datetime:
    seconds = _UNITS[unit]
    if seconds is not None:
        return now + timedelta(seconds=count * seconds)
    months = now.year * 12 + now.month - 1 + count * (12 if unit == "YEAR" else 1)
    return now.replace(year=months // 12, month=months % 12 + 1, day=min(now.day, 28))
