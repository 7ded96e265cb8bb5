"""The whole editor without a browser: AppTest over a pipeline in memory that commits as soon as something arrives.

AppTest cannot type into the grid, so what the grid would say is given to the desk instead; all else is the app itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import app.session
from app import clickable
from app.editing.desk import Desk
from app.editing.gridlog import Event
from app.session import Session
from tests.core.nets import Nets
from towline import connect, resources
from towline.connect import Connection
from towline.errors import Unavailable
from towline.settings import Settings


@dataclass
class Editor:
    """A tab on the editor, with the dataset of `tests.core.nets` (contract and pipeline included)."""

    patch: pytest.MonkeyPatch
    nets: Nets = field(default_factory=Nets)
    is_pumping: bool = True
    lists: dict[str, tuple[str, Callable[[str], None]]] = field(default_factory=dict)
    drafts: TemporaryDirectory[str] = field(default_factory=TemporaryDirectory)

    def __post_init__(self) -> None:
        st.cache_resource.clear()
        self.patch.setenv("S3_BUCKET", "towline")
        self.patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
        self.patch.setenv("TOWLINE_DATA_DIR", self.drafts.name)
        self.patch.setattr(connect, "connect", self._connection)
        self.patch.setattr(clickable, "draw", self._listed(clickable.draw))
        self.patch.setattr(app.session, "LOOKING", -1.0)
        self.nets.pipeline.store.faults = self._deliver
        self.tab = self._tab()

    @staticmethod
    def _tab() -> AppTest:
        return AppTest.from_file(str(resources.path("app", "main.py")), default_timeout=30)

    @property
    def desk(self) -> Desk:
        session: Session = self.tab.session_state["towline"]
        return session.desk()

    def _listed(self, draw: Any) -> Any:
        def listed(html: str, key: str, do: Callable[[str], None]) -> None:
            self.lists[key] = (html, do)
            draw(html, key, do)

        return listed

    def _connection(self, settings: Settings) -> Connection:
        return Connection(settings, self.nets.pipeline.bench)

    def _deliver(self, operation: str, key: str, phase: Literal["before", "after"]) -> None:
        if self.is_pumping and operation == "put" and key.startswith(("inbox/", "reviews/")) and phase == "after":
            self.nets.pipeline.pump()

    def open(self) -> Editor:
        self.lists.clear()
        self.tab.run()
        return self

    def reload(self) -> Editor:
        """The same page in a new tab; what the server kept of the old one is gone."""
        self.tab = self._tab()
        return self.open()

    def type(self, *events: Event) -> Editor:
        """What somebody did in the grid."""
        for event in events:
            self.desk.do(event)
        return self.open()

    def act(self, key: str, *act: str | None) -> Editor:
        """Click a button in a list."""
        self.lists[key][1](json.dumps(act))
        return self.open()

    def press(self, label: str) -> Editor:
        next(button for button in self.tab.button if button.label == label).click()
        return self.open()

    def why(self, note: str) -> Editor:
        self.tab.text_area[0].set_value(note)
        return self

    def go(self, page: str) -> Editor:
        # AppTest.switch_page wants pages that are files; ours are functions, known by their titles.
        pages = self.tab._registered_pages.items()
        self.tab._page_hash = next(name for name, about in pages if about["page_name"] == page)
        return self.open()

    def is_disabled(self, label: str) -> bool:
        return next(button.disabled for button in self.tab.button if button.label == label)

    @property
    def keys(self) -> list[tuple[int, int]]:
        """The keys of the master's rows."""
        head = self.nets.head()
        assert head is not None
        return [(row["tow"], row["net"]) for row in head.table.to_pylist()]

    @property
    def text(self) -> str:
        """Everything that the page and the sidebar say, as HTML."""
        assert not self.tab.exception, self.tab.exception
        said = [str(each.proto.body) for each in self.tab.get("html")]
        return "\n".join([*said, *(html for html, _ in self.lists.values())])

    def cut_off(self) -> None:
        """From now on the store does not answer."""

        def refuse(*_: object) -> None:
            raise Unavailable("no connection to http://127.0.0.1:4566")

        self.nets.pipeline.store.faults = refuse

    def restore(self) -> None:
        self.nets.pipeline.store.faults = self._deliver
