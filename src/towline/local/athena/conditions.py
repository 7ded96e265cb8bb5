"""Conditions: AND, OR, NOT, comparisons, IN, LIKE, CASE."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from towline.local.athena.casts import coerce
from towline.local.athena.errors import AthenaError
from towline.local.athena.operators import comparable, compare
from towline.local.athena.parsing import only, place
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import NULL, Bound
from towline.local.athena.types import BOOLEAN, FLOATS, UNKNOWN, VARCHAR, fits

if TYPE_CHECKING:
    from towline.local.athena.expressions import Binder


def comparison(sign: str) -> Callable[[Binder, exp.Expr], Bound]:
    def bind(binder: Binder, node: exp.Expr) -> Bound:
        for side in (node.this, node.expression):
            if isinstance(side, _PREDICATES):
                raise AthenaError("SYNTAX_ERROR", f"{place(node)}: mismatched input '{sign}'")
        return compare(node, sign, binder.bind(node.this), binder.bind(node.expression))

    return bind


# None of them stands beside a comparison without parentheses in Trino's grammar: a < b < c, a = b IS NULL.
_PREDICATES = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.Between, exp.In, exp.Like, exp.Not)


def logical(sign: str) -> Callable[[Binder, exp.Expr], Bound]:
    def bind(binder: Binder, node: exp.Expr) -> Bound:
        terms = []
        for part in _terms(node):
            bound = binder.bind(part)
            if bound.type not in (BOOLEAN, UNKNOWN):
                message = f"Logical expression term must evaluate to a boolean (actual: {bound.type})"
                raise AthenaError("TYPE_MISMATCH", f"{place(part)}: {message}")
            terms.append(bound.sql)
        return Bound(f"({f' {sign} '.join(terms)})", BOOLEAN)

    return bind


def _terms(node: exp.Expr) -> list[exp.Expr]:
    """The terms of a chain of ANDs, or of ORs, in order; a chain may be long, so without recursion."""
    terms = []
    while type(node.this) is type(node):
        terms.append(node.expression)
        node = node.this
    return [node.this, node.expression, *reversed(terms)]


def not_(binder: Binder, node: exp.Expr) -> Bound:
    bound = binder.bind(node.this)
    if bound.type not in (BOOLEAN, UNKNOWN):
        message = f"Value of logical NOT expression must evaluate to a boolean (actual: {bound.type})"
        raise AthenaError("TYPE_MISMATCH", f"{place(node)}: {message}")
    return Bound(f"(NOT {bound.sql})", BOOLEAN)


def is_(binder: Binder, node: exp.Expr) -> Bound:
    only(node, "this", "expression", "negate")
    if not isinstance(node.expression, exp.Null):
        raise AthenaError("SYNTAX_ERROR", f"{place(node.expression)}: mismatched input '{node.expression.sql()}'")
    return Bound(f"({binder.bind(node.this).sql} IS {'NOT ' if node.args.get('negate') else ''}NULL)", BOOLEAN)


def between(binder: Binder, node: exp.Expr) -> Bound:
    only(node, "this", "low", "high")
    value, low, high = binder.all([node.this, node.args["low"], node.args["high"]])
    above, below = compare(node, ">=", value, low), compare(node, "<=", value, high)
    return Bound(f"({above.sql} AND {below.sql})", BOOLEAN)


def in_(binder: Binder, node: exp.Expr) -> Bound:
    only(node, "this", "expressions", "query")
    if isinstance(node.this, exp.Tuple):
        return _in_rows(binder, node)
    value = binder.bind(node.this)
    if query := node.args.get("query"):
        return _in_query(binder, node, value, query)
    values = binder.all(node.expressions)
    kinds = [comparable(node, "=", value, each) for each in values]
    if all(each.number or kind.name not in FLOATS for each, kind in zip(values, kinds, strict=True)):
        (one, *others), _ = binder.alike(node, [value, *values], "IN value and list items")
        return Bound(f"({one.sql} IN ({', '.join(each.sql for each in others)}))", BOOLEAN)
    return Bound(f"({' OR '.join(compare(node, '=', value, each).sql for each in values)})", BOOLEAN)


def _in_rows(binder: Binder, node: exp.Expr) -> Bound:
    """(a, b) IN ((1, 2), …), column by column."""
    if node.args.get("query") or not all(isinstance(row, exp.Tuple) for row in node.expressions):
        refuse(node, "ROW constructor")
    left, rows = binder.all(node.this.expressions), []
    for row in node.expressions:
        right = binder.all(row.expressions)
        if len(left) != len(right):
            raise AthenaError("TYPE_MISMATCH", f"{place(row)}: IN value and list items must be the same type")
        equal = (compare(node, "=", one, other).sql for one, other in zip(left, right, strict=True))
        rows.append(f"({' AND '.join(equal)})")
    return Bound(f"({' OR '.join(rows)})", BOOLEAN)


def _in_query(binder: Binder, node: exp.Expr, value: Bound, query: exp.Expr) -> Bound:
    inner = binder.queries.inside(query, binder.scope)
    if len(inner.columns) != 1:
        message = f"{place(node)}: Multiple columns returned by subquery are not yet supported. Found {inner.width}"
        raise AthenaError("NOT_SUPPORTED", message)
    kind = comparable(node, "=", value, Bound("", inner.columns[0].type))
    rows = f"SELECT {coerce(Bound('s.c1', inner.columns[0].type), kind).sql} FROM ({inner.sql}) AS s"
    rows += " WHERE s.c1 IS NULL OR NOT isnan(s.c1)" if inner.columns[0].type.name in FLOATS else ""
    return Bound(f"({coerce(value, kind).sql} IN ({rows}))", BOOLEAN)


def like(binder: Binder, node: exp.Expr) -> Bound:
    only(node, "this", "expression", "negate", "escape")
    value, pattern = binder.all([node.this, node.expression])
    for each in (value, pattern):
        if not fits(each.type, VARCHAR):
            message = f"Left side of LIKE expression must evaluate to a varchar (actual: {each.type})"
            raise AthenaError("TYPE_MISMATCH", f"{place(node.this)}: {message}")
    sql = f"{value.sql} {'NOT ' if node.args.get('negate') else ''}LIKE {pattern.sql}"
    if escape := node.args.get("escape"):
        sql += f" ESCAPE {_checked_escape(node, pattern, binder.bind(escape))}"
    return Bound(f"({sql})", BOOLEAN)


def _checked_escape(node: exp.Expr, pattern: Bound, sign: Bound) -> str:
    """What follows the sign is one of three; DuckDB takes anything."""
    if not isinstance(pattern.literal, str) or not isinstance(sign.literal, str):
        refuse(node, "pattern from a column")
    mark = re.escape(sign.literal)
    if not re.fullmatch(rf"(?:[^{mark}]|{mark}[%_{mark}])*", pattern.literal, re.DOTALL):
        message = "Escape character must be followed by '%', '_' or the escape character itself"
        raise AthenaError("INVALID_FUNCTION_ARGUMENT", f"{place(node)}: {message}")
    return sign.sql


def escape(binder: Binder, node: exp.Expr) -> Bound:
    like = node.this.copy()
    if not isinstance(like, exp.Like) or len(node.expression.name) != 1:
        raise AthenaError("INVALID_FUNCTION_ARGUMENT", f"{place(node)}: Escape string must be a single character")
    like.args["escape"] = node.expression.copy()
    return binder.bind(like)


def case(binder: Binder, node: exp.Expr) -> Bound:
    only(node, "this", "ifs", "default")
    operand = binder.bind(node.this) if node.this else None
    conditions = []
    for branch in node.args["ifs"]:
        if operand is None:
            conditions.append(binder.condition(branch.this, "CASE WHEN clause"))
        else:
            conditions.append(compare(branch.this, "=", operand, binder.bind(branch.this)))
    default = binder.bind(node.args["default"]) if node.args.get("default") else NULL
    values = [binder.bind(branch.args["true"]) for branch in node.args["ifs"]]
    return choice(binder, node, conditions, values, default)


def choice(binder: Binder, node: exp.Expr, when: Sequence[Bound], then: Sequence[Bound], default: Bound) -> Bound:
    """CASE WHEN … THEN … ELSE … END."""
    (*values, other), kind = binder.alike(node, [*then, default], "All CASE results")
    branches = " ".join(f"WHEN {one.sql} THEN {value.sql}" for one, value in zip(when, values, strict=True))
    return Bound(f"CASE {branches} ELSE {other.sql} END", kind, None, all(each.number for each in values))


def if_(binder: Binder, node: exp.Expr) -> Bound:
    default = node.args.get("false")
    when = binder.condition(node.this, "IF condition")
    then = binder.bind(node.args["true"])
    return choice(binder, node, [when], [then], binder.bind(default) if default else NULL)


def exists(binder: Binder, node: exp.Expr) -> Bound:
    return Bound(f"EXISTS ({binder.queries.inside(node.this, binder.scope).sql})", BOOLEAN)


_COMPARISONS: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.EQ, "="),
    (exp.NEQ, "<>"),
    (exp.LT, "<"),
    (exp.LTE, "<="),
    (exp.GT, ">"),
    (exp.GTE, ">="),
    (exp.NullSafeEQ, "IS NOT DISTINCT FROM"),
    (exp.NullSafeNEQ, "IS DISTINCT FROM"),
)

NODES: dict[type[exp.Expr], Callable[[Binder, exp.Expr], Bound]] = {
    **{node: comparison(sign) for node, sign in _COMPARISONS},
    exp.And: logical("AND"),
    exp.Or: logical("OR"),
    exp.Not: not_,
    exp.Is: is_,
    exp.Between: between,
    exp.In: in_,
    exp.Like: like,
    exp.Escape: escape,
    exp.Case: case,
    exp.If: if_,
    exp.Exists: exists,
}
