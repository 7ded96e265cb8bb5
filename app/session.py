"""What one browser tab knows: one dataclass in Streamlit's session state, and the connection that all tabs share."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

from app.editing.desk import Desk
from app.editing.remote import Glance, glance, open_sheet
from towline import connect
from towline.connect import Connection
from towline.errors import Unavailable
from towline.receipts import Receipt
from towline.settings import Settings

_NAME = "towline"


@dataclass
class Sent:
    """A proposal that this session sent."""

    dataset: str
    proposal: str
    note: str
    at: datetime
    receipt: Receipt | None = None


@dataclass
class Session:
    """One tab's state.

    names    the datasets, as last listed
    desks    what is open and edited, by dataset
    glances  the head of each dataset, as last seen; `page` is the one that the page on the screen was drawn with
    on_grid  the dataset whose grid is in the browser, with what was typed into it; empty on other pages
    drawn    whether this run drew the grid
    sent     newest first
    notes    counts the notes that were written, so that a commit empties the field
    """

    names: list[str] = field(default_factory=list)
    dataset: str = ""
    desks: dict[str, Desk] = field(default_factory=dict)
    glances: dict[str, Glance] = field(default_factory=dict)
    page: Glance | None = None
    on_grid: str = ""
    drawn: bool = False
    sent: list[Sent] = field(default_factory=list)
    notes: int = 0

    @staticmethod
    def here() -> Session:
        if _NAME not in st.session_state:
            st.session_state[_NAME] = Session()
        session: Session = st.session_state[_NAME]
        return session

    def list_datasets(self) -> list[str]:
        """The names of all datasets; while the store does not answer, those that were known."""
        try:
            self.names = connection().datasets()
        except Unavailable:
            if not self.names:
                raise
        return self.names

    def look(self) -> Glance:
        """Look at the head of the chosen dataset now."""
        known = self.glances.get(self.dataset)
        seen = glance(connection().bench, self.dataset, known)
        if known is None or not seen.problem:  # else what was last seen of the head is still worth showing
            self.glances[self.dataset] = seen
        return seen

    def begin(self) -> None:
        """A run of the script begins."""
        self.drawn = False

    def end(self) -> None:
        """A run came to its end. A browser forgets a grid that it did not draw; a run that was broken off by the next
        one does not come here, and the browser forgets nothing."""
        if not self.drawn:
            self.on_grid = ""

    def drew_grid(self) -> None:
        self.drawn, self.on_grid = True, self.dataset

    def desk(self) -> Desk:
        """The desk of the chosen dataset, opened at the head when there is none yet."""
        if self.dataset not in self.desks:
            self.desks[self.dataset] = Desk(open_sheet(connection().bench, self.dataset))
        return self.desks[self.dataset]

    def remember(self, proposal: str, note: str) -> None:
        """A proposal was sent."""
        self.sent.insert(0, Sent(self.dataset, proposal, note, connection().bench.clock()))

    def heard(self, receipt: Receipt) -> None:
        """A proposal has its final receipt."""
        for sent in self.sent:
            if sent.proposal == receipt.proposal:
                sent.receipt = receipt
        self.notes += receipt.status == "committed"


def connection() -> Connection:
    """The bucket of the environment, or of the local stack. UsageError: neither is there."""
    return _connect(Settings.resolve(os.environ))


@st.cache_resource(show_spinner=False)
def _connect(settings: Settings) -> Connection:
    return connect.connect(settings)
