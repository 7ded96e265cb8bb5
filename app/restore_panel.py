"""Restoring on the History page: what shall come back, what that changes, why, and its outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from app import history_views, markup, submit_markup
from app.history_views import link, name_of, reader
from app.past import restoring
from app.past.commits import Commit, Wanted
from app.past.restoring import Wish
from app.past.touched import Touched, of_diff
from app.session import Session, connection, kept
from towline.contract import Contract
from towline.dataset import Draft, Ticket
from towline.errors import OutcomeUnknown, TowlineError
from towline.plan import Plan
from towline.receipts import Receipt
from towline.values import Key

EVERY = 0.3  # seconds between two looks at a restore that is under way


@dataclass
class Errand:
    """The restore of one commit in one tab: what was sent, and what became of it."""

    draft: Draft | None = None
    receipt: Receipt | None = None
    problem: str = ""
    doubt: str = ""


def draw(session: Session, commit: Commit, contract: Contract, key: Key | None) -> None:
    """The panel. `key` is of the row that is looked for on the page."""
    st.html(Path(__file__).with_name("submit.css"))
    errand: Errand = kept().setdefault(f"restore-{contract.dataset}-{commit.id}", Errand())
    if errand.receipt is not None:
        _outcome(errand.receipt, contract)
    head = session.page.commit if session.page else ""
    ways = restoring.ways(commit, head) if head else []
    if not ways:
        said = (
            "This is the only commit, and the table is as it left it." if head else "There is no head to be seen now."
        )
        st.html(markup.message("info", said))
        return
    wish = _wish(commit, head, ways, contract, key)
    plan = _once((head, wish), partial(restoring.outlook, reader(), contract, head, wish))
    _preview(plan, contract, f"{contract.dataset}-restore-{commit.number}")
    is_down = session.page is not None and session.page.down
    _submit_part(errand, wish, contract, is_blocked=not plan.ok or not plan.diff or is_down)


def _wish(commit: Commit, head: str, ways: list[str], contract: Contract, key: Key | None) -> Wish:
    """What is chosen: how, which rows, which columns."""
    named = partial(name_of, f"{contract.dataset}-{commit.number}")
    way = st.segmented_control("How", ways, default=ways[0], required=True, key=named("way"))
    st.html(markup.block(f'<span class="tl-quiet">{restoring.says(way, commit)}</span>'))
    rows, columns = st.columns([1, 1.3], gap="small")
    everything = "All rows"
    choices = [everything, f"Only {markup.key_text(contract.key_dict(key))}"] if key else [everything]
    help = "Look for a row above, or click one below, to restore it alone"
    chosen = rows.selectbox("Rows", choices, key=named(f"rows-{key}"), help=help)
    free = [name for name in contract.names if name not in contract.key]
    only = columns.multiselect("Columns", free, key=named("columns"), placeholder="All columns")
    return restoring.wish(commit, head, way, [key] if key and chosen != everything else [], only)


def _once(of: tuple[str, Wish], make: Callable[[], Plan]) -> Plan:
    """What a wish would do, computed again only when the wish or the head is another."""
    known: Any = kept().get("restore-plan")
    if known is None or known[0] != of:
        known = kept()["restore-plan"] = (of, make())
    plan: Plan = known[1]
    return plan


def _preview(plan: Plan, contract: Contract, file: str) -> None:
    """What would change, from the head to what comes back."""
    if stop := restoring.stop(plan, contract):
        st.html(stop)
        return
    history_views.changed(Touched(contract, of_diff(plan.diff)), contract, Wanted(), file)


def _submit_part(errand: Errand, wish: Wish, contract: Contract, *, is_blocked: bool) -> None:
    note_key = f"restore-note-{contract.dataset}"
    note = st.text_area("Why? (a note is required)", key=note_key, height=80, max_chars=2000)
    is_going = errand.draft is not None and errand.receipt is None
    st.button(
        "Restore",
        key="do-restore",
        type="primary",
        icon=":material/settings_backup_restore:",
        disabled=is_blocked or is_going,
        on_click=_submit,
        args=(errand, wish, contract, note_key),
    )
    hint = submit_markup.note_problem(note or "")
    if hint and not is_blocked and not is_going:
        st.html(markup.message("info", hint))
    _trouble(errand, contract)
    if is_going:
        _watch(errand, contract)


def _trouble(errand: Errand, contract: Contract) -> None:
    if errand.problem:
        st.html(markup.message("stop", errand.problem))
    if errand.doubt:
        st.html(
            markup.message("warn", f"It is not known whether it arrived: {errand.doubt}. Sending again does no harm.")
        )
        st.button("Send again", key="do-restore-again", on_click=_send, args=(errand, contract))


def _submit(errand: Errand, wish: Wish, contract: Contract, note_key: str) -> None:
    """Send it; a note that is lacking, or a store that does not answer, is said."""
    errand.problem = ""
    note = str(st.session_state.get(note_key) or "")
    try:
        errand.draft = connection().dataset(contract.dataset).restore(wish.restore, wish.base, note)
    except TowlineError as error:
        errand.problem = f"Not sent: {error}."
        return
    errand.receipt = None
    if _send(errand, contract):
        st.session_state[note_key] = ""


def _send(errand: Errand, contract: Contract) -> bool:
    """Sending the same draft again is harmless: the inbox takes each proposal once."""
    assert errand.draft is not None  # noqa: S101 - _submit made it
    try:
        connection().dataset(contract.dataset).send(errand.draft)
        errand.doubt = ""
    except OutcomeUnknown as error:
        errand.doubt = str(error)
    except TowlineError as error:
        if not errand.doubt:  # else an earlier try may have arrived
            errand.draft, errand.problem = None, f"Not sent: {error}."
        return False
    return True


@st.fragment(run_every=EVERY)
def _watch(errand: Errand, contract: Contract) -> None:
    """One look at the restore that is under way, and the whole page once it is decided."""
    if errand.draft is None:
        st.rerun()
    ticket = Ticket(connection().bench, contract.dataset, errand.draft.proposal)
    try:
        receipt = ticket.receipt()
        if receipt.final:
            Session.here().look()
    except TowlineError as error:
        st.html(markup.message("warn", f"It was sent, and its outcome cannot be read now: {error}"))
        return
    if receipt.final:
        errand.draft, errand.receipt, errand.doubt = None, receipt, ""
        st.rerun()
    st.html(submit_markup.steps(receipt))


def _outcome(receipt: Receipt, contract: Contract) -> None:
    st.html(restoring.outcome(receipt, contract))
    if receipt.status == "committed":
        label = f"Show commit {receipt.number}"
        st.button(label, key="show-restored", type="tertiary", on_click=_show, args=(contract.dataset, receipt))


def _show(dataset: str, receipt: Receipt) -> None:
    link("commit", str(receipt.number))
    st.session_state[name_of(dataset, "view")] = history_views.CHANGES
