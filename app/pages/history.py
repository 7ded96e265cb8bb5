"""History: the commits of a dataset, and what each of them changed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import markup
from app.session import Session, connection
from towline.history import Record

ROWS = 16  # of the log, without scrolling
LISTED = 200  # changed rows of a commit that are shown


def page() -> None:
    session = Session.here()
    records = connection().dataset(session.dataset).log()
    st.html(markup.heading("History", f"{session.dataset} · {markup.count(len(records), 'record')}, newest first"))
    if not records:
        return
    table, side = st.columns([1.6, 1], gap="medium")
    with table:
        chosen = _choose(records)
    with side:
        _commit(session, records[chosen])


def _choose(records: Sequence[Record]) -> int:
    """Draw the log; the place of the record that is selected in it, at first the newest."""
    picked = st.dataframe(
        pd.DataFrame([markup.log_row(record) for record in records]),
        hide_index=True,
        height=620 if len(records) > ROWS else "content",
        on_select="rerun",
        selection_mode="single-row-required",
        key="log",
        alt="The commits, newest first",
    )
    rows = picked["selection"]["rows"]
    return int(rows[0]) if rows else 0


def _commit(session: Session, record: Record) -> None:
    dataset = connection().dataset(session.dataset)
    contract = dataset.contract()
    st.html(markup.record(record))
    if record["parent"] is None:
        st.html(markup.message("info", "The first table of this dataset."))
        return
    changes = dataset.diff(str(record["parent"]), str(record["commit"])).changes
    st.html(markup.block("".join(markup.row_change(change, contract) for change in changes[:LISTED])))
    if len(changes) > LISTED:
        st.html(markup.message("info", f"… and {len(changes) - LISTED:,} more rows; `towline diff` shows them all."))


if __name__ == "__main__":  # a process that has not met main.py yet runs the file that a link names: see main.py
    from app.main import route

    route()
