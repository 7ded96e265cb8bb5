"""HTML of a proposal: what it was for, how far it got and when, why not, and what to do. Pure; all of it is escaped."""

from __future__ import annotations

from datetime import datetime
from html import escape

from app import markup
from app.past import html
from app.past.sent import can_be_opened, rules
from towline.contract import Contract
from towline.mine import Letter
from towline.receipts import IN_REVIEW, PREVIEWED, Receipt

STEPS = ("received", "accepted", "committing", "committed")
LONG = 60.0  # seconds of waiting after which that is said
SAID = 20  # sentences about what has no place
_KINDS = {"file": "table file", "create": "new dataset", "restore": "restore", "sql": "SQL"}


def card(letter: Letter, receipt: Receipt, contract: Contract | None, now: datetime) -> str:
    """All of one proposal."""
    parts = (_head(letter, receipt, now), _steps(letter, receipt), _why(letter, receipt, contract))
    return f'<div class="tl tl-sent">{"".join(parts)}</div>'


def _head(letter: Letter, receipt: Receipt, now: datetime) -> str:
    """Why, what, when; and its id, for whoever is asked for help."""
    when = f"{letter.at:%Y-%m-%d %H:%M} UTC, {markup.age(letter.at, now)}"
    made = receipt.message if receipt.status == "committed" and letter.is_answered_by(receipt) else ""
    said = (letter.dataset, _KINDS.get(receipt.kind, ""), made, when)
    beside = escape(" · ".join(each for each in said if each))
    note = html.note(receipt.note) if receipt.note else '<div class="tl-quiet">without a readable note</div>'
    return f'{note}<div class="tl-quiet">{beside}<span class="tl-id"> · {escape(receipt.proposal)}</span></div>'


def _steps(letter: Letter, receipt: Receipt) -> str:
    """Each status with its time; what is still to come is pale."""
    times = {str(step.get("status")): _time(step.get("at")) for step in receipt.history}
    times = {"received": f"{letter.at:%H:%M:%S}", **times}
    passed = [step for step in STEPS if step in times]
    done = [f"<span>✓ {step} <span class='tl-quiet'>{times[step]}</span></span>" for step in passed]
    if receipt.final and receipt.status not in STEPS:
        done.append(
            f"<span><b>✕ {escape(receipt.status)}</b> <span class='tl-quiet'>{times[receipt.status]}</span></span>"
        )
    left = [] if receipt.final else [step for step in STEPS if step not in times]
    todo = [f'<span class="tl-todo">{"○" if place else "…"} {step}</span>' for place, step in enumerate(left)]
    return f'<div class="tl-steps">{"".join([*done, *todo])}</div>'


def _time(at: object) -> str:
    return str(at)[11:19]


def _why(letter: Letter, receipt: Receipt, contract: Contract | None) -> str:
    """Why it was not committed, or what is to be said of it all the same."""
    if not letter.is_answered_by(receipt):
        taken = "it took an id that was used before, and what stands above became of the first one"
        return _box(f"Rejected: {taken}. Reopen it in the grid and submit it, which gives it an id of its own.")
    if not receipt.final:
        return ""
    if receipt.status == "committed":
        return _details(receipt, contract)
    counts = markup.totals(receipt.errors, receipt.warnings) or receipt.message
    why = f"Rejected: {counts}." if receipt.status == "rejected" else "Somebody else changed what you changed."
    return _box(f"{why} The table is as it was. {way_out(letter, receipt)}") + _details(receipt, contract)


def _box(text: str) -> str:
    return markup.message("stop", text)


def way_out(letter: Letter, receipt: Receipt) -> str:
    """What its author can do."""
    if receipt.kind == "create":
        return "Mend what is listed, and create the dataset again."
    if receipt.kind == "sql":
        solve = "Solve it, or write" if receipt.status == "conflicted" else "Write"
        return f"{solve} the statement anew on the SQL page."
    if not can_be_opened(letter, receipt):
        return "It cannot be read as a proposal: mend it where it was made, and send it again."
    if "table.rows_deleted" in rules(receipt):
        return "If the file holds only some of the rows, propose it as such; or reopen it in the grid, where they stay."
    if receipt.status == "conflicted":
        return "Solve it: you see what was there, theirs and yours, and decide. Or reopen it in the grid."
    return "Reopen it in the grid: what is wrong is marked there. Mend it, and submit it again."


def _details(receipt: Receipt, contract: Contract | None) -> str:
    """What is wrong, the sides of what conflicts, and where the refused input lies."""
    said = ""
    if receipt.violations:
        said += markup.violations(receipt.violations, receipt.errors, receipt.warnings)
    if receipt.conflicts and contract is not None:
        said += markup.conflicts(receipt.conflicts, contract)
    if receipt.quarantine:
        said += f'<div class="tl-id">kept whole in {escape(receipt.quarantine)}</div>'
    return f'<div class="tl-details">{said}</div>' if said else ""


def waiting(letter: Letter, receipt: Receipt, now: datetime) -> str:
    """One that is on its way."""
    is_long = (now - letter.at).total_seconds() > LONG
    text = "This takes long: the functions are slow or stopped. It is safe in the inbox; nothing more is needed."
    said = markup.message("warn", text) if is_long else ""
    if receipt.status == IN_REVIEW:
        said = markup.message("info", f"In review: {receipt.message}.")
    if receipt.status == PREVIEWED:
        said = markup.message("info", "It was tried out, and waits for your word on the SQL page.")
    return f'<div class="tl tl-sent">{_head(letter, receipt, now)}{_steps(letter, receipt)}{said}</div>'


def unplaced(said: tuple[str, ...]) -> str:
    """What of a proposal has no place in the grid."""
    lines = "".join(f"<li>{escape(each)}</li>" for each in said[:SAID])
    more = f"<li>… and {len(said) - SAID:,} more</li>" if len(said) > SAID else ""
    return markup.box("warn", f"▲ Not all of it can be put back:<ul>{lines}{more}</ul>")
