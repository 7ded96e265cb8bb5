"""HTML of a proposal that waits for review: who, why, what it would do, what was said. Pure; all of it is escaped."""

from __future__ import annotations

from datetime import datetime
from html import escape

from app import markup
from app.past import html
from towline.receipts import Receipt
from towline.reviews import Word, words
from towline.steward import Case


def card(receipt: Receipt, now: datetime) -> str:
    """Who proposed it and why, since when it waits, why it is reviewed, and who spoke already."""
    at = datetime.fromisoformat(str(receipt.history[0]["at"]))
    when = f"{at:%Y-%m-%d %H:%M} UTC, {markup.age(at, now)}"
    head = f'<span class="tl-head">{escape(receipt.user)}</span> <span class="tl-quiet">{escape(when)}</span>'
    why = f'<div class="tl-quiet">{escape("; ".join(receipt.review["reasons"]))}</div>'
    said = "".join(_word(word) for word in words(receipt.review))
    named = f'<div class="tl-id">{escape(receipt.proposal)}</div>'
    return f'<div class="tl tl-sent">{head}{html.note(receipt.note)}{why}{_progress(receipt)}{said}{named}</div>'


def _progress(receipt: Receipt) -> str:
    """How many approvals of how many; nothing where one is enough."""
    needed, approvals = receipt.review["needed"], receipt.review["approvals"]
    return f'<div class="tl-quiet">{approvals} of {needed} approvals</div>' if needed > 1 else ""


def _word(word: Word) -> str:
    if word.ignored:
        return f'<div class="tl-quiet">a review by {escape(word.user)} does not count: {escape(word.ignored)}</div>'
    return f"<div>{'✓' if word.decision == 'approve' else '✕'} {escape(word.user)}: “{escape(word.note)}”</div>"


def head(case: Case) -> str:
    """The totals of what it would do to the head as it is now."""
    counts = case.plan.counts()
    rows = (counts[f"rows_{word}"] for word in ("updated", "inserted", "deleted"))
    title = html.sizes(*rows, counts["cells_changed"])
    return markup.subheading(title, f"on commit {case.number} · effect {case.effect[:12]}")


def problem(case: Case) -> str:
    """What is to be known before anybody decides; empty: nothing."""
    if not case.plan.ok:
        said = "It no longer fits the table, so it cannot be approved: reject it, and its author can propose it anew."
        return markup.message("stop", said)
    if case.has_changed:
        said = (
            "The table changed since this was put up for review, and with it what it does. Below is what it does now."
        )
        return markup.message("warn", said)
    return ""
