"""What a proposal would do to a table: merged onto it, checked against the contract, with nothing written anywhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from towline import catalog, restore, unique
from towline import table as tables
from towline.change import RowChange, same_row
from towline.conflict import Conflict
from towline.contract import Contract
from towline.diff import Diff
from towline.errors import BadProposal
from towline.merge import Merge, merge
from towline.proposals import Proposal
from towline.restore import Restore
from towline.rows import InMemory, Rows, difference, edited, is_same
from towline.rules.read_review import NONE
from towline.values import Row
from towline.violation import Report, Violation

# A table file that would delete more than this share of the rows is refused, unless the contract's tolerance says
# otherwise: it is far more often a part of the table than the whole of it.
ROWS_DELETED = 0.5


@dataclass(frozen=True)
class Plan:
    """The outcome: `result` and `diff` (head -> result) where it is `ok`, else why not."""

    result: Rows | None = None
    diff: Diff = field(default_factory=lambda: Diff(()))
    report: Report = field(default_factory=Report)
    conflicts: tuple[Conflict, ...] = ()

    @property
    def ok(self) -> bool:
        return self.result is not None and self.report.ok and not self.conflicts

    @property
    def table(self) -> pa.Table | None:
        """The result as a whole; None where there is none."""
        return None if self.result is None else self.result.table()

    def counts(self) -> dict[str, int]:
        """What an audit record states of the change. A first table counts as inserted, and its cells as changed."""
        counts = {
            "rows_inserted": self.diff.count("insert"),
            "rows_updated": self.diff.count("update"),
            "rows_deleted": self.diff.count("delete"),
            "cells_changed": self.diff.cells,
        }
        if not self.diff.key and self.result is not None:
            counts["rows_inserted"] = self.result.num_rows
            counts["cells_changed"] = self.result.filled()
        return counts


def refusal(rule: str, message: str) -> Plan:
    return Plan(report=Report.of([Violation(rule, "error", None, None, None, message)]))


def create(proposal: Proposal, *, exists: bool) -> Plan:
    """The first table of a dataset: every row is checked, none is merged, and its diff is empty."""
    if exists:
        return refusal("dataset.exists", f"the dataset {proposal.dataset} is there already; propose a change to it")
    try:
        catalog.check_name(proposal.dataset)
    except BadProposal as error:
        return refusal(error.rule, str(error))
    contract, made = proposal.contract, proposal.made
    assert contract is not None  # noqa: S101 - a `create` has one
    if made is not None:
        return Plan(made)  # its rows were held against the contract while it was read
    assert proposal.table is not None  # noqa: S101 - it has one or the other
    table = tables.sort(proposal.table, contract.key)
    return Plan(InMemory(table, contract.key), report=contract.check(table))


def plan(proposal: Proposal, contract: Contract, head: Rows, base: Rows | None, past: Rows | None = None) -> Plan:
    """Merge a proposal onto `head`. `base` has the rows of its base commit, `past` those of the commit to restore;
    None: there is no such commit.

    The contract is checked on the rows that change, and no other is looked at. That is enough: a table is sorted by its
    key, so one place alone can hold a key, and each change was merged with what stands there; a row that did not change
    breaks no rule that it kept before; and what a rule says of all rows together (`unique`) can only be broken by a
    value that is new (`towline.unique`).
    """
    if base is None:
        return refusal("base.unknown", f"there is no commit {proposal.base} in this dataset")
    try:
        proposed = proposed_changes(proposal, contract, base, past)
    except BadProposal as error:
        return refusal(error.rule, str(error))
    # Of a whole table they were made of the base just now.
    is_whole = proposal.table is not None or proposal.made is not None
    stale = () if is_whole else tuple(_stale(proposed, base, contract))
    if stale:
        return Plan(report=Report.of(stale))
    mode = proposal.mode or contract.merge_mode
    if mode == "table" and not is_same(base, head):
        return Plan(conflicts=(Conflict("table", {}),))
    merged = merge_onto(head, proposed, contract, mode)
    if merged.conflicts:
        return Plan(conflicts=merged.conflicts)
    report = check(merged.changes, contract)
    if not report.ok:
        return Plan(report=report)
    found = Diff(contract.key, merged.changes)
    result = edited(head, found)
    return Plan(result, found, Report.join(report, unique.check(merged.changes, contract, result)))


def merge_onto(head: Rows, proposed: Sequence[RowChange], contract: Contract, mode: str) -> Merge:
    """The changes base -> ours, merged onto `head`."""
    rows = head.rows(change.key(contract.key) for change in proposed)
    return merge(proposed, rows, contract.key, mode)


def check(changes: Sequence[RowChange], contract: Contract) -> Report:
    """The contract on the changed rows. What was wrong with a row before the change, and is not touched by it, is
    not held against it."""
    rows = [change.new for change in changes if change.new is not None]
    report = contract.check(tables.from_rows(rows, contract.schema))
    return report if report.ok else Report.of(breaches(changes, contract))


def breaches(changes: Sequence[RowChange], contract: Contract) -> tuple[Violation, ...]:
    """Everything in the changed rows that breaks the contract and did not before: all of it, however much that is."""
    every = _violations([change.new for change in changes if change.new is not None], contract)
    if not every:
        return ()
    before = _violations([c.old for c in changes if c.old is not None and c.new is not None], contract)
    known = {_where(violation) for violation in before}
    return tuple(violation for violation in every if _where(violation) not in known)


def _violations(rows: Sequence[Row], contract: Contract) -> tuple[Violation, ...]:
    return contract.check(tables.from_rows(rows, contract.schema), limit=sys.maxsize).violations


def _where(violation: Violation) -> tuple[object, ...]:
    key = tuple((violation.key or {}).items())
    return (violation.rule, key, violation.column, repr(violation.value))


def proposed_changes(proposal: Proposal, contract: Contract, base: Rows, past: Rows | None) -> tuple[RowChange, ...]:
    """The changes base -> ours. `past` as in `plan`. Raises BadProposal where they cannot be meant."""
    if proposal.restore is not None:
        changes = _restored(proposal.restore, contract, base, past)
    elif proposal.table is not None:
        whole = InMemory(tables.sort(proposal.table, contract.key), contract.key)
        changes = _of_whole(proposal, contract, base, whole)
    elif proposal.made is not None:
        changes = _of_whole(proposal, contract, base, proposal.made)
    else:
        return proposal.changes
    if not changes:
        raise BadProposal(
            "what is proposed is what the base commit holds: there is nothing to change", rule="change.nothing"
        )
    return changes


def _restored(wanted: Restore, contract: Contract, base: Rows, past: Rows | None) -> tuple[RowChange, ...]:
    if past is None:
        raise BadProposal(f"there is no commit {wanted.commit} in this dataset to restore", rule="restore.commit")
    return restore.changes(wanted, contract, base, past)


def _of_whole(proposal: Proposal, contract: Contract, base: Rows, whole: Rows) -> tuple[RowChange, ...]:
    found = difference(base, whole, contract.key)
    if proposal.partial:
        return tuple(change for change in found.changes if change.kind != "delete")
    share, deleted = _tolerance(contract), found.count("delete")
    if deleted <= share * base.num_rows:
        return found.changes
    most = f"at most {share:.0%} may be deleted at once"
    if proposal.kind != "sql":
        raise BadProposal(
            f"this file lacks {deleted:,} of the {base.num_rows:,} rows; {most}. If it holds only some of the rows, "
            "propose it with --partial",
            rule="table.rows_deleted",
        )
    if contract.review.policy == NONE:
        raise BadProposal(
            f"this deletes {deleted:,} of the {base.num_rows:,} rows; {most}, and nobody reviews this dataset: say it "
            "in several edits, or have the contract say more (tolerances, review)",
            rule="table.rows_deleted",
        )
    return found.changes


def losses(contract: Contract, change: Diff, rows: int) -> tuple[str, ...]:
    """Why an edit by SQL of a table of so many rows waits for review, whatever else the policy asks: it deletes more
    than the contract tolerates. Empty: it does not."""
    share, deleted = _tolerance(contract), change.count("delete")
    if deleted <= share * rows:
        return ()
    return (f"{deleted:,} of {rows:,} rows are deleted; more than {share:.0%} are reviewed",)


def _tolerance(contract: Contract) -> float:
    return float(contract.tolerances.get("rows_deleted", ROWS_DELETED))


def _stale(changes: Sequence[RowChange], base: Rows, contract: Contract) -> Iterator[Violation]:
    """Where the proposal's `old` rows are not what its base commit holds: it was not made from that commit."""
    rows = base.rows(change.key(contract.key) for change in changes)
    for change in changes:
        key = change.key(contract.key)
        there = rows.get(key)
        if same_row(change.old, there):
            continue
        if change.old is None:
            rule, message = "row.exists", "this row is there already; change it instead of inserting it"
        elif there is None:
            rule, message = "row.missing", "there is no such row to change"
        else:
            rule, message = "row.stale", "the old values are not those of the base commit"
        yield Violation(rule, "error", contract.key_dict(key), None, None, message)
