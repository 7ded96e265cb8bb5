"""One file on the Files page: why it was refused, its sample, where its rows went, and what the manifest knows."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import clickable, markup
from app.files import html
from app.files.ledger import TROUBLED, Ledger, Line
from app.files.reader import Reader
from app.files.sheet import of_table
from app.session import Session, connection, kept
from towline.errors import NotFound, TowlineError
from towline.ingest import quarantined, retrying
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED, Entry
from towline.ingest.quarantined import Refused
from towline.pipeline.inventory import FAILED

ASKED = "files-asked"  # what is kept while something is to come of a retry
Show = Callable[[str], None]


def draw(reader: Reader, line: Line, ledger: Ledger, show: Show) -> None:
    """Everything about one file. `show` opens another one."""
    entry = _entry(line)
    with st.container(key="files-story"):
        st.html(html.head(line))
        left, right = st.columns([1.35, 1], gap="medium")
        with left:
            if line.state in (QUARANTINED, TROUBLED, FAILED):
                _refused(line, ledger, show)
            if entry.bronze:
                _sample(reader, entry.bronze)
        with right:
            if line.state != QUARANTINED:
                _whereabouts(reader, line, ledger, show)
            st.html(markup.subheading("What the manifest says"))
            st.html(html.story(entry, line.at))


def _entry(line: Line) -> Entry:
    """What is under way has no entry, and cannot be opened."""
    assert line.entry is not None  # noqa: S101 - see above
    return line.entry


def _whereabouts(reader: Reader, line: Line, ledger: Ledger, show: Show) -> None:
    st.html(markup.subheading("Where its rows went"))
    if line.state == DUPLICATE:
        _first(line, ledger, show)
        return
    for said in line.loaded.reasons if line.loaded and line.state == BRONZE else ():
        st.html(markup.message("info", said))
    found = reader.went(_entry(line))
    if found:
        st.html(html.went(found))
    elif ledger.attempts(line.id):
        st.html(markup.block("It was tried again since, and its rows are those of the newest try."))
    elif line.loaded is None:
        said = "No load has taken it yet. Where the dataset has a pipeline, the next one does: a minute or so."
        st.html(markup.block(said))
    else:
        st.html(markup.block("No partition holds rows of it: all of them were refused, or replaced by later files."))


def _first(line: Line, ledger: Ledger, show: Show) -> None:
    """How the file stands whose bytes a duplicate has: the load may have refused that one."""
    st.html(markup.block("Nowhere: those of the first file with these bytes count."))
    first = _entry(line).duplicate_of or ""
    found = next(iter(ledger.attempts(first)[::-1]), None) or ledger.find(first)
    if found is not None:
        clickable.draw(html.first(found), f"first-{line.id}", show)


def _sample(reader: Reader, bronze: str) -> None:
    found = reader.sample(bronze)
    if found is None:
        st.html(markup.subheading("Sample"))
        st.html(markup.block("There is none yet. It is made within a minute, apart from everything else."))
        return
    name, sheets = found
    for sheet in sheets:
        st.html(markup.subheading("Sample", html.rows_said(sheet)))
        st.html(html.sheet(sheet, f"Sample {name}"))


def _refused(line: Line, ledger: Ledger, show: Show) -> None:
    """Why, the refused rows, and the way to try it again."""
    entry = _entry(line)
    st.html(markup.subheading("Why rows were refused" if line.state == TROUBLED else "Why it was refused"))
    try:
        refused = quarantined.find(connection().bench, line.id, entry.dataset)
        told = quarantined.report(connection().bench, refused).reasons
    except NotFound:
        refused, told = None, (*entry.reasons, *(line.loaded.reasons if line.loaded else ()))
    st.html(html.reasons(told or ["The report is not there yet: look again in a minute."]))
    _retry(line, ledger, show)
    if refused is not None and refused.rows is not None:
        _rows(refused)


def _rows(refused: Refused) -> None:
    try:
        table, count = quarantined.rows(connection().bench, refused)
    except TowlineError as error:
        st.html(markup.message("stop", str(error)))
        return
    if not count:
        return  # the file failed as a whole, none of its rows by itself
    sheet = of_table(table)
    st.html(markup.subheading("Refused rows", html.rows_of(len(sheet.rows), count)))
    st.html(html.sheet(sheet, "Refused rows"))


def _retry(line: Line, ledger: Ledger, show: Show) -> None:
    """The button, and what came of it the last time."""
    entry = _entry(line)
    tried = ledger.attempts(entry.ingest)
    with st.container(horizontal=True, vertical_alignment="center"):
        help = "Have it looked at again, as when its pipeline or its contract was mended"
        icon = ":material/replay:"
        st.button("Retry", key=f"retry-{entry.ingest}", icon=icon, help=help, on_click=_ask, args=(entry,))
        at = quarantined.asked_again(connection().bench, entry.dataset, entry.ingest)
        known = max(html.known_at(each) for each in (line, *tried))
        if at is not None and at > known:
            age = markup.age(at, connection().bench.clock())
            st.html(markup.block(f"… to be tried again, asked for {age}; this page looks every few seconds"))
        elif tried:
            clickable.draw(html.attempt(tried[-1], len(tried)), f"tried-{entry.ingest}", show)


def _ask(entry: Entry) -> None:
    try:
        retrying.ask(connection().bench.store, entry, connection().principal)
        kept()[ASKED] = True
    except TowlineError as error:
        Session.here().notice = f"{entry.ingest} cannot be tried again now: {error}"
