"""Every run of the script: sets the page up, draws the sidebar, routes to a page.

Streamlit takes a directory `pages` for its older way of many pages, until `st.navigation` was called for the first time
in a process. A link to a page that comes before that makes it run the page's file: such a file calls `route` itself.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import going, markup, panels, sidebar
from app.pages import conflicts, edit, explore, files, health, history, proposals, review, sql
from app.session import Session

SIDEBAR = 250  # pixels
_FIRST = (
    "Make one of a file (CSV, XLSX or Parquet): `towline create NAME FILE --key COLUMN,… --note WHY`. "
    "Raw files, which need none, come in by `towline ingest NAME FILE`."
)


def route() -> None:
    here = Path(__file__).parent
    st.set_page_config("Towline", page_icon=here / "icon.svg", layout="wide", initial_sidebar_state=SIDEBAR)
    st.html(here / "style.css")
    page = st.navigation(
        [
            st.Page(edit.page, title="Edit", icon=":material/edit:", default=True),
            st.Page(edit.page, title="Edit", url_path="edit", visibility="hidden"),  # as somebody types it
            st.Page(sql.page, title="SQL", icon=":material/database:", url_path="sql"),
            st.Page(proposals.page, title="My proposals", icon=":material/outgoing_mail:", url_path="proposals"),
            st.Page(conflicts.page, title="Conflicts", icon=":material/call_merge:", url_path="conflicts"),
            st.Page(review.page, title="Review", icon=":material/rule:", url_path="review"),
            st.Page(history.page, title="History", icon=":material/history:", url_path="history"),
            st.Page(explore.page, title="Explore", icon=":material/insights:", url_path="explore"),
            st.Page(files.page, title="Files", icon=":material/folder_open:", url_path="files"),
            st.Page(health.page, title="Health", icon=":material/monitor_heart:", url_path="health"),
        ]
    )
    going.leave()
    is_health = page.title == "Health"  # which is there for when nothing else is
    is_alone = is_health or page.title == "Files"  # a dataset may have files and no master
    is_ready = False
    with panels.caught(st.sidebar if is_health else None):
        is_ready = sidebar.draw(Session.here())
        if not (is_ready or is_alone):
            st.html(markup.heading("No table yet", ""))
            st.html(markup.message("info", _FIRST))
    if is_ready or is_alone:
        with panels.caught():
            page.run()
