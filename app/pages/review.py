"""Review: what waits for a steward in this dataset, what each would do now, and yes or no to exactly that."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from app import markup, submit_markup
from app.past import html, review_html
from app.past.touched import Touched, of_diff
from app.session import Session, connection, kept
from towline import reviews, steward
from towline.contract import Contract
from towline.dataset import Dataset
from towline.errors import TowlineError
from towline.receipts import Receipt
from towline.reviews import APPROVE, REJECT, Word
from towline.settings import Settings
from towline.steward import Case

ROWS = 50  # changed rows that are shown at once
PATIENCE = 10.0  # seconds that a review is waited for
OPEN, SAID = "review-open", "review-said"
STYLE = Path(__file__).parents[1] / "past" / "style.css"


def page() -> None:
    session = Session.here()
    st.html(STYLE)
    dataset = connection().dataset(session.dataset)
    found = steward.waiting(dataset.bench, dataset.name, _final(connection().settings, dataset.name))
    count = markup.count(len(found), "proposal") if found else "nothing"
    st.html(markup.heading("Review", f"{dataset.name} · {count} waiting"))
    kind, said = kept().pop(SAID, ("", ""))
    if said:
        st.html(markup.message(kind, said))
    if not found:
        st.html(markup.message("info", "Nothing waits for review. The contract says which proposals do."))
    for receipt in found:
        with st.container(border=True):
            _card(dataset, receipt, is_open=receipt.proposal == kept().get(OPEN, found[0].proposal))


@st.cache_resource(show_spinner=False)
def _final(settings: Settings, dataset: str) -> set[tuple[str, str]]:
    """The receipts of a dataset that are final: they are not read again."""
    return set()


def _card(dataset: Dataset, receipt: Receipt, *, is_open: bool) -> None:
    said, act = st.columns([5, 1], vertical_alignment="center")
    said.html(review_html.card(receipt, connection().bench.clock()))
    if not is_open:
        act.button("Look at it", key=f"look-{receipt.proposal}", on_click=_open, args=(receipt.proposal,))
        return
    try:
        case = steward.look(dataset, receipt.proposal)
    except TowlineError as error:
        st.html(markup.message("stop", f"What it would do cannot be shown to you: {error}."))
        return
    contract = dataset.contract()
    _diff(case, contract)
    _form(dataset, case, contract)


def _open(proposal: str) -> None:
    kept()[OPEN] = proposal


def _diff(case: Case, contract: Contract) -> None:
    st.html(review_html.problem(case) + review_html.head(case))
    touched = Touched(contract, of_diff(case.plan.diff))
    pages = max(1, -(-len(touched) // ROWS))
    name = f"review-page-{case.receipt.proposal}"
    at = min(pages, int(st.session_state.get(name, 1)))
    st.html(html.rows(touched.rows((at - 1) * ROWS, at * ROWS), contract, {}, has_story=False))
    if pages > 1:
        st.pagination(pages, key=name)
    if case.plan.conflicts:
        st.html(markup.conflicts([conflict.to_json() for conflict in case.plan.conflicts], contract))
    st.html(markup.scroll(submit_markup.violations(case.plan)))


def _form(dataset: Dataset, case: Case, contract: Contract) -> None:
    barred = reviews.barred(contract.review, Word(dataset.principal), case.receipt.principal)
    if barred:
        st.html(markup.message("info", f"You cannot review this: {barred}."))
        return
    note = f"review-note-{case.receipt.proposal}"
    st.text_area("Why? (a note is required; the author reads it)", key=note, height=80, max_chars=2000)
    do = partial(_say, dataset, case, note)
    name = case.receipt.proposal
    with st.container(horizontal=True):
        can = case.plan.ok
        st.button("Approve", key=f"yes-{name}", type="primary", disabled=not can, on_click=do, args=(APPROVE,))
        st.button("Reject", key=f"no-{name}", on_click=do, args=(REJECT,))


def _say(dataset: Dataset, shown: Case, note: str, decision: str) -> None:
    """A word on what was shown: where the proposal would do something else by now, none is written; that is said."""
    proposal = shown.receipt.proposal
    try:
        case = steward.look(dataset, proposal)
        word = steward.say(dataset, case, decision, str(st.session_state.get(note) or ""), shown.effect)
        receipt = steward.outcome(dataset, proposal, word, PATIENCE)
    except TowlineError as error:
        kept()[SAID] = ("stop", f"{str(error)[0].upper()}{str(error)[1:]}.")
        return
    kept().pop(OPEN, None)
    kind = "stop" if receipt.status == "conflicted" else "info"
    kept()[SAID] = (kind, f"{receipt.user}'s proposal is {receipt.status.replace('_', ' ')}: {receipt.message}.")


if __name__ == "__main__":  # a process that has not met route.py yet runs the file that a link names: see route.py
    from app.route import route

    route()
