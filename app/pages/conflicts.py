"""Conflicts: what you sent and somebody else overtook, side by side; decide it, and send it again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from app import clickable, going, markup, submit_markup
from app.editing.cells import text_of
from app.pages.proposals import STEP, post
from app.past import sent_html
from app.past.sent import solved
from app.session import Session, connection, kept
from app.solving import html
from app.solving.solving import Solving
from app.submit_panel import EVERY, see_through
from towline.answer import Put
from towline.dataset import Dataset
from towline.errors import NotFound, Refused, TowlineError, UsageError
from towline.mine import Letter
from towline.receipts import Receipt

PROPOSAL = "proposal"  # of the address: the one that is being solved
_APP = Path(__file__).parents[1]
_STYLES = ("news.css", "submit.css", "past/style.css", "solving/style.css")


def page() -> None:
    session = Session.here()
    for style in _STYLES:
        st.html(_APP / style)
    proposal = str(st.query_params.get(PROPOSAL, "")).strip()
    if proposal:
        _solve(session, proposal)
    else:
        _choose(session)


def _choose(session: Session) -> None:
    """Mine that are in conflict and not solved yet; and the way to somebody else's."""
    st.html(markup.heading("Conflicts", f"of what {connection().principal} sent to {session.dataset}"))
    outcomes = post().outcomes(post().letters(connection().principal, [session.dataset])[:STEP])
    done = solved(receipt for _, receipt in outcomes)
    found = [(letter, receipt) for letter, receipt in outcomes if _is_open(letter, receipt, done)]
    if not found:
        said = "Nothing of yours is in conflict."
        st.html(
            markup.message(
                "done", f"{said} What others change beside you is merged; where it clashes, you decide here."
            )
        )
    for letter, receipt in found:
        _card(letter, receipt)
    with st.expander("Somebody else's"):
        st.text_input("Id of the proposal", key="solve-other", on_change=_other)
        st.html(markup.block('<span class="tl-quiet">What you decide is sent in your name.</span>'))


def _is_open(letter: Letter, receipt: Receipt, done: frozenset[str]) -> bool:
    is_its_own = letter.is_answered_by(receipt)
    return receipt.status == "conflicted" and is_its_own and receipt.proposal not in done


def _card(letter: Letter, receipt: Receipt) -> None:
    said, act = st.container(border=True).columns([5, 1.1], vertical_alignment="center")
    bench = connection().bench
    said.html(sent_html.card(letter, receipt, bench.recent_contract(letter.dataset)[0], bench.clock()))
    act.button("Solve", key=f"solve-{letter.key}", type="primary", on_click=_take_up, args=(receipt.proposal,))


def _take_up(proposal: str) -> None:
    st.query_params[PROPOSAL] = proposal


def _other() -> None:
    _take_up(str(st.session_state["solve-other"]).strip())


def _leave() -> None:
    st.query_params.pop(PROPOSAL, None)


def _solve(session: Session, proposal: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(markup.heading("Conflicts", f"of proposal {proposal}"))
        st.button("All conflicts", icon=":material/arrow_back:", type="tertiary", on_click=_leave)
    try:
        solving = _solving(session, proposal)
    except (NotFound, UsageError, Refused) as error:
        st.html(markup.message("info", f"{str(error)[0].upper()}{str(error)[1:]}."))
        return
    st.html(html.about(solving))
    _messages(solving)
    if _is_done(solving):
        _outcome(solving)
        return
    table, side = st.columns([2.6, 1], gap="medium")
    with table:
        _decide(solving)
    with side:
        _send(solving)


def _is_done(solving: Solving) -> bool:
    return solving.receipt is not None and solving.receipt.status in ("committed", "conflicted")


def _solving(session: Session, proposal: str) -> Solving:
    """Taken up once a tab, and looked at again on every newer commit."""
    name = f"solving-{session.dataset}-{proposal}"
    bench = connection().bench
    if name not in kept():
        kept()[name] = Solving.of(bench, _dataset(session.dataset).status(proposal))
    solving: Solving = kept()[name]
    seen = session.page
    is_behind = seen is not None and not seen.problem and seen.number > solving.dispute.number
    if is_behind and solving.draft is None and not _is_done(solving):
        solving.look_again(bench)
    return solving


def _dataset(name: str) -> Dataset:
    return connection().dataset(name)


def _messages(solving: Solving) -> None:
    if solving.notice:
        st.html(markup.message("warn", solving.notice))
    if solving.problem and solving.typing is None:
        st.html(markup.message("stop", solving.problem))


def _decide(solving: Solving) -> None:
    with st.empty():  # in its place also when nothing is typed: what follows stays in its own
        if solving.typing is not None:
            _typing(solving)
    if solving.spots:
        with st.container(key="conflicts"):
            clickable.draw(html.table(solving), "conflict-list", partial(_act, solving))


def _act(solving: Solving, act: str) -> None:
    solving.notice = solving.problem = ""
    match html.read_act(act):
        case ["pick", row, column, side]:
            spot = solving.spot(row, column)
            solving.picks = solving.picks.pick_all([spot] if spot else [], side)
        case ["all", kind, name, side]:
            solving.picks = solving.picks.pick_all(solving.group((kind, name)), side)
        case ["type", row, column]:
            solving.typing = solving.spot(row, column)
        case ["page", number]:
            solving.page = number


def _typing(solving: Solving) -> None:
    """A third value for a cell, or another key for the whole of a row."""
    spot = solving.typing
    assert spot is not None  # noqa: S101 - drawn only where something is typed
    contract = solving.dispute.contract
    with st.form("typing", border=False, enter_to_submit=True), st.container(key="typing", gap="xsmall"):
        st.html(markup.subheading(html.asked(solving, spot)))
        columns = [spot.column] if spot.column else contract.key
        picked = solving.picks.of(spot)
        known = {**spot.conflict.key, spot.column: picked.value if isinstance(picked, Put) else None}
        place = f"{spot.place}"
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for column in columns:
                st.text_input(column, text_of(known[column]) or "", key=f"type-{place}-{column}")
            keys = [f"type-{place}-{column}" for column in columns]
            st.form_submit_button("Take it", type="primary", on_click=_typed, args=(solving, keys))
            st.form_submit_button("Never mind", type="tertiary", on_click=_never_mind, args=(solving,))
        if solving.problem:
            st.html(markup.message("stop", f"{solving.problem}."))


def _typed(solving: Solving, keys: list[str]) -> None:
    solving.type([str(st.session_state[key]) for key in keys])


def _never_mind(solving: Solving) -> None:
    solving.typing, solving.problem = None, ""


def _send(solving: Solving) -> None:
    """What would be sent, why, and the button."""
    st.html(markup.subheading(html.progress(solving)))
    with st.container(key="outlook"):
        st.html(markup.block(html.outlook(solving)))
    key = f"solve-note-{solving.dispute.receipt.proposal}"
    if st.session_state.get(key) != solving.note:
        st.session_state[key] = solving.note
    st.text_area("Why? (a note is required)", key=key, height=96, max_chars=2000, on_change=_write, args=(solving, key))
    st.html(markup.block(f'<span class="tl-quiet">{html.what(solving)}</span>'))
    hint = submit_markup.note_problem(solving.note)
    found = solving.outlook
    is_blocked = bool(solving.open or found.problem or not found.plan.ok or not found.changes or solving.draft)
    st.button(
        "Send",
        key="do-solve",
        type="primary",
        width="stretch",
        disabled=is_blocked,
        on_click=_sent,
        args=(solving, key),
    )
    if hint and not is_blocked:
        st.html(markup.message("info", hint))
    _way(solving)


def _write(solving: Solving, key: str) -> None:
    solving.note = str(st.session_state[key] or "")


def _sent(solving: Solving, key: str) -> None:
    _write(solving, key)
    if submit_markup.note_problem(solving.note):
        return
    dataset = _dataset(solving.dispute.receipt.dataset)
    solving.notice = ""
    solving.send(dataset)
    see_through(lambda: solving.draft, lambda: solving.look(dataset))


def _way(solving: Solving) -> None:
    """How far it is, while it is on its way; and why it came back, if so."""
    if solving.doubt:
        st.html(submit_markup.doubt(solving.doubt))
        dataset = _dataset(solving.dispute.receipt.dataset)
        st.button("Send again", key="solve-again", on_click=solving.send_again, args=(dataset,))
    if solving.draft is not None:
        st.fragment(_watch, run_every=EVERY)(solving)
    elif solving.receipt is not None:
        _outcome(solving)


def _watch(solving: Solving) -> None:
    try:
        receipt = solving.look(_dataset(solving.dispute.receipt.dataset))
    except TowlineError as error:
        st.html(markup.message("warn", f"It was sent, and its outcome cannot be read now: {error}"))
        return
    if receipt is None or receipt.final:
        st.rerun()
    st.html(submit_markup.steps(receipt))


def _outcome(solving: Solving) -> None:
    receipt = solving.receipt
    assert receipt is not None  # noqa: S101 - asked for only once it is there
    dataset = receipt.dataset
    st.html(submit_markup.steps(receipt))
    if receipt.status == "committed":
        st.html(submit_markup.outcome(receipt, is_above=False))
        to = ("History", dataset, {"commit": str(receipt.number)})
        st.button(f"Commit {receipt.number}", icon=":material/history:", on_click=going.to, args=to)
    elif receipt.status == "conflicted":
        st.html(markup.message("stop", "Somebody committed again in the meantime. The table is as it was."))
        st.button("Solve what is left", type="primary", on_click=_take_up, args=(receipt.proposal,))
    else:
        st.html(submit_markup.outcome(receipt, is_above=False))
        st.html(markup.block(markup.scroll(submit_markup.details(receipt, solving.dispute.contract))))


if __name__ == "__main__":  # a process that has not met route.py yet runs the file that a link names: see route.py
    from app.route import route

    route()
