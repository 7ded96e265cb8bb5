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
from app.sql.runs import Runs
from app.sql.sources import sources
from towline.contract import Contract
from towline.errors import TowlineError

STYLE = Path(__file__).parents[1] / "sql.css"
RUN = "run"  # in the address: the edit that is open


def page() -> None:
    session = Session.here()
    st.html(STYLE)
    dataset = connection().dataset(session.dataset)
    contract, board, runs = dataset.contract(), _board(session.dataset), Runs(dataset)
    if asked := str(st.query_params.get(RUN, "")):
        board.open(asked)
    st.html(markup.heading("SQL", f"{dataset.name} · {sqlpanel.standing(session.page)}"))
    _write(board, contract, runs, session.names)
    kind, text = board.take_notice()
    if text:
        st.html(markup.message(kind, text))
    if board.refused:
        st.html(sql_markup.refusal(board.refused))
    if board.reading is not None:
        sqlpanel.reading(board)
    if board.run:
        sqlpanel.run(board, runs, contract)
    sqlpanel.listed(board, runs, post())


def _board(dataset: str) -> Board:
    """What this tab knows of the SQL of a dataset."""
    found: Board = kept().setdefault(f"sql-{dataset}", Board())
    return found


def _write(board: Board, contract: Contract, runs: Runs, names: list[str]) -> None:
    """The statement, why, and what to do with it."""
    others = [runs.dataset.bench.recent_contract(name)[0] for name in names if name != contract.dataset]
    tables = sources(contract.dataset, [contract, *others])
    side = sql_markup.side(tables, words.examples(contract), board.recent)
    go = partial(_go, board, runs, contract, names)
    sqlbox.draw(f"sql-{contract.dataset}", board.text, board.stamp, side, board.write, go)
    note, read, edit = st.columns([6, 1, 2], vertical_alignment="bottom")
    why, key = "Why? (a note, for a statement that edits)", f"sql-note-{contract.dataset}"
    note.text_input(why, key=key, max_chars=2000, on_change=_noted, args=(board, key))
    help = "Show what the statement finds. It changes nothing."
    read.button("Run", key="sql-run", width="stretch", help=help, on_click=_read, args=(board, contract.dataset))
    help = "Try the edit out on a copy and show what it would change. A SELECT is taken as the whole new table."
    args = (board, runs, contract, names)
    edit.button(
        "Preview the edit", key="sql-preview", type="primary", width="stretch", help=help, on_click=_try, args=args
    )


def _noted(board: Board, key: str) -> None:
    board.note = str(st.session_state[key] or "")


def _go(board: Board, runs: Runs, contract: Contract, names: list[str], text: str) -> None:
    """Ctrl+Enter: what reads is run, what edits is previewed."""
    board.write(text)
    if words.is_edit(text):
        _try(board, runs, contract, names)
    else:
        _read(board, contract.dataset)


def _read(board: Board, dataset: str) -> None:
    board.refused = ""
    try:
        if words.is_edit(board.text):
            board.refused = f"{words.verb(board.text)} edits: say why, and preview it"
            return
        board.reading = reading.start(connection(), board.text, dataset)
    except TowlineError as error:
        board.refused = str(error)
        return
    board.remember()


def _try(board: Board, runs: Runs, contract: Contract, names: list[str]) -> None:
    """Send it to be previewed, if it can be compiled; else say why not, at its place."""
    board.refused = ""
    try:
        runs.check(board.text, contract, names)
        run = runs.start(board.text, board.note)
    except TowlineError as error:
        board.refused = str(error)
        return
    board.remember()
    board.open(run)
    board.reading = None
    st.query_params[RUN] = run


if __name__ == "__main__":  # a process that has not met main.py yet runs the file that a link names: see main.py
    from app.main import route

    route()
