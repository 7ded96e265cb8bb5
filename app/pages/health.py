"""Health: how things are, what to do about what is not fine, and whether a dataset's history is whole. It draws when
nothing else can."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import streamlit as st

from app import health_markup, markup, verify_markup
from app.session import Session, connection, kept
from towline import connect
from towline.errors import TowlineError
from towline.health import judge, versions
from towline.health.checkup import Checkup
from towline.health.fact import Health
from towline.settings import Settings
from towline.verify import verify

EVERY = 5.0  # seconds between two looks
SOON = 0.4  # seconds that such a look waits for answers; what comes later is in the next one


def page() -> None:
    st.html(Path(__file__).parents[1] / "health.css")
    _facts([_look(None)])
    dataset = Session.here().dataset
    if dataset:
        _verification(dataset)


def _verification(dataset: str) -> None:
    """Verify the chosen dataset when asked to, and show what came of it until another is chosen."""
    with st.container(key="verify"):
        label, icon = "Verify this dataset", ":material/verified:"
        # As a callback: a click is not lost where the page is drawn again before it comes to this button.
        ask = partial(kept().update, to_verify=dataset)
        st.button(label, key="verify-now", icon=icon, help=verify_markup.HELP, on_click=ask)
        if kept().pop("to_verify", "") == dataset:
            _verify(dataset)
        found = kept().get("verdict")
        if found is not None and found.dataset == dataset:
            st.html(verify_markup.verdict(found))


def _verify(dataset: str) -> None:
    bar = st.progress(0.0, f"{dataset}: reading the records")

    def seen(done: int, whole: int) -> None:
        bar.progress(done / whole, f"{dataset}: commit {done:,} of {whole:,}")

    try:
        kept()["verdict"] = verify(connection().bench, dataset, seen=seen)
    except TowlineError as error:
        st.html(markup.message("stop", str(error)))
    bar.empty()


@st.fragment(run_every=EVERY)
def _facts(first: list[Health]) -> None:
    """Draw what is known now. `first` is what the page itself has seen, for its first drawing."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(markup.heading("Health", "how things are, and what to do about what is not fine"), width="stretch")
        is_asked = st.button("Refresh", key="refresh", icon=":material/refresh:")
    found = _look(None) if is_asked else first.pop() if first else _look(SOON)
    with st.container(key="health"):
        st.html(health_markup.page(found, EVERY))


def _look(wait: float | None) -> Health:
    try:
        return _checkup(connection().settings).look(wait)
    except TowlineError as error:  # neither a bucket nor a stack is configured
        nowhere = judge.unreached(str(error), "start a stack with `towline up`, or name a bucket (docs/editor.md)")
        return Health(datetime.now(UTC), (nowhere, *versions.look()))


@st.cache_resource(show_spinner=False)
def _checkup(settings: Settings) -> Checkup:
    """One for all tabs, so that they share its answers."""
    return connect.checkup(connection())


if __name__ == "__main__":  # a process that has not met route.py yet runs the file that a link names: see route.py
    from app.route import route

    route()
