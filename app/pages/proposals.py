"""My proposals: what this session sent, and what became of it."""

from __future__ import annotations

import streamlit as st

from app import markup, panels
from app.session import Sent, Session, connection
from towline.dataset import Ticket


def page() -> None:
    session = Session.here()
    st.html(markup.heading("My proposals", "sent since this page was opened in the browser; History has all commits"))
    if not session.sent:
        st.html(markup.message("info", "Nothing was sent yet. Change something on the Edit page, and submit it."))
    for sent in session.sent:
        _show(sent)


def _show(sent: Sent) -> None:
    bench = connection().bench
    if sent.receipt is None or not sent.receipt.final:
        sent.receipt = Ticket(bench, sent.dataset, sent.proposal).receipt()
    receipt = sent.receipt
    with st.container(border=True):
        st.html(markup.proposal(sent.dataset, sent.proposal, sent.note, sent.at, receipt))
        panels.details(receipt, bench.recent_contract(sent.dataset)[0])


if __name__ == "__main__":  # a process that has not met main.py yet runs the file that a link names: see main.py
    from app.main import route

    route()
