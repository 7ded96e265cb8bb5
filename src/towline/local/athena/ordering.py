"""ORDER BY, OFFSET and LIMIT."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from towline.local.athena.errors import AthenaError
from towline.local.athena.expressions import Binder
from towline.local.athena.parsing import only, place
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import Bound

Items = Sequence[tuple[str | None, Bound]]


def sort_by(binder: Binder, clause: exp.Expr | None, items: Items) -> list[str]:
    """The keys of ORDER BY: a position, the name of an output column, or an expression. Raises AthenaError."""
    if clause is None:
        return []
    only(clause, "expressions")
    return [sort_key(each, _key(binder, each, items)) for each in clause.expressions]


def _key(binder: Binder, ordered: exp.Expr, items: Items) -> str:
    node = ordered.this
    if isinstance(node, exp.Literal) and not node.is_string:
        return str(position(node, len(items), "ORDER BY"))
    if isinstance(node, exp.Column) and not node.table:
        named = [number for number, (name, _) in enumerate(items, 1) if name and name.lower() == node.name.lower()]
        if named and len({items[number - 1][1].sql for number in named}) == 1:
            return str(named[0])
    bound = binder.bind(node)
    same = [number for number, (_, item) in enumerate(items, 1) if item.sql == bound.sql]
    if same:
        return str(same[0])
    return f"({bound.sql})" if bound.literal is None else f"CAST({bound.sql} AS {bound.type.duck})"


def ordered(keys: Sequence[str]) -> str:
    return f" ORDER BY {', '.join(keys)}" if keys else ""


def position(node: exp.Expr, width: int, clause: str) -> int:
    """A column by its number from 1. Raises AthenaError."""
    if not node.name.isdigit() or not 1 <= int(node.name) <= width:
        message = f"{place(node)}: {clause} position {node.name} is not in select list"
        raise AthenaError("INVALID_COLUMN_REFERENCE", message)
    return int(node.name)


def sort_key(ordered: exp.Expr, sql: str) -> str:
    """Trino puts NULL last, whichever the direction, unless told otherwise."""
    only(ordered, "this", "desc", "nulls_first")
    first = "FIRST" if ordered.args.get("nulls_first") else "LAST"
    return f"{sql} {'DESC' if ordered.args.get('desc') else 'ASC'} NULLS {first}"


def limited(node: exp.Expr) -> str:
    offset, limit = node.args.get("offset"), node.args.get("limit")
    sql = ""
    if isinstance(limit, exp.Fetch):
        options = limit.args.get("limit_options")
        if options is not None and (options.args.get("with_ties") or options.args.get("percent")):
            refuse(limit, "FETCH FIRST WITH TIES")
        sql += f" LIMIT {_count(limit.args['count'])}" if limit.args.get("count") else " LIMIT 1"
    elif limit is not None and str(limit.expression).upper() != "ALL":
        only(limit, "expression")
        sql += f" LIMIT {_count(limit.expression)}"
    return sql + (f" OFFSET {_count(offset.expression)}" if offset is not None else "")


def _count(node: exp.Expr) -> int:
    if not isinstance(node, exp.Literal) or not node.name.isdigit():
        raise AthenaError(
            "SYNTAX_ERROR", f"{place(node)}: mismatched input '{node.sql('trino')}'. Expecting: <integer>"
        )
    return int(node.name)
