"""Calls of functions: which kind of function a name is, and what it is called with."""

from __future__ import annotations

from sqlglot import exp

from towline.local.athena import aggregates, arrays, scalars, texts, times, windows
from towline.local.athena.errors import AthenaError
from towline.local.athena.expressions import Binder
from towline.local.athena.functions import Call
from towline.local.athena.parsing import only, place
from towline.local.athena.refusals import refuse_function
from towline.local.athena.scope import Bound

SCALARS = {**scalars.FUNCTIONS, **arrays.FUNCTIONS, **texts.FUNCTIONS, **times.FUNCTIONS}
KNOWN = frozenset({*SCALARS, *aggregates.FUNCTIONS, *windows.FUNCTIONS})

# What the grammar writes without a function's commas.
_WRITTEN: dict[type[exp.Expr], str] = {
    exp.CurrentDate: "current_date",
    exp.CurrentTimestamp: "current_timestamp",
    exp.Localtimestamp: "localtimestamp",
    exp.StrPosition: "position",
    exp.CurrentTime: "current_time",
    exp.Localtime: "localtime",
    exp.CurrentUser: "current_user",
    exp.CurrentCatalog: "current_catalog",
    exp.CurrentSchema: "current_schema",
}


def call(binder: Binder, node: exp.Expr) -> Bound:
    """A function, an aggregate or a window function in DuckDB's SQL. Raises AthenaError."""
    if isinstance(node, exp.Extract):
        only(node, "this", "expression")
        return times.field(binder, node, node.this.name.lower(), binder.bind(node.expression))
    if isinstance(node, exp.Trim):
        return texts.trimmed(binder, node)
    over = node if isinstance(node, exp.Window) else None
    inner = node.this if over is not None else node
    nulls = isinstance(inner, exp.IgnoreNulls)
    inner = inner.this if isinstance(inner, exp.IgnoreNulls | exp.RespectNulls) else inner
    filtered = inner.expression.this if isinstance(inner, exp.Filter) else None
    inner = inner.this if isinstance(inner, exp.Filter) else inner
    name = name_of(inner)
    if name in aggregates.FUNCTIONS and not nulls:
        return aggregates.bind(binder, inner, name, filtered, over)
    if name in windows.FUNCTIONS and over is not None and filtered is None:
        return windows.bind(binder, inner, name, over, ignore_nulls=nulls)
    if name in windows.FUNCTIONS:
        raise AthenaError("MISSING_OVER", f"{place(inner)}: Window function {name} requires an OVER clause")
    if name not in SCALARS:
        refuse_function(inner, name)
    if over is not None or filtered is not None or nulls:
        raise AthenaError("FUNCTION_NOT_AGGREGATE", f"{place(inner)}: Function '{name}' is not an aggregate function")
    if name == "try":
        return _tried(binder, inner)
    return SCALARS[name](Call(binder, inner, name, [binder.bind(each) for each in _arguments(inner)]))


def name_of(node: exp.Expr) -> str:
    """A call's function, in lower case."""
    if isinstance(node, exp.Anonymous):
        return str(node.this if isinstance(node.this, str) else node.this.name).lower()
    if isinstance(node, exp.WithinGroup):
        return name_of(node.this)
    return _WRITTEN.get(type(node), type(node).__name__.lower())


def _arguments(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.StrPosition):
        only(node, "this", "substr")
        return [node.args["substr"], node.this]
    if isinstance(node, exp.Anonymous):
        return list(node.expressions)
    only(node)
    return []


def _tried(binder: Binder, node: exp.Expr) -> Bound:
    call_ = Call(binder, node, "try", [])
    if len(node.expressions) != 1:
        raise call_.unexpected()
    before, binder.trying = binder.trying, True
    try:
        bound = binder.bind(node.expressions[0])
    finally:
        binder.trying = before
    return Bound(f"TRY({bound.sql})", bound.type)
