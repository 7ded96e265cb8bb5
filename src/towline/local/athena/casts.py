"""CAST and TRY_CAST: what Trino takes as text of a number or a date, and how it rounds."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from towline.local.athena.errors import AthenaError, failing, quoted
from towline.local.athena.parsing import place
from towline.local.athena.refusals import reason, refuse
from towline.local.athena.scope import Bound
from towline.local.athena.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    FLOATS,
    INTEGER,
    INTEGERS,
    REAL,
    SMALLINT,
    TIMES,
    TIMESTAMP,
    TIMESTAMP_ZONE,
    TINYINT,
    UNKNOWN,
    VARBINARY,
    Type,
    array,
    decimal,
)

# SQL of a value, the type it has, the type it gets: the SQL of the value in that type.
Maker = Callable[[str, Type, Type], str]

_D = exp.DType
_PLAIN = {_D.BOOLEAN: BOOLEAN, _D.TINYINT: TINYINT, _D.SMALLINT: SMALLINT, _D.INT: INTEGER, _D.BIGINT: BIGINT}
_PLAIN |= {_D.FLOAT: REAL, _D.DOUBLE: DOUBLE, _D.DATE: DATE, _D.VARBINARY: VARBINARY}
_TEMPORAL = {_D.TIMESTAMP: TIMESTAMP.name, _D.TIMESTAMPTZ: TIMESTAMP_ZONE.name}

# What Trino reads as text of each type (RE2, of the whole text); what else it is given is no such value.
_INTEGER_TEXT = "[+-]?[0-9]+"
_DOUBLE_TEXT = r"\s*[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|Infinity|NaN)\s*"
_DECIMAL_TEXT = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_DATE_TEXT = r"\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\s*"
_TIMESTAMP_TEXT = _DATE_TEXT[:-3] + r"( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]{1,6})?)?)?\s*"


def type_of(node: exp.DataType) -> Type:
    """The type that a CAST names. Raises AthenaError."""
    sizes = [int(each.name) for each in node.expressions if isinstance(each, exp.DataTypeParam)]
    kind = node.this
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == _D.VARCHAR:
        return Type("varchar", sizes[0] if sizes else None)
    if kind == _D.DECIMAL:
        return _decimal(node, [*sizes, 38, 0] if not sizes else [*sizes, 0])
    if kind in _TEMPORAL:
        if sizes and sizes[0] > 6:
            refuse(node, "precision of a timestamp")
        return Type(_TEMPORAL[kind], sizes[0] if sizes else 3)
    if kind == _D.ARRAY and len(node.expressions) == 1:
        return array(type_of(node.expressions[0]))
    if kind in (_D.CHAR, _D.JSON, _D.TIME, _D.TIMETZ):
        refuse(node, {_D.CHAR: "char(n)", _D.JSON: "CAST to JSON"}.get(kind, "time of day"))
    if kind in (_D.MAP, _D.STRUCT):
        refuse(node, "CAST of nested types")
    raise AthenaError("TYPE_NOT_FOUND", f"{place(node)}: Unknown type: {node.sql('trino').lower()}")


def _decimal(node: exp.DataType, sizes: list[int]) -> Type:
    if not 1 <= sizes[0] <= 38 or sizes[1] > sizes[0]:
        message = f"{place(node)}: Invalid decimal type: decimal({sizes[0]},{sizes[1]})"
        raise AthenaError("INVALID_FUNCTION_ARGUMENT", message)
    return decimal(sizes[0], sizes[1])


def coerce(bound: Bound, kind: Type) -> Bound:
    """`bound` as the `kind` that it becomes by itself, beside a value of that kind."""
    if bound.type.duck == kind.duck and bound.type != UNKNOWN:
        return Bound(bound.sql, kind, bound.literal, bound.number)
    number = bound.type.name not in FLOATS
    return Bound(f"CAST({bound.sql} AS {kind.duck})", kind, None, number)


def cast(node: exp.Expr, bound: Bound, kind: Type, *, safe: bool, trying: bool) -> Bound:
    """CAST(bound AS kind); `safe`: TRY_CAST. Within TRY, as within TRY_CAST, a failure of ours would be lost:
    what may fail so is refused there. Raises AthenaError."""
    source = bound.type
    if source == UNKNOWN:
        return Bound(f"CAST(NULL AS {kind.duck})", kind)
    if source.inner or kind.inner:
        if source.duck == kind.duck:
            return Bound(bound.sql, kind)
        refuse(node, "CAST of nested types")
    make = _MAKERS.get((_family(source), _family(kind)))
    if make is None:
        raise AthenaError("TYPE_MISMATCH", f"{place(node)}: Cannot cast {source} to {kind}")
    if make is _double_text and (safe or trying):
        refuse(node, "text of a double")
    sql = make(bound.sql, source, kind)
    return Bound(f"TRY({sql})" if safe else sql, kind, None, source.name not in FLOATS and source.name != "varchar")


def _family(kind: Type) -> str:
    if kind.name in INTEGERS:
        return "integer"
    if kind.name in FLOATS:
        return "float"
    return "time" if kind.name in TIMES else kind.name


def _plain(sql: str, source: Type, kind: Type) -> str:
    return sql if source.duck == kind.duck else f"CAST({sql} AS {kind.duck})"


def _rounded(sql: str, source: Type, kind: Type) -> str:
    """Half away from zero; DuckDB's own CAST of doubles goes to the even neighbour."""
    return f"CAST(round({sql}) AS {kind.duck})"


def _by_text(sql: str, source: Type, kind: Type) -> str:
    """Through the digits that are shown: Trino rounds 1.005 as it is written, not as it is stored."""
    return f"CAST(CAST({sql} AS VARCHAR) AS {kind.duck})"


def _text(sql: str, source: Type, kind: Type) -> str:
    return _shorter(f"CAST({sql} AS VARCHAR)", source, kind)


def _shorter(sql: str, source: Type, kind: Type) -> str:
    """Text into varchar(n): cut where it was text before, an error where it was something else."""
    if kind.size is None:
        return sql
    if source.name == "varchar":
        return f"left({sql}, {kind.size})"
    message = f"concat('Value ', {sql}, {quoted(f' cannot be represented as {kind}')})"
    failure = failing("INVALID_CAST_ARGUMENT", message)
    return f"CASE WHEN length({sql}) > {kind.size} THEN {failure} ELSE {sql} END"


def _same_text(sql: str, source: Type, kind: Type) -> str:
    shorter = kind.size is not None and (source.size is None or source.size > kind.size)
    return _shorter(sql, source, kind) if shorter else sql


def _double_text(sql: str, source: Type, kind: Type) -> str:
    """Java's text where it is DuckDB's too, between a thousandth and ten million."""
    failure = failing("NOT_SUPPORTED", quoted(reason("text of a double")))
    text = (
        f"CASE WHEN isnan({sql}) THEN 'NaN' WHEN isinf({sql}) THEN CASE WHEN {sql} > 0 THEN 'Infinity' "
        f"ELSE '-Infinity' END WHEN {sql} <> 0 AND (abs({sql}) < 0.001 OR abs({sql}) >= 10000000) THEN {failure} "
        f"ELSE CAST({sql} AS VARCHAR) END"
    )
    return _shorter(text, source, kind)


def _time_text(sql: str, source: Type, kind: Type) -> str:
    """With as many digits of the second as the type has; a time with a zone shows it."""
    digits = source.size or 0
    text = f"strftime({sql}, '%Y-%m-%d %H:%M:%S.%f')"
    text = f"left({text}, {19 if digits == 0 else 20 + digits})"
    return _shorter(f"({text} || ' UTC')" if source.name == TIMES[1] else text, source, kind)


def _time(sql: str, source: Type, kind: Type) -> str:
    """To fewer digits of the second: rounded, as Trino does."""
    digits = 6 if kind.size is None else kind.size
    if source.name in TIMES and (source.size or 0) <= digits:
        return sql
    if source.name == "date" or digits == 6:
        return _plain(sql, source, kind)
    return to_precision(sql, digits)


def to_precision(sql: str, digits: int) -> str:
    """A time with so many digits of the second, up to five, rounded."""
    step = 10 ** (6 - digits)
    return f"make_timestamp(CAST(round(epoch_us({sql}) / {step}.0) AS BIGINT) * {step})"


def _read(pattern: str, names: dict[str, str], message: str) -> Maker:
    """Text to a value, where all of it fits `pattern`."""

    def read(sql: str, source: Type, kind: Type) -> str:
        said = message.format(names.get(kind.name, kind.name.upper()))
        text = f"concat({quoted(said.split('%')[0])}, {sql}, {quoted(said.split('%')[1])})"
        failure = failing("INVALID_CAST_ARGUMENT", text)
        value = f"CAST(trim({sql}) AS {kind.duck})"
        if kind.name in TIMES and kind.size is not None:
            value = _time(value, Type(kind.name, 6), kind)
        return f"CASE WHEN NOT regexp_full_match({sql}, {quoted(pattern)}) THEN {failure} ELSE {value} END"

    return read


def _boolean(sql: str, source: Type, kind: Type) -> str:
    text = f"concat('Cannot cast ''', {sql}, ''' to BOOLEAN')"
    return (
        f"CASE WHEN lower({sql}) IN ('t', 'true', '1') THEN TRUE WHEN lower({sql}) IN ('f', 'false', '0') THEN FALSE "
        f"WHEN {sql} IS NOT NULL THEN {failing('INVALID_CAST_ARGUMENT', text)} END"
    )


_CANNOT = "Cannot cast '%' to {}"
_NAMES = {"integer": "INT", "real": "REAL", "decimal": "DECIMAL"}
_MAKERS: dict[tuple[str, str], Maker] = {
    **{(name, name): _plain for name in ("boolean", "integer", "date", "varbinary")},
    ("varchar", "varchar"): _same_text,
    ("time", "time"): _time,
    ("time", "date"): _plain,
    ("date", "time"): _plain,
    **{("integer", name): _plain for name in ("float", "decimal", "boolean")},
    **{("boolean", name): _plain for name in ("integer", "float", "decimal")},
    ("float", "float"): _plain,
    ("float", "integer"): _rounded,
    ("float", "decimal"): _by_text,
    ("float", "boolean"): _plain,
    ("decimal", "boolean"): _plain,
    ("decimal", "float"): _plain,
    ("decimal", "decimal"): _plain,
    ("decimal", "integer"): _rounded,
    **{(name, "varchar"): _text for name in ("boolean", "integer", "decimal", "date")},
    ("float", "varchar"): _double_text,
    ("time", "varchar"): _time_text,
    ("varchar", "integer"): _read(_INTEGER_TEXT, _NAMES, _CANNOT),
    ("varchar", "float"): _read(_DOUBLE_TEXT, _NAMES, _CANNOT),
    ("varchar", "boolean"): _boolean,
    ("varchar", "decimal"): _read(_DECIMAL_TEXT, _NAMES, "Cannot cast VARCHAR '%' to {}"),
    ("varchar", "date"): _read(_DATE_TEXT, {}, "Value cannot be cast to date: %"),
    ("varchar", "time"): _read(_TIMESTAMP_TEXT, {}, "Value cannot be cast to timestamp: %"),
}
