"""Above the grid of a large table: which rows are on the page, the pages around it, filter, sort, and the way to a key.

A page is turned here, and the grid begins anew with its rows; what was typed stays (`Desk.turn`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from app import markup, memo, pager_markup
from app.editing.cells import Misfit, value_of
from app.editing.desk import Desk
from app.editing.links import read_key
from app.editing.paged import Leaf, PagedSheet
from app.editing.sheet import row_id
from app.session import Session
from towline.browse import OPERATORS, Condition, View, extents
from towline.browse.view import CONTAINS, NOT_NULL, NULL
from towline.contract import Contract
from towline.errors import NotFound, TowlineError, UsageError

_HELP = "It looks at the whole table as this commit has it, not at what you typed since."
_BARE = {"label_visibility": "collapsed"}


def draw(session: Session, desk: Desk, name: str) -> None:
    """The bar, where the table is large enough for one. `name` tells it from others on the page."""
    sheet = desk.sheet
    if not isinstance(sheet, PagedSheet):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="pager", gap="xsmall"):
        _around(session, desk, sheet, name)
        _filters(session, desk, sheet, name)
        _order(session, desk, sheet, name)
        _key(session, desk, sheet, name)
        with st.popover(
            "Columns", type="tertiary", icon=":material/bar_chart:", help="The least and the greatest values"
        ):
            found = memo.once("extents", (sheet.book,), lambda: extents(sheet.book.file))
            st.html(pager_markup.columns(found, sheet.contract, sheet.num_rows))
    if session.notice:
        st.html(markup.message("warn", session.notice))
        session.notice = ""


def _around(session: Session, desk: Desk, sheet: PagedSheet, name: str) -> None:
    """The page before, where this one is, and the page after."""
    before, page = sheet.previous(), sheet.page
    turn = partial(_turn, session, desk)
    st.button(
        "Previous",
        key=f"pager-previous-{name}",
        disabled=before is None,
        on_click=turn,
        args=(lambda: before or sheet,),
    )
    st.html(markup.block(f'<span class="tl-head">{pager_markup.where(sheet)}</span>'), width="content")
    st.button(
        "Search on" if page.stopped else "Next",
        key=f"pager-next-{name}",
        disabled=page.next is None,
        on_click=turn,
        args=(sheet.next,),
    )


def _turn(session: Session, desk: Desk, make: Callable[[], PagedSheet]) -> None:
    """To another page, once it could be read; where it cannot, that is said, and this one stays."""
    try:
        sheet = make()
        _ = sheet.page
        desk.turn(sheet)
    except TowlineError as error:
        session.notice = f"{str(error)[:1].upper()}{str(error)[1:]}."


def _look(session: Session, desk: Desk, sheet: PagedSheet, view: View) -> None:
    _turn(session, desk, lambda: sheet.turned(Leaf(view)))


def _filters(session: Session, desk: Desk, sheet: PagedSheet, name: str) -> None:
    """Each filter that is set is a button that takes it away; below *Filter* another one is made."""
    view = sheet.leaf.view
    with st.popover("Filter", icon=":material/filter_alt:", key=f"pager-filter-{name}"):
        st.html(markup.block(f'<span class="tl-quiet">{_HELP}</span>'))
        with st.form(f"pager-form-{name}", border=False, enter_to_submit=True):
            column = st.selectbox("Column", sheet.contract.names, key=f"pager-column-{name}")
            operator = st.selectbox("is", OPERATORS, key=f"pager-operator-{name}", **_BARE)
            text = st.text_input("Value", key=f"pager-value-{name}", placeholder="a value, as it is typed into a cell")
            is_sent = st.form_submit_button("Add this filter", type="primary")
    if is_sent:
        _add(session, desk, sheet, (str(column), str(operator), str(text)))
        st.rerun()
    for place, each in enumerate(view.where):
        left = View((*view.where[:place], *view.where[place + 1 :]), view.sort, view.descending)
        st.button(
            pager_markup.condition(each),
            key=f"pager-without-{place}-{name}",
            type="tertiary",
            help="Take this filter away",
            on_click=_look,
            args=(session, desk, sheet, left),
        )


def _add(session: Session, desk: Desk, sheet: PagedSheet, said: tuple[str, str, str]) -> None:
    view = sheet.leaf.view

    def narrowed() -> PagedSheet:
        return sheet.turned(Leaf(View((*view.where, read(sheet.contract, *said)), view.sort, view.descending)))

    _turn(session, desk, narrowed)


def read(contract: Contract, column: str, operator: str, text: str) -> Condition:
    """A filter as somebody wrote it. UsageError: its value does not fit its column, or the operator."""
    field = contract.field(column)
    if operator in (NULL, NOT_NULL):
        return Condition(column, operator)
    if operator == CONTAINS:
        if field.type != "string":
            raise UsageError(f"{column} holds no text to look into ({field.type}); compare it by =, < or >")
        return Condition(column, operator, text)
    try:
        value = value_of(text, field, contract.missing_values)
    except Misfit as misfit:
        raise UsageError(f"{column}: {misfit}") from None
    if value is None and operator not in ("=", "!="):
        raise UsageError(f"{column} {operator} needs a value")
    return Condition(column, operator, value)


def _order(session: Session, desk: Desk, sheet: PagedSheet, name: str) -> None:
    view, key = sheet.leaf.view, f"pager-sort-{name}"
    choices = {pager_markup.KEPT_ORDER: ("", False)} | {
        pager_markup.order(column, descending=down): (column, down)
        for column in sheet.contract.names
        for down in (False, True)
    }
    now = pager_markup.order(view.sort, descending=view.descending) if view.sort else pager_markup.KEPT_ORDER
    if st.session_state.get(key) != now:
        st.session_state[key] = now

    def chosen() -> None:
        column, down = choices[str(st.session_state[key])]
        _look(session, desk, sheet, View(view.where, column, down))

    st.selectbox("Sort all rows by", list(choices), key=key, help=_HELP, on_change=chosen, width=150, **_BARE)


def _key(session: Session, desk: Desk, sheet: PagedSheet, name: str) -> None:
    """To the row of a key, or the first one that begins so."""
    key = f"pager-key-{name}"

    def wanted() -> None:
        text = str(st.session_state[key] or "").strip()
        if text:
            _go(session, desk, sheet, text)
        st.session_state[key] = ""

    names = ", ".join(sheet.contract.key)
    st.text_input("Go to a row", key=key, placeholder=f"Go to {names}", on_change=wanted, width=150, **_BARE)


def _go(session: Session, desk: Desk, sheet: PagedSheet, text: str) -> None:
    try:
        values = sheet.contract.key_dict(read_key(text, sheet.contract))
        number = sheet.find(values)
        if number is None:
            raise NotFound(f"no row has {markup.key_text(values)}")
        page = sheet if number in sheet.page.numbers else sheet.at(number)
        _ = page.page
        desk.turn(page)
        desk.go(row_id(tuple(values.values())))
    except TowlineError as error:
        session.notice = f"{str(error)[:1].upper()}{str(error)[1:]}."
