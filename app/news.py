"""Somebody else committed meanwhile: who, why and what, and the way to go on from there with one's own changes."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

import streamlit as st

from app import clash_markup, clickable, markup, memo, news_markup
from app.clash_markup import Chooser
from app.editing import remote
from app.editing.desk import Desk
from app.editing.rebase import Meeting, meet
from app.editing.remote import Authors, News
from app.session import connection, kept
from towline.errors import TowlineError, UsageError

_PAGE = "news-page"


def draw(desk: Desk, newer: News, seen_at: datetime) -> None:
    """The banner. Nothing is loaded, and nothing of what was typed changes, before a button is pressed."""
    st.html(Path(__file__).with_suffix(".css"))
    with st.container(key="news", gap="xsmall"):
        try:
            found = _meeting(desk, newer)
        except UsageError as error:
            _other_columns(desk, newer, seen_at, str(error))
            return
        if found.clashes:
            _clashing(desk, newer, seen_at)
        else:
            _peaceful(desk, newer, seen_at)


def _meeting(desk: Desk, newer: News) -> Meeting:
    edits = desk.edits
    return memo.once("meeting", (edits, newer), lambda: meet(desk.sheet, edits, newer.sheet, desk.pending.lines))


def _peaceful(desk: Desk, newer: News, seen_at: datetime) -> None:
    lines = desk.pending.lines
    kept = " and keep my changes" if lines else ""
    said = news_markup.headline(newer, desk.sheet, seen_at)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(said + (markup.block(news_markup.touched(newer, lines)) if lines else ""))
        _load(f"Load commit {newer.sheet.number}{kept}", desk, newer)
        _what_changed(desk, newer)


@st.fragment
def _clashing(desk: Desk, newer: News, seen_at: datetime) -> None:
    """A fragment: each choice draws this alone, not the page."""
    if desk.sheet is newer.sheet:
        st.rerun()
    chooser = _chooser(desk, newer)
    said = news_markup.headline(newer, desk.sheet, seen_at) + clash_markup.clashing(chooser.clashes)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(said)
        st.html(markup.block(clash_markup.progress(chooser)), width="content")
        label = f"Load commit {newer.sheet.number} with these choices"
        _load(label, desk, newer, is_undecided=chooser.undecided > 0)
        _what_changed(desk, newer)
    with st.container(key="clashes"):
        clickable.draw(clash_markup.table(chooser), "clash-list", partial(_choose, desk, newer))


def _chooser(desk: Desk, newer: News) -> Chooser:
    clashes = _meeting(desk, newer).clashes
    page = int(kept().get(_PAGE, 0))
    return Chooser(clashes, desk.choices, desk.sheet.contract, _authors(newer), newer.records, page)


def _authors(newer: News) -> Authors:
    """Who changed what; not asked for where there is one record only, nor shown where it cannot be read."""
    if len(newer.records) < 2:
        return {}
    keys = (change.key(newer.sheet.contract.key) for change in newer.changes)
    try:
        return memo.once("authors", (newer,), lambda: remote.authors(connection().bench, newer, keys))
    except TowlineError:
        return {}


def _choose(desk: Desk, newer: News, act: str) -> None:
    desk.choices, page = clash_markup.after(act, desk.choices, _meeting(desk, newer).clashes)
    if page is not None:
        kept()[_PAGE] = page


def _load(label: str, desk: Desk, newer: News, *, is_undecided: bool = False) -> None:
    st.button(label, key="do-load", type="primary", disabled=is_undecided, on_click=_carry, args=(desk, newer))


def _carry(desk: Desk, newer: News) -> None:
    """What was typed after the button was drawn may clash as well: then that is asked for first."""
    if not desk.choices.undecided(_meeting(desk, newer).clashes):
        desk.carry(newer.sheet, desk.choices)
        desk.choices = desk.choices.remembered()


def _what_changed(desk: Desk, newer: News) -> None:
    """In a popover, which lies over the grid and moves nothing."""
    if newer.changes:
        with st.popover("What changed"), st.container(key="news-changes", gap="xxsmall"):
            st.html(news_markup.changes(newer, desk.sheet.contract))


def _other_columns(desk: Desk, newer: News, seen_at: datetime, problem: str) -> None:
    st.html(news_markup.headline(newer, desk.sheet, seen_at))
    st.html(markup.message("warn", f"{problem[0].upper()}{problem[1:]}."))
    st.button("Load it without my changes", key="do-load", on_click=desk.drop, args=(newer.sheet,))
