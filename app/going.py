"""From one page of the editor to another, maybe of another dataset, with what the address is to say there."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.session import kept

_GOING = "going"


def to(title: str, dataset: str, query: Mapping[str, str] | None = None) -> None:
    """Leave for the page with this title as soon as the script runs anew: for buttons, which are heard before that."""
    kept()[_GOING] = (title, {"dataset": dataset, **(query or {})})


def leave() -> None:
    """Go, if somebody wants to."""
    if (going := kept().pop(_GOING, None)) is not None:
        title, query = going
        # Never without a query: Streamlit would want to clear the address, and the dataset in it is bound.
        st.switch_page(_page(title), query_params=query)


def _page(title: str) -> st.Page:
    """One of the editor's pages: Streamlit knows it by its path."""
    return st.Page(leave, title=title, url_path=title.lower(), default=title == "Edit")
