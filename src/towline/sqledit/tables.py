"""Which tables a statement reads, and where they are: names resolved to the run's base and to the team's tables."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlglot import exp

from towline.sqledit.statement import Statement

CATALOG = "awsdatacatalog"
AUDIT, CHANGES = HISTORY = ("audit", "changes")
SNAPSHOTS = "_snapshots"


@dataclass(frozen=True)
class Tables:
    """The tables that a statement may name, in one database, and where each of them is.

    places   name in lower case -> the table that is read in its stead
    own      the names of the table that is edited
    """

    database: str
    places: Mapping[str, exp.Table]
    own: frozenset[str] = frozenset()

    def resolve(self, statement: Statement) -> frozenset[str]:
        """Put the right table in the place of each name, in place. Returns the names that were read."""
        read: set[str] = set()
        for table in list(statement.tree.find_all(exp.Table)):
            if self._is_cte(table):
                continue
            name = self.check(table, statement)
            alias = table.args.get("alias") or exp.TableAlias(this=table.this.copy())
            place = self.places[name].copy()
            place.set("alias", alias)
            place.set("joins", table.args.get("joins"))
            table.replace(place)
            read.add(name)
        self._check_ctes(statement)
        self._shorten(statement)
        return frozenset(read)

    def check(self, table: exp.Table, statement: Statement) -> str:
        """The name of a table, in lower case. Raises SqlRefused where it is not one of these."""
        if not isinstance(table.this, exp.Identifier):
            reason = "a function that makes a table is not read here; read one of the tables"
            raise statement.refused("sql.table", reason, table)
        if table.catalog and table.catalog.lower() != CATALOG:
            reason = f"{table.catalog} is another catalog; only {CATALOG} is read"
            raise statement.refused("sql.catalog", reason, table)
        if table.db and table.db.lower() != self.database.lower():
            reason = f"{table.db} is another database; only the tables of {self.database} are read"
            raise statement.refused("sql.catalog", reason, table)
        name = table.name.lower()
        if name not in self.places:
            raise statement.refused("sql.table", f"there is no table {table.name}; {self._way_out(name)}", table)
        return name

    def _way_out(self, name: str) -> str:
        if name == "master":
            return "say which dataset that is, or read one by its own name"
        if "/" in name or ":" in name:
            return "files and places in S3 are not read; read one of the tables"
        near = difflib.get_close_matches(name, self.places, n=1)
        return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(self.places))}"

    def _is_cte(self, table: exp.Table) -> bool:
        """Whether a WITH around it names it."""
        if table.args.get("db") or not isinstance(table.this, exp.Identifier):
            return False
        around: exp.Expr | None = table
        while around is not None:
            with_ = around.args.get("with_") if around is not table else None
            if with_ is not None and table.name.lower() in {cte.alias.lower() for cte in with_.expressions}:
                return True
            around = around.parent
        return False

    def _shorten(self, statement: Statement) -> None:
        """Take the database from before columns: the tables have other names now. What has another name there is a
        field of a row."""
        for column in statement.tree.find_all(exp.Column):
            if column.db.lower() == self.database.lower():
                column.set("db", None)
                column.set("catalog", None)

    def _check_ctes(self, statement: Statement) -> None:
        """A WITH that takes a table's name would make it uncertain which of the two is meant."""
        for cte in statement.tree.find_all(exp.CTE):
            if cte.alias.lower() in self.places:
                reason = f"WITH takes the name {cte.alias}, which is a table's; use another name"
                raise statement.refused("sql.table", reason, cte.args["alias"])


def quoted(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


def of_edit(dataset: str, base: str, others: Collection[str], database: str) -> Tables:
    """The tables that an edit of `dataset` may read: its base under two names, and the team's others."""
    names = [*HISTORY, dataset + SNAPSHOTS]
    names += [name for other in others if other != dataset for name in (other, other + SNAPSHOTS)]
    places = {name.lower(): _table(name, database) for name in names}
    parsed = exp.to_table(base, dialect="trino")
    pinned = _table(parsed.name, parsed.db)
    own = frozenset({"master", dataset.lower()})
    return Tables(database, places | dict.fromkeys(own, pinned), own)


def of_query(names: Collection[str], database: str, master: str | None = None) -> Tables:
    """The tables that a query may read; one of them under the name `master` too, unless another has that."""
    alias = {"master": _table(master, database)} if master is not None else {}
    return Tables(database, alias | {name.lower(): _table(name, database) for name in names})


def _table(name: str, database: str) -> exp.Table:
    return exp.table_(quoted(name), quoted(database))
