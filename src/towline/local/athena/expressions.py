"""Expressions: each node bound to its columns and types, and written in DuckDB's SQL.

A node without an entry in `_BINDERS` is refused: nothing passes that is not known to mean the same in DuckDB.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from towline.local.athena import casts, conditions
from towline.local.athena.casts import coerce
from towline.local.athena.errors import AthenaError, failing, quoted
from towline.local.athena.operators import arithmetic, mismatch
from towline.local.athena.parsing import only, place
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import NULL, Bound, Scope
from towline.local.athena.types import (
    BIGINT,
    BOOLEAN,
    DAYS,
    DOUBLE,
    INTEGER,
    INTEGERS,
    MONTHS,
    NUMBERS,
    UNKNOWN,
    VARCHAR,
    Type,
    array,
    common,
    decimal,
)

if TYPE_CHECKING:
    from towline.local.athena.queries import Queries


MAX_LENGTH = 1_000_000  # characters of an expression in DuckDB's SQL


class Binder:
    """Binds expressions in one scope. `trying`: within TRY, where a refusal while running would be lost."""

    def __init__(self, scope: Scope, queries: Queries) -> None:
        self.scope, self.queries = scope, queries
        self.trying = False

    def bind(self, node: exp.Expr) -> Bound:
        """The node in DuckDB's SQL. Raises AthenaError."""
        mark = len(self.scope.loose)
        bound = self._bind(node)
        if len(bound.sql) > MAX_LENGTH:  # some translations name an argument several times, each time in full
            refuse(node, "long expression")
        if bound.sql in self.scope.groups and not self.scope.aggregating:
            del self.scope.loose[mark:]
        return bound

    def _bind(self, node: exp.Expr) -> Bound:
        binder = _BINDERS.get(type(node))
        if binder is None:
            raise AthenaError("SYNTAX_ERROR", f"{place(node)}: mismatched input '{node.sql('trino')}'")
        return binder(self, node)

    def all(self, nodes: Sequence[exp.Expr]) -> list[Bound]:
        return [self.bind(node) for node in nodes]

    def condition(self, node: exp.Expr, clause: str) -> Bound:
        """A boolean, where a clause asks for one."""
        bound = self.bind(node)
        if bound.type not in (BOOLEAN, UNKNOWN):
            message = f"{place(node)}: {clause} must evaluate to a boolean: actual type {bound.type}"
            raise AthenaError("TYPE_MISMATCH", message)
        return bound

    def alike(self, node: exp.Expr, bounds: Sequence[Bound], what: str) -> tuple[list[Bound], Type]:
        """All in the type in which they meet."""
        kind = UNKNOWN
        for bound in bounds:
            met = common(kind, bound.type)
            if met is None:
                raise AthenaError("TYPE_MISMATCH", f"{place(node)}: {what} must be the same type: {kind}, {bound.type}")
            kind = met
        return [coerce(bound, kind) if bound.type != UNKNOWN else bound for bound in bounds], kind


def _literal(binder: Binder, node: exp.Expr) -> Bound:
    text = node.name
    if node.args["is_string"]:
        return Bound(quoted(text), Type("varchar", len(text)), text)
    if "e" in text.lower():
        return Bound(f"CAST({quoted(text)} AS DOUBLE)", DOUBLE, text, True)
    if "." in text:
        whole, _, fraction = text.partition(".")
        size = len(whole.lstrip("0") + fraction)
        kind = decimal(max(size, 1), len(fraction))
        return Bound(f"CAST({quoted(text)} AS {kind.duck})", kind, text, True)
    if not text.isdigit() or int(text) >= 2**63:
        raise AthenaError("SYNTAX_ERROR", f"{place(node)}: Invalid numeric literal: {text}")
    kind = INTEGER if int(text) < 2**31 else BIGINT
    return Bound(str(int(text)), kind, int(text), True)


def _column(binder: Binder, node: exp.Expr) -> Bound:
    column = node if isinstance(node, exp.Column) else exp.Column(this=node)
    try:
        return binder.scope.find(column)
    except AthenaError as error:
        found = _field(binder, column)
        if found is None:
            raise error
        return found


def _field(binder: Binder, node: exp.Column) -> Bound | None:
    """`a.b` where a is a column of type row."""
    if len(node.parts) != 2:
        return None
    outer, last = node.parts
    try:
        row = binder.scope.find(exp.Column(this=outer.copy()))
    except AthenaError:
        return None
    if row.type.name != "row" or last.name.lower() not in row.type.labels:
        return None
    return Bound(f'{row.sql}."{last.name.lower()}"', row.type.inner[row.type.labels.index(last.name.lower())])


def _arithmetic(sign: str) -> Callable[[Binder, exp.Expr], Bound]:
    def bind(binder: Binder, node: exp.Expr) -> Bound:
        return arithmetic(node, sign, binder.bind(node.this), binder.bind(node.expression))

    return bind


def _negative(binder: Binder, node: exp.Expr) -> Bound:
    bound = binder.bind(node.this)
    if bound.type == UNKNOWN:
        return bound
    if bound.type.name not in NUMBERS:
        raise AthenaError("TYPE_MISMATCH", f"{place(node)}: Cannot negate {bound.type}")
    literal = -bound.literal if isinstance(bound.literal, int) else None
    return Bound(f"(-{bound.sql})", bound.type, literal, bound.number)


def _cast(binder: Binder, node: exp.Expr) -> Bound:
    only(node, "this", "to", "safe")
    kind = casts.type_of(node.args["to"])
    bound = binder.bind(node.this)
    return casts.cast(node, bound, kind, safe=isinstance(node, exp.TryCast), trying=binder.trying)


_UNITS = {"YEAR": "to_years", "MONTH": "to_months", "DAY": "to_days", "HOUR": "to_hours"}
_UNITS |= {"MINUTE": "to_minutes", "SECOND": "to_seconds"}


def _interval(binder: Binder, node: exp.Expr) -> Bound:
    unit, value = str(node.args.get("unit") or "").upper(), node.this
    if unit not in _UNITS or not isinstance(value, exp.Literal) or not value.is_string:
        raise AthenaError("SYNTAX_ERROR", f"{place(node)}: mismatched input '{unit}'")
    if not re.fullmatch("-?[0-9]{1,9}", value.name):
        raise AthenaError("INVALID_LITERAL", f"{place(node)}: '{value.name}' is not a valid INTERVAL literal")
    return Bound(f"{_UNITS[unit]}({value.name})", MONTHS if unit in ("YEAR", "MONTH") else DAYS, unit)


def _array(binder: Binder, node: exp.Expr) -> Bound:
    values, kind = binder.alike(node, binder.all(node.expressions), "All ARRAY elements")
    sql = f"[{', '.join(value.sql for value in values)}]"
    return Bound(f"CAST({sql} AS {array(kind).duck})" if not values or kind == UNKNOWN else sql, array(kind))


def _subscript(binder: Binder, node: exp.Expr) -> Bound:
    """a[i]: fails where there is no such element."""
    only(node, "this", "expressions")
    value, index = binder.bind(node.this), binder.bind(node.expressions[0])
    if value.type.name == "map":
        key = coerce(index, value.type.inner[0]).sql
        failure = failing("INVALID_FUNCTION_ARGUMENT", f"concat('Key not present in map: ', {key})")
        missing = f"NOT list_contains(map_keys({value.sql}), {key})"
        return Bound(f"CASE WHEN {missing} THEN {failure} ELSE {value.sql}[{key}] END", value.type.inner[1])
    if value.type.name != "array" or index.type.name not in INTEGERS:
        raise mismatch(node, "[]", value, index)
    i, size = index.sql, f"len({value.sql})"
    too_far = f"concat('Array subscript must be less than or equal to array length: ', {i}, ' > ', {size})"
    cases = [(f"{i} > {size}", too_far), (f"{i} = 0", quoted("SQL array indices start at 1"))]
    cases.append((f"{i} < 0", f"concat('Array subscript is negative: ', {i})"))
    failures = " ".join(f"WHEN {when} THEN {failing('INVALID_FUNCTION_ARGUMENT', said)}" for when, said in cases)
    return Bound(f"CASE {failures} ELSE {value.sql}[{i}] END", value.type.inner[0])


def _subquery(binder: Binder, node: exp.Expr) -> Bound:
    inner = binder.queries.inside(node, binder.scope)
    if len(inner.columns) != 1:
        message = f"{place(node)}: Multiple columns returned by subquery are not yet supported. Found {inner.width}"
        raise AthenaError("NOT_SUPPORTED", message)
    return Bound(f"({inner.sql})", inner.columns[0].type)


def _concatenation(binder: Binder, node: exp.Expr) -> Bound:
    left, right = binder.bind(node.this), binder.bind(node.expression)
    return concatenated(node, [left, right])


def concatenated(node: exp.Expr, bounds: Sequence[Bound]) -> Bound:
    """Text or arrays, one after the other; NULL where one is NULL."""
    kinds = {bound.type.name for bound in bounds} - {UNKNOWN.name}
    if kinds == {"array"} and (joined := _joined([bound for bound in bounds if bound.type != UNKNOWN])):
        known = " AND ".join(f"{bound.sql} IS NOT NULL" for bound in bounds)
        return Bound(f"CASE WHEN {known} THEN list_concat({', '.join(b.sql for b in bounds)}) END", joined)
    if kinds - {"varchar"}:
        raise AthenaError(
            "FUNCTION_NOT_FOUND",
            f"{place(node)}: Unexpected parameters ({', '.join(str(bound.type) for bound in bounds)}) for function "
            "concat. Expected: concat(char(x), char(y)), concat(array(E), E) E, concat(E, array(E)) E, "
            "concat(array(E)) E, concat(varchar), concat(varbinary)",
        )
    return Bound(f"({' || '.join(coerce(bound, VARCHAR).sql for bound in bounds)})", VARCHAR)


def _joined(bounds: Sequence[Bound]) -> Type | None:
    """The type of these arrays one after the other, where they are of one type in DuckDB."""
    kind = bounds[0].type
    for bound in bounds:
        met = common(kind, bound.type)
        if met is None or bound.type.duck != met.duck:
            return None
        kind = met
    return kind


def _refused(key: str) -> Callable[[Binder, exp.Expr], Bound]:
    def bind(binder: Binder, node: exp.Expr) -> Bound:
        refuse(node, key)

    return bind


def _called(binder: Binder, node: exp.Expr) -> Bound:
    from towline.local.athena.calls import call

    return call(binder, node)


_BINDERS: dict[type[exp.Expr], Callable[[Binder, exp.Expr], Bound]] = {
    exp.Literal: _literal,
    exp.Boolean: lambda binder, node: Bound("TRUE" if node.this else "FALSE", BOOLEAN),
    exp.Null: lambda binder, node: NULL,
    exp.Column: _column,
    exp.Identifier: _column,
    exp.Paren: lambda binder, node: binder.bind(node.this),
    exp.Neg: _negative,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Interval: _interval,
    exp.Array: _array,
    exp.Bracket: _subscript,
    exp.Subquery: _subquery,
    exp.DPipe: _concatenation,
    exp.HexString: _refused("varbinary literal"),
    exp.AtTimeZone: _refused("AT TIME ZONE"),
    exp.Any: _refused("quantified comparison"),
    exp.All: _refused("quantified comparison"),
    exp.Tuple: _refused("ROW constructor"),
    exp.Struct: _refused("ROW constructor"),
    exp.ParseJSON: _refused("CAST to JSON"),
    **conditions.NODES,
    **{
        one: _arithmetic(sign)
        for one, sign in ((exp.Add, "+"), (exp.Sub, "-"), (exp.Mul, "*"), (exp.Div, "/"), (exp.Mod, "%"))
    },
    **dict.fromkeys(
        (
            exp.Anonymous,
            exp.Window,
            exp.Filter,
            exp.IgnoreNulls,
            exp.RespectNulls,
            exp.Extract,
            exp.Trim,
            exp.StrPosition,
            exp.CurrentDate,
            exp.CurrentTimestamp,
            exp.Localtimestamp,
            exp.CurrentTime,
            exp.Localtime,
            exp.CurrentUser,
            exp.CurrentCatalog,
            exp.CurrentSchema,
            exp.WithinGroup,
        ),
        _called,
    ),
}
