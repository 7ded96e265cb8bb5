"""Trino's types: how they are written, which of them meet in which, and what DuckDB calls them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Type:
    """A type. `size`: a decimal's precision, a timestamp's digits of the second, a varchar's greatest length."""

    name: str
    size: int | None = None
    scale: int = 0
    inner: tuple[Type, ...] = ()
    labels: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.name == "decimal":
            return f"decimal({self.size},{self.scale})"
        if self.name == "row":
            fields = zip(self.labels, self.inner, strict=True)
            return "row(" + ", ".join(f"{label} {kind}" if label else str(kind) for label, kind in fields) + ")"
        if self.inner:
            return f"{self.name}({', '.join(map(str, self.inner))})"
        if self.name == "timestamp with time zone":
            return f"timestamp({self.size}) with time zone"
        return self.name if self.size is None else f"{self.name}({self.size})"

    @property
    def duck(self) -> str:
        """DuckDB's name of it. Times with a zone are UTC's times inside a query, and get their zone in its result."""
        if self.name == "decimal":
            return f"DECIMAL({self.size},{self.scale})"
        if self.name == "array":
            return f"{self.inner[0].duck}[]"
        if self.name == "map":
            return f"MAP({self.inner[0].duck}, {self.inner[1].duck})"
        if self.name == "row":
            fields = zip(self.labels, self.inner, strict=True)
            return "STRUCT(" + ", ".join(f'"{label}" {kind.duck}' for label, kind in fields) + ")"
        return _DUCK[self.name]


UNKNOWN, BOOLEAN = Type("unknown"), Type("boolean")
TINYINT, SMALLINT, INTEGER, BIGINT = Type("tinyint"), Type("smallint"), Type("integer"), Type("bigint")
REAL, DOUBLE = Type("real"), Type("double")
VARCHAR, VARBINARY, DATE = Type("varchar"), Type("varbinary"), Type("date")
TIMESTAMP, TIMESTAMP_ZONE = Type("timestamp", 3), Type("timestamp with time zone", 3)
DAYS, MONTHS = Type("interval day to second"), Type("interval year to month")

_DUCK = {name: name.upper() for name in ("boolean", "tinyint", "smallint", "integer", "bigint", "double", "varchar")}
_DUCK |= {"real": "FLOAT", "varbinary": "BLOB", "date": "DATE", "timestamp": "TIMESTAMP", "unknown": "INTEGER"}
_DUCK |= {"timestamp with time zone": "TIMESTAMP", DAYS.name: "INTERVAL", MONTHS.name: "INTERVAL"}

INTEGERS = ("tinyint", "smallint", "integer", "bigint")
FLOATS = ("real", "double")
NUMBERS = (*INTEGERS, "decimal", *FLOATS)
TIMES = ("timestamp", "timestamp with time zone")
_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
MAX_DIGITS = 38


def decimal(size: int, scale: int) -> Type:
    return Type("decimal", size, scale)


def array(element: Type) -> Type:
    return Type("array", inner=(element,))


def as_decimal(kind: Type) -> Type:
    """The decimal that an integer becomes beside a decimal."""
    return kind if kind.name == "decimal" else decimal(_DIGITS[kind.name], 0)


def common(left: Type, right: Type) -> Type | None:
    """The type in which two meet without a CAST; None where Trino has none."""
    if left == right or right == UNKNOWN:
        return left
    if left == UNKNOWN:
        return right
    if left.name in NUMBERS and right.name in NUMBERS:
        return _common_number(left, right)
    if left.name == right.name:
        return _common_sized(left, right)
    times = {left.name: left, right.name: right}
    if set(times) <= {"date", *TIMES}:
        name = TIMES[1] if TIMES[1] in times else TIMES[0]
        return Type(name, max(kind.size or 0 for kind in times.values()))
    return None


def _common_number(left: Type, right: Type) -> Type:
    names = {left.name, right.name}
    if "double" in names:
        return DOUBLE
    if "real" in names:
        return REAL
    if "decimal" in names:
        one, other = as_decimal(left), as_decimal(right)
        scale = max(one.scale, other.scale)
        whole = max((one.size or 0) - one.scale, (other.size or 0) - other.scale)
        return decimal(min(MAX_DIGITS, whole + scale), scale)
    return left if INTEGERS.index(left.name) >= INTEGERS.index(right.name) else right


def _common_sized(left: Type, right: Type) -> Type | None:
    if left.name == "varchar":
        return VARCHAR if None in (left.size, right.size) else Type("varchar", max(left.size or 0, right.size or 0))
    if left.name in TIMES:
        return Type(left.name, max(left.size or 0, right.size or 0))
    if left.name in ("array", "map"):
        inner = tuple(common(one, other) for one, other in zip(left.inner, right.inner, strict=True))
        known = tuple(kind for kind in inner if kind is not None)
        return Type(left.name, inner=known) if len(known) == len(inner) else None
    return None


def fits(kind: Type, wanted: Type) -> bool:
    """Whether a value of `kind` is taken where `wanted` is asked for."""
    met = common(kind, wanted)
    return met is not None and met.name == wanted.name


_FROM_DUCK = {"FLOAT": REAL, "BLOB": VARBINARY, "TIMESTAMP": TIMESTAMP, "TIMESTAMP WITH TIME ZONE": TIMESTAMP_ZONE}
_FROM_DUCK |= {kind.duck: kind for kind in (BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, DOUBLE, VARCHAR, DATE)}
_FROM_DUCK |= {"STRING": VARCHAR, "INT": INTEGER, "REAL": REAL, "BINARY": VARBINARY}


def parse(text: str) -> Type:
    """The type of a table's column, from its name in DuckDB ("BIGINT", "VARCHAR[]") or a plain one in Hive.

    Raises ValueError.
    """
    name = text.strip()
    if name.endswith("[]"):
        return array(parse(name[:-2]))
    if name.upper() in _FROM_DUCK:
        return _FROM_DUCK[name.upper()]
    if found := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", name.upper()):
        return decimal(int(found[1]), int(found[2]))
    if name.upper().startswith("MAP("):
        key, value = _split(name[4:-1])
        return Type("map", inner=(parse(key), parse(value)))
    if name.upper().startswith("STRUCT("):
        pairs = [part.strip().partition(" ") for part in _split(name[7:-1])]
        labels = tuple(label.strip('"') for label, _, _ in pairs)
        return Type("row", inner=tuple(parse(kind) for _, _, kind in pairs), labels=labels)
    raise ValueError(f"no type of Athena's for {text}")


def _split(inner: str) -> list[str]:
    """The parts of a type's inside, at its outermost commas."""
    parts, depth = [""], 0
    for character in inner:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
