"""What a commit and the functions make of reviews: whether a proposal may go on, waits, or is turned down.

A review counts for the effect that its reviewer saw (`towline.policy.effect`), and for no other: where the table moved
on so that the proposal would do something else, it is asked for again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from towline import inbox, keys, policy, quarantine, receipts, reviews
from towline.contract import Contract
from towline.errors import NotFound
from towline.inbox import Arrival
from towline.plan import Plan, losses
from towline.receipts import IN_REVIEW, Receipt
from towline.reviews import APPROVE, REJECT, SHORT, Word
from towline.rows import Rows
from towline.violation import Report, Violation
from towline.workbench import Workbench

REJECTED = "review.rejected"


@dataclass(frozen=True)
class Standing:
    """Where a proposal stands that needs a review: what it would do, why that is looked at, and what was said of it."""

    effect: str
    reasons: tuple[str, ...]
    counts: Mapping[str, int]
    needed: int
    words: tuple[Word, ...]

    def of(self, decision: str) -> list[Word]:
        """The reviews that count, of those who decided so: one a person, whatever roles they have."""
        return list({word.user: word for word in self.words if word.decision == decision and not word.ignored}.values())

    @property
    def is_approved(self) -> bool:
        """Enough approvals, and nobody against it."""
        return len(self.of(APPROVE)) >= self.needed and not self.of(REJECT)

    def to_json(self, number: int) -> dict[str, object]:
        """The form that a receipt holds; `number` is the head's."""
        return {
            "effect": self.effect,
            "reasons": list(self.reasons),
            "counts": dict(self.counts),
            "number": number,
            "needed": self.needed,
            "approvals": len(self.of(APPROVE)),
            "reviews": [word.to_json() for word in self.words],
        }


def standing(bench: Workbench, receipt: Receipt, contract: Contract, plan: Plan, rows: Rows) -> Standing | None:
    """Where a proposal stands that would do `plan` to `rows`; None: nobody has to look at it. Reviews are read fresh,
    so a lost event delays a decision, and changes none."""
    asked = contract.review
    author = frozenset((receipt.user, receipt.principal))
    reasons = policy.reasons(asked, author, plan.diff, rows.num_rows * len(rows.schema))
    if receipt.kind == "sql":
        reasons += losses(contract, plan.diff, rows.num_rows)
    if not reasons:
        return None
    effect = policy.effect(plan.diff)
    words = reviews.read(bench.store, receipt.dataset, receipt.proposal, asked, receipt.principal, effect)
    return Standing(effect, reasons, plan.counts(), asked.approvals, tuple(words))


def with_standing(bench: Workbench, receipt: Receipt, found: Standing, number: int) -> Receipt:
    """The receipt with what was said of it; what counts for nothing is kept in the quarantine."""
    known = reviews.known(receipt.review)
    for word in found.words:
        if word.ignored and (word.principal, word.etag) not in known:
            _keep(bench, keys.review(receipt.dataset, receipt.proposal, word.principal), word, receipt)
    return replace(receipt, review=found.to_json(number), message="")


def decide(bench: Workbench, receipt: Receipt, found: Standing, number: int) -> Receipt | None:
    """The next receipt, not yet stored, of a proposal that was not approved on the head `number`: rejected, or in
    review. None: it says so already."""
    against = found.of(REJECT)
    if against:
        return _rejected(bench, with_standing(bench, receipt, found, number), against[0])
    before = receipt.review
    is_new = before.get("effect") != found.effect
    if receipt.status == IN_REVIEW and not is_new and reviews.words(before) == list(found.words):
        return None
    said = with_standing(bench, receipt, found, number)
    message = _message(found, asks_again=bool(before) and is_new)
    return said.moved(IN_REVIEW, bench.clock(), commit=None, number=None, base_number=None, message=message)


def _rejected(bench: Workbench, receipt: Receipt, word: Word) -> Receipt:
    message = f"rejected by {word.user}: {word.note}"
    report = Report.of([Violation(REJECTED, "error", None, None, None, message)])
    return quarantine.keep(bench, replace(inbox.refused(bench, receipt, report), message=message))


def _message(found: Standing, *, asks_again: bool) -> str:
    """What the author and the stewards are told."""
    left = found.needed - len(found.of(APPROVE))
    who = "a steward has to approve it" if left == 1 else f"{left} stewards have to approve it"
    why = "; ".join(found.reasons)
    changed = "the table changed, and with it what this proposal does, so it is asked again: " if asks_again else ""
    return f"{changed}{who} ({why}): `towline review` shows it"


def receive(bench: Workbench, arrival: Arrival) -> Receipt | None:
    """A review arrived: the receipt of the proposal that is to be looked at again. None: it is of none that waits, and
    then it counts for nothing, and is kept in the quarantine with the reason (where it is not part of what was decided
    already)."""
    where = keys.parse_review(arrival.key)
    if where is None:
        why = f"{arrival.key} is not reviews/<dataset>/<proposal>/<you>.json"
        _keep(bench, arrival.key, Word("", etag=arrival.etag, ignored=why), Receipt("misplaced", inbox.UNKNOWN, ""))
        return None
    receipt = receipts.load(bench.store, where.dataset, where.proposal)
    why = _no_word(arrival, where, receipt)
    if receipt is not None and not why:
        return None if receipt.final else receipt
    word = Word(where.principal, etag=arrival.etag, ignored=why)
    _keep(bench, arrival.key, word, receipt or Receipt(where.proposal, where.dataset, ""))
    return None


def _no_word(arrival: Arrival, where: keys.ReviewKey, receipt: Receipt | None) -> str:
    """Why an arrival counts for nothing before anybody reads it; empty: it may count, or did."""
    if receipt is None:
        return f"nobody knows a proposal {where.proposal} of {where.dataset}"
    if arrival.principal not in (None, where.principal):
        return f"it was written by {arrival.principal}, in the place of {where.principal}"
    if receipt.final and (where.principal, arrival.etag) not in reviews.known(receipt.review):
        return f"{where.proposal} does not wait for a review: it is {receipt.status}"
    return ""


def unheard(bench: Workbench, arrival: Arrival) -> Receipt | None:
    """The receipt of a proposal that waits, and does not know of this review yet; None: there is nothing to do."""
    where = keys.parse_review(arrival.key)
    receipt = receipts.load(bench.store, where.dataset, where.proposal) if where else None
    if where is None or receipt is None or receipt.status != IN_REVIEW:
        return None
    return None if (where.principal, arrival.etag) in reviews.known(receipt.review) else receipt


def _keep(bench: Workbench, source: str, word: Word, receipt: Receipt) -> None:
    """Copy a review that counts for nothing to the quarantine, beside a report of why; twice does no harm."""
    at, entry = bench.clock(), f"{receipt.proposal}-review-{word.etag[:SHORT]}"
    try:
        bench.store.copy(source, keys.quarantine(receipt.dataset, entry, source.rsplit("/", 1)[1], at))
    except NotFound:
        return  # taken away since, or replaced by another, of which there is an event, too
    report = {"key": source, **word.to_json()}
    bench.store.put(
        keys.quarantine(receipt.dataset, entry, "report.json", at),
        json.dumps(report, ensure_ascii=False, indent=1).encode(),
        content_type="application/json",
    )
