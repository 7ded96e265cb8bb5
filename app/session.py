"""What one browser tab knows: one dataclass in Streamlit's session state, and the connection that all tabs share."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.editing.desk import Desk, new_log
from app.editing.drafts import Draft, Journal, Shelf
from app.editing.edits import Edits
from app.editing.gridlog import State
from app.editing.gridsheet import state_of
from app.editing.remote import Glance, glance, open_sheet
from app.editing.sheet import Sheet
from towline import connect
from towline.connect import Connection
from towline.errors import Unavailable
from towline.settings import Settings, stack_dir

LOOKING, LISTING = 5.0, 30.0  # seconds between two looks at the head, and at the list of datasets
_NAME = "towline"


@dataclass
class Session:
    """One tab's state.

    names    the datasets, as last listed, at the moment `listed` of the monotonic clock
    desks    what is open and edited, by dataset
    glances  the head of each dataset, as it was last there to be seen; `seen` is the last look, at whichever
    page     the look that the page on the screen was drawn with
    views    commits that are looked at, by dataset, each with its name in the address: they are not edited
    arrived  the link that was followed last: a row is jumped to once
    notice   what a button could not do; shown once
    asked    the cell whose story is told, until its window is closed: a row by the grid's id, and a column
    kept     what a page keeps from one run to the next, by name
    """

    names: list[str] = field(default_factory=list)
    listed: float = -math.inf
    dataset: str = ""
    desks: dict[str, Desk] = field(default_factory=dict)
    glances: dict[str, Glance] = field(default_factory=dict)
    seen: Glance | None = None
    page: Glance | None = None
    views: dict[str, tuple[str, Desk]] = field(default_factory=dict)
    arrived: str = ""
    notice: str = ""
    asked: tuple[str, str] | None = None
    kept: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def here() -> Session:
        if _NAME not in st.session_state:
            st.session_state[_NAME] = Session()
        session: Session = st.session_state[_NAME]
        return session

    def ask(self, row: str, column: str) -> None:
        """Have the page tell the story of a cell, in a window that stays through runs of the script."""
        self.asked = (row, column)

    def heard(self) -> None:
        """The story was read."""
        self.asked = None

    def list_datasets(self) -> list[str]:
        """The names of all datasets, asked for now and then; while the store does not answer, those that were known."""
        if time.monotonic() - self.listed < LISTING:
            return self.names
        try:
            self.names = connection().datasets()
            self.listed = time.monotonic() if self.names else self.listed
        except Unavailable:
            if not self.names:
                raise
        return self.names

    def glance(self) -> Glance:
        """The head of the chosen dataset as it was seen a moment ago: to draw a page takes no request."""
        known = self.seen
        if known is None or known.problem or self._is_behind(known):
            return self.look()
        return known

    def _is_behind(self, known: Glance) -> bool:
        """Whether a look at the head is of another dataset, too old, or older than what is edited."""
        desk = self.desks.get(self.dataset)
        at = self.glances.get(self.dataset)
        is_old = (connection().bench.clock() - known.at).total_seconds() > LOOKING
        return at is not known or is_old or (desk is not None and known.number < desk.sheet.number)

    def look(self) -> Glance:
        """Look at the head of the chosen dataset now."""
        known = self.glances.get(self.dataset)
        self.seen = glance(connection().bench, self.dataset, known)
        if known is None or not self.seen.problem:  # else what was last seen of the head is still worth showing
            self.glances[self.dataset] = self.seen
        return self.seen

    def desk(self) -> Desk:
        """The desk of the chosen dataset, opened at the head when there is none yet."""
        if self.dataset not in self.desks:
            self.desks[self.dataset] = _desk(open_sheet(connection().bench, self.dataset))
        return self.desks[self.dataset]

    def view(self, commit: str) -> Desk:
        """A commit of the chosen dataset, to be looked at: its desk keeps no draft."""
        known = self.views.get(self.dataset)
        if known is None or known[0] != commit:
            self.views[self.dataset] = (commit, Desk(open_sheet(connection().bench, self.dataset, commit)))
        return self.views[self.dataset][1]

    def reopen(self, sheet: Sheet, edits: Edits, note: str = "") -> None:
        """Edit `sheet` with these edits on top. What is on the desk now stays on disk as a draft, and is offered."""
        self._put(sheet, state_of(edits), note)

    def resume(self, draft: Draft) -> None:
        """Go on with a draft on the commit that it was made on. Unavailable, NotFound: that cannot be read, and nothing
        has changed."""
        self._put(open_sheet(connection().bench, draft.dataset, draft.commit), draft.state, draft.note)
        if not self.desks[draft.dataset].unkept:
            draft.delete()

    def _put(self, sheet: Sheet, state: State, note: str) -> None:
        self.desks[sheet.dataset] = _desk(sheet, state, note)

    def drafts(self) -> tuple[Draft, ...]:
        """Drafts of the chosen dataset that no open tab works on."""
        return shelf().drafts(self.dataset, _is_open)


def kept() -> dict[str, Any]:
    """What pages keep from one run to the next. Streamlit's own session state holds widgets beside it, nothing else."""
    return Session.here().kept


def _desk(sheet: Sheet, state: State | None = None, note: str = "") -> Desk:
    return Desk(sheet, new_log(state), _journal, note=note)


def _journal(sheet: Sheet) -> Journal:
    journal = shelf().journal(sheet.dataset, sheet.commit, sheet.number)
    context = get_script_run_ctx()
    _writers()[journal.path] = context.session_id if context else ""
    return journal


def _is_open(path: Path) -> bool:
    """Whether a tab that is open now writes this journal. One that was closed a moment ago does not."""
    writer = _writers().get(path, "")
    context = get_script_run_ctx()
    if context is not None and writer == context.session_id:
        desk = Session.here().desks
        return any(each.journal is not None and each.journal.path == path for each in desk.values())
    return bool(writer) and Runtime.exists() and Runtime.instance().is_active_session(writer)


@st.cache_resource(show_spinner=False)
def _writers() -> dict[Path, str]:
    """The session that writes each journal of this process."""
    return {}


def shelf() -> Shelf:
    """Where this bucket's drafts lie: with the local stack, or in the platform's user data directory."""
    return Shelf(stack_dir(os.environ) / "drafts" / connection().settings.bucket)


def connection() -> Connection:
    """The bucket of the environment, or of the local stack. UsageError: neither is there."""
    return _connect(Settings.resolve(os.environ))


@st.cache_resource(show_spinner=False)
def _connect(settings: Settings) -> Connection:
    return connect.connect(settings)
