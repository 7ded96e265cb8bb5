"""One commit on the page History: what it changed, its table, another commit beside it, its audit record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from app import clickable, grid, markup, pager, story
from app.editing.gridsheet import marks_json, table_json
from app.editing.paged import PagedSheet
from app.past import commits, html
from app.past.commits import Commit, Wanted
from app.past.reader import Reader
from app.past.touched import Touched
from app.session import Session, connection, kept
from towline.contract import Contract
from towline.errors import NotFound, UsageError
from towline.files import write_table
from towline.history import Place
from towline.settings import Settings
from towline.values import Key

ROWS = 50  # changed rows on a page
CHANGES, TABLE, COMPARE, RESTORE, RECORD = VIEWS = ("Changes", "Table", "Compare", "Restore", "Audit record")
FORMATS = {"CSV": "csv", "Excel": "xlsx", "Parquet": "parquet"}


def choose(commit: Commit, dataset: str) -> str:
    """The head of a commit, and which of its views is wanted."""
    st.html(html.head(commit, connection().bench.clock()))
    name = name_of(dataset, "view")
    view = st.segmented_control("View", VIEWS, default=CHANGES, required=True, key=name, label_visibility="collapsed")
    return str(view)


def draw(
    view: str,
    session: Session,
    commit: Commit,
    listed: list[Commit],
    contract: Contract,
    wanted: Wanted,
    key: Key | None,
) -> None:
    """A view that only looks."""
    if view == CHANGES:
        _changes(commit, contract, wanted)
    elif view == TABLE:
        _table(session, commit, contract, key)
    elif view == COMPARE:
        _compare(commit, listed, contract, wanted)
    else:
        st.html(html.facts(commit))


def _changes(commit: Commit, contract: Contract, wanted: Wanted) -> None:
    if commit.parent is None:
        rows = markup.count(commit.count("rows_inserted"), "row")
        st.html(markup.message("info", f"The first table of this dataset: {rows}. The view “{TABLE}” shows it."))
        return
    touched = reader().touched(commit, contract)
    changed(touched, contract, wanted, f"{contract.dataset}-commit-{commit.number}", commit)


def changed(touched: Touched, contract: Contract, wanted: Wanted, file: str, commit: Commit | None = None) -> None:
    """Changed rows, a page of them at a time; those that are looked for, where some are."""
    shown = touched
    if wanted.looks_inside and st.toggle("Only what is looked for", value=True, key="history-only"):
        shown = touched.only(wanted.key, wanted.column)
    _sizes(touched, shown)
    if touched and not shown:
        st.html(markup.message("info", "What is looked for was not touched; without the switch you see what was."))
    pages = max(1, -(-len(shown) // ROWS))
    at = min(pages, int(st.session_state.get(f"history-page-{file}", 1)))
    rows = shown.rows((at - 1) * ROWS, at * ROWS)
    records = {str(record["proposal"]): record for record in commit.records} if commit else {}
    with st.container(key="history-diff"):
        clickable.draw(html.rows(rows, contract, records), "history-rows", partial(do, contract.dataset))
    if pages > 1:
        st.pagination(pages, key=f"history-page-{file}")
    if touched:
        _save({"CSV": partial(touched.to_csv), "JSON": partial(touched.to_json)}, file, "Download these changes")


def _sizes(touched: Touched, shown: Touched) -> None:
    """The true totals, and how much of them is looked for."""
    updated, inserted, deleted = (touched.count(kind) for kind in ("update", "insert", "delete"))
    total = html.sizes(updated, inserted, deleted, touched.cells.num_rows)
    part = "" if len(shown) == len(touched) else f" · {markup.count(len(shown), 'row')} of them looked for"
    st.html(markup.subheading(total if touched else "No row differs", part))


def _table(session: Session, commit: Commit, contract: Contract, key: Key | None) -> None:
    """The whole table as that commit left it, to be looked at."""
    desk = session.view(commit.id)
    rows = markup.count(desk.sheet.num_rows, "row")
    st.html(markup.subheading(f"{rows} as of commit {commit.number}", "read-only"))
    if key is not None and key in desk.sheet.rows and kept().get("history-shown") != (commit.id, key):
        kept()["history-shown"] = (commit.id, key)
        desk.show(key)
    name = name_of(contract.dataset, "grid")
    pager.draw(session, desk, "history")
    grid.grid(
        name,
        desk.log,
        partial(table_json, desk.sheet),
        marks_json({}),
        lambda: desk.hear(grid.message(name)),
        jump=desk.jump,
        readonly=True,
        height=480,
        on_story=session.ask,
    )
    story.draw(session, desk)
    if isinstance(desk.sheet, PagedSheet):
        said = f"This table is large: towline export {contract.dataset} FILE --at {commit.number} writes all of it."
        st.html(markup.message("info", said))
        return
    writers = {
        label: partial(write_table, desk.sheet.table, format, contract=contract) for label, format in FORMATS.items()
    }
    _save(writers, f"{contract.dataset}-commit-{commit.number}", "Download this table")


def _compare(commit: Commit, listed: list[Commit], contract: Contract, wanted: Wanted) -> None:
    """What turns one commit's table into another's, from the older to the newer."""
    known = {str(each.number): each for each in listed if each.id != commit.id}
    name = st.selectbox(
        "Compare with commit (choose one, or write any number or id)",
        list(known),
        format_func=lambda number: html.option(known[number]) if number in known else number,
        accept_new_options=True,
        placeholder="A number, or an id",
        key=f"history-other-{commit.id}",
    )
    if not name:
        return
    try:
        other = known.get(name) or reader().find(contract.dataset, name, places_of(contract.dataset))
        old, new = sorted((commit, other), key=lambda each: each.number)
        way = reader().way(contract, old.id, new.id)
    except (NotFound, UsageError) as error:
        st.html(markup.message("warn", f"{error}."))
        return
    st.html(markup.block(f'<span class="tl-quiet">What turns commit {old.number} into commit {new.number}</span>'))
    changed(way, contract, wanted, f"{contract.dataset}-commit-{old.number}-to-{new.number}")


def places_of(dataset: str) -> list[Place]:
    page = Session.here().page
    return reader().places(dataset, page.commit if page else "")


def _save(writers: Mapping[str, Callable[[], bytes]], file: str, help: str) -> None:
    """A button a format; a file is made when it is asked for."""
    with st.container(horizontal=True, gap="small"):
        for label, write in writers.items():
            name = f"{file}.{FORMATS.get(label, label.lower())}"
            st.download_button(
                label,
                write,
                name,
                key=f"save-{name}",
                type="tertiary",
                icon=":material/download:",
                help=help,
                on_click="ignore",
            )


def find(dataset: str, name: str | None, listed: Sequence[Commit], places: list[Place]) -> Commit | None:
    """A commit by its id or number, in the list or not; where there is none, that is said."""
    if not name:
        return None
    try:
        return commits.find(listed, name) or reader().find(dataset, name, places)
    except NotFound as error:
        st.html(markup.message("warn", f"{error}."))
        return None


def reader() -> Reader:
    """What is known of the histories in this bucket."""
    return _reader(connection().settings)


@st.cache_resource(show_spinner=False)
def _reader(settings: Settings) -> Reader:
    return Reader(connection().bench)


def name_of(dataset: str, what: str) -> str:
    """The key of a widget: each dataset has its own."""
    return f"history-{what}-{dataset}"


def link(name: str, value: str) -> None:
    """Write into the address what is chosen."""
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def do(dataset: str, act: str) -> None:
    """A commit, or a row, was clicked."""
    match html.read_act(act):
        case (html.COMMIT, number):
            link("commit", number)
        case (html.ROW, key):
            st.session_state[name_of(dataset, "row")] = key
            link("key", key)
