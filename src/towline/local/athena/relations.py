"""FROM: tables, subqueries, joins and UNNEST, and the columns that they bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from towline.local.athena.casts import to_precision
from towline.local.athena.errors import AthenaError
from towline.local.athena.expressions import Binder
from towline.local.athena.operators import compare
from towline.local.athena.parsing import COMMA, only, place
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import Bound, Column, Scope
from towline.local.athena.statement import PATH
from towline.local.athena.types import BIGINT, TIMESTAMP, Type, common

if TYPE_CHECKING:
    from towline.local.athena.queries import Queries

CATALOG = "awsdatacatalog"


class Relations:
    """The FROM clause of one SELECT. `sql` and `columns` grow from join to join."""

    def __init__(self, queries: Queries, outer: Scope | None, beside: Sequence[Column] = ()) -> None:
        self.queries, self.outer, self.beside = queries, outer, beside
        self.sql, self.columns = "", list[Column]()

    def read(self, first: exp.Expr | None, joins: Sequence[exp.Expr]) -> None:
        """FROM a JOIN b …, c JOIN d …: a comma binds less than a JOIN. Raises AthenaError."""
        if first is None:
            return
        chains: list[tuple[exp.Expr, list[exp.Expr]]] = [(first.this, [])]
        for join in joins:
            if join.args.get("kind") == COMMA:
                chains.append((join.this, []))
            else:
                chains[-1][1].append(join)
        for node, own in chains:
            chain = Relations(self.queries, self.outer, self.columns)
            chain.follow(node, own)
            sql = f"({chain.sql})" if self.sql and (own or node.args.get("joins")) else chain.sql
            self.sql = f"{self.sql} CROSS JOIN {sql}" if self.sql else sql
            self.columns = [*self.columns, *chain.columns]

    def follow(self, node: exp.Expr, joins: Sequence[exp.Expr]) -> None:
        """A relation, and those that are joined to it one by one. Raises AthenaError."""
        self.sql, self.columns = self._relation(node)
        for join in [*(node.args.get("joins") or ()), *joins]:
            self._join(join)

    def _relation(self, node: exp.Expr) -> tuple[str, list[Column]]:
        """A relation's SQL and its columns. Raises AthenaError."""
        if isinstance(node, exp.Table):
            return self._table(node)
        if isinstance(node, exp.Unnest):
            return self._unnest(node)
        if isinstance(node, exp.Lateral):
            refuse(node, "LATERAL")
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            return self._grouped(node)
        if not isinstance(node, exp.Subquery | exp.Values):
            raise AthenaError("SYNTAX_ERROR", f"{place(node)}: mismatched input '{node.sql('trino')[:40]}'")
        query, alias = self.queries.inside(node, self.outer), self.queries.fresh("r")
        names = [column.name for column in node.args["alias"].columns] if node.args.get("alias") else []
        query = self.queries.renamed(node, query, names)
        return f"({query.sql}) AS {alias}", query.relation(alias, node.alias or None)

    def _grouped(self, node: exp.Subquery) -> tuple[str, list[Column]]:
        """A join in parentheses."""
        only(node, "this", "joins")
        return self._chained(node.this)

    def _chained(self, node: exp.Expr) -> tuple[str, list[Column]]:
        chain = Relations(self.queries, self.outer, [*self.beside, *self.columns])
        chain.follow(node, [])
        return f"({chain.sql})", chain.columns

    def _table(self, node: exp.Table) -> tuple[str, list[Column]]:
        if not isinstance(node.this, exp.Identifier):
            message = f"{place(node)}: Table function '{node.this.name}' not registered"
            raise AthenaError("FUNCTION_NOT_FOUND", message)
        for key, part in (("sample", "TABLESAMPLE"), ("match_recognize", "MATCH_RECOGNIZE")):
            if node.args.get(key):
                refuse(node, part)
        if version := node.args.get("version"):
            refuse(node, f"FOR {str(version.this).upper()} AS OF")
        only(node, "this", "db", "catalog", "alias", "joins")
        alias, given = self.queries.fresh("r"), node.args.get("alias")
        names = [column.name for column in given.columns] if given else []
        if not node.db and node.name.lower() in self.queries.ctes:
            name, query = self.queries.ctes[node.name.lower()]
            query = self.queries.renamed(node, query, names)
            return f"{name} AS {alias}", query.relation(alias, node.alias or node.name)
        return self._stored(node, alias, names)

    def _stored(self, node: exp.Table, alias: str, names: Sequence[str]) -> tuple[str, list[Column]]:
        database, name = (node.db or self.queries.database).lower(), node.name.lower()
        kinds = self.queries.schema.get(f"{database}.{name}")
        if kinds is None or (node.catalog and node.catalog.lower() != CATALOG):
            named = f"{(node.catalog or CATALOG).lower()}.{database}.{name}"
            raise AthenaError("TABLE_NOT_FOUND", f"{place(node)}: Table '{named}' does not exist")
        relation = (node.alias.lower(),) if node.alias else (CATALOG, database, name)
        if names and len(names) != len(kinds):
            message = f"Column alias list has {len(names)} entries but '{name}' has {len(kinds)} columns available"
            raise AthenaError("MISMATCHED_COLUMN_ALIASES", f"{place(node)}: {message}")
        columns = [
            Column(label, relation, Bound(_read(f"{alias}.{_quoted(column)}", kind), kind), column == PATH)
            for label, (column, kind) in zip(names or kinds, kinds.items(), strict=True)
        ]
        return f"{_quoted(database)}.{_quoted(name)} AS {alias}", columns

    def _unnest(self, node: exp.Unnest) -> tuple[str, list[Column]]:
        """Arrays side by side, the shorter ones filled up with NULL; a map as its keys and its values."""
        from towline.local.athena.queries import Output, Query

        only(node, "expressions", "alias", "offset")
        seen = [*self.beside, *self.columns]
        binder = Binder(Scope(seen, self.outer, clause="UNNEST"), self.queries)
        lists = [part for each in binder.all(node.expressions) for part in _unnested(node, each)]
        items = [(f"unnest({part.sql})", part.type.inner[0]) for part in lists]
        names = [column.name for column in node.args["alias"].columns] if node.args.get("alias") else []
        if offset := node.args.get("offset"):
            longest = ", ".join(f"len({part.sql})" for part in lists)
            items.append((f"unnest(generate_series(1, greatest({longest})))", BIGINT))
            names += [offset.name] if names else []
        query = Query([Output(None, kind) for _, kind in items], [sql for sql, _ in items], "")
        query, alias = self.queries.renamed(node, query, names), self.queries.fresh("r")
        return f"{'LATERAL ' if seen else ''}({query.sql}) AS {alias}", query.relation(alias, node.alias or None)

    def _join(self, join: exp.Expr) -> None:
        only(join, "this", "kind", "side", "on", "using", "method")
        if join.args.get("method"):
            refuse(join, "NATURAL JOIN" if str(join.args["method"]).upper() == "NATURAL" else "other clause")
        kind, side = str(join.args.get("kind") or "").upper(), str(join.args.get("side") or "").upper()
        if kind not in ("", "INNER", "CROSS", "OUTER") or side not in ("", "LEFT", "RIGHT", "FULL"):
            raise AthenaError("SYNTAX_ERROR", f"{place(join)}: mismatched input '{kind or side}'")
        sql, columns = (self._chained if join.this.args.get("joins") else self._relation)(join.this)
        before, self.columns = self.columns, [*self.columns, *columns]
        if isinstance(join.this, exp.Unnest) and side and join.args.get("on") != exp.true():
            message = f"{place(join.this)}: {side} JOIN involving UNNEST is only supported with condition ON TRUE"
            raise AthenaError("NOT_SUPPORTED", message)
        if using := join.args.get("using"):
            on = self._using(using, before, columns)
            self.sql += f" {side or 'INNER'} JOIN {sql} ON {on}"
        elif on_node := join.args.get("on"):
            scope = Scope(self.columns, self.outer, clause="JOIN clause")
            on = Binder(scope, self.queries).condition(on_node, "JOIN ON clause").sql
            self.sql += f" {side or 'INNER'} JOIN {sql} ON {on}"
        elif kind == "CROSS":
            self.sql += f" CROSS JOIN {sql}"
        else:
            raise AthenaError("SYNTAX_ERROR", f"{place(join.this)}: mismatched input. Expecting: 'ON', 'USING'")

    def _using(self, names: Sequence[exp.Expr], left: Sequence[Column], right: Sequence[Column]) -> str:
        """USING: each of its columns is there once, before all others."""
        merged, conditions, gone = list[Column](), [], set[int]()
        for name in names:
            one, other = self._one(name, left), self._one(name, right)
            conditions.append(compare(name, "=", one.bound, other.bound).sql)
            kind = common(one.bound.type, other.bound.type) or one.bound.type
            bound = Bound(f"CAST(COALESCE({one.bound.sql}, {other.bound.sql}) AS {kind.duck})", kind)
            merged.append(Column(one.name, (), bound))
            gone |= {id(one), id(other)}
        self.columns = [*merged, *(column for column in (*left, *right) if id(column) not in gone)]
        return " AND ".join(conditions)

    def _one(self, name: exp.Expr, columns: Sequence[Column]) -> Column:
        found = [column for column in columns if column.answers(name.name, ())]
        if len(found) != 1:
            which = "is missing from" if not found else "is ambiguous in"
            message = f"{place(name)}: Column '{name.name}' {which} one side of join"
            raise AthenaError("COLUMN_NOT_FOUND" if not found else "AMBIGUOUS_NAME", message)
        return found[0]


def _read(sql: str, kind: Type) -> str:
    """A table's column: its times are read to the millisecond, and rounded to it."""
    return to_precision(sql, kind.size or 0) if kind == TIMESTAMP else sql


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _unnested(node: exp.Expr, bound: Bound) -> list[Bound]:
    kind = bound.type
    if kind.name == "map":
        parts = zip(("map_keys", "map_values"), kind.inner, strict=True)
        return [Bound(f"{name}({bound.sql})", type(kind)("array", inner=(inner,))) for name, inner in parts]
    if kind.name != "array":
        raise AthenaError("TYPE_MISMATCH", f"{place(node)}: Cannot unnest type: {kind}")
    if kind.inner[0].name == "row":
        refuse(node, "UNNEST of rows")
    return [bound]
