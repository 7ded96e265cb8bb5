"""A desk's edits sent as a proposal, and its outcome taken in."""

from __future__ import annotations

from app.editing.desk import Desk
from app.editing.remote import open_sheet
from towline.dataset import Dataset, Draft, Ticket
from towline.errors import OutcomeUnknown, TowlineError
from towline.receipts import Receipt
from towline.workbench import Workbench


def submit(desk: Desk, dataset: Dataset, note: str) -> bool:
    """Send what is pending; False, with `desk.problem` saying why, where that cannot be. The edits stay either way."""
    if desk.sent is not None:
        return False  # pressed twice
    desk.problem, desk.receipt = "", None
    pending = desk.pending
    if not pending.ready:
        desk.problem = "There is nothing to submit." if pending.report.ok else "Mend the errors first, then submit."
        return False
    try:
        draft = dataset.rows(pending.changes, note, desk.sheet.commit)
    except TowlineError as error:
        desk.problem = f"Not sent: {error}."
        return False
    return send(desk, dataset, draft)


def send(desk: Desk, dataset: Dataset, draft: Draft) -> bool:
    """Put a draft into the inbox. Sending the same one again is harmless: the inbox takes each proposal once."""
    desk.problem, desk.doubt = "", ""
    try:
        dataset.send(draft)
    except OutcomeUnknown as error:
        desk.doubt = str(error)
    except TowlineError as error:
        desk.problem = f"Not sent: {error}. Your edits are still here."
        desk.sent = None
        return False
    desk.sent = draft
    return True


def ticket(desk: Desk, dataset: Dataset) -> Ticket:
    """The proposal that is under way."""
    assert desk.sent is not None  # noqa: S101 - asked of a desk that waits only
    return Ticket(dataset.bench, dataset.name, desk.sent.proposal)


def landed(desk: Desk, bench: Workbench, receipt: Receipt) -> None:
    """Take in a final receipt. After a commit the grid goes on from the head: what was submitted is no edit any more,
    what was typed since still is. After a refusal everything stays as it is.

    Raises Unavailable when the new head cannot be read: then nothing has changed here, and it can be tried again.
    """
    if receipt.status == "committed":
        desk.carry(open_sheet(bench, desk.sheet.dataset))
    desk.sent, desk.doubt, desk.receipt = None, "", receipt
