"""A desk's edits sent as a proposal: what it would do, the way there, and its outcome taken in."""

from __future__ import annotations

import json
from datetime import datetime

from app.editing.desk import Desk
from app.editing.edits import Edits
from app.editing.pending import Pending
from app.editing.rebase import rebase
from app.editing.remote import open_sheet
from app.editing.sheet import Sheet
from app.editing.since import Sent, since
from towline import keys, plan
from towline.dataset import Dataset, Draft, Ticket
from towline.errors import OutcomeUnknown, TowlineError, UsageError
from towline.plan import Plan
from towline.proposals import Proposal
from towline.receipts import IN_REVIEW, Receipt
from towline.workbench import Workbench

OVERTAKEN = (
    "While your proposal was under way, somebody changed cells that you went on to change. Yours stand in the list of "
    "changes, as changes of theirs: look at them before you submit again."
)


def preview(pending: Pending, sheet: Sheet, newer: Sheet, mode: str | None = None) -> Plan:
    """What submitting would do to a newer commit than the one that was edited, as the functions will find it; `mode` is
    the merge mode, None as the contract says. Raises UsageError where the two have different columns."""
    if newer.contract.schema != sheet.contract.schema:
        raise UsageError(f"commit {newer.number} has other columns than commit {sheet.number}")
    proposal = Proposal(sheet.dataset, "edit", "", sheet.commit, mode, pending.changes)
    return plan.plan(proposal, newer.contract, newer.whole, sheet.whole)


def submit(desk: Desk, dataset: Dataset, note: str) -> bool:
    """Send what is pending; False, with `desk.problem` saying why, where that cannot be. The edits stay either way."""
    if desk.sent is not None:
        return False  # pressed twice
    desk.problem = ""
    pending = desk.pending
    if not pending.ready:
        desk.problem = "There is nothing to submit." if pending.report.ok else "Mend the errors first, then submit."
        return False
    try:
        draft = dataset.rows(pending.changes, note, desk.sheet.commit, desk.mode)
    except TowlineError as error:
        desk.problem = f"Not sent: {error}."
        return False
    return send(desk, dataset, Sent(draft.proposal, draft.body, edits=desk.edits))


def send(desk: Desk, dataset: Dataset, draft: Sent) -> bool:
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
    desk.sent, desk.receipt = draft, None
    return True


def ticket(desk: Desk, dataset: Dataset) -> Ticket:
    """The proposal that is under way."""
    assert desk.sent is not None  # noqa: S101 - asked of a desk that waits only
    return Ticket(dataset.bench, dataset.name, desk.sent.proposal)


def age(draft: Draft, now: datetime) -> float:
    """Seconds since a draft was made."""
    return (now - keys.commit_time(draft.proposal)).total_seconds()


def look(desk: Desk, dataset: Dataset) -> Receipt:
    """How far the proposal that is under way has got; where it has come to rest it is taken in. Raises Unavailable."""
    receipt = ticket(desk, dataset).receipt()
    if receipt.rests:
        landed(desk, dataset.bench, receipt)
    return receipt


def landed(desk: Desk, bench: Workbench, receipt: Receipt) -> None:
    """Take in a receipt at rest. After a commit the grid goes on from the head: what was submitted is no edit any more,
    what was typed since still is; likewise where it waits for a steward, and is out of its author's hands. After a
    refusal everything stays as it is.

    Raises Unavailable when the new head cannot be read: then nothing has changed here, and it can be tried again.
    """
    sent = desk.sent
    if receipt.status in ("committed", IN_REVIEW) and sent is not None:
        _go_on(desk, open_sheet(bench, desk.sheet.dataset), sent.edits)
        if desk.note.strip() == _note(sent):
            desk.write_note("")
    desk.sent, desk.doubt, desk.receipt = None, "", receipt


def _go_on(desk: Desk, head: Sheet, sent: Edits) -> None:
    """With the head, and what was typed since submitting on top. Where others changed the same cells that is said, and
    mine stands as a change of theirs, in the list of changes."""
    base, late = since(desk.sheet, sent, desk.edits)
    try:
        found = rebase(base, late, head)
    except UsageError:
        return  # the columns changed with this commit: the banner tells, with the way out
    desk.replace(head, found.edits)
    desk.choices = desk.choices.remembered()
    if found.clashes:
        desk.problem = OVERTAKEN


def _note(draft: Draft) -> str:
    return str(json.loads(draft.body)["note"])
