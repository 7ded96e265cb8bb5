"""The names that an expression can see: columns of relations, of the queries around, and a lambda's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from towline.local.athena.errors import AthenaError
from towline.local.athena.parsing import place
from towline.local.athena.types import UNKNOWN, Type


@dataclass(frozen=True)
class Bound:
    """An expression in DuckDB's SQL and its type. `literal`: the value of a constant that was written out.

    `number`: a double that is never NaN.
    """

    sql: str
    type: Type
    literal: str | int | None = None
    number: bool = False


NULL = Bound("NULL", UNKNOWN)


@dataclass(frozen=True)
class Column:
    """A column that a relation has: its name to the query (None: it has none), its relation's, and its SQL. A hidden
    one is no part of `*`."""

    name: str | None
    relation: tuple[str, ...]
    bound: Bound
    hidden: bool = False

    def answers(self, name: str, qualifier: Sequence[str]) -> bool:
        if self.name is None or self.name.lower() != name.lower():
            return False
        return not qualifier or tuple(self.relation[-len(qualifier) :]) == tuple(qualifier)


@dataclass
class Scope:
    """What one SELECT's expressions see.

    clause      how errors call the clause ("WHERE clause") where aggregates and windows are not allowed; else None
    groups      the SQL of the expressions of GROUP BY
    aggregating the aggregate whose arguments are being read
    loose       the columns read since outside of any aggregate: what GROUP BY must hold
    aliases     the output columns that ORDER BY sees first
    """

    columns: Sequence[Column] = ()
    outer: Scope | None = None
    clause: str | None = None
    groups: frozenset[str] = frozenset()
    aggregated: bool = False
    aggregating: str = ""
    loose: list[exp.Expr] = field(default_factory=list)
    aliases: Sequence[Column] = ()
    parameters: dict[str, Bound] = field(default_factory=dict)
    windows: dict[str, exp.Window] = field(default_factory=dict)

    def find(self, node: exp.Column) -> Bound:
        """The column that `node` names. Raises AthenaError."""
        name, qualifier = node.name, [part.name.lower() for part in node.parts[:-1]]
        if not qualifier and name.lower() in self.parameters:
            return self.parameters[name.lower()]
        for columns, own in ((self.aliases, False), (self.columns, True)):
            found = [column for column in columns if column.answers(name, qualifier)]
            if len(found) > 1 and len({column.bound.sql for column in found}) > 1:
                raise AthenaError("AMBIGUOUS_NAME", f"{place(node)}: Column '{name}' is ambiguous")
            if found:
                if own:
                    self.loose.append(node)
                return found[0].bound
        if self.outer is not None:
            return self.outer.find_outside(node)
        raise unresolved(node)

    def find_outside(self, node: exp.Column) -> Bound:
        """`find`, for a query inside: it takes nothing from what GROUP BY must hold here."""
        mark = len(self.loose)
        try:
            return self.find(node)
        finally:
            del self.loose[mark:]


def unresolved(node: exp.Column) -> AthenaError:
    named = ".".join(part.name for part in node.parts)
    return AthenaError(
        "COLUMN_NOT_FOUND",
        f"{place(node)}: Column '{named}' cannot be resolved or requester is not authorized to access requested "
        "resources",
    )
