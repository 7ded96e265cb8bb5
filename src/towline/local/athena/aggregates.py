"""Aggregate functions, also over a window. https://trino.io/docs/current/functions/aggregate.html"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from towline.local.athena import windows
from towline.local.athena.errors import AthenaError
from towline.local.athena.expressions import Binder
from towline.local.athena.functions import Call
from towline.local.athena.operators import rounded_quotient, unscaled
from towline.local.athena.parsing import only, place
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import Bound
from towline.local.athena.types import BIGINT, BOOLEAN, DOUBLE, FLOATS, INTEGERS, MAX_DIGITS, REAL, Type, array, decimal


@dataclass(frozen=True)
class Aggregate:
    """A call of an aggregate: with DISTINCT, ORDER BY, FILTER and OVER."""

    call: Call
    distinct: str = ""
    order: str = ""
    filter: str = ""
    over: str = ""

    def of(self, name: str, *args: str, where: str = "") -> str:
        """The aggregate `name` of DuckDB's, over the rows for which `where` holds as well."""
        conditions = " AND ".join(each for each in (self.filter, where) if each)
        filtered = f" FILTER (WHERE {conditions})" if conditions else ""
        return f"{name}({self.distinct}{', '.join(args)}{self.order}){filtered}{self.over}"


def bind(binder: Binder, node: exp.Expr, name: str, filtered: exp.Expr | None, over: exp.Expr | None) -> Bound:
    """An aggregate in DuckDB's SQL. Raises AthenaError."""
    windows.check_allowed(binder, node)
    scope = binder.scope
    if over is None:
        if scope.aggregating:
            message = f"Cannot nest aggregations inside aggregation '{scope.aggregating}'"
            raise AthenaError("NESTED_AGGREGATION", f"{place(node)}: {message}")
        scope.aggregated, scope.aggregating = True, name
    mark = len(scope.loose)
    try:
        aggregate = _read(binder, node, name, filtered, over)
        bound = FUNCTIONS[name](aggregate)
    finally:
        if over is None:
            scope.aggregating = ""
    if over is None:
        del scope.loose[mark:]
    return bound


def _read(binder: Binder, node: exp.Expr, name: str, filtered: exp.Expr | None, over: exp.Expr | None) -> Aggregate:
    given, order, distinct = list(node.expressions), "", ""
    if len(given) == 1 and isinstance(given[0], exp.Order):
        clause = given[0]
        order = f" ORDER BY {windows.sort_keys(binder, clause)}"
        given = [clause.this]
    elif given and isinstance(given[-1], exp.Order):
        order = f" ORDER BY {windows.sort_keys(binder, given[-1])}"
        given[-1] = given[-1].this
    if len(given) == 1 and isinstance(given[0], exp.Distinct):
        only(given[0], "expressions")
        distinct, given = "DISTINCT ", list(given[0].expressions)
    star = len(given) == 1 and isinstance(given[0], exp.Star)
    args = [] if star else [binder.bind(each) for each in given]
    if star and (name != "count" or distinct):
        raise AthenaError("SYNTAX_ERROR", f"{place(node)}: mismatched input '*'")
    if over is not None and (distinct or order):
        what = "DISTINCT in window function parameters not yet supported"
        raise AthenaError("NOT_SUPPORTED", f"{place(node)}: {what}")
    where = binder.condition(filtered, "FILTER clause").sql if filtered is not None else ""
    window = windows.clause(binder, over) if over is not None else ""
    return Aggregate(Call(binder, node, name, args), distinct, order, where, window)


def _numeric(aggregate: Aggregate) -> Bound:
    aggregate.call.count(1)
    value = aggregate.call.args[0]
    if value.type.name not in (*INTEGERS, "decimal", *FLOATS):
        raise aggregate.call.unexpected()
    return value


def _count(aggregate: Aggregate) -> Bound:
    aggregate.call.count(0, 1)
    return Bound(aggregate.of("count", *(each.sql for each in aggregate.call.args or [Bound("*", BIGINT)])), BIGINT)


def _count_if(aggregate: Aggregate) -> Bound:
    aggregate.call.count(1)
    return Bound(aggregate.of("count", "*", where=aggregate.call.take(0, BOOLEAN).sql), BIGINT)


def _sum(aggregate: Aggregate) -> Bound:
    """Whole numbers add up to a bigint or fail; DuckDB's sum would grow wider."""
    value = _numeric(aggregate)
    kinds = {"decimal": decimal(38, value.type.scale), "double": DOUBLE, "real": REAL}
    kind = kinds.get(value.type.name, BIGINT)
    return Bound(f"CAST({aggregate.of('sum', value.sql)} AS {kind.duck})", kind)


def _avg(aggregate: Aggregate) -> Bound:
    value = _numeric(aggregate)
    if value.type.name == "decimal":
        return _decimal_avg(aggregate, value)
    kind = REAL if value.type == REAL else DOUBLE
    return Bound(f"CAST({aggregate.of('avg', value.sql)} AS {kind.duck})", kind)


def _decimal_avg(aggregate: Aggregate, value: Bound) -> Bound:
    """With the digits of the values; DuckDB's would be a double."""
    kind = value.type
    if (kind.size or 0) + kind.scale > MAX_DIGITS:
        refuse(aggregate.call.node, "average of decimals")
    total = Bound(aggregate.of("sum", value.sql), decimal(MAX_DIGITS, kind.scale))
    return Bound(rounded_quotient(unscaled(total), aggregate.of("count", value.sql), kind), kind)


def _extreme(name: str) -> Callable[[Aggregate], Bound]:
    """min and max: NaN only where there is nothing else."""

    def function(aggregate: Aggregate) -> Bound:
        value = _ordered(aggregate, 0, 1)
        every = aggregate.of(name, value.sql)
        if value.type.name not in FLOATS:
            return Bound(every, value.type)
        numbers = aggregate.of(name, value.sql, where=f"NOT isnan({value.sql})")
        return Bound(f"COALESCE({numbers}, {every})", value.type)

    return function


def _ordered(aggregate: Aggregate, number: int, count: int) -> Bound:
    call = aggregate.call
    if len(call.args) == count + 1:
        refuse(call.node, "several answers of max_by")
    call.count(count)
    if call.args[number].type.inner:
        refuse(call.node, "comparison of nested types")
    return call.args[number]


def _by(name: str, worst: str) -> Callable[[Aggregate], Bound]:
    """max_by and min_by: the value may be NULL, what it is chosen by may not."""

    def function(aggregate: Aggregate) -> Bound:
        by = _ordered(aggregate, 1, 2)
        value = aggregate.call.args[0]
        key = by.sql
        if by.type.name in FLOATS:
            key = f"CASE WHEN isnan({key}) THEN CAST('{worst}' AS {by.type.duck}) ELSE {key} END"
        return Bound(aggregate.of(name, value.sql, key), value.type)

    return function


def _truth(name: str) -> Callable[[Aggregate], Bound]:
    def function(aggregate: Aggregate) -> Bound:
        aggregate.call.count(1)
        return Bound(aggregate.of(name, aggregate.call.take(0, BOOLEAN).sql), BOOLEAN)

    return function


def _any(aggregate: Aggregate) -> Bound:
    aggregate.call.count(1)
    value = aggregate.call.args[0]
    return Bound(aggregate.of("any_value", value.sql), value.type)


def _array_agg(aggregate: Aggregate) -> Bound:
    aggregate.call.count(1)
    value = aggregate.call.args[0]
    return Bound(aggregate.of("list", value.sql), array(value.type))


def _measure(name: str, count: int = 1) -> Callable[[Aggregate], Bound]:
    def function(aggregate: Aggregate) -> Bound:
        aggregate.call.count(count)
        return Bound(aggregate.of(name, *(aggregate.call.take(n, DOUBLE).sql for n in range(count))), DOUBLE)

    return function


def _approx_distinct(aggregate: Aggregate) -> Bound:
    """The exact number: Athena's is within 2.3 % of it, and the same where there are few."""
    aggregate.call.count(1, 2)
    return Bound(aggregate.of("count", f"DISTINCT {aggregate.call.args[0].sql}"), BIGINT)


def _approx_percentile(aggregate: Aggregate) -> Bound:
    """The exact percentile, one of the values; Athena's is near it."""
    call = aggregate.call
    if len(call.args) > 2:
        refuse(call.node, "weighted approx_percentile")
    call.count(2)
    value, share = call.args
    if value.type.name not in (*INTEGERS, *FLOATS):
        raise call.unexpected()
    if not share.number or share.type.name not in ("decimal", "double"):
        refuse(call.node, "pattern from a column")
    kind: Type = BIGINT if value.type.name in INTEGERS else value.type
    return Bound(f"CAST({aggregate.of('quantile_disc', value.sql, share.sql)} AS {kind.duck})", kind)


_DEVIATIONS = ("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop")

FUNCTIONS: dict[str, Callable[[Aggregate], Bound]] = {
    **{name: _measure(name) for name in _DEVIATIONS},
    **{name: _measure(name, 2) for name in ("covar_pop", "covar_samp")},
    **{name: _extreme(name) for name in ("min", "max")},
    **{name: _truth(name) for name in ("bool_and", "bool_or")},
    **dict.fromkeys(("arbitrary", "any_value"), _any),
    "every": _truth("bool_and"),
    "count": _count,
    "count_if": _count_if,
    "sum": _sum,
    "avg": _avg,
    "max_by": _by("arg_max_null", "-Infinity"),
    "min_by": _by("arg_min_null", "Infinity"),
    "array_agg": _array_agg,
    "approx_distinct": _approx_distinct,
    "approx_percentile": _approx_percentile,
}
