"""OVER: windows and their frames, and the functions that need one.

https://trino.io/docs/current/functions/window.html
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from towline.local.athena.casts import coerce
from towline.local.athena.errors import AthenaError
from towline.local.athena.expressions import Binder
from towline.local.athena.functions import Call
from towline.local.athena.ordering import sort_key
from towline.local.athena.parsing import only, place
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import Bound
from towline.local.athena.types import BIGINT, DOUBLE, INTEGERS, Type


def check_allowed(binder: Binder, node: exp.Expr) -> None:
    """Aggregates and windows stand in SELECT, HAVING and ORDER BY only. Raises AthenaError."""
    if clause := binder.scope.clause:
        message = (
            f"{clause} cannot contain aggregations, window functions or grouping operations: [{node.sql('trino')}]"
        )
        raise AthenaError("EXPRESSION_NOT_SCALAR", f"{place(node)}: {message}")


def bind(binder: Binder, node: exp.Expr, name: str, over: exp.Expr, *, ignore_nulls: bool) -> Bound:
    """A window function. Raises AthenaError."""
    check_allowed(binder, node)
    call = Call(binder, node, name, [binder.bind(each) for each in node.expressions])
    window = _resolved(binder, over)
    if name in ("lag", "lead"):
        if window.args.get("order") is None:
            raise AthenaError("MISSING_ORDER_BY", f"{place(node)}: {name} function requires an ORDER BY window clause")
        if window.args.get("spec") is not None:
            raise AthenaError("INVALID_WINDOW_FRAME", f"{place(node)}: Cannot specify window frame for {name} function")
    inner, kind = FUNCTIONS[name](call, " IGNORE NULLS" if ignore_nulls else "")
    return Bound(f"{inner}{clause(binder, over)}", kind)


def clause(binder: Binder, over: exp.Expr) -> str:
    """OVER (…). Raises AthenaError."""
    window = _resolved(binder, over)
    only(window, "this", "partition_by", "order", "spec", "over")
    parts = []
    if partition := window.args.get("partition_by"):
        parts.append(f"PARTITION BY {', '.join(_key(binder, each) for each in partition)}")
    if order := window.args.get("order"):
        parts.append(f"ORDER BY {sort_keys(binder, order)}")
    if spec := window.args.get("spec"):
        parts.append(_frame(spec))
    return f" OVER ({' '.join(parts)})"


def sort_keys(binder: Binder, order: exp.Expr) -> str:
    only(order, "this", "expressions")
    return ", ".join(sort_key(each, _key(binder, each.this)) for each in order.expressions)


def _key(binder: Binder, node: exp.Expr) -> str:
    bound = binder.bind(node)
    return bound.sql if bound.literal is None else f"CAST({bound.sql} AS {bound.type.duck})"


def _resolved(binder: Binder, over: exp.Expr) -> exp.Expr:
    """The window that OVER names, or spells out."""
    name = over.args.get("alias")
    if name is None:
        return over
    only(over, "this", "alias", "over")
    if name.name.lower() not in binder.scope.windows:
        raise AthenaError("INVALID_WINDOW_REFERENCE", f"{place(name)}: Cannot resolve WINDOW name {name.name}")
    return binder.scope.windows[name.name.lower()]


def _frame(spec: exp.Expr) -> str:
    only(spec, "kind", "start", "start_side", "end", "end_side")
    kind = str(spec.args.get("kind")).upper()
    if kind == "GROUPS":
        refuse(spec, "GROUPS frame")
    start = _bound(spec, kind, "start") or "UNBOUNDED PRECEDING"
    end = _bound(spec, kind, "end") or "CURRENT ROW"
    return f"{kind} BETWEEN {start} AND {end}"


def _bound(spec: exp.Expr, kind: str, which: str) -> str:
    value, side = spec.args.get(which), str(spec.args.get(f"{which}_side") or "")
    if isinstance(value, exp.Literal) and value.name.isdigit():
        if kind == "RANGE":
            refuse(spec, "RANGE with an offset")
        return f"{value.name} {side}"
    if isinstance(value, exp.Expr):
        refuse(value, "other clause", "a frame that is computed")
    return f"{value} {side}".strip() if value else ""


# What stands before OVER, and its type.
Inner = tuple[str, Type]


def _plain(kind: Type) -> Callable[[Call, str], Inner]:
    def function(call: Call, nulls: str) -> Inner:
        call.count(0)
        return f"{call.name}()", kind

    return function


def _ntile(call: Call, nulls: str) -> Inner:
    call.count(1)
    if call.whole(0) < 1:
        raise call.invalid("Buckets must be greater than 0")
    return f"ntile({call.whole(0)})", BIGINT


def _shifted(call: Call, nulls: str) -> Inner:
    call.count(1, 2, 3)
    value, args = call.args[0], [call.args[0].sql]
    if len(call.args) > 1:
        if call.args[1].type.name not in INTEGERS:
            raise call.unexpected()
        if call.whole(1) < 0:
            raise call.invalid("Offset must be at least 0")
        args.append(str(call.whole(1)))
    if len(call.args) == 3:
        args.append(coerce(call.take(2, value.type), value.type).sql)
    return f"{call.name}({', '.join(args)}{nulls})", value.type


def _valued(call: Call, nulls: str) -> Inner:
    call.count(1)
    return f"{call.name}({call.args[0].sql}{nulls})", call.args[0].type


def _nth(call: Call, nulls: str) -> Inner:
    call.count(2)
    if call.whole(1) < 1:
        raise call.invalid("Offset must be at least 1")
    return f"nth_value({call.args[0].sql}, {call.whole(1)}{nulls})", call.args[0].type


FUNCTIONS: dict[str, Callable[[Call, str], Inner]] = {
    **{name: _plain(BIGINT) for name in ("row_number", "rank", "dense_rank")},
    **{name: _plain(DOUBLE) for name in ("percent_rank", "cume_dist")},
    **dict.fromkeys(("lag", "lead"), _shifted),
    **dict.fromkeys(("first_value", "last_value"), _valued),
    "ntile": _ntile,
    "nth_value": _nth,
}
