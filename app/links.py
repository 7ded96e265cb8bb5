"""Links into the editor: `?dataset=net_tows&commit=12&key=4,1` says a dataset, a commit by id or number, and a row."""

from __future__ import annotations

import streamlit as st

from app.editing.desk import Desk
from app.editing.links import row_of
from app.session import Session


def commit() -> str:
    """The commit that the address names; empty for the head."""
    return str(st.query_params.get("commit", "")).strip()


def leave_commit() -> None:
    """Go to the head."""
    st.query_params.pop("commit", None)


def follow(session: Session, desk: Desk) -> None:
    """Have the grid go to the row that the address names, once. A row that is not there is said."""
    key = str(st.query_params.get("key", ""))
    here = f"{desk.sheet.dataset} {desk.sheet.commit} {key}"
    if not key or session.arrived == here:
        return
    session.arrived = here
    found = row_of(desk.sheet, key)
    if found is not None:
        desk.show(found)
        return
    names = ",".join(desk.sheet.contract.key)
    session.notice = f"The link names a row that commit {desk.sheet.number} does not have: key={key} (that is {names})."
