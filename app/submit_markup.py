"""HTML and words of a proposal on its way: what it would do, how far it is, what became of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape

from app import markup, side_markup
from app.editing.pending import Pending
from app.editing.remote import Glance, News
from app.editing.sheet import Sheet
from towline import keys
from towline.contract import Contract
from towline.errors import BadProposal
from towline.plan import Plan
from towline.proposals import check_note
from towline.receipts import IN_REVIEW, Receipt

STEPS = markup.STEPS
# The merge modes as the panel says them: a name, and what it is for (docs/merge.md).
MODES: Mapping[str, tuple[str, str]] = {
    "cell": ("by cell", "Two people may change different cells of one row."),
    "row": ("by row", "Two people may change different rows; of one row it is a conflict."),
    "table": ("not at all", "Any commit in between is a conflict."),
    "fill": ("by cell, and fill", "Two partial inserts of one key are joined where one of them is empty."),
}
NOTHING = "Nothing to submit yet."
NO_NOTE = "Write why first: a note is required."


@dataclass(frozen=True)
class Outlook:
    """What submitting would do, in a sentence; or, where it cannot be done now, why not and what to do (`stop`). `plan`
    has the violations that only the merged table shows."""

    said: str = ""
    stop: str = ""
    plan: Plan | None = None


def outlook(pending: Pending, sheet: Sheet, head: Glance | None) -> Outlook:
    """On the commit that was edited, or on a newer one that could not be looked into."""
    if pending.report.errors:
        mend = "it" if pending.report.errors == 1 else "them"
        return Outlook(stop=f"{markup.count(pending.report.errors, 'error')} to mend first: see Violations for {mend}.")
    if not pending.changes:
        return Outlook(stop=NOTHING)
    at, by = (head.number, head.author) if head and head.commit else (sheet.number, "")
    whose = f" by {by}" if by else ""
    if head and head.commit not in ("", sheet.commit):
        return Outlook(f"Merged onto commit {at}{whose}, which is newer than what you see: {said(pending)}.")
    return Outlook(f"Commit {at + 1} on top of commit {at}{whose}: {said(pending)}.")


def merged(pending: Pending, newer: News, plan: Plan, now: datetime) -> Outlook:
    """On a newer commit than the one that was edited. `plan` is what the functions would make of it."""
    head = newer.sheet.number
    if any(conflict.kind == "table" for conflict in plan.conflicts):
        return Outlook(stop=f"Commit {head}{_whose(newer)} came in between, and you chose not to merge: load it first.")
    if plan.conflicts:
        return Outlook(
            stop=f"Commit {head}{_whose(newer)} changed what you changed: choose above the table, and load it."
        )
    if not plan.ok:
        return Outlook(
            stop=f"Merged with commit {head} it would break a rule: load that commit, then mend it.", plan=plan
        )
    if not plan.diff:
        return Outlook(stop=f"Commit {head}{_whose(newer)} holds all of it already: load it.")
    when = _when(newer, now)
    there = len(pending.changes) - len(plan.diff.changes)
    known = f", {markup.count(there, 'row')} of it there already" if there else ""
    return Outlook(
        f"Commit {head + 1}, merged onto commit {head} ({when}), which changed {_elsewhere(newer)}: "
        f"{said(pending)}{known}."
    )


def said(pending: Pending) -> str:
    return side_markup.summary(pending)


def _whose(newer: News) -> str:
    names = dict.fromkeys(str(record["user"]) for record in newer.records)
    return f" ({', '.join(names)})" if names else ""


def _when(newer: News, now: datetime) -> str:
    names = dict.fromkeys(str(record["user"]) for record in newer.records)
    if not newer.records:
        return "a moment ago"
    at = datetime.fromisoformat(str(newer.records[0]["timestamp"]))
    return f"{', '.join(names)}, {markup.age(at, now)}"


def _elsewhere(newer: News) -> str:
    """`3 other cells`, `2 other rows`."""
    theirs = newer.changes
    if not newer.is_told:
        return "many other rows"
    if all(change.kind == "update" for change in theirs):
        return markup.count(sum(1 for change in theirs for _ in change.cells()), "other cell")
    return markup.count(len(theirs), "other row")


def note_problem(note: str) -> str:
    """Why a note will not do; empty where it will."""
    try:
        check_note(note)
    except BadProposal as error:
        return NO_NOTE if error.rule == "note.missing" else f"{str(error)[0].upper()}{str(error)[1:]}."
    return ""


def steps(receipt: Receipt, received: float | None = None) -> str:
    """How far a proposal is, with the milliseconds since it was sent. `received` are those until the inbox had it."""
    times = {**_times(receipt), **({"received": received} if received is not None else {})}
    return f'<div class="tl tl-way" role="status">{"".join(_steps(receipt, times))}</div>'


def _times(receipt: Receipt) -> dict[str, float]:
    """Milliseconds from the moment that a proposal's id carries to each status. Clocks that disagree say nothing."""
    begun = keys.commit_time(receipt.proposal)
    took = {str(s["status"]): (datetime.fromisoformat(str(s["at"])) - begun).total_seconds() for s in receipt.history}
    return {status: 1000 * seconds for status, seconds in took.items() if seconds >= 0}


def _steps(receipt: Receipt, times: Mapping[str, float]) -> Iterator[str]:
    passed = {receipt.status, *(str(step.get("status")) for step in receipt.history)}
    far = max((place for place, step in enumerate(STEPS) if step in passed), default=0)
    is_refused = receipt.final and receipt.status not in STEPS
    for place, step in enumerate(STEPS):
        if place <= far:
            yield f'<span class="tl-done-step">✓ {step}{_took(times.get(step))}</span>'
        elif not is_refused:
            yield f'<span class="tl-todo">{"…" if place == far + 1 else "○"} {step}</span>'
    if is_refused:
        yield f"<span><b>✕ {escape(receipt.status)}</b>{_took(times.get(receipt.status))}</span>"


def _took(milliseconds: float | None) -> str:
    """Seconds where it was long."""
    if milliseconds is None:
        return ""
    text = f"{milliseconds:,.0f} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:,.0f} s"
    return f' <span class="tl-quiet">{text}</span>'


def outcome(receipt: Receipt, *, is_above: bool) -> str:
    """What became of a proposal, and what to do. `is_above`: conflicts are shown above the grid, with the way out."""
    if receipt.status == "committed":
        warned = f", with {markup.count(receipt.warnings, 'warning')}" if receipt.warnings else ""
        note = f"<br>“{escape(markup.cut(receipt.note))}”"
        number = f"<b>Commit {receipt.number}</b>{warned}"
        return markup.box("done", f'<span class="tl-sign">✓</span>{number}{note}')
    if receipt.status == IN_REVIEW:
        said = "It left the grid; My proposals tells what becomes of it."
        return markup.message("info", f"In review: {receipt.message}. {said}")
    return markup.message(
        "stop",
        f"{_refused(receipt)} The table is as it was, and your edits are still here. {_way_out(receipt, is_above)}",
    )


def _refused(receipt: Receipt) -> str:
    if receipt.status == "conflicted":
        return "Conflict: somebody else changed what you changed."
    return f"Rejected: {markup.totals(receipt.errors, receipt.warnings) or receipt.message}."


def _way_out(receipt: Receipt, is_above: bool) -> str:
    """What to do; where the choice is above the table, the outlook says it."""
    if receipt.status != "conflicted":
        return "Mend what is listed here, then submit again."
    return "" if is_above else "Look again in a moment, choose, then submit again."


def doubt(why: str) -> str:
    """The store did not say whether it has a proposal."""
    text = f"It is not known whether the proposal arrived: {why}. Sending it again does no harm."
    return markup.message("warn", text)


def details(receipt: Receipt, contract: Contract) -> str:
    """Why a proposal was refused: violations and conflicts, as far as the receipt spells them out."""
    html = markup.violations(receipt.violations, receipt.errors, receipt.warnings) if receipt.violations else ""
    return html + (markup.conflicts(receipt.conflicts, contract) if receipt.conflicts else "")


def violations(plan: Plan) -> str:
    report = plan.report
    return markup.violations([each.to_json() for each in report.violations], report.errors, report.warnings)
