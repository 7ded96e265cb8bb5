"""Explore: pictures of any commit, for people who would rather look."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import streamlit as st

from app import markup
from app.editing.links import row_of
from app.editing.paged import PagedSheet
from app.editing.sheet import Sheet
from app.explore import board
from app.explore.draw import draw, times
from app.explore.picture import DARK, ID, LIGHT, PICK, Look, Spec
from app.explore.plots import Plot, colours, plots
from app.explore.scene import Scene, scene
from app.history_views import find, reader
from app.pages import edit
from app.past.commits import Commit
from app.past.html import option
from app.session import Session, connection, kept
from towline.errors import NotFound, UsageError
from towline.history import Place
from towline.settings import Settings

LISTED = 100  # records whose commits can be chosen from the list
NEWEST, PARENT, NOTHING = "the newest", "the commit before", "no other commit"
_NO_COLOUR = ""  # no column is called that
_FILES = Path(__file__).parents[1] / "explore"
_save = st.components.v2.component(
    "towline_save",
    html='<div class="tl-save"><button type="button">SVG</button><button type="button">PNG</button></div>',
    css=(
        ".tl-save { display: flex; gap: .3rem; justify-content: flex-end; }"
        ".tl-save button { font: inherit; font-size: .8rem; color: inherit; background: none; cursor: pointer;"
        " border: 1px solid rgba(128, 128, 128, .45); border-radius: 4px; padding: .1rem .5rem; }"
        ".tl-save button:hover, .tl-save button:focus-visible { border-color: #0072b2; outline: 1px solid #0072b2; }"
    ),
    js=(_FILES / "save.js").read_text("utf-8"),
)


def page() -> None:
    session = Session.here()
    st.html(_FILES / "style.css")
    _arrive(session.dataset)
    head = session.page.commit if session.page else ""
    places = reader().places(session.dataset, head)
    listed = reader().commits(places[:LISTED])
    if not listed:
        st.html(markup.heading("Explore", f"{session.dataset} · no commit yet"))
        return
    title, controls = st.container(), st.columns(2, gap="medium")
    with controls[0]:
        commit = _choose(session.dataset, listed, places)
    with controls[1]:
        other = _compare(session.dataset, commit, listed, places)
    sheet = reader().sheet(session.dataset, commit.id)
    title.html(markup.heading("Explore", board.about(sheet, commit, connection().bench.clock())))
    found = _scene(sheet, other)
    if not isinstance(sheet, PagedSheet):
        st.html(board.legend(found, commit, other))
    _board(sheet, found)


def _arrive(dataset: str) -> None:
    """Where another dataset was chosen, the address still names a commit of the last one."""
    before = kept().get("explore-of", dataset)
    kept()["explore-of"] = dataset
    if before != dataset:
        st.query_params.pop("commit", None)


def _choose(dataset: str, listed: Sequence[Commit], places: list[Place]) -> Commit:
    """The commit that the address names, else the newest; the address follows what is chosen."""
    commit = find(dataset, st.query_params.get("commit", ""), listed, places)
    options = _options([NEWEST], listed, commit)
    key = f"explore-commit-{dataset}"
    st.session_state[key] = str(commit.number) if commit else NEWEST
    known = {str(each.number): option(each) for each in listed}
    st.selectbox(
        "Commit (choose one, or write any number or id)",
        options,
        key=key,
        format_func=lambda name: known.get(name, name),
        accept_new_options=True,
        on_change=_link,
        args=(key,),
    )
    return commit or listed[0]


def _options(first: list[str], listed: Sequence[Commit], commit: Commit | None) -> list[str]:
    numbers = [str(each.number) for each in listed]
    return first + numbers + ([str(commit.number)] if commit and str(commit.number) not in numbers else [])


def _link(key: str) -> None:
    name = st.session_state[key]
    if name and name != NEWEST:
        st.query_params["commit"] = name
    else:
        st.query_params.pop("commit", None)


def _compare(dataset: str, commit: Commit, listed: Sequence[Commit], places: list[Place]) -> Commit | None:
    """The commit from which the highlighted rows differ; None: none."""
    known = {str(each.number): option(each) for each in listed if each.id != commit.id}
    chosen = st.selectbox(
        "Highlight what differs from",
        [PARENT, NOTHING, *known],
        key=f"explore-compare-{dataset}",
        format_func=lambda name: known.get(name, name),
        accept_new_options=True,
    )
    if chosen == NOTHING:
        return None
    return find(dataset, commit.parent if chosen in (PARENT, None) else chosen, listed, places)


def _scene(sheet: Sheet, other: Commit | None) -> Scene:
    """What is drawn. Where two commits cannot be compared, the pictures are those of the one alone."""
    if isinstance(sheet, PagedSheet):
        st.html(markup.message("info", board.sampled(sheet)))
        other = None
    try:
        return _compared(connection().settings, sheet.dataset, sheet.commit, other.id if other else None)
    except (NotFound, UsageError) as error:
        st.html(markup.message("warn", f"The changed rows are not shown: {error}"))
        return _compared(connection().settings, sheet.dataset, sheet.commit, None)


# Commits never change, so what was made of two stays true. It is shared by all tabs, which only read it.
@st.cache_resource(show_spinner=False, max_entries=8)
def _compared(bucket: Settings, dataset: str, commit: str, other: str | None) -> Scene:
    sheet = reader().sheet(dataset, commit)
    return scene(sheet.contract, sheet.sample, reader().sheet(dataset, other).sample if other else None)


def _board(sheet: Sheet, found: Scene) -> None:
    """One card a kind of picture: ranges as wide as the page, the others two by two."""
    kinds = {kind: tuple(each) for kind, each in groupby(plots(sheet.contract, found.table), lambda plot: plot.kind)}
    if len(kinds) <= 1:
        st.html(markup.message("info", "This dataset has no positions, times, categories or numbers to draw."))
    for row in board.rows(list(kinds)):
        places = st.columns(len(row) if row == [["range"]] else 2, gap="medium")
        for place, held in zip(places, row, strict=False):
            for kind in held:
                with place, st.container(border=True, height="stretch"):
                    _card(sheet, found, kinds[kind])


@st.fragment
def _card(sheet: Sheet, found: Scene, among: Sequence[Plot]) -> None:
    """The pictures of one kind: which of them, and what else can be chosen; the picture; what is not in it."""
    kind = among[0].kind
    wide = [1.1, *[1.6] * _choices(kind, among), 1]
    with st.container(key=f"explore-head-{kind}"):
        head, *places, save = st.columns(wide, vertical_alignment="center", gap="small")
    plot = _which(found, among, places)
    head.html(markup.subheading(board.head(found, plot)))
    choice = _choice(sheet, found, plot, places)
    picture = draw(plot, found, _look(), choice)
    chart = f"explore-{kind}"
    if picture.spec is None:
        st.html(markup.message("info", picture.alt))
    else:
        with save:
            name = f"{sheet.dataset}-commit-{sheet.number}-{plot.name}"
            what = " ".join([board.head(found, plot), *(plot.columns if kind != "missing" else ())])
            _save(key=f"{chart}-save", data={"chart": f"st-key-{chart}", "name": name, "what": what})
        picked = _chart(picture.spec, picture.alt, chart, f"{chart}-{sheet.dataset}-{sheet.number}")
        if picked:
            _picked(sheet, picked)
    st.html(board.said([text for text in picture.said if text != picture.alt]))


def _choices(kind: str, among: Sequence[Plot]) -> int:
    return (len(among) > 1) + (kind in ("map", "range", "time"))


def _which(found: Scene, among: Sequence[Plot], places: Sequence[st.delta_generator.DeltaGenerator]) -> Plot:
    """The picture of this kind that is chosen."""
    if len(among) == 1:
        return among[0]
    titles = {plot: " to ".join(dict.fromkeys(found.title(name) for name in plot.columns)) for plot in among}
    return places[0].selectbox(
        "Of",
        among,
        key=f"explore-{among[0].kind}-which-{found.contract.dataset}",
        format_func=lambda plot: titles[plot],
        label_visibility="collapsed",
    )


def _choice(sheet: Sheet, found: Scene, plot: Plot, places: Sequence[st.delta_generator.DeltaGenerator]) -> str | None:
    """The column that colours, or how times are counted."""
    key = f"explore-{plot.kind}-by-{sheet.dataset}"
    if plot.kind == "time":
        modes = times.modes(plot, found)
        return places[-1].selectbox("Counted", modes, key=key, label_visibility="collapsed")
    if plot.kind not in ("map", "range"):
        return None
    names = [_NO_COLOUR, *colours(sheet.contract, found.table)]
    numbers = [name for name in names[1:] if sheet.contract.field(name).type == "number"]
    index = names.index((numbers or names[1:] or names)[0])
    chosen = places[-1].selectbox(
        "Coloured by",
        names,
        index,
        key=key,
        format_func=lambda name: f"colour: {found.title(name) if name else 'all the same'}",
        label_visibility="collapsed",
    )
    return None if chosen == _NO_COLOUR else chosen


def _look() -> Look:
    return DARK if st.context.theme.type == "dark" else LIGHT


def _chart(spec: Spec, alt: str, place: str, key: str) -> str:
    """Draw it; the link of the row that was clicked last, empty while there is none. `place` is where it can be found
    to be saved; with the `key` of another commit, nothing is clicked yet."""
    clicked = any(each["name"] == PICK for layer in spec["layer"] for each in layer.get("params", ()))
    show = partial(st.vega_lite_chart, None, spec, width="stretch", alt=alt)
    with st.container(key=place):
        if not clicked:
            show()
            return ""
        show(key=key, on_select="rerun", selection_mode=[PICK])
    points = st.session_state[key]["selection"].get(PICK) or [{}]
    return str(points[0].get(ID) or "")


def _picked(sheet: Sheet, row: str) -> None:
    """The way to the row that was clicked."""
    key = row_of(sheet, row)
    if key is None:  # what was clicked is no row of this commit any more
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(markup.subheading(markup.key_text(sheet.contract.key_dict(key))))
        st.page_link(
            st.Page(edit.page, title="Edit", url_path="edit"),
            label="Open this row on the Edit page",
            icon=":material/edit:",
            query_params={"dataset": sheet.dataset, "key": row},
        )


if __name__ == "__main__":  # a process that has not met route.py yet runs the file that a link names: see route.py
    from app.route import route

    route()
