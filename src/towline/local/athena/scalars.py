"""Functions of numbers, and conditions. https://trino.io/docs/current/functions/math.html, conditional.html"""

from __future__ import annotations

from towline.local.athena.conditions import choice
from towline.local.athena.errors import quoted
from towline.local.athena.functions import Call, Function, plain
from towline.local.athena.operators import arithmetic, compare
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import NULL, Bound
from towline.local.athena.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    FLOATS,
    INTEGERS,
    MAX_DIGITS,
    NUMBERS,
    REAL,
    UNKNOWN,
    VARCHAR,
    decimal,
)


def _number(call: Call, number: int = 0) -> Bound:
    if call.args[number].type.name not in NUMBERS:
        raise call.unexpected()
    return call.args[number]


def _same(template: str) -> Function:
    """A function whose result has the type of its argument."""

    def function(call: Call) -> Bound:
        call.count(1)
        value = _number(call)
        return Bound(f"CAST({template.format(value.sql)} AS {value.type.duck})", value.type, None, value.number)

    return function


def _whole(name: str) -> Function:
    """ceiling and floor: whole numbers stay, decimals lose their fraction."""

    def function(call: Call) -> Bound:
        call.count(1)
        value = _number(call)
        if value.type.name in INTEGERS:
            return value
        kind = value.type
        if kind.name == "decimal":
            size = (kind.size or 0) - kind.scale
            kind = decimal(min(MAX_DIGITS, max(size + min(kind.scale, 1), 1)), 0)
        return Bound(f"CAST({name}({value.sql}) AS {kind.duck})", kind)

    return function


def _round(call: Call) -> Bound:
    """Half away from zero, as DuckDB does."""
    call.count(1, 2)
    value, digits = _number(call), call.whole(1) if len(call.args) == 2 else 0
    if digits < 0:
        refuse(call.node, "other clause", "rounding before the point")
    kind = value.type
    if kind.name in INTEGERS:
        return value
    if kind.name == "decimal":
        size = kind.size or 0
        one = len(call.args) == 1
        kind = (
            decimal(min(38, size - kind.scale + min(kind.scale, 1)), 0)
            if one
            else decimal(min(38, size + 1), kind.scale)
        )
        digits = min(digits, value.type.scale)
    return Bound(f"CAST(round({value.sql}, {digits}) AS {kind.duck})", kind)


def _truncate(call: Call) -> Bound:
    call.count(1)
    value = call.take(0, DOUBLE)
    return Bound(f"trunc({value.sql})", DOUBLE)


def _mod(call: Call) -> Bound:
    call.count(2)
    return arithmetic(call.node, "%", call.args[0], call.args[1])


def _log(call: Call) -> Bound:
    """log(base, number), as the quotient of the natural logarithms."""
    call.count(2)
    base, number = call.take(0, DOUBLE).sql, call.take(1, DOUBLE).sql
    return Bound(f"({_ln('ln', number)} / {_ln('ln', base)})", DOUBLE)


def _ln(name: str, sql: str) -> str:
    """DuckDB fails where there is no logarithm; Java answers NaN, and -Infinity for zero."""
    none, least = "CAST('NaN' AS DOUBLE)", "CAST('-Infinity' AS DOUBLE)"
    return f"(CASE WHEN {sql} < 0 THEN {none} WHEN {sql} = 0 THEN {least} ELSE {name}({sql}) END)"


def _logarithm(name: str) -> Function:
    return plain(_ln(name, "{0}"), DOUBLE, DOUBLE)


def _extreme(name: str) -> Function:
    """greatest and least: NULL where one is NULL (DuckDB leaves NULL out), and NaN only where there is nothing else."""

    def function(call: Call) -> Bound:
        if not call.args:
            raise call.unexpected()
        values, kind = call.binder.alike(call.node, call.args, "All arguments")
        if kind.inner:
            raise call.unexpected()
        absent = " OR ".join(f"{value.sql} IS NULL" for value in values)
        best = f"{name}({', '.join(value.sql for value in values)})"
        if kind.name in FLOATS and not all(value.number for value in values):
            numbers = ", ".join(f"CASE WHEN isnan({value.sql}) THEN NULL ELSE {value.sql} END" for value in values)
            best = f"COALESCE({name}({numbers}), CAST('NaN' AS {kind.duck}))"
        return Bound(f"CASE WHEN {absent} THEN NULL ELSE {best} END", kind)

    return function


def _coalesce(call: Call) -> Bound:
    if len(call.args) < 2:
        raise call.unexpected()
    values, kind = call.binder.alike(call.node, call.args, "All COALESCE operands")
    return Bound(f"COALESCE({', '.join(value.sql for value in values)})", kind)


def _nullif(call: Call) -> Bound:
    call.count(2)
    equal = compare(call.node, "=", call.args[0], call.args[1])
    return choice(call.binder, call.node, [equal], [NULL], call.args[0])


def _if(call: Call) -> Bound:
    call.count(2, 3)
    if call.args[0].type not in (BOOLEAN, UNKNOWN):
        raise call.unexpected()
    return choice(call.binder, call.node, [call.args[0]], [call.args[1]], [*call.args, NULL][2])


def _typeof(call: Call) -> Bound:
    call.count(1)
    return Bound(quoted(str(call.args[0].type)), VARCHAR)


_FLOAT = ((DOUBLE, REAL),)
_OF_DOUBLE = ("exp", "sin", "cos", "tan", "atan", "cosh", "tanh", "radians", "degrees")
_SQRT = "(CASE WHEN {0} < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt({0}) END)"
_ARC = "(CASE WHEN abs({0}) > 1 THEN CAST('NaN' AS DOUBLE) ELSE arc({0}) END)"

FUNCTIONS: dict[str, Function] = {
    **{name: plain(f"{name}({{0}})", DOUBLE, DOUBLE) for name in _OF_DOUBLE},
    **dict.fromkeys(("power", "pow"), plain("pow({0}, {1})", DOUBLE, DOUBLE, DOUBLE)),
    **dict.fromkeys(("ceil", "ceiling"), _whole("ceil")),
    **{name: _logarithm(name) for name in ("ln", "log10")},
    **{name: _extreme(name) for name in ("greatest", "least")},
    **dict.fromkeys(("rand", "random"), plain("random()", DOUBLE)),
    "abs": _same("abs({0})"),
    "sign": _same("CASE WHEN isnan(CAST({0} AS DOUBLE)) OR {0} = 0 THEN {0} ELSE sign({0}) END"),
    "floor": _whole("floor"),
    "round": _round,
    "truncate": _truncate,
    "mod": _mod,
    "log": _log,
    "log2": plain(f"({_ln('ln', '{0}')} / ln(CAST(2 AS DOUBLE)))", DOUBLE, DOUBLE),
    **{name: plain(_ARC.replace("arc", name), DOUBLE, DOUBLE) for name in ("asin", "acos")},
    "sqrt": plain(_SQRT, DOUBLE, DOUBLE),
    "atan2": plain("atan2({0}, {1})", DOUBLE, DOUBLE, DOUBLE),
    "pi": plain("pi()", DOUBLE),
    "e": plain("exp(CAST(1 AS DOUBLE))", DOUBLE),
    "nan": plain("CAST('NaN' AS DOUBLE)", DOUBLE),
    "infinity": plain("CAST('Infinity' AS DOUBLE)", DOUBLE),
    "is_nan": plain("isnan({0})", BOOLEAN, *_FLOAT),
    "is_finite": plain("isfinite({0})", BOOLEAN, DOUBLE),
    "is_infinite": plain("isinf({0})", BOOLEAN, DOUBLE),
    "bitwise_and": plain("({0} & {1})", BIGINT, BIGINT, BIGINT),
    "bitwise_or": plain("({0} | {1})", BIGINT, BIGINT, BIGINT),
    "bitwise_xor": plain("xor({0}, {1})", BIGINT, BIGINT, BIGINT),
    "coalesce": _coalesce,
    "nullif": _nullif,
    "if": _if,
    "try": _typeof,
    "typeof": _typeof,
}
