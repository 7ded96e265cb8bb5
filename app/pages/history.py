"""History: the commits of a dataset, and what each of them changed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import clickable, history_views, markup, restore_panel
from app.editing.links import read_key
from app.history_views import do, find, link, name_of, places_of, reader
from app.past import activity, html
from app.past.commits import Commit, Wanted, Window, people, window
from app.past.touched import key_text
from app.session import Session, connection, kept
from towline.contract import Contract
from towline.errors import UsageError
from towline.history import Place
from towline.values import Key

__all__ = ["page", "reader"]

STEP = 100  # records that are read at first, and each time that more are asked for
SEARCHED = 400  # likewise where what they changed is looked at
STYLE = Path(__file__).parents[1] / "past" / "style.css"


def page() -> None:
    session = Session.here()
    st.html(STYLE)
    _arrive(session.dataset)
    contract = connection().bench.recent_contract(session.dataset)[0]
    places = places_of(session.dataset)
    st.html(markup.heading("History", f"{session.dataset} · {markup.count(len(places), 'proposal')} committed"))
    picture = st.empty()
    wanted, key = _filters(contract, places)
    with picture:
        _activity(places, wanted)
    near = reader().of_row(contract, key, wanted.column, places) if key else places
    part = window(near, wanted, _count(contract.dataset))
    left, right = st.columns([1, 1.35], gap="medium")
    with left:
        listed = _search(part, wanted, contract)
        chosen = _chosen(contract.dataset, listed, places)
        _list(contract, listed, chosen, part, wanted)
    with right:
        if chosen is not None:
            view = history_views.choose(chosen, contract.dataset)
            if view == history_views.RESTORE:
                restore_panel.draw(session, chosen, contract, key)
            else:
                history_views.draw(view, session, chosen, listed, contract, wanted, key)


def _arrive(dataset: str) -> None:
    """Where another dataset was chosen on this page, the address still names a commit and a row of the last one."""
    said = {name: st.query_params.get(name, "") for name in ("commit", "key")}
    before, known = kept().get("history-at", (dataset, {}))
    if before != dataset and known == said:
        for name in said:
            st.query_params.pop(name, None)
    kept()["history-at"] = (dataset, said)


def _activity(places: list[Place], wanted: Wanted) -> None:
    matching = (place for place in places if wanted.may_be(place))
    found = activity.activity(places, matching, connection().bench.clock().date())
    if found.bars:
        st.html(activity.html(found))


def _filters(contract: Contract, places: list[Place]) -> tuple[Wanted, Key | None]:
    """Who, when, which row, which column; and the row's key as values."""
    named = partial(name_of, contract.dataset)
    names = people(places, reader().commits(places[:STEP]))
    cells = iter(st.columns([1.2, 1.3, 1.3, 1.1, 1.1], gap="small"))
    slugs = next(cells).multiselect(
        "Who", list(names), format_func=lambda slug: names.get(slug, slug), key=named("who"), placeholder="Anybody"
    )
    since, until = (
        next(cells).date_input(label, None, key=named(label), format="YYYY-MM-DD") for label in ("From", "Until")
    )
    text = _row_text(next(cells), contract)
    column = next(cells).selectbox("Column", contract.names, None, key=named("column"), placeholder="Any")
    key = _read_key(text, contract)
    found = Wanted(frozenset(slugs), since, until, key_text(key, contract) if key else "", column or "")
    return found, key


def _row_text(cell: DeltaGenerator, contract: Contract) -> str:
    """The row that is looked for, as it is written; the address has it, too."""
    name = name_of(contract.dataset, "row")
    if name not in st.session_state:
        st.session_state[name] = st.query_params.get("key", "")
    help = f"What happened to one row: its {', '.join(contract.key)}, with commas in between"
    text: str = cell.text_input(
        "Row", key=name, placeholder=",".join(contract.key), help=help, on_change=_link_row, args=(name,)
    )
    return text


def _link_row(name: str) -> None:
    """Another row: what is open may have nothing to do with it, so the newest commit that has is opened."""
    link("key", st.session_state[name].strip())
    link("commit", "")


def _read_key(text: str, contract: Contract) -> Key | None:
    if not text.strip():
        return None
    try:
        return read_key(text, contract)
    except UsageError as error:
        st.html(markup.message("warn", f"No row is looked for: {error}."))
        return None


def _count(dataset: str) -> int:
    """How many records are read."""
    return int(kept().get(name_of(dataset, "count"), STEP))


def _search(part: Window, wanted: Wanted, contract: Contract) -> list[Commit]:
    with st.spinner(f"Reading {markup.count(part.shown, 'proposal')} …", show_time=False):
        return reader().search(reader().commits(part.places), wanted, contract)


def _chosen(dataset: str, listed: list[Commit], places: list[Place]) -> Commit | None:
    """The commit that the address names, else the newest of the list."""
    named = find(dataset, st.query_params.get("commit", ""), listed, places)
    return named or (listed[0] if listed else None)


def _list(contract: Contract, listed: list[Commit], chosen: Commit | None, part: Window, wanted: Wanted) -> None:
    dataset, today = contract.dataset, connection().bench.clock().date()
    st.html(markup.block(f'<span class="tl-quiet">{_summary(listed, part, wanted)}</span>'))
    if listed:
        with st.container(border=True, key="history-list"):
            body = html.commit_list(listed, chosen.id if chosen else "", today, _hits(listed, wanted, contract))
            clickable.draw(body, name_of(dataset, "list"), partial(do, dataset))
    if part.left:
        step = min(part.left, SEARCHED if wanted.looks_inside else STEP)
        label = f"{'Search' if wanted.looks_inside else 'Show'} {step:,} older"
        st.button(label, on_click=_more, args=(dataset, step), type="tertiary", icon=":material/history:")


def _hits(listed: list[Commit], wanted: Wanted, contract: Contract) -> dict[str, str]:
    """What of each commit was looked for."""
    if not wanted.looks_inside:
        return {}
    found = ((each, reader().touched(each, contract).only(wanted.key, wanted.column)) for each in listed)
    return {each.id: html.hit(list(rows.rows(0, 2)), contract) for each, rows in found}


def _summary(listed: list[Commit], part: Window, wanted: Wanted) -> str:
    """How much of the history is on the page."""
    if wanted.key and not listed:
        return "No commit touched it."
    if not part.total:
        return (
            "Nothing was committed." if wanted == Wanted() else "Nothing was committed by these people in these days."
        )
    found = markup.count(len(listed), "commit")
    if wanted.looks_inside:
        rest = f"; {part.left:,} older ones were not looked at yet" if part.left else ""
        looked = "" if wanted.key else f", of {markup.count(part.shown, 'proposal')} looked at"  # the index knows rows
        return f"{found} touched it{looked}{rest}"
    return f"{found}, newest first" if not part.left else f"the newest {found}; {part.left:,} proposals are older"


def _more(dataset: str, step: int) -> None:
    kept()[name_of(dataset, "count")] = _count(dataset) + step


if __name__ == "__main__":  # a process that has not met route.py yet runs the file that a link names: see route.py
    from app.route import route

    route()
