"""What stands around the grid: drafts, pending changes, violations; and the net under every page."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import clickable, markup, side_markup
from app.editing.desk import Desk, new_log
from app.editing.drafts import Draft
from app.editing.pending import Pending, download
from app.editing.remote import open_sheet
from app.session import Session, connection
from towline.errors import TowlineError, Unavailable

OFFERED = 3  # drafts that are offered at once

_log = logging.getLogger(__name__)


@contextmanager
def caught(place: DeltaGenerator | None = None) -> Iterator[None]:
    """Nothing that fails shows as a traceback: what is expected says what to do, the rest goes to the log. `place` is
    where it is said, else where the page is."""
    try:
        yield
    except TowlineError as error:
        said = "S3 does not answer. " if isinstance(error, Unavailable) else ""
        _stopped(f"{said}{error}", place)
    except Exception:  # a defect of one page, whatever it is, must not take the others or what was typed with it
        _log.exception("a page failed")
        text = (
            "This page hit a defect in Towline. Your edits are kept, here and as a draft on disk: try again, or "
            "download them on the Edit page. The editor's log has the details."
        )
        _stopped(text, place)


def _stopped(text: str, place: DeltaGenerator | None) -> None:
    with place or st.container():
        st.html(markup.message("stop", text))
        st.button("Try again", icon=":material/refresh:")


def pending_changes(desk: Desk, pending: Pending) -> None:
    """Old -> new by row; a click goes there, or takes it back."""
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.html(markup.subheading(side_markup.summary(pending), side_markup.elsewhere(pending, desk.sheet)))
        if desk.edits:
            st.button("Revert all", icon=":material/undo:", type="tertiary", width="content", on_click=desk.revert_all)
    if pending.lines:
        html = side_markup.changes(pending, desk.log.state, desk.sheet.contract)
        with st.container(border=True, key="pending"):
            clickable.draw(html, "pending-list", partial(_obey, desk))


def problems(desk: Desk, pending: Pending) -> None:
    """What is wrong with the edits: errors, which block submitting, and warnings, which do not."""
    report = pending.report
    if report.errors or report.warnings:
        says = "errors block submitting" if report.errors else "you can submit, but look"
        st.html(markup.subheading(f"Violations: {markup.totals(report.errors, report.warnings)}", says))
        html = side_markup.violations(pending, desk.log.state, desk.sheet.contract)
        with st.container(border=True, key="violations"):
            clickable.draw(html, "violation-list", partial(_obey, desk))
    if desk.strays:
        said = "Somebody deleted these rows meanwhile; what you typed into them can be put nowhere:"
        st.html(markup.box("warn", f"▲ {said}{side_markup.strays(desk.strays)}"))


def _obey(desk: Desk, act: str) -> None:
    found = side_markup.read_act(act)
    if found is None:
        return
    verb, row, column = found
    try:
        if verb == side_markup.SHOW:
            desk.go(row, column)
        else:
            desk.revert(row, column)
    except TowlineError as error:  # of a large table, the page of that row has to be read
        Session.here().notice = str(error)


def drafts(session: Session, found: Sequence[Draft]) -> None:
    """What was typed before and not submitted, with an offer to go on."""
    for draft in found[:OFFERED]:
        with st.container(horizontal=True, vertical_alignment="center", key=f"draft-{draft.path.stem}"):
            st.html(side_markup.draft(draft, connection().bench.clock()))
            if not draft.problem:
                _offer(session, draft)
            with st.popover("Discard", type="tertiary"):
                st.html(markup.block("This cannot be undone."))
                st.button("Discard for good", key=f"discard-{draft.path.stem}", on_click=draft.delete)
    if len(found) > OFFERED:
        st.html(markup.message("info", f"… and {markup.count(len(found) - OFFERED, 'older draft')}"))


def _offer(session: Session, draft: Draft) -> None:
    name = draft.path.stem
    st.button("Continue", key=f"continue-{name}", type="primary", on_click=_resume, args=(session, draft))
    body, file = partial(_saved, draft), f"{draft.dataset}-draft.json"
    st.download_button(
        "Download", body, file, "application/json", key=f"save-{name}", type="tertiary", on_click="ignore"
    )


def _resume(session: Session, draft: Draft) -> None:
    try:
        session.resume(draft)
    except TowlineError as error:
        session.notice = f"The draft cannot be continued now, and is kept: {error}"


def _saved(draft: Draft) -> bytes:
    """The draft as a proposal that can be sent later; where its commit cannot be read, the journal as it is."""
    try:
        desk = Desk(open_sheet(connection().bench, draft.dataset, draft.commit), new_log(draft.state))
    except TowlineError:
        return draft.path.read_bytes()
    return download(desk.sheet, desk.pending, draft.note)
