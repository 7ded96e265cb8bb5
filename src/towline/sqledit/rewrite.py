"""What each verb says, as the SELECT of the table as it is afterwards.

    UPDATE master SET c = e WHERE p        SELECT …, CASE WHEN p THEN e ELSE c END, … FROM base
    DELETE FROM master WHERE p             SELECT … FROM base WHERE NOT COALESCE(p, FALSE)
    INSERT INTO master (c) q               SELECT … FROM base UNION ALL SELECT …, c, … FROM q
    MERGE INTO master USING s ON p …       base LEFT JOIN s, case by case, UNION ALL s without a match
    UPDATE master SET c = e FROM s WHERE p MERGE INTO master USING s ON p WHEN MATCHED THEN UPDATE SET c = e
    SELECT …                               itself

No type is forced: where a value's type and its column's differ, the engine finds the type of both, and where there is
none (a text for a number) it refuses. A column that comes out wider than its type is for the check to judge, value by
value. CAST would round where nobody looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from towline.contract import Contract
from towline.sqledit.columns import Schema, check_outputs, outputs, resolve_name
from towline.sqledit.statement import Statement
from towline.sqledit.tables import quoted

_SEVERAL = "several rows of the source match one row of the table"
Branch = tuple[exp.Expr, Mapping[str, exp.Expr]]  # a condition, and the value of each column where it holds


@dataclass(frozen=True)
class Target:
    """The table that a statement edits: its base, and the name that the statement gives it."""

    statement: Statement
    contract: Contract
    schema: Schema
    base: exp.Table
    alias: str
    marker: str  # a name that the statement and the contract leave free

    def column(self, name: str) -> exp.Column:
        return exp.column(quoted(name), table=quoted(self.alias))

    def rows(self) -> exp.Table:
        """The base, under the statement's name for it."""
        table = self.base.copy()
        table.set("alias", exp.TableAlias(this=quoted(self.alias)))
        return table

    def all_columns(self) -> list[exp.Expr]:
        return [self.column(name) for name in self.contract.names]

    def assignments(self, items: Iterable[exp.Expr]) -> dict[str, exp.Expr]:
        """SET's columns and values. Raises SqlRefused."""
        values: dict[str, exp.Expr] = {}
        for item in items:
            if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
                reason = "SET gives one column one value: SET a = 1, b = (x > 2)"
                raise self.statement.refused("sql.syntax", reason, item)
            if item.this.table and item.this.table.lower() != self.alias.lower():
                reason = f"{item.this.table} is not the table that is edited; SET names columns of {self.alias}"
                raise self.statement.refused("sql.column", reason, item.this)
            name = resolve_name(item.this, self.contract, self.statement)
            if name in values:
                raise self.statement.refused("sql.column", f"SET names {name} twice; give it one value", item.this)
            values[name] = item.expression
        if not values:
            raise self.statement.refused("sql.syntax", "SET is missing; say which column gets which value")
        return values

    def changed(self, branches: Sequence[Branch]) -> list[exp.Expr]:
        """Every column, with the value of the first branch that holds."""
        return [self._changed(name, branches) for name in self.contract.names]

    def _changed(self, name: str, branches: Sequence[Branch]) -> exp.Expr:
        if not any(name in values for _, values in branches):
            return self.column(name)
        case = exp.Case(default=self.column(name))
        for condition, values in branches:
            case = case.when(condition.copy(), values.get(name, self.column(name)).copy())
        return exp.alias_(case, quoted(name))


def update(target: Target, tree: exp.Update) -> exp.Query:
    _check_rowwise(target, tree)
    values = target.assignments(tree.expressions)
    where = tree.args.get("where")
    if tree.args.get("from_") is not None:
        source = tree.args["from_"].this
        _check_source(target, source)
        on = where.this if where is not None else exp.true()
        return _matched(target, source, on, [(None, "update", values)])
    if where is None:
        return exp.select(*target.changed([(exp.true(), values)])).from_(target.rows())
    marked = exp.select(star(target.alias), exp.alias_(where.this, quoted(target.marker))).from_(target.rows())
    branch = (target.column(target.marker), values)
    return exp.select(*target.changed([branch])).from_(marked.subquery(quoted(target.alias)))


def delete(target: Target, tree: exp.Delete) -> exp.Query:
    _check_rowwise(target, tree)
    where = tree.args.get("where")
    if where is None:
        reason = "this deletes every row, and a dataset keeps at least one; say which with WHERE"
        raise target.statement.refused("sql.empty", reason)
    goes = exp.func("COALESCE", exp.paren(where.this), exp.false())
    return exp.select(*target.all_columns()).from_(target.rows()).where(exp.not_(goes))


def insert(target: Target, tree: exp.Insert) -> exp.Query:
    named = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    names = _inserted_names(target, named)
    source = tree.expression
    if isinstance(source, exp.Values):
        for row in source.expressions:
            _check_width(target, row, len(row.expressions) if isinstance(row, exp.Tuple) else 1, names)
    elif isinstance(source, exp.Query):
        query = source.copy()
        if tree.args.get("with_") is not None:
            query.set("with_", tree.args["with_"].copy())
        _check_width(target, source, len(outputs(query, target.schema, target.statement)), names)
    else:
        raise target.statement.refused("sql.syntax", "INSERT needs VALUES or a SELECT", source)
    alias = exp.TableAlias(this=quoted(target.marker), columns=[quoted(name) for name in names])
    rows = exp.Values(expressions=source.expressions, alias=alias) if isinstance(source, exp.Values) else None
    new = [_or_null(name, names, target.marker) for name in target.contract.names]
    added = exp.select(*new).from_(rows or exp.Subquery(this=source, alias=alias))
    return exp.union(exp.select(*target.all_columns()).from_(target.rows()), added, distinct=False)


def merge(target: Target, tree: exp.Merge) -> exp.Query:
    """Both halves: the rows of the table, and those of the source that match none of them."""
    _check_rowwise(target, tree)
    source, on = tree.args["using"], tree.args["on"]
    _check_source(target, source)
    clauses = tree.args["whens"].expressions
    matched = [_matched_clause(target, clause) for clause in clauses if clause.args.get("matched")]
    missed = [_missed_clause(target, clause) for clause in clauses if not clause.args.get("matched")]
    kept = _matched(target, source, on, matched) if matched else None
    kept = kept or exp.select(*target.all_columns()).from_(target.rows())
    return exp.union(kept, _missed(target, source, on, missed), distinct=False) if missed else kept


def select(target: Target, tree: exp.Query) -> exp.Query:
    """The statement itself. The empty half before it gives names, order and types of the columns."""
    check_outputs(tree, outputs(tree, target.schema, target.statement), target.contract, target.statement)
    result = [exp.column(quoted(name), table=quoted(target.marker)) for name in target.contract.names]
    new = exp.select(*result).from_(exp.Subquery(this=tree, alias=exp.TableAlias(this=quoted(target.marker))))
    shape = exp.select(*target.all_columns()).from_(target.rows()).where(exp.false())
    return exp.union(shape, new, distinct=False)


def _check_rowwise(target: Target, tree: exp.Expr) -> None:
    """Conditions and new values look at one row at a time; what looks at several stands in a subquery. Raises
    SqlRefused, as Athena would of an UPDATE of its own tables."""
    for node in tree.walk(prune=lambda each: isinstance(each, exp.Query)):
        if isinstance(node, exp.AggFunc | exp.Window):
            reason = "a function of several rows stands in a subquery: (SELECT …), or FROM (SELECT …) AS s"
            raise target.statement.refused("sql.function", reason, node)


def star(table: str) -> exp.Column:
    return exp.Column(this=exp.Star(), table=quoted(table))


def _matched(
    target: Target,
    source: exp.Expr,
    on: exp.Expr,
    clauses: Sequence[tuple[exp.Expr | None, str, Mapping[str, exp.Expr]]],
) -> exp.Query:
    """The rows of the table, each edited by the first clause that holds of its match in the source. Where several rows
    of the source have something to say to one of the table, there is no answer, and the query fails."""
    marked = _marked(target, source.copy(), source.alias_or_name)
    hit = exp.column(quoted(target.marker), table=quoted(source.alias_or_name))
    branches = [(_both(hit, condition), values) for condition, _, values in clauses]
    action = exp.Case()
    for (condition, _), (_, name, _) in zip(branches, clauses, strict=True):
        action = action.when(condition.copy(), exp.Literal.string(name))
    rank = exp.Window(
        this=exp.RowNumber(),
        partition_by=[target.column(name) for name in target.contract.key],
        order=exp.Order(expressions=[exp.Ordered(this=action.copy(), nulls_first=False)]),
    )
    said, turn = target.marker, f"{target.marker}_turn"
    rows = (
        exp.select(*target.changed(branches), exp.alias_(action, quoted(said)), exp.alias_(rank, quoted(turn)))
        .from_(target.rows())
        .join(marked, on=on.copy(), join_type="left")
    )
    edited = [exp.column(quoted(name), table=quoted(target.alias)) for name in target.contract.names]
    return exp.select(*edited).from_(rows.subquery(quoted(target.alias))).where(_stays(target, said, turn))


def _stays(target: Target, said: str, turn: str) -> exp.Expr:
    """Whether a joined row is one of the result: the first of its key, unless deleted; a second that has something
    to say fails the query, by a CAST that cannot succeed and that shows its text."""
    action = target.column(said)
    failing = exp.Case().when(exp.not_(exp.Is(this=action, expression=exp.null())), exp.Literal.string(_SEVERAL))
    kept = exp.NEQ(
        this=exp.func("COALESCE", action.copy(), exp.Literal.string("")), expression=exp.Literal.string("delete")
    )
    first = exp.EQ(this=target.column(turn), expression=exp.Literal.number(1))
    return exp.Case(default=exp.cast(failing, "BOOLEAN")).when(first, kept)


def _missed(
    target: Target, source: exp.Expr, on: exp.Expr, clauses: Sequence[tuple[exp.Expr | None, Mapping[str, exp.Expr]]]
) -> exp.Query:
    """The rows of the source that match none of the table, as the first clause that holds writes them."""
    table = _marked(target, target.rows(), target.alias)
    conditions = [exp.true() if condition is None else condition for condition, _ in clauses]
    values = [exp.alias_(_first(name, conditions, clauses), quoted(name)) for name in target.contract.names]
    alone = exp.Is(this=target.column(target.marker), expression=exp.null())
    added = exp.select(*values).from_(source.copy()).join(table, on=on.copy(), join_type="left").where(alone)
    return added if any(c is None for c, _ in clauses) else added.where(exp.or_(*(c.copy() for c in conditions)))


def _marked(target: Target, table: exp.Expr, alias: str) -> exp.Subquery:
    """A table with a column that is true in all of its rows, so that a join shows where none of them matched."""
    rows = exp.select(star(alias), exp.alias_(exp.true(), quoted(target.marker))).from_(table)
    return rows.subquery(quoted(alias))


def _first(
    name: str, conditions: Sequence[exp.Expr], clauses: Sequence[tuple[exp.Expr | None, Mapping[str, exp.Expr]]]
) -> exp.Expr:
    """What the first clause that holds writes into a column."""
    if len(clauses) == 1:
        return clauses[0][1].get(name, exp.null()).copy()
    case = exp.Case()
    for condition, (_, given) in zip(conditions, clauses, strict=True):
        case = case.when(condition.copy(), given.get(name, exp.null()).copy())
    return case


def _check_source(target: Target, source: exp.Expr) -> None:
    """A source is one table with a name of its own. Raises SqlRefused."""
    single = isinstance(source, exp.Table | exp.Subquery | exp.Values) and not source.args.get("joins")
    if not single or not source.alias_or_name:
        reason = "the source is one table, or one SELECT in parentheses with a name: (SELECT …) AS s"
        raise target.statement.refused("sql.syntax", reason, source)
    if source.alias_or_name.lower() == target.alias.lower():
        reason = f"source and table are both called {target.alias}; give one of them another name"
        raise target.statement.refused("sql.table", reason, source)


def _matched_clause(target: Target, clause: exp.When) -> tuple[exp.Expr | None, str, Mapping[str, exp.Expr]]:
    then, condition = clause.args["then"], clause.args.get("condition")
    if isinstance(then, exp.Update):
        return condition, "update", target.assignments(then.expressions)
    if isinstance(then, exp.Var) and then.name.upper() == "DELETE":
        return condition, "delete", {}
    raise target.statement.refused("sql.syntax", "WHEN MATCHED goes on with THEN UPDATE SET … or THEN DELETE", then)


def _missed_clause(target: Target, clause: exp.When) -> tuple[exp.Expr | None, Mapping[str, exp.Expr]]:
    then = clause.args["then"]
    if not isinstance(then, exp.Insert) or not isinstance(then.expression, exp.Tuple | exp.Paren):
        reason = "WHEN NOT MATCHED goes on with THEN INSERT (columns) VALUES (values)"
        raise target.statement.refused("sql.syntax", reason, then)
    values = then.expression.expressions or [then.expression.this]
    named = (then.this.expressions or [then.this.this]) if then.this else []
    names = _inserted_names(target, named)
    _check_width(target, then.expression, len(values), names)
    return clause.args.get("condition"), dict(zip(names, values, strict=True))


def _inserted_names(target: Target, named: Sequence[exp.Expr]) -> list[str]:
    """The columns that an INSERT names; all of them, in order, where it names none."""
    names = [resolve_name(node, target.contract, target.statement) for node in named]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise target.statement.refused("sql.column", f"INSERT names {name} twice; name it once", named[number])
    lost = [name for name in target.contract.key if names and name not in names]
    if lost:
        reason = f"INSERT gives no value for {', '.join(lost)}, of the key; every row has its whole key"
        raise target.statement.refused("sql.key", reason, named[0])
    return names or list(target.contract.names)


def _check_width(target: Target, node: exp.Expr, width: int, names: Sequence[str]) -> None:
    if width != len(names):
        reason = f"{width} values for {len(names)} columns ({', '.join(names)}); give each one value"
        raise target.statement.refused("sql.column", reason, node)


def _or_null(name: str, names: Sequence[str], table: str) -> exp.Expr:
    if name in names:
        return exp.column(quoted(name), table=quoted(table))
    return exp.alias_(exp.null(), quoted(name))


def _both(hit: exp.Expr, condition: exp.Expr | None) -> exp.Expr:
    return hit.copy() if condition is None else exp.and_(hit.copy(), condition.copy())
