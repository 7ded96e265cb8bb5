"""Operators on two bound values: arithmetic with Trino's types, comparison with Trino's NaN."""

from __future__ import annotations

from sqlglot import exp

from towline.local.athena.casts import coerce
from towline.local.athena.errors import AthenaError
from towline.local.athena.parsing import place
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import Bound
from towline.local.athena.types import (
    DAYS,
    FLOATS,
    INTEGER,
    INTEGERS,
    MAX_DIGITS,
    MONTHS,
    NUMBERS,
    TIMES,
    UNKNOWN,
    Type,
    as_decimal,
    common,
    decimal,
)

INTERVALS = (DAYS.name, MONTHS.name)
_NESTED = ("array", "map", "row")


def arithmetic(node: exp.Expr, sign: str, left: Bound, right: Bound) -> Bound:
    """`left sign right`; `sign` is one of + - * / %. Raises AthenaError.

    Whole numbers divided by zero fail in DuckDB too (`errors.raised` knows it), and NULL by zero is NULL.
    """
    if {left.type.name, right.type.name} & {"date", *TIMES, *INTERVALS}:
        return _moved(node, sign, left, right)
    kind = common(left.type, right.type)
    if kind == UNKNOWN:
        return Bound("CAST(NULL AS INTEGER)", INTEGER)
    if kind is None or kind.name not in NUMBERS:
        raise mismatch(node, sign, left, right)
    if kind.name == "decimal":
        return _decimals(node, sign, coerce(left, as_decimal(_known(left, right))), _exact(right, left))
    one, other = coerce(left, kind), coerce(right, kind)
    if kind.name in INTEGERS:
        return Bound(f"({one.sql} {'//' if sign == '/' else sign} {other.sql})", kind)
    sql = f"({one.sql} {sign} {other.sql})"
    return Bound(sql if kind.duck == "DOUBLE" else f"CAST({sql} AS FLOAT)", kind)


def _known(bound: Bound, beside: Bound) -> Type:
    return beside.type if bound.type == UNKNOWN else bound.type


def _exact(bound: Bound, beside: Bound) -> Bound:
    return coerce(bound, as_decimal(_known(bound, beside)))


def _decimals(node: exp.Expr, sign: str, left: Bound, right: Bound) -> Bound:
    """https://trino.io/docs/current/functions/decimal.html says which digits the results have."""
    size, scale = left.type.size or 0, left.type.scale
    other_size, other_scale = right.type.size or 0, right.type.scale
    if sign == "%":
        refuse(node, "decimal modulo")
    if sign == "/":
        return _quotient(node, left, right)
    if sign == "*":
        kind = decimal(min(MAX_DIGITS, size + other_size), scale + other_scale)
    else:
        most = max(scale, other_scale)
        kind = decimal(min(MAX_DIGITS, max(size - scale, other_size - other_scale) + most + 1), most)
    if kind.scale > MAX_DIGITS:
        raise AthenaError("INVALID_FUNCTION_ARGUMENT", f"{place(node)}: DECIMAL scale {kind.scale} is too great")
    return Bound(f"CAST(({left.sql} {sign} {right.sql}) AS {kind.duck})", kind, None, True)


def _quotient(node: exp.Expr, left: Bound, right: Bound) -> Bound:
    scale = max(left.type.scale, right.type.scale)
    more = max(right.type.scale - left.type.scale, 0)
    kind = decimal(min(MAX_DIGITS, (left.type.size or 0) + right.type.scale + more), scale)
    if (kind.size or 0) + scale > MAX_DIGITS:
        refuse(node, "other clause", f"division of {left.type} by {right.type}")
    shift = f"CAST(1{'0' * (scale + right.type.scale - left.type.scale)} AS HUGEINT)"
    return Bound(rounded_quotient(f"({unscaled(left)} * {shift})", unscaled(right), kind), kind, None, True)


def unscaled(bound: Bound) -> str:
    """All the digits of a decimal, without its point."""
    return f"CAST(replace(CAST({bound.sql} AS VARCHAR), '.', '') AS HUGEINT)"


def rounded_quotient(above: str, below: str, kind: Type) -> str:
    """The quotient of two whole numbers, rounded half away from zero, as the digits of a decimal.

    DuckDB divides decimals as doubles. The digits of `kind` and those after its point must be 38 at most together.
    """
    half = f"(CAST(2 AS HUGEINT) * abs({above}) + abs({below})) // (CAST(2 AS HUGEINT) * abs({below}))"
    signed = f"sign({above}) * sign({below}) * ({half})"
    one = f"CAST('1e-{kind.scale}' AS DECIMAL({kind.scale + 1},{kind.scale}))" if kind.scale else "1"
    return f"CAST(CAST({signed} AS DECIMAL({MAX_DIGITS - kind.scale - 1},0)) * {one} AS {kind.duck})"


def _moved(node: exp.Expr, sign: str, left: Bound, right: Bound) -> Bound:
    """A date or a time, and an interval."""
    if sign == "+" and left.type.name in INTERVALS:
        left, right = right, left
    if sign == "-" and left.type.name in ("date", *TIMES) and right.type.name in ("date", *TIMES):
        refuse(node, "difference of two times")
    if sign not in "+-" or left.type.name not in ("date", *TIMES) or right.type.name not in INTERVALS:
        if left.type.name in INTERVALS and right.type.name in (*INTERVALS, *NUMBERS):
            refuse(node, "interval as a result")
        raise mismatch(node, sign, left, right)
    if left.type.name == "date" and right.literal in ("HOUR", "MINUTE", "SECOND"):
        message = f"{place(node)}: Cannot add hour, minutes or seconds to a date"
        raise AthenaError("INVALID_FUNCTION_ARGUMENT", message)
    sql = f"({left.sql} {sign} {right.sql})"
    return Bound(f"CAST({sql} AS {left.type.duck})" if left.type.name == "date" else sql, left.type)


def mismatch(node: exp.Expr, sign: str, left: Bound, right: Bound) -> AthenaError:
    return AthenaError("TYPE_MISMATCH", f"{place(node)}: Cannot apply operator: {left.type} {sign} {right.type}")


def compare(node: exp.Expr, sign: str, left: Bound, right: Bound) -> Bound:
    """`left sign right`; `sign` is one of = <> < <= > >=, or IS [NOT] DISTINCT FROM. Raises AthenaError.

    DuckDB holds NaN equal to itself and greater than all else; in Trino every comparison with it is false but <>.
    """
    kind = comparable(node, sign, left, right)
    one, other = coerce(left, kind), coerce(right, kind)
    sql = f"({one.sql} {sign} {other.sql})"
    if kind.name in FLOATS and "DISTINCT" not in sign:
        sql = _with_nan(sign, one, other)
    return Bound(sql, _BOOLEAN)


_BOOLEAN = Type("boolean")


def comparable(node: exp.Expr, sign: str, left: Bound, right: Bound) -> Type:
    kind = common(left.type, right.type)
    if kind is None or kind.name in INTERVALS:
        raise mismatch(node, sign, left, right)
    if kind.name in _NESTED:
        refuse(node, "comparison of nested types")
    return kind


def _with_nan(sign: str, left: Bound, right: Bound) -> str:
    sql = f"({left.sql} {sign} {right.sql})"
    if sign == "<>":
        if left.number or right.number:
            return sql
        return f"({sql} OR (isnan({left.sql}) AND {right.sql} IS NOT NULL))"
    great, small = (right, left) if sign in ("<", "<=") else (left, right)
    if great.number or (sign == "=" and small.number):
        return sql
    if small.literal is not None or (small.number and small.literal is not None):
        return f"({sql} AND NOT isnan({great.sql}))"
    return f"({sql} AND (NOT isnan({great.sql}) OR {small.sql} IS NULL))"
