"""What a steward does: see what waits for review, look at what it would do now, and say yes or no to exactly that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from towline import __version__, inbox, keys, policy, receipts, reviews
from towline.contract import Contract
from towline.dataset import PATIENCE, Dataset, Ticket
from towline.errors import Refused, UsageError
from towline.history import READERS
from towline.plan import Plan
from towline.proposals import Proposal
from towline.receipts import IN_REVIEW, Receipt
from towline.reviews import APPROVE, SHORT, Word
from towline.store import Entry
from towline.violation import Report
from towline.workbench import Workbench


@dataclass(frozen=True)
class Case:
    """A proposal that waits for review, and what it would do to the head, which has this number, as it is now."""

    receipt: Receipt
    plan: Plan
    number: int

    @property
    def effect(self) -> str:
        """What a review of it is bound to. Of one that no longer merges, the effect that was asked about: it can still
        be rejected."""
        return policy.effect(self.plan.diff) if self.plan.ok else str(self.receipt.review.get("effect", ""))

    @property
    def has_changed(self) -> bool:
        """Whether it would do something else now than when it was put up for review."""
        return self.effect != self.receipt.review.get("effect")

    def to_json(self) -> dict[str, object]:
        conflicts = [conflict.to_json() for conflict in self.plan.conflicts]
        about = {"effect": self.effect, "number": self.number, "has_changed": self.has_changed}
        return {**about, "counts": self.plan.counts(), "diff": self.plan.diff.to_json(), "conflicts": conflicts}


def waiting(bench: Workbench, dataset: str, final: set[tuple[str, str]] | None = None) -> list[Receipt]:
    """All proposals to a dataset that wait for review, the longest waiting first. Every receipt is looked at, but for
    those in `final` (key and ETag), which gets those that are so: a process that asks often keeps it."""
    final = set() if final is None else final
    bench.contract(dataset)
    fresh = [e for e in bench.store.list(f"{keys.RECEIPTS}{dataset}/") if (e.key, e.etag) not in final]
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(lambda entry: receipts.load(bench.store, dataset, _name(entry)), fresh))
    final |= {(receipt.key, receipt.etag or "") for receipt in found if receipt is not None and receipt.final}
    held = [receipt for receipt in found if receipt is not None and receipt.status == IN_REVIEW]
    return sorted(held, key=lambda receipt: str(receipt.history[0].get("at")))


def _name(entry: Entry) -> str:
    return entry.key.rsplit("/", 1)[1].removesuffix(".json")


def look(dataset: Dataset, proposal: str) -> Case:
    """A proposal as it stands, for review. NotFound: there is no such proposal. UsageError: it does not wait for a
    review. Refused: the credentials may not read what others propose."""
    receipt = dataset.status(proposal)
    if receipt.status != IN_REVIEW:
        raise UsageError(f"proposal {proposal} of {dataset.name} is not in review: it is {receipt.status}")

    def read(contract: Contract | None) -> tuple[Proposal | None, Report]:
        return inbox.read(dataset.bench, receipt, contract)

    return Case(receipt, *dataset.plan(read))


def say(dataset: Dataset, case: Case, decision: str, note: str, effect: str) -> Word:
    """Write the caller's review of the effect that they saw; who wrote one before replaces it.

    Raises Refused where their word would count for nothing, and UsageError where they saw something else than what
    the proposal would do now, or approve what no longer merges; BadProposal without a note.
    """
    receipt, contract = case.receipt, dataset.contract()
    word = Word(dataset.principal, decision, effect, note)
    if why := reviews.barred(contract.review, word, receipt.principal):
        raise Refused(f"proposal {receipt.proposal}: {why}")
    if decision == APPROVE and not case.plan.ok:
        raise UsageError(
            f"proposal {receipt.proposal} no longer fits the table: {_problem(case.plan)}; it can be rejected"
        )
    if effect != case.effect:
        raise UsageError(
            f"proposal {receipt.proposal} was seen with the effect {effect[:SHORT]}, and has {case.effect[:SHORT]} "
            "now: look at it again"
        )
    about = {"principal": dataset.principal, "created": dataset.bench.clock().isoformat(timespec="seconds")}
    body = reviews.to_json(receipt.proposal, decision, effect, note, client=f"towline {__version__}", **about)
    key = keys.review(dataset.name, receipt.proposal, dataset.principal)
    stat = dataset.bench.store.put(key, body, content_type="application/json")
    return Word(dataset.principal, decision, effect, note, stat.etag)


def outcome(dataset: Dataset, proposal: str, word: Word, timeout: float = PATIENCE) -> Receipt:
    """The receipt once a review was heard. OutcomeUnknown where that takes longer than `timeout` seconds."""

    def heard(receipt: Receipt) -> bool:
        known = (word.principal, word.etag) in reviews.known(receipt.review)
        return receipt.final or (receipt.status == IN_REVIEW and known)

    return Ticket(dataset.bench, dataset.name, proposal).wait(timeout, until=heard)


def _problem(plan: Plan) -> str:
    if plan.conflicts:
        return plan.conflicts[0].message
    return next(violation.message for violation in plan.report.violations if violation.severity == "error")
