"""Functions of numbers, conditions, arrays and maps.

https://trino.io/docs/current/functions/math.html, conditional.html, array.html, map.html
"""

from __future__ import annotations

from towline.local.athena.casts import coerce
from towline.local.athena.conditions import choice
from towline.local.athena.errors import failing, quoted
from towline.local.athena.functions import Call, Function, plain
from towline.local.athena.operators import arithmetic, compare
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import NULL, Bound
from towline.local.athena.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    FLOATS,
    INTEGERS,
    MAX_DIGITS,
    NUMBERS,
    REAL,
    UNKNOWN,
    VARCHAR,
    Type,
    array,
    decimal,
    fits,
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


def _list(call: Call, number: int = 0) -> Bound:
    if call.args[number].type.name != "array":
        raise call.unexpected()
    return call.args[number]


def _cardinality(call: Call) -> Bound:
    call.count(1)
    name = {"array": "len", "map": "cardinality"}.get(call.args[0].type.name)
    if name is None:
        raise call.unexpected()
    return Bound(f"CAST({name}({call.args[0].sql}) AS BIGINT)", BIGINT)


def _element_at(call: Call) -> Bound:
    """NULL where there is no such element; a negative index counts from the end."""
    call.count(2)
    value, index = call.args
    if value.type.name == "map":
        return Bound(f"{value.sql}[{coerce(index, value.type.inner[0]).sql}]", value.type.inner[1])
    if value.type.name != "array" or index.type.name not in INTEGERS:
        raise call.unexpected()
    failure = failing("INVALID_FUNCTION_ARGUMENT", quoted("SQL array indices start at 1"))
    sql = f"CASE WHEN {index.sql} = 0 THEN {failure} ELSE {value.sql}[{index.sql}] END"
    return Bound(sql, value.type.inner[0])


def _contains(call: Call) -> Bound:
    """NULL where the value is not found among elements of which one is NULL."""
    call.count(2)
    values, sought = _list(call), call.args[1]
    if not fits(sought.type, values.type.inner[0]) or values.type.inner[0].name in ("row", "array", "map"):
        raise call.unexpected()
    found = f"list_contains({values.sql}, {coerce(sought, values.type.inner[0]).sql})"
    unsure = f"list_aggregate({values.sql}, 'count') < len({values.sql}) OR {sought.sql} IS NULL"
    return Bound(f"CASE WHEN {found} THEN TRUE WHEN {values.sql} IS NULL OR {unsure} THEN NULL ELSE FALSE END", BOOLEAN)


def _array_extreme(name: str) -> Function:
    """array_max and array_min: NULL where an element is."""

    def function(call: Call) -> Bound:
        call.count(1)
        values = _list(call)
        if values.type.inner[0].name in (*FLOATS, "row", "array", "map"):
            refuse(call.node, "other clause", f"{call.name} of {values.type}")
        whole = f"list_aggregate({values.sql}, 'count') = len({values.sql})"
        return Bound(f"CASE WHEN {whole} THEN {name}({values.sql}) END", values.type.inner[0])

    return function


def _array_sort(call: Call) -> Bound:
    call.count(1)
    return Bound(f"list_sort({_list(call).sql}, 'ASC', 'NULLS LAST')", call.args[0].type)


def _array_join(call: Call) -> Bound:
    call.count(2)
    values = _list(call)
    if values.type.inner[0].name not in ("varchar", *INTEGERS):
        raise call.unexpected()
    return Bound(f"array_to_string(CAST({values.sql} AS VARCHAR[]), {call.take(1, VARCHAR).sql})", VARCHAR)


def _sequence(call: Call) -> Bound:
    """Downwards where it begins above its end."""
    call.count(2, 3)
    first, last = call.args[0], call.args[1]
    if first.type == DATE and last.type == DATE:
        step = f"to_days(CASE WHEN {first.sql} <= {last.sql} THEN 1 ELSE -1 END)"
        if len(call.args) == 3:
            step = call.take(2, Type("interval day to second"), Type("interval year to month")).sql
        return Bound(f"CAST(generate_series({first.sql}, {last.sql}, {step}) AS DATE[])", array(DATE))
    one, other = call.take(0, BIGINT).sql, call.take(1, BIGINT).sql
    step = f"CASE WHEN {one} <= {other} THEN 1 ELSE -1 END"
    if len(call.args) == 3:
        step = str(call.whole(2))
        if step == "0":
            raise call.invalid("step must not be zero")
    return Bound(f"generate_series({one}, {other}, {step})", array(BIGINT))


def _map(call: Call) -> Bound:
    call.count(2)
    keys, values = _list(call), _list(call, 1)
    return Bound(f"map({keys.sql}, {values.sql})", Type("map", inner=(keys.type.inner[0], values.type.inner[0])))


def _map_part(name: str, part: int) -> Function:
    def function(call: Call) -> Bound:
        call.count(1)
        if call.args[0].type.name != "map":
            raise call.unexpected()
        return Bound(f"{name}({call.args[0].sql})", array(call.args[0].type.inner[part]))

    return function


_FLOAT = ((DOUBLE, REAL),)
_OF_DOUBLE = ("exp", "sin", "cos", "tan", "atan", "cosh", "tanh", "radians", "degrees")
_SQRT = "(CASE WHEN {0} < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt({0}) END)"
_ARC = "(CASE WHEN abs({0}) > 1 THEN CAST('NaN' AS DOUBLE) ELSE arc({0}) END)"

FUNCTIONS: dict[str, Function] = {
    **{name: plain(f"{name}({{0}})", DOUBLE, DOUBLE) for name in _OF_DOUBLE},
    **dict.fromkeys(("power", "pow"), plain("pow({0}, {1})", DOUBLE, DOUBLE, DOUBLE)),
    **dict.fromkeys(("ceil", "ceiling"), _whole("ceil")),
    **{name: _logarithm(name) for name in ("ln", "log2", "log10")},
    **{name: _extreme(name) for name in ("greatest", "least")},
    **dict.fromkeys(("rand", "random"), plain("random()", DOUBLE)),
    **{f"array_{name}": _array_extreme(f"list_{name}") for name in ("max", "min")},
    "abs": _same("abs({0})"),
    "sign": _same("sign({0})"),
    "floor": _whole("floor"),
    "round": _round,
    "truncate": _truncate,
    "mod": _mod,
    "log": _log,
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
    "cardinality": _cardinality,
    "element_at": _element_at,
    "contains": _contains,
    "array_sort": _array_sort,
    "array_join": _array_join,
    "sequence": _sequence,
    "map": _map,
    "map_keys": _map_part("map_keys", 0),
    "map_values": _map_part("map_values", 1),
}
