"""A commit's changes files against the tables: they lead from the one before it to the one that it made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from towline import changefile
from towline.change import RowChange, same_row
from towline.diff import Diff
from towline.errors import TowlineError, UsageError
from towline.parquet import compare
from towline.plan import Plan
from towline.ranks import rank
from towline.rows import Rows, edited
from towline.values import shown
from towline.verify import versions
from towline.verify.commits import Landed, other
from towline.verify.finding import Finding
from towline.verify.stored import Held, Stored
from towline.verify.versions import Table


@dataclass
class Replay:
    """One commit, replayed on the table before it: None before the first commit, and where that is not known.

    What the changes files say must be what the two tables differ in. So of the table after it nothing is decoded that
    stood in the one before it already, which was replayed itself.
    """

    stored: Stored
    landed: Landed
    changes: Mapping[str, bytes | None]
    before: Table | None
    after: Table

    def findings(self) -> Iterator[Finding]:
        """Corrupt: the table after the commit cannot be decoded."""
        changes, records = self.changes, self.landed.records
        is_known = self.landed.whole and len(changes) == len(records) and None not in changes.values()
        if is_known and (self.before is not None or records[0].record["kind"] == "create"):
            yield from self._records()
        else:
            versions.filled(self.after, self._key)  # nothing tells what should be in it: that it can be decoded

    def _records(self) -> Iterator[Finding]:
        landed, ground, change = self.landed, self.before, Diff(self._key)
        for held in landed.records:
            try:
                if ground is None or held.record["kind"] == "create":
                    ground, change, counts = self.after, Diff(self._key), self._first()
                else:
                    step = self._step(held, edited(ground.rows(self._key), change))
                    change, counts = change + step, Plan(diff=step).counts()
            except (TowlineError, ValueError, KeyError) as error:
                said = f"the changes of proposal {held['proposal']} do not fit the table before it: {error}"
                yield landed.finding("table.differs", said, held["changes_key"])
                return
            yield from self._counted(held, counts)
        assert ground is not None  # noqa: S101 - a commit has a record
        if said := self._difference(ground, change):
            said = f"its changes files do not lead to its table: {said}"
            yield landed.finding("table.differs", said, landed.mark.at.key)

    def _first(self) -> Mapping[str, int]:
        """What the record of a `create` must say. It has no changes: its table is where the history begins."""
        rows = self.after.file.num_rows
        return {**Plan().counts(), "rows_inserted": rows, "cells_changed": versions.filled(self.after, self._key)}

    def _step(self, held: Held, rows: Rows) -> Diff:
        types = {each.name: each.type for each in self.stored.contract.fields}
        return changefile.of_rows(self.changes[held["proposal"]] or b"", self._key, types, rows)

    def _counted(self, held: Held, counts: Mapping[str, int]) -> Iterator[Finding]:
        """What of the record's counts is not that of the tables."""
        table = {"row_count": self.after.file.num_rows, "column_count": len(self.after.file.schema)}
        wrong = [
            other(name, count, held.record[name])
            for name, count in {**table, **counts}.items()
            if held.record[name] != count
        ]
        if wrong:
            said = f"the tables say otherwise than the record: {'; '.join(wrong)}"
            yield self.landed.finding("record.contradicts", said, held.key)

    def _difference(self, ground: Table, change: Diff) -> str:
        """How the table after the commit is another than `ground` with the changes; empty where it is not."""
        found = compare.changes(ground.grouped, self.after.grouped, self._key)
        rows = ground.file.num_rows + change.count("insert") - change.count("delete")
        return difference(_unlike(change, found), rows, self.stored)

    @property
    def _key(self) -> tuple[str, ...]:
        return self.stored.contract.key


def _unlike(meant: Diff, found: Iterable[RowChange]) -> Iterator[RowChange]:
    """Of two changes of one table, the rows that they leave otherwise: from what is meant to what was found."""
    left = {rank(change.key(meant.key)): change for change in meant.changes}
    for change in found:
        should = left.pop(rank(change.key(meant.key)), None)
        row = should.new if should else change.old
        if not same_row(row, change.new):
            yield RowChange(row, change.new)
    yield from (~change for change in left.values())


def difference(changes: Iterable[RowChange], rows: int, stored: Stored) -> str:
    """How a table is another than it should be, by what leads from what should be there to what is; empty where it is
    not. `rows` should be there."""
    count, first, key = 0, None, stored.contract.key
    try:
        for count, change in enumerate(changes, 1):  # noqa: B007 - how many there are
            if first is None or rank(change.key(key)) < rank(first.key(key)):
                first = change
    except (UsageError, ValueError, KeyError) as error:
        return str(error)
    if first is None:
        return ""
    what = {"insert": "should not be there", "delete": "should be there"}.get(first.kind)
    cell = next(first.cells())
    what = what or f"should have {cell.column} {shown(cell.old)}, and has {shown(cell.new)}"
    return f"{count:,} of {rows:,} rows differ; row {stored.contract.key_dict(first.key(key))} {what}"
