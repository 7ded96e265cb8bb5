"""What came of a statement: the result of one that reads; of one that edits preview, word and outcome."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import streamlit as st

from app import clickable, going, markup, preview_markup, sql_markup
from app.editing.remote import Glance
from app.past.post import Post
from app.session import Session, connection
from app.sql import mine
from app.sql import reading as readings
from app.sql.board import Board
from towline import runs
from towline.contract import Contract
from towline.dataset import Dataset
from towline.errors import NotFound, TowlineError
from towline.preview import Preview
from towline.receipts import PREVIEWED, Receipt

EVERY = 0.4  # seconds between two looks at what is on its way
RUN = "run"  # in the address: the edit that is open


def standing(seen: Glance | None) -> str:
    """Where the table stands."""
    return f"commit {seen.number}" if seen is not None and seen.commit else "no commit seen"


def reading(board: Board) -> None:
    """A query: how it goes, then what it found."""
    found = board.reading
    if found is None:
        return
    if found.is_going:
        _watch_reading(board)
        return
    st.html(markup.subheading("Result", readings.line(found.statement)))
    if found.problem:
        st.html(sql_markup.refusal(found.problem))
    if found.table is not None:
        _result(found)


@st.fragment(run_every=EVERY)
def _watch_reading(board: Board) -> None:
    found = board.reading
    if found is None:
        st.rerun()
    try:
        board.reading = found = readings.look(connection(), found)
    except TowlineError as error:
        st.html(markup.message("warn", f"The query was started, and cannot be looked at now: {error}"))
        return
    if not found.is_going:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(markup.block(f"… {found.execution.state.lower()}: {readings.line(found.statement)}"))
        st.button("Cancel", key="sql-cancel", on_click=_cancel, args=(board,))


def _cancel(board: Board) -> None:
    if board.reading is None:
        return
    try:
        connection().engine.stop(board.reading.execution.id)
    except TowlineError as error:
        board.notice = ("warn", f"It could not be cancelled: {error}")


def _result(found: readings.Reading) -> None:
    table = found.table
    assert table is not None  # noqa: S101 - asked of queries that found something
    st.html(sql_markup.result(found))
    st.dataframe(table.slice(0, readings.SHOWN), hide_index=True, width="stretch")
    with st.container(horizontal=True):
        for form, kind in (("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")):
            body, name = partial(readings.file, table, form), f"result.{form}"
            st.download_button(f"Download {name}", body, name, kind, key=f"sql-{form}", on_click="ignore")


def run(board: Board, dataset: Dataset, contract: Contract) -> None:
    """An edit: how it goes, then what it would do, then what became of it."""
    try:
        receipt = mine.receipt(dataset, board.run)
    except NotFound:
        st.html(markup.message("warn", f"Nobody sent a run {board.run} of {contract.dataset} from this account."))
        return
    with st.container(border=True, key="sql-run-open"):
        st.html(sql_markup.run_head(receipt))
        if _is_going(board, receipt):
            _watch(board, dataset)
            if receipt.history and not board.said:
                st.button("Cancel the run", key="sql-stop", on_click=_discard, args=(board, dataset))
        elif receipt.status == PREVIEWED:
            _preview(board, dataset, contract, receipt)
        else:
            _outcome(board, dataset, contract, receipt)


def _is_going(board: Board, receipt: Receipt) -> bool:
    """Whether something will happen to it by itself: also a preview, once a word on it was sent."""
    return not receipt.rests or (receipt.status == PREVIEWED and bool(board.said))


@st.fragment(run_every=EVERY)
def _watch(board: Board, dataset: Dataset) -> None:
    """One look at an edit that is on its way; the whole page as soon as it has got somewhere."""
    try:
        receipt = mine.receipt(dataset, board.run)
    except TowlineError as error:
        st.html(markup.message("warn", f"It was sent, and cannot be looked at now: {error}"))
        return
    if not _is_going(board, receipt):
        st.rerun()
    st.html(sql_markup.going(receipt, board.said, connection().bench.clock()))


def _preview(board: Board, dataset: Dataset, contract: Contract, receipt: Receipt) -> None:
    """What it would do, and the two buttons: the word is bound to what is shown here."""
    shown = board.shown = mine.preview(dataset, board.run) if board.shown is None else board.shown
    if shown is None:
        st.html(markup.message("stop", "Its preview is not there any more: preview the statement again."))
        return
    seen = Session.here().page
    st.html(preview_markup.before(shown, seen.number if seen else 0))
    _buttons(board, dataset, shown, receipt)
    st.html(preview_markup.details(shown, contract))


def _buttons(board: Board, dataset: Dataset, shown: Preview, receipt: Receipt) -> None:
    with st.container(horizontal=True):
        st.button(
            "Promote",
            key="sql-promote",
            type="primary",
            icon=":material/publish:",
            help="Commit exactly this. It can be said once.",
            disabled=bool(shown.errors),
            on_click=_promote,
            args=(board, dataset, shown),
        )
        args = (board, dataset)
        st.button("Discard", key="sql-discard", help="Drop it: nothing changes.", on_click=_discard, args=args)
        _again(board, receipt)


def _promote(board: Board, dataset: Dataset, shown: Preview) -> None:
    """The word. Where it was said before, in another tab or by a second click, that is told and nothing is sent."""
    _say(board, dataset, "promote", partial(runs.promote, dataset, shown.run, shown.effect))


def _discard(board: Board, dataset: Dataset) -> None:
    _say(board, dataset, "discard", partial(runs.discard, dataset, board.run))


def _say(board: Board, dataset: Dataset, word: str, send: Callable[[], object]) -> None:
    try:
        receipt = mine.receipt(dataset, board.run)
        if receipt.final or (word == "promote" and receipt.status != PREVIEWED):
            board.notice = ("warn", sql_markup.too_late(receipt))
            return
        send()
    except TowlineError as error:
        board.notice = ("warn", f"{str(error)[0].upper()}{str(error)[1:]}.")
        return
    board.said = word


def _outcome(board: Board, dataset: Dataset, contract: Contract, receipt: Receipt) -> None:
    """What became of it, and the way on from there."""
    st.html(sql_markup.outcome(receipt, contract))
    with st.container(horizontal=True):
        if receipt.status == "committed":
            to = ("History", receipt.dataset, {"commit": str(receipt.number)})
            st.button(f"Commit {receipt.number} in History", icon=":material/history:", on_click=going.to, args=to)
        if receipt.status == "conflicted":
            to = ("Conflicts", receipt.dataset, {"proposal": receipt.proposal})
            st.button("Solve on the Conflicts page", icon=":material/call_merge:", on_click=going.to, args=to)
        _again(board, receipt)
    shown = mine.preview(dataset, board.run)
    if shown is not None:
        with st.expander("What was previewed"):
            st.html(preview_markup.head(shown) + preview_markup.details(shown, contract))


def _again(board: Board, receipt: Receipt) -> None:
    """Its statement back into the field, where another one is there."""
    statement = sql_markup.statement_of(receipt)
    if statement and statement != board.text:
        load = partial(board.load, statement)
        st.button("Edit the statement again", key="sql-again", type="tertiary", on_click=load)


def listed(board: Board, dataset: Dataset, post: Post) -> None:
    """The edits of this person: those that are going or wait for a word first, then the newest of the others."""
    found = mine.newest(dataset, post)
    if not found:
        return
    waiting = [each for each in found if not each[1].final]
    others = [each for each in found if each[1].final]
    now = connection().bench.clock()
    st.html(markup.subheading("Your edits by SQL", "from any session, newest first"))
    clickable.draw(sql_markup.runs(waiting + others, board.run, now), "sql-runs", partial(_open, board))


def _open(board: Board, act: str) -> None:
    board.open(json.loads(act))
    st.query_params[RUN] = board.run
