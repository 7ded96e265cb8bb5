"""SQL: statements that read, and statements that edit: tried out first, then promoted by one click."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from app import markup, sql_markup, sqlbox, sqlpanel
from app.pages.proposals import post
from app.session import Session, connection, kept
from app.sql import reading, words
from app.sql.board import Board
from app.sql.sources import sources
from towline import runs
from towline.contract import Contract
from towline.dataset import Dataset
from towline.errors import TowlineError, UsageError

STYLE = Path(__file__).parents[1] / "sql.css"


def page() -> None:
    session = Session.here()
    st.html(STYLE)
    dataset = connection().dataset(session.dataset)
    contract, board = dataset.contract(), _board(session.dataset)
    if asked := str(st.query_params.get(sqlpanel.RUN, "")):
        board.open(asked)
    st.html(markup.heading("SQL", f"{dataset.name} · {sqlpanel.standing(session.page)}"))
    _write(board, dataset, contract, session.names)
    kind, text = board.take_notice()
    if text:
        st.html(markup.message(kind, text))
    if board.refused:
        st.html(sql_markup.refusal(board.refused))
    if board.reading is not None:
        sqlpanel.reading(board)
    if board.run:
        sqlpanel.run(board, dataset, contract)
    sqlpanel.listed(board, dataset, post())


def _board(dataset: str) -> Board:
    """What this tab knows of the SQL of a dataset."""
    found: Board = kept().setdefault(f"sql-{dataset}", Board())
    return found


def _write(board: Board, dataset: Dataset, contract: Contract, names: list[str]) -> None:
    """The statement, why, and what to do with it."""
    others = [dataset.bench.recent_contract(name)[0] for name in names if name != dataset.name]
    tables = sources(dataset.name, [contract, *others])
    side = sql_markup.side(tables, words.examples(contract), board.recent)
    args = (board, dataset)
    hear, go = partial(_hear, *args), partial(_go, *args)
    sqlbox.draw(_field(dataset), board.text, board.stamp, side, hear, go)
    note, read, edit = st.columns([6, 1, 2], vertical_alignment="bottom")
    note.text_input(
        "Why? (a note, for a statement that edits)", key=_note(dataset), max_chars=2000, on_change=_hear, args=args
    )
    help = "Show what the statement finds. It changes nothing."
    read.button("Run", key="sql-run", width="stretch", help=help, on_click=_read, args=args)
    help = "Try the edit out on a copy and show what it would change. A SELECT is taken as the whole new table."
    edit.button(
        "Preview the edit", key="sql-preview", type="primary", width="stretch", help=help, on_click=_try, args=args
    )


def _field(dataset: Dataset) -> str:
    return f"sql-{dataset.name}"


def _note(dataset: Dataset) -> str:
    return f"sql-note-{dataset.name}"


def _hear(board: Board, dataset: Dataset) -> None:
    """What is written in the two fields, by now."""
    board.write(sqlbox.written(_field(dataset), board.text, board.stamp))
    board.note = str(st.session_state.get(_note(dataset)) or "")


def _go(board: Board, dataset: Dataset) -> None:
    """Ctrl+Enter: what reads is run, what edits is previewed."""
    _hear(board, dataset)
    (_try if words.is_edit(board.text) else _read)(board, dataset)


def _read(board: Board, dataset: Dataset) -> None:
    _hear(board, dataset)
    board.refused = ""
    try:
        if words.is_edit(board.text):
            raise UsageError(f"{words.verb(board.text)} edits: say why, and preview it")
        board.reading = reading.start(connection(), board.text, dataset.name)
    except TowlineError as error:
        board.refused = str(error)
        return
    board.remember()


def _try(board: Board, dataset: Dataset) -> None:
    """Send it to be previewed, if it can be compiled; else say why not, at its place."""
    _hear(board, dataset)
    board.refused = ""
    try:
        runs.check(dataset, board.text)
        run = dataset.send(dataset.sql(board.text, board.note, preview=True)).proposal
    except TowlineError as error:
        board.refused = str(error)
        return
    board.remember()
    board.open(run)
    board.reading = None
    st.query_params[sqlpanel.RUN] = run


if __name__ == "__main__":  # a process that has not met route.py yet runs the file that a link names: see route.py
    from app.route import route

    route()
