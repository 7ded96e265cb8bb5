"""Queries: SELECT, set operations, VALUES and WITH, written anew in DuckDB's SQL.

Every column of a relation gets a name of its own (`r2.c1`), so that DuckDB finds exactly the column that Trino would:
no alias is seen in WHERE, and two columns of one name do not meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from towline.local.athena.errors import AthenaError
from towline.local.athena.expressions import Binder
from towline.local.athena.ordering import limited, ordered, sort_by
from towline.local.athena.parsing import only, place
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import Bound, Column, Scope
from towline.local.athena.selecting import Select
from towline.local.athena.types import TIMES, UNKNOWN, Type, common

Schema = Mapping[str, Mapping[str, Type]]


@dataclass(frozen=True)
class Output:
    """A column of a query's result; without a `name` it cannot be referred to, and the result calls it _col0."""

    name: str | None
    type: Type


@dataclass(frozen=True)
class Query:
    """A query in DuckDB's SQL: what stands before its `items`, the items, and what stands after them."""

    columns: Sequence[Output]
    items: Sequence[str]
    rest: str
    head: str = "SELECT "

    @staticmethod
    def over(sql: str, columns: Sequence[Output], tail: str = "") -> Query:
        """The query of all the columns of another."""
        items = [f"s.c{number}" for number in range(1, len(columns) + 1)]
        return Query(columns, items, f" FROM ({sql}) AS s{tail}")

    @property
    def width(self) -> int:
        return len(self.columns)

    @property
    def sql(self) -> str:
        """With the columns c1, c2, … whatever their names."""
        items = ", ".join(f"{item} AS c{number}" for number, item in enumerate(self.items, 1))
        return f"{self.head}{items}{self.rest}"

    @property
    def result(self) -> str:
        """With the names that the result shows, and times with their zone."""
        items = []
        for number, (item, output) in enumerate(zip(self.items, self.columns, strict=True)):
            name = (output.name or f"_col{number}").replace('"', '""')
            value = f"(({item}) AT TIME ZONE 'UTC')" if output.type.name == TIMES[1] else item
            items.append(f'{value} AS "{name}"')
        return f"{self.head}{', '.join(items)}{self.rest}"

    def relation(self, alias: str, name: str | None, names: Sequence[str] = ()) -> list[Column]:
        """Its columns, where it stands in FROM as `alias`; `names` rename them."""
        relation = (name.lower(),) if name else ()
        labels: Sequence[str | None] = names or [output.name for output in self.columns]
        return [
            Column(label, relation, Bound(f"{alias}.c{number}", output.type))
            for number, (label, output) in enumerate(zip(labels, self.columns, strict=True), 1)
        ]


@dataclass
class Queries:
    """Binds the queries of one statement: the tables that there are, the CTEs in sight, and names not used yet."""

    schema: Schema
    database: str
    ctes: dict[str, tuple[str, Query]] = field(default_factory=dict)
    used: int = 0

    def fresh(self, letter: str) -> str:
        self.used += 1
        return f"{letter}{self.used}"

    def inside(self, node: exp.Expr, outer: Scope | None) -> Query:
        """A query within the scope of another; what it names beyond itself is found there. Raises AthenaError."""
        kept = dict(self.ctes)
        try:
            ctes = self._ctes(node.args.get("with_"), outer)
            query = self._inside(node, outer)
            return replace(query, head=ctes + query.head) if ctes else query
        finally:
            self.ctes = kept

    def _inside(self, node: exp.Expr, outer: Scope | None) -> Query:
        if isinstance(node, exp.Subquery):
            return self._parenthesised(node, outer)
        if isinstance(node, exp.Select):
            return Select(self, node, outer).query()
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, outer)
        if isinstance(node, exp.Values):
            return self._values(node, outer)
        raise AthenaError("SYNTAX_ERROR", f"{place(node)}: mismatched input '{node.sql('trino')[:40]}'")

    def _parenthesised(self, node: exp.Subquery, outer: Scope | None) -> Query:
        only(node, "this", "alias", "with_", "order", "limit", "offset", "joins")
        inner = self.inside(node.this, outer)
        tail = self._tail(node, inner)
        return Query.over(inner.sql, inner.columns, tail) if tail else inner

    def _ctes(self, clause: exp.Expr | None, outer: Scope | None) -> str:
        if clause is None:
            return ""
        if clause.args.get("recursive"):
            refuse(clause, "WITH RECURSIVE")
        written = []
        for cte in clause.expressions:
            only(cte, "this", "alias")
            query, alias = self.inside(cte.this, outer), self.fresh("q")
            names = [column.name for column in cte.args["alias"].columns]
            query = self.renamed(cte, query, names)
            self.ctes[cte.alias.lower()] = (alias, query)
            written.append(f"{alias} AS ({query.sql})")
        return f"WITH {', '.join(written)} "

    def renamed(self, node: exp.Expr, query: Query, names: Sequence[str]) -> Query:
        """A query whose columns an alias names anew."""
        if not names:
            return query
        if len(names) != query.width:
            message = f"Column alias list has {len(names)} entries but relation has {query.width} columns"
            raise AthenaError("MISMATCHED_COLUMN_ALIASES", f"{place(node)}: {message}")
        columns = [Output(name, output.type) for name, output in zip(names, query.columns, strict=True)]
        return replace(query, columns=columns)

    def _set_operation(self, node: exp.SetOperation, outer: Scope | None) -> Query:
        only(node, "this", "expression", "distinct", "with_", "order", "limit", "offset")
        left, right = self.inside(node.this, outer), self.inside(node.expression, outer)
        name = type(node).__name__.upper()
        if left.width != right.width:
            message = f"{name} query has different number of fields: {left.width}, {right.width}"
            raise AthenaError("TYPE_MISMATCH", f"{place(node)}: {message}")
        columns = []
        for number, (one, other) in enumerate(zip(left.columns, right.columns, strict=True), 1):
            kind = common(one.type, other.type)
            if kind is None:
                message = f"column {number} in {name} query has incompatible types: {one.type}, {other.type}"
                raise AthenaError("TYPE_MISMATCH", f"{place(node)}: {message}")
            columns.append(Output(one.name, kind))
        word = name if node.args.get("distinct") else f"{name} ALL"
        sql = f"({_typed(left, columns)}) {word} ({_typed(right, columns)})"
        return Query.over(sql, columns, self._tail(node, Query.over(sql, columns)))

    def _values(self, node: exp.Values, outer: Scope | None) -> Query:
        only(node, "expressions", "alias", "order", "limit", "offset", "with_")
        binder = Binder(Scope(outer=outer, clause="VALUES"), self)
        rows = [binder.all(row.expressions) for row in node.expressions]
        if len({len(row) for row in rows}) > 1:
            message = "Values rows have mismatched sizes: " + " vs ".join(str(len(row)) for row in rows[:2])
            raise AthenaError("TYPE_MISMATCH", f"{place(node)}: {message}")
        columns = [binder.alike(node, column, "Values") for column in zip(*rows, strict=True)]
        names = ", ".join(f"c{number}" for number in range(1, len(columns) + 1))
        lines = ", ".join(
            f"({', '.join(each.sql for each in row)})" for row in zip(*(c for c, _ in columns), strict=True)
        )
        outputs = [Output(None, kind) for _, kind in columns]
        sql = f"SELECT * FROM (VALUES {lines}) AS v({names})"
        return Query.over(sql, outputs, self._tail(node, Query.over(sql, outputs)))

    def _tail(self, node: exp.Expr, query: Query) -> str:
        """ORDER BY, OFFSET and LIMIT of what has no FROM of its own: its columns alone are seen."""
        scope = Scope(columns=query.relation("s", None))
        items = [(column.name, column.bound) for column in scope.columns]
        return ordered(sort_by(Binder(scope, self), node.args.get("order"), items)) + limited(node)


def _typed(query: Query, columns: Sequence[Output]) -> str:
    """The query with its columns in these types."""
    if all(
        one.type.duck == other.type.duck and one.type != UNKNOWN
        for one, other in zip(query.columns, columns, strict=True)
    ):
        return query.sql
    items = [f"CAST(s.c{number} AS {each.type.duck})" for number, each in enumerate(columns, 1)]
    return Query(columns, items, f" FROM ({query.sql}) AS s").sql
