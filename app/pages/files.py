"""Files: what came in, what became of each, its sample, where its rows went, why it was refused, and the retry."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from app import clickable, markup
from app.files import html, story, upload
from app.files.ledger import ALL, PAGE, SHOWN, Ledger, Line
from app.files.reader import Reader
from app.session import Session, connection, kept
from towline.ingest import landed
from towline.settings import Settings

STYLE = Path(__file__).parents[1] / "files" / "style.css"
EVERY = 3.0  # seconds between two looks while something is under way
OF, FILE = "of", "file"  # in the address: the dataset, where it is not the sidebar's; the ingest that is open
_OF = "files-of"


def page() -> None:
    st.html(STYLE)
    dataset = _chosen_dataset(Session.here())
    if not dataset:
        st.html(markup.heading("Files", "no file has come in yet"))
        st.html(markup.message("info", "Drop one with `towline ingest NAME FILE`: docs/files.md says how."))
        return
    with st.spinner("Reading the manifest …", show_time=False):
        ledger = reader().ledger(dataset, anew=bool(kept().pop("files-anew", False)))
    _head(dataset, ledger)
    upload.told(dataset)
    _notice(Session.here())
    _problems(dataset, ledger)
    if not ledger.lines:
        way = f"Put one in here, with `towline ingest {dataset} FILE`, or below raw/{dataset}/ in the bucket."
        st.html(markup.message("info", f"No file has come in for {dataset} yet. {way}"))
        return
    chosen = _list(dataset, ledger)
    _watch(dataset, ledger)
    if chosen is not None:
        story.draw(reader(), chosen, ledger, _open)


def reader() -> Reader:
    return _reader(connection().settings)


@st.cache_resource(show_spinner=False)
def _reader(settings: Settings) -> Reader:
    return Reader(connection().bench)


@st.cache_data(ttl=30, show_spinner=False)
def _names(settings: Settings) -> list[str]:
    return landed.datasets(connection().bench.store)


def _names_of(session: Session) -> list[str]:
    """All datasets that have files, and the sidebar's: one of files alone need not have a table."""
    return sorted({*_names(connection().settings), *filter(None, [session.dataset])})


def _usual(session: Session, names: Sequence[str]) -> str:
    return session.dataset or next(iter(names), "")


def _chosen_dataset(session: Session) -> str:
    """The sidebar's dataset, unless the address names another one that has files."""
    names = _names_of(session)
    asked = st.query_params.get(OF, "")
    return asked if asked in names else _usual(session, names)


def _choose(usual: str) -> None:
    """Another dataset's files: the one that the address named is none of them."""
    st.query_params.pop(FILE, None)
    chosen = st.session_state[_OF]
    if chosen == usual:
        st.query_params.pop(OF, None)
    else:
        st.query_params[OF] = chosen


def _notice(session: Session) -> None:
    """What a button could not do; said once."""
    if session.notice:
        st.html(markup.message("warn", session.notice))
        session.notice = ""


def _problems(dataset: str, ledger: Ledger) -> None:
    """Why files stay under way: what somebody has to mend, such as a pipeline that cannot be used."""
    if ledger.counts["Under way"]:
        for problem in reader().problems(dataset):
            st.html(
                markup.message("stop", f"Reconcile says of {dataset}: {problem}. Until that is mended, files wait.")
            )


def _head(dataset: str, ledger: Ledger) -> None:
    place = {"vertical_alignment": "center", "horizontal_alignment": "distribute"}
    with st.container(horizontal=True, key="files-head", **place):
        about = f"{dataset} · {markup.count(len(ledger.lines), 'file')} came in, newest first"
        st.html(markup.heading("Files", about if ledger.lines else dataset), width="stretch")
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            _others(dataset)
            upload.draw(dataset)
            st.button("Look again", key="files-again", icon=":material/refresh:", on_click=_look_again)


def _others(dataset: str) -> None:
    """The choice of another dataset, where there is one."""
    session = Session.here()
    names = _names_of(session)
    if len(names) > 1:
        st.session_state[_OF] = dataset
        help = "All datasets that have files, whether they have a table yet or not"
        ask = {"on_change": _choose, "args": (_usual(session, names),), "label_visibility": "collapsed"}
        st.selectbox("Files of", names, key=_OF, help=help, width=190, **ask)


def _look_again() -> None:
    kept()["files-anew"] = True


def _list(dataset: str, ledger: Ledger) -> Line | None:
    """The lines that are wanted, some at a time; the one that is open."""
    left, right = st.columns([2.2, 1], vertical_alignment="bottom", gap="small")
    names = [name for name in SHOWN if name == ALL or ledger.counts[name]]
    shown = left.segmented_control(
        "Show",
        names,
        default=ALL,
        required=True,
        key=f"files-shown-{dataset}",
        format_func=lambda name: f"{name} {ledger.counts[name]:,}",
        label_visibility="collapsed",
    )
    text = right.text_input(
        "Find", key=f"files-find-{dataset}", placeholder="Find: name, source, kind", label_visibility="collapsed"
    )
    found = ledger.matching(shown or ALL, text)
    chosen = _chosen(ledger, found)
    first = _first(f"{dataset} {shown} {text}", len(found))
    if not found:
        st.html(markup.message("info", "No file is like that. Show all, or find by another part of its name."))
        return chosen
    with st.container(border=True, key="files-list"):
        body = html.listing(found[first : first + PAGE], chosen.id if chosen else "", connection().bench.clock())
        clickable.draw(body, f"files-{dataset}", _open)
    if len(found) > PAGE:
        _pager(first, len(found))
    return chosen


def _chosen(ledger: Ledger, found: Sequence[Line]) -> Line | None:
    """The file that the address names, else the newest of the list that was looked at."""
    asked = st.query_params.get(FILE, "")
    line = ledger.find(asked)
    if asked and line is None:
        st.html(markup.message("warn", f"There is no file with the ingest {markup.cut(asked)} here."))
    return line or next((each for each in found if each.id), None)


def _open(ingest: str) -> None:
    st.query_params[FILE] = ingest


def _first(view: str, count: int) -> int:
    """The number of the first line that is shown; another view begins at its top."""
    known, at = kept().get("files-first", ("", 0))
    first = at if known == view and at < count else 0
    kept()["files-first"] = (view, first)
    return int(first)


def _pager(first: int, count: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        step = partial(st.button, type="tertiary", on_click=_turn)
        step("Newer", key="files-newer", icon=":material/chevron_left:", args=(first - PAGE,), disabled=first == 0)
        last = min(first + PAGE, count)
        st.html(markup.block(f"{first + 1:,} to {last:,} of {count:,}"), width="content")
        step("Older", key="files-older", icon=":material/chevron_right:", args=(last,), disabled=last == count)


def _turn(first: int) -> None:
    view, _ = kept().get("files-first", ("", 0))
    kept()["files-first"] = (view, max(0, first))


@st.fragment(run_every=EVERY)
def _watch(dataset: str, ledger: Ledger) -> None:
    """Look again while something is on its way; the whole page is drawn anew when anything came of it."""
    if not ledger.counts["Under way"] and not kept().get(story.ASKED):
        return
    if reader().ledger(dataset).counts != ledger.counts:
        kept().pop(story.ASKED, None)
        st.rerun()


if __name__ == "__main__":  # a process that has not met route.py yet runs the file that a link names: see route.py
    from app.route import route

    route()
