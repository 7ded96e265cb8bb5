"""A query's result as Athena keeps and shows it: `<id>.csv`, its `.metadata`, and the pages of GetQueryResults."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import mmap
from collections.abc import Iterable, Sequence
from typing import Any

Body = bytes | mmap.mmap  # an object of results, which may be larger than what a page needs

_TYPES = {
    "INTEGER": "integer",
    "HUGEINT": "bigint",
    "FLOAT": "float",
    "BLOB": "varbinary",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
}


def athena_type(duck: str) -> str:
    """The type that GetQueryResults gives a column: "bigint", "array"."""
    if duck.endswith("]"):
        return "array"
    outer = duck.partition("(")[0]
    return {"STRUCT": "row", "MAP": "map"}.get(outer) or _TYPES.get(outer, outer.lower())


def text(value: Any) -> str | None:
    """A value as Athena writes it; None for NULL."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, datetime.datetime):
        return _timestamp(value)
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{text(key)}={_inner(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inner(one) for one in value) + "]"
    return format(value, "f") if isinstance(value, decimal.Decimal) else str(value)


def _inner(value: Any) -> str:
    written = text(value)
    return "null" if written is None else written


def _timestamp(value: datetime.datetime) -> str:
    zone = f" {value.tzname()}" if value.tzinfo else ""
    return value.replace(tzinfo=None).isoformat(" ", "milliseconds") + zone


def _double(value: float) -> str:
    """As Java does: an exponent from ten million up and below a thousandth, and always a decimal point."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits = decimal.Decimal(repr(value)).normalize()
    sign, figures, exponent = digits.as_tuple()
    tail = "".join(map(str, figures[1:])) or "0"
    return f"{'-' * sign}{figures[0]}.{tail}E{int(exponent) + len(figures) - 1}"


def csv_line(values: Iterable[Any]) -> str:
    """Every value in double quotes, NULL as nothing at all."""
    return ",".join(map(_cell, values)) + "\n"


def _cell(value: Any) -> str:
    kind = type(value)
    if kind is int or (kind is float and 1e-3 <= abs(value) < 1e7):
        return f'"{value!r}"'  # as `text` would have it; most values are of this kind, and a result has millions
    written = value if kind is str else text(value)
    if written is None:
        return ""
    return '"' + written.replace('"', '""') + '"' if '"' in written else f'"{written}"'


Row = list[str | None]
_QUOTE, _NEWLINE = b'"', b"\n"


def csv_page(body: Body, at: int, limit: int) -> tuple[list[Row], int]:
    """Up to `limit` of the lines that csv_line wrote, from byte `at` on, NULL told from the empty string; and where the
    next one begins."""
    rows: list[Row] = []
    row: Row = []
    while at < len(body) and len(rows) < limit:
        value, end = _value(body, at)
        row.append(value)
        if body[end : end + 1] == _NEWLINE:
            rows.append(row)
            row = []
        at = end + 1
    return rows, at


def _value(body: Body, at: int) -> tuple[str | None, int]:
    """The value that begins at `at`, and where the comma or the end of the line behind it stands."""
    if body[at : at + 1] != _QUOTE:
        return None, at
    close = body.find(_QUOTE, at + 1)
    while body[close + 1 : close + 2] == _QUOTE:
        close = body.find(_QUOTE, close + 2)
    return body[at + 1 : close].decode().replace('""', '"'), close + 1


def text_page(body: Body, at: int, limit: int) -> tuple[list[Row], int]:
    """The same of a statement's plain lines, each a row of one value."""
    rows: list[Row] = []
    while at < len(body) and len(rows) < limit:
        end = body.find(_NEWLINE, at)
        rows.append([body[at:end].decode()])
        at = end + 1
    return rows, at


def metadata(columns: Sequence[tuple[str, str]]) -> bytes:
    """The `.metadata` object. Athena's is binary and meant for Athena alone; ours names the columns as JSON."""
    return json.dumps({"columns": [{"name": name, "type": kind} for name, kind in columns]}).encode()


_PRECISION = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "float": 17, "double": 17, "timestamp": 3}


def column_info(name: str, kind: str) -> dict[str, Any]:
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": _PRECISION.get(kind, 2147483647 if kind == "varchar" else 0),
        "Scale": 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    }
