"""Functions of arrays and maps. https://trino.io/docs/current/functions/array.html, map.html"""

from __future__ import annotations

from towline.local.athena.casts import coerce
from towline.local.athena.errors import failing, quoted
from towline.local.athena.functions import Call, Function
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import Bound
from towline.local.athena.types import BIGINT, BOOLEAN, DATE, FLOATS, INTEGERS, VARCHAR, Type, array, fits

_MOST = 10_000  # elements of a sequence


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
    if values.type.inner[0].name in FLOATS and not sought.number:
        found = f"({found} AND NOT isnan({sought.sql}))"
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
        if len(call.args) == 3:
            refuse(call.node, "other clause", "sequence of dates with a step")
        day = f"to_days(CASE WHEN {first.sql} <= {last.sql} THEN 1 ELSE -1 END)"
        series = f"CAST(generate_series({first.sql}, {last.sql}, {day}) AS DATE[])"
        return Bound(_bounded(f"abs({last.sql} - {first.sql})", series), array(DATE))
    one, other = call.take(0, BIGINT).sql, call.take(1, BIGINT).sql
    if len(call.args) == 2:
        counted = f"CASE WHEN {one} <= {other} THEN 1 ELSE -1 END"
        return Bound(_bounded(f"abs({other} - {one})", f"generate_series({one}, {other}, {counted})"), array(BIGINT))
    step = call.whole(2)
    if step == 0:
        raise call.invalid("step must not be zero")
    said = (
        "sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop"
    )
    failure = failing("INVALID_FUNCTION_ARGUMENT", quoted(f"{said} should be less than or equal to start"))
    series = _bounded(f"({other} - {one}) // {step}", f"generate_series({one}, {other}, {step})")
    wrong = f"{one} {'>' if step > 0 else '<'} {other}"
    return Bound(f"CASE WHEN {wrong} THEN {failure} ELSE {series} END", array(BIGINT))


def _bounded(steps: str, series: str) -> str:
    """No more elements than Trino makes."""
    said = f"result of sequence function must not have more than {_MOST} entries"
    return f"CASE WHEN {steps} >= {_MOST} THEN {failing('INVALID_FUNCTION_ARGUMENT', quoted(said))} ELSE {series} END"


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


FUNCTIONS: dict[str, Function] = {
    **{f"array_{name}": _array_extreme(f"list_{name}") for name in ("max", "min")},
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
