"""One SELECT: its clauses in the order in which Trino looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from towline.local.athena.errors import AthenaError
from towline.local.athena.expressions import Binder
from towline.local.athena.ordering import limited, ordered, position, sort_by
from towline.local.athena.parsing import only, place
from towline.local.athena.refusals import refuse
from towline.local.athena.relations import Relations
from towline.local.athena.scope import Bound, Column, Scope

if TYPE_CHECKING:
    from towline.local.athena.queries import Queries, Query

_CLAUSES = ("with_", "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset")


class Select:
    """A SELECT being bound. `items`: what it yields, each with its name and its place in the text."""

    def __init__(self, queries: Queries, node: exp.Select, outer: Scope | None) -> None:
        self.queries, self.node, self.outer = queries, node, outer
        self.items: list[tuple[str | None, Bound]] = []
        self.loose: list[tuple[exp.Expr, list[exp.Expr]]] = []

    def query(self) -> Query:
        """Raises AthenaError."""
        from towline.local.athena.queries import Output, Query

        self._check()
        relations = Relations(self.queries, self.outer)
        relations.read(self.node.args.get("from_"), self.node.args.get("joins") or ())
        scope = Scope(relations.columns, self.outer, windows=self._windows())
        where = self._where(relations)
        group = self._group(scope)
        self._select(scope)
        having = self._having(scope)
        order = self._order(scope)
        self._check_grouped(scope, bool(group or having))
        source = f" FROM {relations.sql}" if relations.sql else ""
        rest = f"{source}{where}{group}{having}{ordered(order)}{limited(self.node)}"
        head = "SELECT DISTINCT " if self.node.args.get("distinct") else "SELECT "
        outputs = [Output(name, bound.type) for name, bound in self.items]
        return Query(outputs, [bound.sql for _, bound in self.items], rest, head)

    def _check(self) -> None:
        if self.node.args.get("match"):
            refuse(self.node, "MATCH_RECOGNIZE")
        if self.node.args.get("laterals"):
            refuse(self.node, "LATERAL")
        if self.node.args.get("sample"):
            refuse(self.node, "TABLESAMPLE")
        only(self.node, "distinct", "windows", *_CLAUSES)
        distinct = self.node.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise AthenaError("SYNTAX_ERROR", f"{place(self.node)}: mismatched input 'ON'")
        if not self.node.expressions:
            raise AthenaError("SYNTAX_ERROR", "line 1:1: mismatched input '<EOF>'. Expecting: <expression>")

    def _windows(self) -> dict[str, exp.Window]:
        return {window.name.lower(): window for window in self.node.args.get("windows") or ()}

    def _where(self, relations: Relations) -> str:
        clause = self.node.args.get("where")
        if clause is None:
            return ""
        scope = Scope(relations.columns, self.outer, clause="WHERE clause")
        return f" WHERE {Binder(scope, self.queries).condition(clause.this, 'WHERE clause').sql}"

    def _group(self, scope: Scope) -> str:
        clause = self.node.args.get("group")
        if clause is None:
            return ""
        only(clause, "expressions", "rollup", "cube", "grouping_sets")
        inner = Scope(scope.columns, self.outer, clause="GROUP BY clause")
        binder = Binder(inner, self.queries)
        parts = [self._group_part(binder, each) for each in clause.expressions]
        for name in ("rollup", "cube", "grouping_sets"):
            parts += [self._group_part(binder, each) for each in clause.args.get(name) or ()]
        scope.groups, scope.aggregated = inner.groups, True
        return f" GROUP BY {', '.join(parts)}"

    def _group_part(self, binder: Binder, node: exp.Expr) -> str:
        kinds: dict[type[exp.Expr], str] = {exp.Rollup: "ROLLUP", exp.Cube: "CUBE", exp.GroupingSets: "GROUPING SETS"}
        if type(node) in kinds:
            inner = ", ".join(self._group_part(binder, each) for each in node.expressions)
            return f"{kinds[type(node)]} ({inner})"
        if isinstance(node, exp.Tuple):
            return f"({', '.join(self._group_part(binder, each) for each in node.expressions)})"
        if isinstance(node, exp.Literal) and not node.is_string:
            node = self._numbered(node)
        bound = binder.bind(node)
        binder.scope.groups |= {bound.sql}
        return f"({bound.sql})" if bound.literal is None else f"CAST({bound.sql} AS {bound.type.duck})"

    def _numbered(self, node: exp.Expr) -> exp.Expr:
        """The item that GROUP BY names by its number."""
        if any(isinstance(item, exp.Star) or item.is_star for item in self.node.expressions):
            refuse(node, "other clause", "a number in GROUP BY beside *")
        item: exp.Expr = self.node.expressions[position(node, len(self.node.expressions), "GROUP BY") - 1]
        inner: exp.Expr = item.this if isinstance(item, exp.Alias) else item
        return inner

    def _select(self, scope: Scope) -> None:
        for node in self.node.expressions:
            if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
                self._star(scope, node)
                continue
            expression = node.this if isinstance(node, exp.Alias) else node
            name = node.alias if isinstance(node, exp.Alias) else _own_name(node)
            scope.loose = []
            bound = Binder(scope, self.queries).bind(expression)
            self.items.append((name, _shown(expression, bound)))
            self.loose.append((expression, scope.loose))
        if not self.items:
            raise AthenaError(
                "COLUMN_NOT_FOUND", f"{place(self.node)}: SELECT * not allowed from relation that has no columns"
            )

    def _star(self, scope: Scope, node: exp.Expr) -> None:
        star = node if isinstance(node, exp.Star) else node.this
        only(star)
        qualifier = [part.name.lower() for part in node.parts[:-1]] if isinstance(node, exp.Column) else []
        found = [column for column in scope.columns if tuple(column.relation[-len(qualifier) :]) == tuple(qualifier)]
        columns = [column for column in (found if qualifier else scope.columns) if not column.hidden]
        if not columns:
            named = ".".join(qualifier)
            raise AthenaError("TABLE_NOT_FOUND", f"{place(node)}: Unable to resolve reference {named}")
        for column in columns:
            self.items.append((column.name, column.bound))
            loose = [] if column.bound.sql in scope.groups else [node]
            self.loose.append((node, loose))

    def _having(self, scope: Scope) -> str:
        clause = self.node.args.get("having")
        if clause is None:
            return ""
        scope.loose, scope.aggregated = [], True
        sql = Binder(scope, self.queries).condition(clause.this, "HAVING clause").sql
        self.loose.append((clause.this, scope.loose))
        return f" HAVING {sql}"

    def _order(self, scope: Scope) -> list[str]:
        clause = self.node.args.get("order")
        if clause is None:
            return []
        scope.loose = []
        scope.aliases = [Column(name, (), bound) for name, bound in self.items]
        keys = sort_by(Binder(scope, self.queries), clause, self.items)
        self.loose.append((clause, scope.loose))
        if self.node.args.get("distinct") and not all(key[0].isdigit() for key in keys):
            message = "For SELECT DISTINCT, ORDER BY expressions must appear in select list"
            raise AthenaError("EXPRESSION_NOT_IN_DISTINCT", f"{place(clause)}: {message}")
        return keys

    def _check_grouped(self, scope: Scope, grouped: bool) -> None:
        if not (scope.aggregated or grouped):
            return
        for node, loose in self.loose:
            if loose:
                text = node.sql("trino")
                message = f"'{text}' must be an aggregate expression or appear in GROUP BY clause"
                raise AthenaError("EXPRESSION_NOT_AGGREGATE", f"{place(node)}: {message}")


def _own_name(node: exp.Expr) -> str | None:
    """A column keeps its name, as it is written; anything else has none."""
    return node.name if isinstance(node, exp.Column) else None


def _shown(node: exp.Expr, bound: Bound) -> Bound:
    if bound.type.name.startswith("interval"):
        refuse(node, "interval as a result")
    return bound
