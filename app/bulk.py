"""Many cells at once: find and replace, and set by rule. Two dialogs, each with a preview of what it would do.

What a dialog shows is put together anew from what is typed into it. It does something to the desk only when its button
is pressed, in one step that undo takes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from app import bulk_form, bulk_markup, clickable, markup, panels
from app.editing import find, rule
from app.editing.cells import Text
from app.editing.desk import Desk
from app.editing.find import Query
from app.editing.now import Now
from app.editing.paged import PagedSheet
from app.editing.patterns import BadPattern
from app.editing.preview import Preview, gained
from app.session import kept
from towline.contract import Contract

CHECKED = 20_000  # rows up to which the contract is asked what it would say: typing must not wait for it
HEIGHT, FITTING = 330, 9  # pixels of a list that has more lines than fit
FIND, WITH_TEXT, WITH_NULL = "Find only", "Replace with text", "Replace by null"
REGEX = (
    r"RE2: `^` and `$` are the ends of the cell, `\d` is a digit. In *Replace with*, `\1` is the first group, `\0` all "
    "that was found."
)
NULLS = 'Finds the cells that hold nothing, whatever stands in *Find*. The empty text is a value: find it by `""`.'
UNFIT = "They are marked in the grid, and block submitting until they are mended."

PAGE_ONLY = (
    "This table is large: what is found and changed here are the rows of this page. An edit in SQL changes all rows at "
    "once, with a preview: see the page SQL."
)
MANY = markup.message("info", "These are many rows: they are checked when they are in the table.")

_NAME = "bulk"
_BARE = {"label_visibility": "collapsed"}


@dataclass
class Bulk:
    """What the dialogs know beside what stands in their fields.

    open     which of them is open
    now      what the grid showed when it was last looked at
    made     what was found last, with what it was found by
    columns  what was ticked off in that preview; `cells` by place and column
    go       the cell that was clicked: place and column
    """

    open: str = ""
    now: Now | None = None
    made: tuple[object, Any] | None = None
    columns: frozenset[str] = frozenset()
    cells: frozenset[tuple[int, str]] = frozenset()
    go: tuple[int, str] | None = None

    @staticmethod
    def here() -> Bulk:
        if _NAME not in kept():
            kept()[_NAME] = Bulk()
        bulk: Bulk = kept()[_NAME]
        return bulk

    def look(self, desk: Desk) -> Now:
        """What the grid shows now; the same object for as long as that is the same."""
        if self.now is None or self.now.sheet is not desk.sheet or self.now.state is not desk.log.state:
            self.now, self.made = Now(desk.sheet, desk.log.state), None
        return self.now

    def once(self, of: object, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once: a tick does not search again. Of something else, nothing is ticked off."""
        if self.made is None or self.made[0] != of:
            self.made = (of, make())
            self.columns, self.cells = frozenset(), frozenset()
        return self.made[1]

    def act(self, act: str) -> None:
        """What was clicked in a list."""
        kind, place, column = bulk_markup.read_act(act) or ("", 0, "")
        if kind == bulk_markup.SHOW:
            self.go = (place, column)
        elif kind == bulk_markup.COLUMN:
            self.columns ^= {column}
        elif kind == bulk_markup.CELL:
            self.cells ^= {(place, column)}

    def close(self) -> None:
        self.open, self.go, self.made = "", None, None
        bulk_form.forget()


def buttons(desk: Desk) -> None:
    """The buttons that open the dialogs, and the dialog that is open: it stays open when the page is drawn anew."""
    bulk = Bulk.here()
    for name, label, icon in (("replace", "Find & replace", "find_replace"), ("rule", "Set by rule", "rule")):
        if st.button(label, icon=f":material/{icon}:", width="content"):
            bulk.open = name
    if bulk.open == "replace":
        replace_dialog(desk)
    elif bulk.open == "rule":
        rule_dialog(desk)


def _dismissed() -> None:
    Bulk.here().close()


@st.dialog("Find and replace", width="large", icon=":material/find_replace:", on_dismiss=_dismissed)
def replace_dialog(desk: Desk) -> None:
    """Find, and replace with a text or by null."""
    _draw(desk, _replace)


@st.dialog("Set by rule", width="large", icon=":material/rule:", on_dismiss=_dismissed)
def rule_dialog(desk: Desk) -> None:
    """Where some conditions hold, set columns to something."""
    _draw(desk, _rule)


def _draw(desk: Desk, dialog: Callable[[Bulk, Desk, Now], None]) -> None:
    bulk = Bulk.here()
    with panels.caught():
        st.html(Path(__file__).with_name("bulk.css"))
        if isinstance(desk.sheet, PagedSheet):
            st.html(markup.message("info", PAGE_ONLY))
        try:
            dialog(bulk, desk, bulk.look(desk))
        except BadPattern as why:
            st.html(bulk_markup.problem(str(why)))
        _go(bulk, desk)


def _go(bulk: Bulk, desk: Desk) -> None:
    """Where a row was clicked, go there."""
    if bulk.go is not None and bulk.now is not None:
        place, column = bulk.go
        desk.show(bulk.now.row(place), column)
        bulk.close()
        st.rerun()


def _replace(bulk: Bulk, desk: Desk, now: Now) -> None:
    todo, query, new = _wanted(now.contract)
    if query.is_empty:
        return
    if todo == FIND:
        hits = bulk.once((FIND, query), lambda: find.find(now, query))
        st.html(bulk_markup.found(hits))
        if hits.total:
            _list(bulk_markup.hits(hits), hits.total, "hits", bulk)
    else:
        preview = bulk.once((query, new), lambda: find.replaced(now, query, new))
        _offer(bulk, desk, preview, "Replace", ("holds what is looked for", "hold what is looked for"))


def _wanted(contract: Contract) -> tuple[str, Query, Text]:
    """What the fields say: what is to be done, what is looked for, and what is put in."""
    options = [FIND, WITH_TEXT, WITH_NULL]
    todo = _kept(st.segmented_control, "What to do", options, default=WITH_TEXT, key="do", required=True, **_BARE)
    left, right = st.columns(2)
    with left:
        text = _kept(st.text_input, "Find", key="find", live=True)
    with right:
        is_put_in = todo == WITH_TEXT
        new = _kept(st.text_input, "Replace with", key="new", live=True, disabled=not is_put_in)
    with st.container(horizontal=True, vertical_alignment="center"):
        case = _kept(st.checkbox, "Match case", key="case")
        whole = _kept(st.checkbox, "Whole cell", key="whole")
        regex = _kept(st.checkbox, "Regular expression", key="regex", help=REGEX)
        is_null = _kept(st.checkbox, "Cells without a value (null)", key="null", help=NULLS)
        columns = _kept(
            st.multiselect, "In columns", contract.names, key="columns", placeholder=_but_the_key(contract), **_BARE
        )
    query = Query(text, case, whole, regex, is_null, tuple(columns))
    return str(todo), query, new if is_put_in else None


def _kept(widget: Callable[..., Any], label: str, *args: Any, key: str, **more: Any) -> Any:
    """A field that still says the same when the dialog is opened again."""
    return widget(label, *args, key=f"bulk-{key}", persist_state="page", **more)


def _but_the_key(contract: Contract) -> str:
    return f"In all columns but the key ({', '.join(contract.key)})"


def _rule(bulk: Bulk, desk: Desk, now: Now) -> None:
    wanted = bulk_form.draw(now)
    if wanted is not None:
        preview = bulk.once(wanted, lambda: rule.preview(now, wanted))
        _offer(bulk, desk, preview, "Set", ("matches", "match"))


def _offer(bulk: Bulk, desk: Desk, preview: Preview, verb: str, finds: tuple[str, str]) -> None:
    """The preview, with ticks, and the button that does it."""
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.html(bulk_markup.summary(preview, finds))
        place = st.empty()
    if not preview.counts:
        return
    left = preview.without(bulk.columns, bulk.cells)
    with_unfit = _notes(preview, left)
    if len(preview.counts) > 1:
        clickable.draw(bulk_markup.columns(preview.counts, bulk.columns), "bulk-column-list", bulk.act)
    listed = preview.cells(bulk_markup.LISTED)
    _list(bulk_markup.cells(listed, preview, bulk.columns, bulk.cells), len(listed), "cells", bulk)
    with place:
        _apply(bulk, desk, left, verb, with_unfit=with_unfit)


def _notes(preview: Preview, left: Preview) -> bool:
    """What is to be known of the changes. Returns whether texts that do not fit are put in, too."""
    with_unfit = False
    if preview.unfit or preview.stuck:
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.html(bulk_markup.problems(preview))
            if left.unfit:
                with_unfit = st.checkbox(bulk_markup.unfit(left.unfit), key="bulk-unfit", help=UNFIT)
    said = MANY if len(left.places) > CHECKED else bulk_markup.gained(*gained(left)) if left.total else ""
    if said:
        st.html(said)
    return with_unfit


def _list(html: str, lines: int, name: str, bulk: Bulk) -> None:
    with st.container(height=HEIGHT if lines > FITTING else "content", border=True, key=f"bulk-{name}"):
        clickable.draw(html, f"bulk-{name}-list", bulk.act)


def _apply(bulk: Bulk, desk: Desk, preview: Preview, verb: str, *, with_unfit: bool) -> None:
    cells, rows = preview.size(with_unfit=with_unfit)
    label = f"{verb} {markup.count(cells, 'cell')} in {markup.count(rows, 'row')}"
    if st.button(label, type="primary", key="bulk-apply", disabled=not cells, width="content"):
        desk.do(preview.event(with_unfit=with_unfit))
        bulk.close()
        st.rerun()
