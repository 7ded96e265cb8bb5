"""The Edit page: the table, what you changed in it, and the way of your proposal until its commit."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from app import grid, markup, panels
from app.editing import remote, submit
from app.editing.desk import Desk
from app.editing.pending import Pending, download
from app.editing.rebase import MINE, THEIRS
from app.session import Session, connection
from towline.errors import TowlineError, UsageError


def page() -> None:
    session = Session.here()
    desk = session.desk()
    if session.on_grid != session.dataset:
        desk.redraw()
    st.html(markup.title(desk.sheet))
    try:
        with st.container():  # always there, so that the grid keeps its place on the page
            _newer(session, desk)
    except TowlineError as error:  # the grid must be drawn, or the browser forgets what was typed into it
        st.html(markup.message("warn", f"What was committed meanwhile cannot be shown now: {error}"))
    table, side = st.columns([2.7, 1], gap="medium")
    with table:
        buttons = st.container(horizontal=True, gap="small")
        with st.container(height="stretch", key="table"):
            desk.absorb(grid.draw(desk))
        session.drew_grid()
        with buttons:
            _way_back(desk)
    with side:
        progress = _side(session, desk, desk.pending)
    # Everything is drawn: from here on the run may end early, and the browser forgets nothing.
    if desk.asked is not None:
        _obey(desk, progress)
    if desk.sent is not None:
        _watch(session, desk, progress)


def _newer(session: Session, desk: Desk) -> None:
    """Who committed meanwhile, and the way to go on from there."""
    seen = session.page
    if seen is None or seen.problem or desk.sent is not None or seen.commit in ("", desk.sheet.commit):
        return
    if desk.newer is None or desk.newer.sheet.commit != seen.commit:
        desk.newer = remote.news(connection().bench, desk.sheet)
    sheet = desk.newer.sheet
    st.html(markup.news(desk.newer, desk.sheet, seen.at))
    try:
        clashes = desk.clashes(sheet)
    except UsageError as error:
        st.html(markup.message("warn", str(error)))
        _act("Load it without my changes", "load", desk, partial(desk.drop, sheet))
        return
    if not clashes:
        kept = " and keep my changes" if desk.edits else ""
        _act(f"Load commit {sheet.number}{kept}", "load", desk, partial(desk.carry, sheet))
        return
    panels.clashes(clashes, desk.sheet.contract)
    with st.container(horizontal=True):
        _act("Load it and keep mine", "load", desk, partial(desk.carry, sheet, MINE))
        _act("Load it and take theirs where we clash", "theirs", desk, partial(desk.carry, sheet, THEIRS))


def _way_back(desk: Desk) -> None:
    _act("Undo", "undo", desk, desk.undo, icon="undo", disabled=not desk.past, shortcut="Ctrl+Z")
    _act("Redo", "redo", desk, desk.redo, icon="redo", disabled=not desk.future, shortcut="Ctrl+Y")
    _act("Revert all", "revert", desk, desk.revert_all, icon="delete_sweep", disabled=not desk.edits)
    with st.popover("Keys", icon=":material/keyboard:"):
        st.html(markup.keys(grid.KEYS))


def _act(label: str, key: str, desk: Desk, act: Callable[[], object], icon: str = "", **more: Any) -> None:
    """A button that does something to the desk."""
    symbol = f":material/{icon}:" if icon else None
    st.button(label, key=f"do-{key}", icon=symbol, on_click=desk.ask, args=(act,), **more)


def _side(session: Session, desk: Desk, pending: Pending) -> Any:
    """What stands beside the grid. Returns the place where the way of a proposal is shown."""
    contract = desk.sheet.contract
    panels.pending_changes(desk, pending)
    panels.problems(pending.report)
    note = f"note-{session.dataset}-{session.notes}"
    st.text_area("Why? (a note is required)", key=note, height=96, max_chars=2000, persist_state="session")
    is_down = session.page is not None and session.page.down
    _act(
        "Submit",
        "submit",
        desk,
        partial(_submit, session, desk, note),
        type="primary",
        width="stretch",
        disabled=not pending.ready or is_down or desk.is_busy,
    )
    progress = st.empty()
    if is_down:
        st.html(markup.message("stop", _blocked(len(pending.lines))))
    if desk.problem:
        st.html(markup.message("stop", desk.problem))
    if desk.doubt:
        _doubt(session, desk)
    if desk.receipt is not None:
        panels.outcome(desk.receipt, contract, is_above=desk.newer is not None)
    if pending.lines:
        body = partial(download, desk.sheet, pending, st.session_state[note])
        name = f"{session.dataset}-changes.json"
        st.download_button(
            "Download my changes", body, name, "application/json", type="tertiary", icon=":material/download:"
        )
    return progress


def _blocked(rows: int) -> str:
    stay = f" Your changes in {markup.count(rows, 'row')} stay here, and you can download them." if rows else ""
    where = connection().settings.endpoint_url or "AWS"
    return f"S3 does not answer ({where}), so saving is blocked.{stay} This page looks again every few seconds."


def _doubt(session: Session, desk: Desk) -> None:
    text = f"It is not known whether the proposal arrived: {desk.doubt}. Sending it again does no harm."
    st.html(markup.message("warn", text))
    if desk.sent is not None:
        again = partial(submit.send, desk, connection().dataset(session.dataset), desk.sent)
        _act("Send again", "again", desk, again)


def _submit(session: Session, desk: Desk, note: str) -> None:
    """`note` is the key of the note's field: what it holds is read now, not when the button was drawn."""
    text = str(st.session_state.get(note, ""))
    if submit.submit(desk, connection().dataset(session.dataset), text) and desk.sent is not None:
        session.remember(desk.sent.proposal, text)


def _obey(desk: Desk, place: Any) -> None:
    """Do what a button asked for, once the grid has told what was typed last: it is slower than a click."""
    time.sleep(grid.SETTLE)
    place.empty()  # where a run that is due takes over, with what was typed last; it obeys then
    before = desk.sent
    desk.obey()
    if desk.sent is None or desk.sent is before:
        st.rerun()  # all but a proposal that was just sent, which is watched at once


def _watch(session: Session, desk: Desk, place: Any) -> None:
    """Show the way of the proposal until its receipt, and take that in."""
    bench = connection().bench
    try:
        ticket = submit.ticket(desk, connection().dataset(session.dataset))
        receipt = remote.follow(ticket, lambda seen: place.html(markup.steps(seen)))
        if receipt is not None:
            submit.landed(desk, bench, receipt)
    except TowlineError as error:
        place.html(markup.message("warn", f"Your proposal was sent, and its outcome cannot be read now: {error}"))
        return
    if receipt is not None:
        session.heard(receipt)
        st.rerun()
    with place.container():
        st.html(markup.message("warn", "This takes long. Your proposal is safe in the inbox; nothing more is needed."))
        st.button("Look again", icon=":material/refresh:")


if __name__ == "__main__":  # a process that has not met main.py yet runs the file that a link names: see main.py
    from app.main import route

    route()
