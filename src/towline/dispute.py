"""A proposal that ended in conflict, taken up again: merged onto the head as it is now, decided, and sent anew.

The old receipt stays as it is, as final states never change. What is sent is a proposal of its own, made on that head,
which names the old one (`resolves`); what of the old one is not in conflict goes along.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from towline import inbox, master, plan, proposals, resolution, theirs
from towline import table as tables
from towline.change import RowChange
from towline.conflict import Conflict
from towline.contract import Contract
from towline.dataset import Dataset, Draft
from towline.diff import Diff
from towline.errors import BadProposal, NotFound, OpenConflicts, Refused, UsageError
from towline.merge import Merge
from towline.plan import Plan
from towline.proposals import MAX_JSON, Proposal
from towline.receipts import Receipt
from towline.resolution import Decided, Resolution
from towline.rows import Rows
from towline.violation import ERROR, Report
from towline.workbench import Workbench

NOT_IN_CONFLICT = {"committed": "it is in the table", "rejected": "mend what its receipt lists, and propose it again"}


@dataclass(frozen=True, eq=False)
class Dispute:
    """`receipt` and `proposal` are the old ones; `merged` is the proposal on the head, whose commit, number, contract
    and rows are beside it. Its conflicts need not be those of the receipt: the head may have moved on."""

    receipt: Receipt
    proposal: Proposal
    contract: Contract
    commit: str
    number: int
    head: Rows
    merged: Merge

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        return self.merged.conflicts

    def decide(self, answers: Resolution) -> Decided:
        """What the answers decide. UsageError: one of them decides nothing, or cannot be meant."""
        return resolution.decide(self.merged, answers)

    def settle(self, answers: Resolution) -> tuple[RowChange, ...]:
        """The changes to send: none where the table holds all of it already. OpenConflicts: not all is decided."""
        decided = self.decide(answers)
        if decided.open:
            count = len(decided.open)
            said = "1 row is" if count == 1 else f"{count:,} rows are"
            raise OpenConflicts(f"{said} still in conflict, so nothing was sent; the first: {decided.open[0].message}")
        return tuple(sorted(decided.changes, key=lambda change: change.key(self.contract.key)))

    def preview(self, changes: Sequence[RowChange]) -> Plan:
        """What these changes would do to the head that they were decided on, as the functions will find it."""
        if not changes:
            return Plan(self.head, Diff(self.contract.key))
        proposal, report = proposals.from_json(self._json(changes, "preview"), self.contract, _no_file)
        return plan.plan(proposal, self.contract, self.head, self.head) if report.ok else Plan(report=report)

    def draft(self, dataset: Dataset, changes: Sequence[RowChange], note: str = "") -> Draft:
        """The new proposal, with the old one's note unless there is another. Where it is too large for a proposal of
        single rows it holds the whole table. BadProposal: there is nothing to change, or it breaks a rule."""
        if not changes:
            raise BadProposal("nothing is left to change: the table holds all of it already", rule="change.nothing")
        found = self.preview(changes)
        if not found.ok or found.table is None:
            first = next(violation for violation in found.report.violations if violation.severity == ERROR)
            raise BadProposal(f"what was decided cannot be committed: {first.message}", rule=first.rule)
        note, mode, old = note or self.receipt.note, self.proposal.mode, self.receipt.proposal
        draft = dataset.rows(changes, note, self.commit, mode, resolves=old)
        if len(draft.body) <= MAX_JSON:
            return draft
        body = tables.to_parquet(found.table, self.contract.key, commit=self.commit, number=self.number)
        return dataset.file("resolved.parquet", body, note, self.commit, mode, resolves=old)

    def _json(self, changes: Sequence[RowChange], note: str) -> bytes:
        dataset, mode = self.contract.dataset, self.proposal.mode
        return proposals.to_json(dataset=dataset, note=note, base=self.commit, mode=mode, changes=changes)


def of(bench: Workbench, receipt: Receipt) -> Dispute:
    """Take up the proposal of this receipt. UsageError: it is not in conflict. NotFound: what was sent is gone.
    Refused: it is somebody else's, and you may not read it."""
    _check(receipt)
    dataset = receipt.dataset
    head = master.read(bench.store, dataset)
    if head is None or head.commit is None:
        raise NotFound(f"the table of {dataset} has no commit to resolve on: it was written or deleted past Towline")
    contract = bench.contract(dataset, head.contract)
    found = _proposal(bench, receipt, contract)
    base = head if found.base in (None, head.commit) else _commit(bench, dataset, str(found.base))
    past = _commit(bench, dataset, found.restore.commit).rows(contract.key) if found.restore else None
    changes = plan.proposed_changes(found, contract, base.rows(contract.key), past)
    rows = head.rows(contract.key)
    merged = _merge(found, changes, contract, rows, is_newer=base is not head)
    since = theirs.Since(base.commit, head.commit, head.number)
    signed = theirs.sign(bench, contract, merged.conflicts, since)
    return Dispute(receipt, found, contract, head.commit, head.number, rows, replace(merged, conflicts=signed))


def _check(receipt: Receipt) -> None:
    proposal, status = receipt.proposal, receipt.status
    if status != "conflicted":
        why = NOT_IN_CONFLICT.get(status, f"`towline status {proposal}` tells how far it is")
        raise UsageError(f"proposal {proposal} is {status}, not in conflict, so there is nothing to resolve: {why}")


def _proposal(bench: Workbench, receipt: Receipt, contract: Contract) -> Proposal:
    """What was sent: from the inbox, or from the quarantine where that may be read and the inbox may not."""
    found, report = None, Report()
    with suppress(Refused):
        found, report = inbox.read(bench, receipt, contract)
    if found is None:
        found, report = inbox.read(bench, replace(receipt, inbox={"key": receipt.quarantine}), contract)
    if found is None or not report.ok:
        why = report.violations[0].message
        raise NotFound(f"what proposal {receipt.proposal} said cannot be read any more: {why}")
    return found


def _commit(bench: Workbench, dataset: str, commit: str) -> master.Head:
    found = master.at_commit(bench.store, bench.layout, dataset, commit)
    if found is None:
        raise NotFound(f"the commit {commit}, which the proposal was made on, is not in {dataset} any more")
    return found


def _merge(
    proposal: Proposal, changes: Sequence[RowChange], contract: Contract, head: Rows, *, is_newer: bool
) -> Merge:
    """As `plan.plan` merges. Mode `table` asks first whether to go on top of the commits since, then cell by cell."""
    mode = proposal.mode or contract.merge_mode
    merged = plan.merge_onto(head, changes, contract, "cell" if mode == "table" else mode)
    if mode == "table" and is_newer:
        return replace(merged, conflicts=(Conflict("table", {}), *merged.conflicts))
    return merged


def _no_file(name: str) -> bytes:
    raise NotFound(f"a proposal of single rows has no file {name}")
