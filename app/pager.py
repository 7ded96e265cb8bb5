"""Above the grid of a large table: which rows are on the page, the pages around it, filter, sort, and the way to a key.

A page is turned here, and the grid begins anew with its rows; what was typed stays (`Desk.turn`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from app import markup, memo, pager_markup
from app.editing.desk import Desk
from app.editing.links import read_key
from app.editing.paged import Leaf, PagedSheet, read_condition
from app.session import Session
from towline.browse import OPERATORS, View, extents
from towline.errors import NotFound, TowlineError

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
    turn, page = partial(_turn, session, desk), sheet.page
    is_first = sheet.previous() is None
    st.button("Previous", key=f"pager-previous-{name}", disabled=is_first, on_click=turn, args=(_before,))
    st.html(markup.block(f'<span class="tl-head">{pager_markup.where(sheet)}</span>'), width="content")
    label, is_last = "Search on" if page.stopped else "Next", page.next is None
    st.button(label, key=f"pager-next-{name}", disabled=is_last, on_click=turn, args=(_after,))


def _before(sheet: PagedSheet) -> PagedSheet:
    return sheet.previous() or sheet


def _after(sheet: PagedSheet) -> PagedSheet:
    return sheet.next() if sheet.page.next else sheet


def _turn(session: Session, desk: Desk, to: Callable[[PagedSheet], PagedSheet]) -> None:
    """To another page of what is on the desk by now, which may be a newer commit than the one that was drawn. Where the
    page cannot be read, that is said, and this one stays."""
    if not isinstance(desk.sheet, PagedSheet):
        return
    try:
        page = to(desk.sheet)
        _ = page.page
        desk.turn(page)
    except TowlineError as error:
        session.notice = f"{str(error)[:1].upper()}{str(error)[1:]}."


def _look(session: Session, desk: Desk, view: View) -> None:
    _turn(session, desk, lambda sheet: sheet.turned(Leaf(view)))


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
        _add(session, desk, (str(column), str(operator), str(text)))
        st.rerun()
    for place, each in enumerate(view.where):
        left = replace(view, where=(*view.where[:place], *view.where[place + 1 :]))
        st.button(
            pager_markup.condition(each),
            key=f"pager-without-{place}-{name}",
            type="tertiary",
            help="Take this filter away",
            on_click=_look,
            args=(session, desk, left),
        )


def _add(session: Session, desk: Desk, said: tuple[str, str, str]) -> None:
    def narrowed(sheet: PagedSheet) -> PagedSheet:
        view = sheet.leaf.view
        return sheet.turned(Leaf(replace(view, where=(*view.where, read_condition(sheet.contract, *said)))))

    _turn(session, desk, narrowed)


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
        _look(session, desk, View(view.where, column, down))

    st.selectbox("Sort all rows by", list(choices), key=key, help=_HELP, on_change=chosen, width=150, **_BARE)


def _key(session: Session, desk: Desk, sheet: PagedSheet, name: str) -> None:
    """To the row of a key."""
    key = f"pager-key-{name}"

    def wanted() -> None:
        text = str(st.session_state[key] or "").strip()
        if text:
            _go(session, desk, text)
        st.session_state[key] = ""

    names = ", ".join(sheet.contract.key)
    st.text_input("Go to a row", key=key, placeholder=f"Go to {names}", on_change=wanted, width=150, **_BARE)


def _go(session: Session, desk: Desk, text: str) -> None:
    def there(sheet: PagedSheet) -> PagedSheet:
        key = read_key(text, sheet.contract)
        if sheet.is_shown(key):
            return sheet
        number = sheet.find(sheet.contract.key_dict(key))
        if number is None:
            raise NotFound(f"no row has {markup.key_text(sheet.contract.key_dict(key))}")
        return sheet.at(number)

    _turn(session, desk, there)
    if not session.notice:
        desk.show(read_key(text, desk.sheet.contract))
