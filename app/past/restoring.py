"""What somebody wishes to restore on the History page, and what that would do. Pure but for the reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from app import markup, submit_markup
from app.past.commits import Commit
from app.past.reader import Reader
from towline import plan
from towline.contract import Contract
from towline.plan import Plan
from towline.proposals import Proposal
from towline.receipts import Receipt
from towline.restore import Restore
from towline.values import Key

_LISTED = 100  # conflicts
_AGAIN = "Later commits changed the same cells again: choose other rows or columns, or correct them on the Edit page."
_NOTHING = "Nothing to restore: what is chosen is like that already."

BACK, UNDO = "Back to this commit", "Undo this commit alone"


@dataclass(frozen=True)
class Wish:
    """What is as in the commit `base` shall be as `restore` says."""

    restore: Restore
    base: str


def ways(commit: Commit, head: str) -> list[str]:
    """What can be done with a commit: the head is what it is, and nothing was before the first."""
    return [BACK] * (commit.id != head) + [UNDO] * (commit.parent is not None)


def wish(commit: Commit, head: str, way: str, keys: Sequence[Key], columns: Sequence[str]) -> Wish:
    if way == UNDO and commit.parent is not None:
        return Wish(Restore(commit.parent, tuple(keys), tuple(columns)), commit.id)
    return Wish(Restore(commit.id, tuple(keys), tuple(columns)), head)


def outlook(reader: Reader, contract: Contract, head: str, wish: Wish) -> Plan:
    """What a wish would do to the head, as the functions will find it. NotFound: a commit's table is gone."""
    sheets = (reader.sheet(contract.dataset, commit) for commit in (head, wish.base, wish.restore.commit))
    rows, base, past = (sheet.whole for sheet in sheets)
    proposal = Proposal(contract.dataset, "restore", "", wish.base, restore=wish.restore)
    return plan.plan(proposal, contract, rows, base, past)


def says(way: str, commit: Commit) -> str:
    """What a way means, in a sentence."""
    if way == UNDO:
        return f"Takes back what commit {commit.number} changed, as a new commit; what was changed since stays."
    return f"Makes the table what it was after commit {commit.number}, as a new commit; all others stay in the history."


def stop(found: Plan, contract: Contract) -> str:
    """HTML of why it cannot be done, and what to do; empty where it can."""
    if found.conflicts:
        listed = markup.conflicts([conflict.to_json() for conflict in found.conflicts[:_LISTED]], contract)
        return markup.message("warn", _AGAIN) + markup.scroll(listed)
    if not found.report.ok:
        first = found.report.violations[0]
        if first.rule in ("change.nothing", "row.missing"):
            return markup.message("info", _NOTHING)
        said = markup.message("warn", "What would come back breaks the contract of today:")
        return said + markup.scroll(submit_markup.violations(found))
    return "" if found.diff else markup.message("info", _NOTHING)


def outcome(receipt: Receipt, contract: Contract) -> str:
    """HTML of what became of a restore."""
    return "".join(_outcome(receipt, contract))


def _outcome(receipt: Receipt, contract: Contract) -> Iterator[str]:
    yield submit_markup.steps(receipt)
    if receipt.status == "committed":
        yield submit_markup.outcome(receipt, is_above=False)
        return
    why = "somebody changed the same meanwhile" if receipt.status == "conflicted" else receipt.message
    yield markup.box("stop", f"✕ Not restored: {escape(why)}. The table is as it was.")
    yield markup.scroll(submit_markup.details(receipt, contract))
