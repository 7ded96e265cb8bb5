"""The two steps at which a run waits: for its author's word on the preview, and for the commit."""

from __future__ import annotations

from dataclasses import dataclass

from towline import keys, receipts
from towline.bulk import words
from towline.receipts import IN_REVIEW, PREVIEWED, Receipt
from towline.workbench import Workbench


@dataclass(frozen=True)
class Waiting:
    """Where a run stands whose execution now waits under a token. `answer`: what it waits for is there already.
    `queue`: the receipt goes to the committer."""

    receipt: Receipt
    answer: bool
    queue: bool = False


def await_word(bench: Workbench, run: keys.Run, token: str) -> Waiting:
    """Leave the token for the author's word; look after it, so that no word is missed."""
    words.leave_token(bench, run, token)
    receipt = _receipt(bench, run)
    return Waiting(receipt, answer=receipt.status != PREVIEWED)


def await_commit(bench: Workbench, run: keys.Run, token: str) -> Waiting:
    """Leave the token for the outcome, and hand the proposal over to the commit; look after it, as before."""
    words.leave_token(bench, run, token)
    receipt = _receipt(bench, run)
    return Waiting(receipt, answer=receipt.final, queue=not receipt.final and receipt.status != IN_REVIEW)


def _receipt(bench: Workbench, run: keys.Run) -> Receipt:
    receipt = receipts.load(bench.store, run.dataset, run.id)
    assert receipt is not None  # noqa: S101 - receipts are never deleted, and the run began with one
    return receipt
