"""The story of a cell, in a window over the page: who set it, when and why, and what it held before."""

from __future__ import annotations

import streamlit as st

from app import markup, story_markup
from app.editing.desk import Desk
from app.editing.gridlog import UNTOUCHED
from app.editing.gridsheet import key_of
from app.session import Session, connection
from towline import blame
from towline.errors import TowlineError
from towline.values import Key


def draw(session: Session, desk: Desk) -> None:
    """Tell the story that was asked for, if one was."""
    if session.asked is not None:
        window = st.dialog("Story of this cell", width="medium", on_dismiss=session.heard)
        window(_tell)(desk, *session.asked)


def _tell(desk: Desk, row: str, column: str) -> None:
    key = key_of(desk.sheet, row)
    if key is None:
        st.html(markup.message("info", "This row is not in the table yet: its story begins when it is committed."))
        return
    st.html(story_markup.heading(desk.sheet.contract, key, column))
    if desk.log.state.text(row, column) != UNTOUCHED:
        st.html(markup.message("info", "What you typed here is not committed, and not part of it yet."))
    with st.spinner("Looking …", show_time=False):
        st.html(_told(desk, key, column))


def _told(desk: Desk, key: Key, column: str) -> str:
    bench, contract = connection().bench, desk.sheet.contract
    try:
        touches = blame.story(bench, contract.dataset, key=key, column=column)
    except TowlineError as error:
        return markup.message("warn", f"{error}.")
    return story_markup.story(touches, contract, desk.sheet.number, bench.clock())
