"""The Edit page: the table, what you changed in it, and the way of your proposal until its commit."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app import bulk, grid, links, markup, news, pager, panels, story, submit_panel
from app.editing import remote
from app.editing.desk import Desk
from app.editing.pending import download
from app.session import Session, connection
from towline.errors import TowlineError


def page() -> None:
    session = Session.here()
    commit = links.commit()
    if commit:
        _look(session, commit)
    else:
        _edit(session)


def _look(session: Session, commit: str) -> None:
    """A commit as it was: to be read, not to be edited."""
    desk = session.view(commit)
    st.html(markup.title(desk.sheet))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(markup.message("info", f"This is commit {desk.sheet.number} as it was. It can be read, not changed."))
        st.button("Edit the newest commit", type="primary", on_click=links.leave_commit)
    links.follow(session, desk)
    pager.draw(session, desk, "view")
    with st.container(height="stretch", key="table"):
        grid.draw(desk, f"view-{session.dataset}-{desk.sheet.commit}", readonly=True, on_story=session.ask)
    story.draw(session, desk)


def _edit(session: Session) -> None:
    desk = session.desk()
    links.follow(session, desk)
    _head(desk)
    with st.container(key="above"):  # always there, so that the grid keeps its place on the page
        _above(session, desk)
    pager.draw(session, desk, "edit")
    table, side = st.columns([2.7, 1], gap="medium")
    with table, st.container(height="stretch", key="table"):
        grid.draw(desk, f"grid-{session.dataset}", on_story=session.ask)
    with side:
        _side(session, desk)
    story.draw(session, desk)


def _head(desk: Desk) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.html(markup.title(desk.sheet))
        bulk.buttons(desk)


def _above(session: Session, desk: Desk) -> None:
    """What a person should know before going on typing."""
    if session.notice:
        st.html(markup.message("warn", session.notice))
        session.notice = ""
    if desk.unkept:
        st.html(markup.message("warn", f"Your edits cannot be kept on disk: {desk.unkept}. Submit or download them."))
    panels.drafts(session, session.drafts())
    try:
        _newer(session, desk)
    except TowlineError as error:  # the grid must be drawn all the same
        st.html(markup.message("warn", f"What was committed meanwhile cannot be shown now: {error}"))


def _newer(session: Session, desk: Desk) -> None:
    """Who committed meanwhile, and the way to go on from there."""
    seen = session.page
    if seen is None or seen.problem or desk.sent is not None or seen.number <= desk.sheet.number:
        return
    if desk.newer is None or desk.newer.sheet.commit != seen.commit:
        desk.newer = remote.news(connection().bench, desk.sheet)
    news.draw(desk, desk.newer, seen.at)


def _side(session: Session, desk: Desk) -> None:
    pending = desk.pending
    with st.container():  # always there, so that the note below keeps its place, and what is being written in it
        panels.pending_changes(desk, pending)
    with st.container():
        panels.problems(desk, pending)
    submit_panel.draw(session, desk, pending, f"note-{session.dataset}")
    if pending.lines:
        body, name = partial(download, desk.sheet, pending, desk.note), f"{session.dataset}-changes.json"
        icon = ":material/download:"
        st.download_button(
            "Download my changes", body, name, "application/json", type="tertiary", icon=icon, on_click="ignore"
        )


if __name__ == "__main__":  # a process that has not met route.py yet runs the file that a link names: see route.py
    from app.route import route

    route()
