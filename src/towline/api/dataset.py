"""A dataset as a research program has it: read as a DataFrame, changed by proposing an edited one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, overload

from towline import (
    blame,
    browse,
    connect,
    copies,
    edits,
    frames,
    history,
    keys,
    prune,
    publish,
    resolution_file,
    runs,
    steward,
    trail,
    verify,
)
from towline import dispute as disputes
from towline.answer import Side
from towline.api.data import Data, as_file
from towline.change import RowChange
from towline.conflict import Conflict
from towline.connect import Connection
from towline.contract import Contract
from towline.copies import Copy
from towline.dataset import PATIENCE, Draft, Ticket
from towline.dataset import Dataset as Inbox
from towline.diff import Diff
from towline.dispute import Dispute
from towline.errors import BadProposal, UsageError
from towline.plan import Plan
from towline.preview import Preview
from towline.prune import Pruning
from towline.publish import Publication
from towline.receipts import PREVIEWED, Receipt
from towline.reviews import APPROVE, REJECT
from towline.steward import Case
from towline.values import Row
from towline.verify import Verdict

if TYPE_CHECKING:
    import pandas as pd


class Dataset:
    """One dataset. Everything is read fresh from the bucket; what is proposed comes back as a `Ticket`, whose `wait()`
    gives the receipt: committed, rejected, conflicted or in review."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.name = keys.check_dataset(name)
        self._connection = connection
        self._last_read: str | None = None

    def __repr__(self) -> str:
        return f"<towline.Dataset {self.name} in {self._connection.settings.bucket}>"

    def contract(self) -> Contract:
        """Columns, types, units, key and rules."""
        return self._connection.bench.contract(self.name)

    def read(self, at: str | int | None = None) -> pd.DataFrame:
        """The table: the head's, or that of a commit (`at`: its id, its number, or a moment in ISO 8601).

        Integers stay integers and booleans booleans (`Int64` and `boolean` where some are null), text stays text. A
        column of numbers that holds NaN beside nulls comes as `double[pyarrow]`, which tells the two apart.
        """
        commit, table = history.table_at(self._connection.bench, self.name, _text(at))
        self._last_read = commit
        return frames.to_pandas(table, commit)

    def propose(
        self, data: Data, note: str, *, base: str | int | None = None, mode: str | None = None, partial: bool = False
    ) -> Ticket:
        """Propose a whole table: what differs from its base is the edit. NaN means null.

        `base` is the commit that the table was made from: by default the one that the DataFrame remembers, else the
        one that this object read last. `mode` is cell, row, table or fill (default: the contract's). `partial`: rows
        that the table lacks stay, instead of being deleted.
        """
        return self._inbox.send(self._table_draft(data, note, base, mode, partial))

    def preview(
        self, data: Data, *, base: str | int | None = None, mode: str | None = None, partial: bool = False
    ) -> Plan:
        """What `propose` would do to the head as it is now: its diff, violations and conflicts. Nothing is written."""
        return self._inbox.preview(self._table_draft(data, "preview", base, mode, partial))

    def edit(
        self, where: Mapping[str, object], set: Mapping[str, object], note: str, mode: str | None = None
    ) -> Ticket:
        """Set cells in every row that holds the values of `where`: `edit({"tow": 4}, {"net_size": None}, "why")`.

        NotFound: no row matches. BadProposal: a value does not fit its column, a key would change, or nothing.
        """
        contract = self.contract()
        values = edits.convert(contract, frames.plain(set))
        return self._rows(where, note, mode, lambda found: edits.updates(contract, found, values))

    def insert(self, row: Mapping[str, object], note: str, mode: str | None = None) -> Ticket:
        """Insert a row; columns that it lacks are null."""
        contract = self.contract()
        changes = edits.insert(contract, edits.convert(contract, frames.plain(row)))
        base = history.resolve(self._connection.bench, self.name, None)
        return self._inbox.send(self._inbox.rows(changes, note, base, mode))

    def delete(
        self, where: Mapping[str, object], note: str, mode: str | None = None, *, all_matching: bool = False
    ) -> Ticket:
        """Delete the row that holds the values of `where`; more than one only where `all_matching` says so."""
        contract = self.contract()
        return self._rows(where, note, mode, lambda found: edits.deletes(contract, found, all_matching=all_matching))

    def restore(
        self,
        commit: str | int,
        note: str,
        *,
        where: Mapping[str, object] | None = None,
        columns: Sequence[str] = (),
        undo: bool = False,
        mode: str | None = None,
    ) -> Ticket:
        """Bring back what a commit held (its id, its number, a moment, its snapshot's key or its VersionId), as a new
        commit: all of it, or only the rows that hold the values of `where`, or only these columns.

        `undo`: take back what that commit changed, and leave what was changed since. NotFound: no such commit or row.
        BadProposal: no such column, or there is nothing to restore.
        """
        return self._inbox.send(self._restore_draft(commit, note, where, columns, undo, mode))

    def preview_restore(
        self,
        commit: str | int,
        *,
        where: Mapping[str, object] | None = None,
        columns: Sequence[str] = (),
        undo: bool = False,
        mode: str | None = None,
    ) -> Plan:
        """What `restore` would do to the head as it is now. Nothing is written."""
        return self._inbox.preview(self._restore_draft(commit, "preview", where, columns, undo, mode))

    def sql(self, statement: str, note: str, *, base: str | int | None = None, mode: str | None = None) -> Ticket:
        """Edit by SQL: UPDATE, DELETE, INSERT, MERGE, or a SELECT that yields the whole new table (docs/sql.md). `base`
        is a commit to run it on, instead of the head.

        SqlRefused, a BadProposal with `line` and `column`: it cannot be run.
        """
        return self._send_sql(statement, note, base, mode, preview=False)

    def preview_sql(
        self,
        statement: str,
        note: str,
        *,
        base: str | int | None = None,
        mode: str | None = None,
        timeout: float = PATIENCE,
    ) -> Preview:
        """What `sql` would do: it is run, at most `timeout` seconds are waited for it, and nothing is committed before
        `promote` says so. BadProposal: it was run, and refused; else as `sql`."""
        ticket = self._send_sql(statement, note, base, mode, preview=True)
        receipt = ticket.wait(timeout)
        if receipt.status != PREVIEWED:
            raise BadProposal(f"run {ticket.proposal} was {receipt.status}: {receipt.message}")
        return runs.look(self._inbox, ticket.proposal)

    def _send_sql(
        self, statement: str, note: str, base: str | int | None, mode: str | None, *, preview: bool
    ) -> Ticket:
        runs.check(self._inbox, statement)
        commit = None if base is None else history.resolve(self._connection.bench, self.name, _text(base))
        return self._inbox.send(self._inbox.sql(statement, note, commit, mode, preview=preview))

    def promote(self, run: Preview | str) -> Ticket:
        """Commit exactly what was previewed; it can be said once. By a run's id: what its receipt says was previewed.

        NotFound: no such run. UsageError: it does not wait for a word. Refused: it was said before.
        """
        if isinstance(run, Preview):
            return runs.promote(self._inbox, run.run, run.effect)
        return runs.promote(self._inbox, run)

    def discard(self, run: Preview | str) -> Ticket:
        """Drop what was previewed, or stop an SQL edit that is under way. Raises as `promote` does."""
        return runs.discard(self._inbox, run.run if isinstance(run, Preview) else run)

    def status(self, proposal: str) -> Receipt:
        """The receipt of a proposal. NotFound: nobody has looked at such a proposal yet."""
        return self._inbox.status(proposal)

    def conflicts(self, proposal: str) -> tuple[Conflict, ...]:
        """What of a conflicted proposal disagrees with the head as it is now: for each row its key, the cells, and the
        rows base, ours and theirs. UsageError: it is not in conflict."""
        return self._dispute(proposal).conflicts

    def resolve(
        self,
        proposal: str,
        *,
        take: Side | None = None,
        column: str | Sequence[str] = (),
        where: Mapping[str, object] | None = None,
        set: Mapping[str, object] | None = None,
        answers: Sequence[Mapping[str, object]] = (),
        note: str = "",
    ) -> Ticket:
        """Decide the conflicts of a proposal, and send it again as a new one on the head as it is now.

        `take` a side (base, ours or theirs), or `set` third values; `column` and `where` say for which cells. `answers`
        are single ones, as in docs/conflicts.md; the most specific decides. The note is the old proposal's by default.
        OpenConflicts: not all is decided, and nothing was sent. BadProposal: what was decided breaks a rule, or leaves
        nothing to change.
        """
        dispute = self._dispute(proposal)
        columns: Sequence[str | None] = [column] if isinstance(column, str) else column or [None]
        taken = [{"where": where or {}, "column": each, "take": take} for each in columns]
        put = [{"where": where or {}, "column": each, "value": value} for each, value in (set or {}).items()]
        given = [frames.wire(answer) for answer in (*answers, *taken, *put)]
        changes = dispute.settle(resolution_file.read(given, dispute.contract))
        return self._inbox.send(dispute.draft(self._inbox, changes, note))

    def _dispute(self, proposal: str) -> Dispute:
        return disputes.of(self._connection.bench, self._inbox.status(proposal))

    def reviews(self) -> list[Receipt]:
        """What waits for review, the longest waiting first."""
        return steward.waiting(self._connection.bench, self.name)

    def case(self, proposal: str) -> Case:
        """A proposal that waits for review, with what it would do to the head as it is now (`case.plan.diff`), and the
        `effect` that a review is bound to. UsageError: it does not wait for a review."""
        return steward.look(self._inbox, proposal)

    def review(
        self, proposal: str, *, approve: bool, note: str, effect: str | None = None, timeout: float = PATIENCE
    ) -> Receipt:
        """Approve or reject a proposal, and wait until that was heard; the receipt as it is then.

        `effect` is what you looked at (`case(proposal).effect`); by default what it had when it was put up for review.
        Raises UsageError where it would do something else now, Refused where your review would count for nothing.
        """
        case = self.case(proposal)
        seen = effect or str(case.receipt.review["effect"])
        word = steward.say(self._inbox, case, APPROVE if approve else REJECT, note, seen)
        return steward.outcome(self._inbox, proposal, word, timeout)

    def log(self, limit: int | None = None) -> list[history.Record]:
        """The audit records, newest first; with `limit` the newest ones, and no others are read."""
        if limit is None:
            return history.log(self._connection.bench, self.name)
        return trail.newest(self._connection.bench, self.name, limit)[:limit]

    def blame(
        self, where: Mapping[str, object] | None = None, column: str | None = None, *, every: bool = False
    ) -> pd.DataFrame:
        """Who set cells, when and why: the last touch of each, or `every` one, newest first.

        `where` names a row (its key, or any values that one row of the head alone has), `column` a column, both a cell.
        One line a touch: the key's columns, `column`, `old`, `new`, `change` (insert, update, delete; create: it was in
        the first table), `number`, `commit`, `proposal`, `at`, `user`, `note`, `kind`. A key column that has one of
        these names is called `key_<name>`.

        Raises UsageError (no such column, more than one row, or neither is given) and NotFound (never such a row).
        """
        contract = self.contract()
        wanted = edits.convert(contract, frames.plain(where or {}))
        return frames.touches(blame.ask(self._connection.bench, self.name, wanted, column, every=every), contract.key)

    def diff(self, old: str | int, new: str | int | None = None) -> Diff:
        """What turns the table at `old` into the table at `new` (default: the head)."""
        return history.difference(self._connection.bench, self.name, str(old), _text(new))

    def verify(self, *, quick: bool = False) -> Verdict:
        """Whether the history is whole: `ok`, else `findings`, the first break first. `quick` reads no table."""
        return verify.verify(self._connection.bench, self.name, quick=quick)

    def prune(self, keep: int, *, dry_run: bool = False) -> Pruning:
        """Move the snapshots and audit records of all but the newest `keep` commits into the archive; what moved, or
        would with `dry_run`. Refused: you may not delete history (docs/prune.md)."""
        planned = prune.plan(self._connection.bench, self.name, keep)
        if not dry_run:
            prune.run(self._connection.bench, planned)
        return planned

    @overload
    def publish(
        self,
        *,
        iceberg: Literal[True],
        begin: str | int | None = None,
        rebuild: bool = False,
        dry_run: bool = False,
    ) -> Publication: ...

    @overload
    def publish(self, *, partition_by: str | Sequence[str], dry_run: bool = False) -> Copy: ...

    def publish(
        self,
        *,
        iceberg: bool = False,
        partition_by: str | Sequence[str] = (),
        begin: str | int | None = None,
        rebuild: bool = False,
        dry_run: bool = False,
    ) -> Publication | Copy:
        """Publish a copy for other engines; what was published, or would be with `dry_run` (docs/publish.md).

        `iceberg`: bring the Iceberg table up to the head, one snapshot for each commit. `begin` is the commit with
        which a table begins that is not there yet (default: the first), `rebuild` makes it anew whatever it holds.
        `partition_by`: copy the head, a Parquet file for each value of these columns.
        """
        bench = self._connection.bench
        if iceberg == bool(partition_by) or (partition_by and (begin is not None or rebuild)):
            raise UsageError("publish either iceberg=True, or a copy with partition_by, which has no other options")
        if iceberg:
            lake = connect.lake(self._connection, self.name)
            planned = publish.plan(bench, self.name, lake, begin=_text(begin), rebuild=rebuild)
            return planned if dry_run else publish.run(bench, lake, planned)
        columns = [partition_by] if isinstance(partition_by, str) else partition_by
        tables = connect.copies(self._connection)
        copy = copies.plan(bench, self.name, columns, tables, self._connection.settings.bucket)
        return copy if dry_run else copies.run(bench, tables, copy)

    @property
    def _inbox(self) -> Inbox:
        return self._connection.dataset(self.name)

    def _rows(
        self,
        where: Mapping[str, object],
        note: str,
        mode: str | None,
        change: Callable[[Sequence[Row]], Sequence[RowChange]],
    ) -> Ticket:
        contract = self.contract()
        head, wanted = history.head_at(self._connection.bench, self.name), edits.convert(contract, frames.plain(where))
        found = edits.rows(contract, browse.matching(head.file, contract.key, wanted), wanted)
        return self._inbox.send(self._inbox.rows(change(found), note, str(head.commit), mode))

    def _table_draft(self, data: Data, note: str, base: str | int | None, mode: str | None, partial: bool) -> Draft:
        file, body = as_file(data)
        commit = history.resolve(self._connection.bench, self.name, self._base(data, base))
        return self._inbox.file(file, body, note, commit, mode, partial=partial)

    def _restore_draft(
        self,
        commit: str | int,
        note: str,
        where: Mapping[str, object] | None,
        columns: Sequence[str],
        undo: bool,
        mode: str | None,
    ) -> Draft:
        values = edits.convert(self.contract(), frames.plain(where or {}))
        return self._inbox.restore(*self._inbox.wish(str(commit), values, columns, undo=undo), note, mode)

    def _base(self, data: Data, base: str | int | None) -> str:
        found = _text(base) or frames.commit_of(data) or self._last_read
        if found is None:
            raise UsageError(
                "it is not known which commit this table was made from: read it through this dataset first, or say "
                'base="<commit>" (base="head" if it was made from the current table)'
            )
        return found


def _text(at: str | int | None) -> str | None:
    return None if at is None else str(at)
