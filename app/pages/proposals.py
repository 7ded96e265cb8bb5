"""My proposals: all that a person sent, what became of each, and the way back into the grid for what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import going, markup
from app.past import sent_html
from app.past.post import Post
from app.past.sent import Opened, can_be_opened, is_refused, open_letter, solved
from app.session import Session, connection, kept
from towline.contract import Contract
from towline.errors import NotFound, TowlineError
from towline.mine import Letter
from towline.receipts import Receipt
from towline.settings import Settings

STEP = 50  # proposals that are read at first, and each time that more are asked for
EVERY = 2.0  # seconds between two looks at those that are on their way
DATASET = "dataset"  # the key of the sidebar's choice
ALL, COMMITTED, REFUSED = SHOWN = ("All", "Committed", "Refused")
STYLE = Path(__file__).parents[1] / "past" / "style.css"
Outcome = tuple[Letter, Receipt]


def page() -> None:
    session = Session.here()
    st.html(STYLE)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(markup.heading("My proposals", f"sent by {connection().principal}, newest first"))
        everywhere = st.toggle("All datasets", key="proposals-everywhere", width="content")
    letters = post().letters(connection().principal, session.names if everywhere else [session.dataset])
    if not letters:
        st.html(markup.message("info", "Nothing was sent yet. Change something on the Edit page, and submit it."))
        return
    count = int(kept().get("proposals-count", STEP))
    outcomes = post().outcomes(letters[:count])
    _waiting([letter for letter, receipt in outcomes if not receipt.final])
    _decided([each for each in outcomes if each[1].final])
    left = len(letters) - count
    if left > 0:
        st.button(f"Show {min(left, STEP):,} older", on_click=_more, type="tertiary", icon=":material/history:")
        st.html(markup.block(f'<span class="tl-quiet">{markup.count(left, "proposal")} more</span>'))


def post() -> Post:
    """What is known of the proposals in this bucket."""
    return _post(connection().settings)


@st.cache_resource(show_spinner=False)
def _post(settings: Settings) -> Post:
    return Post(connection().bench)


def _more() -> None:
    kept()["proposals-count"] = int(kept().get("proposals-count", STEP)) + STEP


def _waiting(letters: Sequence[Letter]) -> None:
    if letters:
        st.html(markup.subheading("On their way", "looked at every other second"))
        _watch(letters)


@st.fragment(run_every=EVERY)
def _watch(letters: Sequence[Letter]) -> None:
    """Those that are not decided yet, looked at again and again; the whole page as soon as one is."""
    outcomes = post().outcomes(letters)
    if any(receipt.final for _, receipt in outcomes):
        st.rerun()
    now = connection().bench.clock()
    for letter, receipt in outcomes:
        with st.container(border=True):
            st.html(sent_html.waiting(letter, receipt, now))


def _decided(outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        return
    came_back = {letter.key: is_refused(letter, receipt) for letter, receipt in outcomes}
    refused = sum(came_back.values())
    counts = {ALL: len(outcomes), COMMITTED: len(outcomes) - refused, REFUSED: refused}
    shown = st.segmented_control(
        "Show",
        SHOWN,
        default=ALL,
        required=True,
        key="proposals-shown",
        format_func=lambda name: f"{name} {counts[name]:,}",
        label_visibility="collapsed",
    )
    done = solved(receipt for _, receipt in outcomes)
    for letter, receipt in outcomes:
        if shown == ALL or came_back[letter.key] == (shown == REFUSED):
            _card(letter, receipt, is_solved=receipt.proposal in done)


def _card(letter: Letter, receipt: Receipt, *, is_solved: bool) -> None:
    said, act = st.container(border=True).columns([5, 1.1], vertical_alignment="center")
    said.html(sent_html.card(letter, receipt, _contract(letter.dataset), connection().bench.clock()))
    if is_solved and letter.is_answered_by(receipt):
        act.html(markup.block("✓ solved since"))
        return
    if receipt.status == "conflicted" and letter.is_answered_by(receipt):
        to = ("Conflicts", letter.dataset, {"proposal": receipt.proposal})
        icon, help = ":material/call_merge:", "What was there, theirs and yours, side by side"
        act.button("Solve", key=f"solve-{letter.key}", icon=icon, help=help, on_click=going.to, args=to, type="primary")
    if receipt.kind == "sql" and receipt.status != "committed":
        to = ("SQL", letter.dataset, {"run": receipt.proposal})
        act.button("SQL", key=f"sql-{letter.key}", icon=":material/database:", on_click=going.to, args=to)
    if can_be_opened(letter, receipt):
        _reopening(letter, receipt, said, act)
    elif receipt.status == "committed":
        query = {"commit": str(receipt.number)}
        label, icon = f"Commit {receipt.number}", ":material/history:"
        to = ("History", letter.dataset, query)
        act.button(label, key=f"commit-{letter.key}", icon=icon, type="tertiary", on_click=going.to, args=to)


def _contract(dataset: str) -> Contract | None:
    """None: there is no such dataset (it was refused)."""
    try:
        return connection().bench.recent_contract(dataset)[0]
    except NotFound:
        return None


def _reopening(letter: Letter, receipt: Receipt, said: DeltaGenerator, act: DeltaGenerator) -> None:
    """The way back into the grid. Where not all of it can be put back, that is said before it is opened."""
    name = f"reopened-{letter.key}"
    help = "Put these edits into the grid"
    icon = ":material/edit:"
    act.button("Reopen", key=f"reopen-{letter.key}", icon=icon, help=help, on_click=_open, args=(letter, receipt, name))
    found = kept().get(name)
    if isinstance(found, str):
        said.html(markup.message("stop", f"It cannot be reopened: {found}"))
    elif found is not None:
        with said:
            _rest(found, name)


def _open(letter: Letter, receipt: Receipt, name: str) -> None:
    """Read it back, and go on to the grid at once where all of it can be put there."""
    try:
        opened = open_letter(connection().bench, letter, receipt)
    except TowlineError as error:
        kept()[name] = str(error)
        return
    kept()[name] = opened
    if opened.found.edits and not opened.found.unplaced:
        _go(opened, name)


def _rest(opened: Opened, name: str) -> None:
    if opened.found.unplaced:
        st.html(sent_html.unplaced(opened.found.unplaced))
    if not opened.found.edits:
        st.html(markup.message("info", "There is nothing in it that differs from the table it was made on."))
        return
    st.button("Open what can be put back", key=f"rest-{name}", type="primary", on_click=_go, args=(opened, name))


def _go(opened: Opened, name: str) -> None:
    """Edit it. What stood in the grid of that dataset stays on disk as a draft, and is offered there."""
    del kept()[name]
    Session.here().reopen(opened.sheet, opened.found.edits, opened.note)
    going.to("Edit", opened.sheet.dataset)


if __name__ == "__main__":  # a process that has not met route.py yet runs the file that a link names: see route.py
    from app.route import route

    route()
