"""The commit protocol (docs/commit-protocol.md).

 1. read the head, and finish its commit first           settled_head
 2. read the receipts, after the head                    _current
 3. merge onto the head, check the contract, or deny;
    what needs a review waits for it                     _merge, _deny, _review
 4. write the intent                                     landing.land
 5. claim the receipts by compare-and-swap               landing.land
 6. put the master with If-Match: the commit point       landing.land
 7. unknown outcome: look, then decide                   landing.land
 8. finish                                               finish.finish

What is expected to happen (committed, rejected, conflicted, in review) is a receipt. LostRace, Unavailable and
OutcomeUnknown are faults: they leave every proposal where the next delivery finds it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from towline import external, inbox, keys, landing, master, plan, quarantine, receipts, reviewing, theirs
from towline.audit import GENESIS
from towline.conflict import Conflict
from towline.contract import Contract
from towline.errors import Corrupt, LostRace
from towline.finish import finish_head
from towline.landing import Candidate, Ground
from towline.master import Head
from towline.plan import Plan
from towline.proposals import Proposal
from towline.receipts import Receipt
from towline.reviewing import Standing
from towline.rows import Rows
from towline.theirs import Since
from towline.violation import Report
from towline.workbench import Workbench

ROUNDS = 8  # rounds of one call before its proposals are left to the next delivery
PAUSE = 0.02  # seconds before the second round at most, doubled each round, jittered


def commit(bench: Workbench, dataset: str, waiting: Sequence[Receipt]) -> list[Receipt]:
    """Commit the proposals of `waiting` (their receipts as last seen; one dataset) together, in their order.

    Returns the receipts, all of them: final, or in review. Raises LostRace when others were faster every time,
    Unavailable or OutcomeUnknown when the store does not answer.
    """
    work = _Work(bench, dataset, {receipt.proposal: receipt for receipt in waiting})
    for attempt in range(ROUNDS):
        if attempt:
            bench.pause(random.uniform(0, PAUSE * 2**attempt))  # noqa: S311 - jitter is no secret
        _round(work, first=attempt == 0)
        if not work.waiting:
            return work.done
    raise LostRace(
        f"{dataset}: others were faster {ROUNDS} times; waiting for the next round: {', '.join(work.waiting)}"
    )


@dataclass
class _Work:
    """One call's proposals: those that wait, those that are done, and what was read of them (an inbox object's version
    never changes, so it is read once for a contract)."""

    bench: Workbench
    dataset: str
    waiting: dict[str, Receipt]
    done: list[Receipt] = field(default_factory=list)
    known: dict[tuple[str, str], tuple[Proposal | None, Report]] = field(default_factory=dict)
    past: dict[str, Rows | None] = field(default_factory=dict)

    def close(self, final: Iterable[Receipt]) -> None:
        for receipt in final:
            self.waiting.pop(receipt.proposal, None)
            self.done.append(receipt)

    def proposal(self, receipt: Receipt, contract: Contract | None) -> tuple[Proposal | None, Report]:
        slot = (receipt.proposal, contract.digest if contract else "")
        if slot not in self.known:
            self.known[slot] = inbox.read(self.bench, receipt, contract)
        return self.known[slot]


def _round(work: _Work, *, first: bool) -> None:
    head, ground = settled_head(work.bench, work.dataset)
    _current(work, first=first)
    contract = work.bench.contract(work.dataset, head.contract) if head else None
    candidates, contract = _merge(work, head, ground, contract)
    if candidates and contract:
        work.close(landing.land(work.bench, work.dataset, ground, contract, candidates) or ())


def settled_head(bench: Workbench, dataset: str) -> tuple[Head | None, Ground]:
    """Step 1: the head, with nothing unfinished at or below it. What was put past Towline is recorded first; where no
    commit lies below it either, it is not Towline's yet, and the commit that creates the dataset replaces it."""
    for _ in range(ROUNDS):
        head = master.read(bench.store, dataset)
        if head is None:
            if not bench.has(dataset):
                return None, Ground(None, None, None, 0, GENESIS)
            if master.read(bench.store, dataset) is None:  # else its first commit landed between the two looks
                raise _deleted(dataset)
            continue
        if chain := finish_head(bench, head):
            return head, Ground(head.etag, head.version, head.commit, head.number, chain)
        if not external.record(bench, dataset):
            return None, Ground(head.etag, head.version, None, 0, GENESIS)
    raise LostRace(f"{dataset}: its master was written past Towline, and could not be recorded in {ROUNDS} tries")


def _deleted(dataset: str) -> Corrupt:
    return Corrupt(
        f"the master of {dataset} was deleted past Towline: remove the delete marker of {keys.master(dataset)}, and "
        "its last version is the head again"
    )


def _current(work: _Work, *, first: bool) -> None:
    """Step 2. In the first round the receipts that came with the event will do: every decision below is a
    compare-and-swap on their ETags, so one that is out of date decides nothing, and is read in the second."""
    for proposal, known in list(work.waiting.items()):
        if not first or known.etag is None:
            work.waiting[proposal] = receipts.load(work.bench.store, work.dataset, proposal) or known
    work.close([receipt for receipt in work.waiting.values() if receipt.final])


def _merge(
    work: _Work, head: Head | None, ground: Ground, contract: Contract | None
) -> tuple[list[Candidate], Contract | None]:
    """Step 3: the proposals that merge, each onto the head and those before it. One that disagrees with its companions
    only is left for the next round."""
    candidates: list[Candidate] = []
    original = rows = head.rows(contract.key) if head and contract else None
    for receipt in list(work.waiting.values()):
        if head is None and candidates:
            break  # a dataset's first commit goes alone
        proposal, outcome = _outcome(work, receipt, contract, head, rows)
        asked = _standing(work, receipt, contract, outcome, rows)
        if outcome.ok and proposal is not None and (asked is None or _may_go(receipt, ground, asked)):
            rows, contract = outcome.result, proposal.contract or contract
            known = receipt if asked is None else reviewing.with_standing(work.bench, receipt, asked, ground.number)
            candidates.append(Candidate(known, outcome))
            continue
        alone = outcome if rows is original else _outcome(work, receipt, contract, head, original)[1]
        if not alone.ok:
            _deny(work, receipt, ground, alone, contract)
        elif asked is not None:
            asked = asked if alone is outcome else _standing(work, receipt, contract, alone, original)
            _review(work, receipt, ground, asked)
    return candidates, contract


def _standing(
    work: _Work, receipt: Receipt, contract: Contract | None, outcome: Plan, rows: Rows | None
) -> Standing | None:
    """Where a proposal that would do this to `rows` stands with the stewards; None: they need not look at it. The
    first table of a dataset comes with its contract, before which nobody could ask for a review."""
    if contract is None or rows is None or not outcome.ok:
        return None
    return reviewing.standing(work.bench, receipt, contract, outcome, rows)


def _may_go(receipt: Receipt, ground: Ground, asked: Standing) -> bool:
    """Approved; or approved once and claimed for this very effect by a commit that can still land, which nothing that
    was said since can call back."""
    claimed = _is_claimed(receipt, ground) and receipt.review.get("effect") == asked.effect
    return claimed or asked.is_approved


def _outcome(
    work: _Work, receipt: Receipt, contract: Contract | None, head: Head | None, rows: Rows | None
) -> tuple[Proposal | None, Plan]:
    """What becomes of one proposal on `rows`: the head's, or the head's with its companions merged."""
    proposal, report = work.proposal(receipt, contract)
    if proposal is None or not report.ok:
        return proposal, Plan(report=report)
    if proposal.kind == "create":
        return proposal, plan.create(proposal, exists=head is not None)
    assert head is not None and contract is not None and rows is not None  # noqa: S101, PT018 - else refused
    past = _rows_of(work, proposal.restore.commit, head, contract) if proposal.restore else None
    return proposal, plan.plan(proposal, contract, rows, _rows_of(work, proposal.base, head, contract), past)


def _rows_of(work: _Work, commit: str | None, head: Head, contract: Contract) -> Rows | None:
    """The rows of a commit that a proposal names; a table file without a base is meant for the head."""
    if commit is None or commit == head.commit:
        return head.rows(contract.key)
    if commit not in work.past:
        found = master.at_commit(work.bench.store, work.bench.layout, work.dataset, commit)
        work.past[commit] = found.rows(contract.key) if found else None
    return work.past[commit]


def _deny(work: _Work, receipt: Receipt, ground: Ground, outcome: Plan, contract: Contract | None) -> None:
    """A negative outcome is final only if no commit that claimed the proposal can still land: one that did so on this
    very head can, and then the next round sees it."""
    if _is_claimed(receipt, ground):
        return
    conflicts = _signed(work, receipt, ground, outcome, contract)
    refused = inbox.refused(work.bench, receipt, outcome.report, conflicts)
    written = receipts.swap(work.bench.store, quarantine.keep(work.bench, refused))
    if written is not None:
        work.bench.notify(written)
        work.close([written])


def _signed(
    work: _Work, receipt: Receipt, ground: Ground, outcome: Plan, contract: Contract | None
) -> tuple[Conflict, ...]:
    """The conflicts, with whose the head's side is."""
    proposal, _ = work.proposal(receipt, contract)
    if not outcome.conflicts or proposal is None or contract is None or ground.commit is None:
        return outcome.conflicts
    since = Since(proposal.base, ground.commit, ground.number)
    return theirs.sign(work.bench, contract, outcome.conflicts, since)


def _review(work: _Work, receipt: Receipt, ground: Ground, asked: Standing | None) -> None:
    """A proposal that was not approved waits for stewards, or is final when one rejected it; its companions go on. As
    for `_deny`, a claim that can still land keeps it from both."""
    if asked is None or asked.is_approved or _is_claimed(receipt, ground):
        return
    decided = reviewing.decide(work.bench, receipt, asked, ground.number)
    if decided is None:
        current = receipts.load(work.bench.store, work.dataset, receipt.proposal)
        work.close([receipt] if current and current.etag == receipt.etag else [])
        return
    written = receipts.swap(work.bench.store, decided)
    if written is not None:
        work.bench.notify(written)
        work.close([written])


def _is_claimed(receipt: Receipt, ground: Ground) -> bool:
    """Whether a commit that claimed this proposal on the head, or after it, can still land."""
    return receipt.status == "committing" and (receipt.base_number or 0) >= ground.number
