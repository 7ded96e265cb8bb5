"""The whole editor without a browser: AppTest over a pipeline in memory that commits as soon as something arrives.

AppTest cannot type into the grid widget, so what the widget would report is given instead; all else is the app itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import grid
from app.editing.desk import Desk
from app.editing.edits import Events
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
    events: dict[int, Events] = field(default_factory=dict)

    def __post_init__(self) -> None:
        st.cache_resource.clear()
        self.patch.setenv("S3_BUCKET", "towline")
        self.patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
        self.patch.setattr(connect, "connect", self._connection)
        self.patch.setattr(grid, "draw", self._drawn(grid.draw))
        self.patch.setattr(grid, "SETTLE", 0.0)
        self.nets.pipeline.store.faults = self._deliver
        self.tab = AppTest.from_file(str(resources.path("app", "main.py")), default_timeout=30)

    def _connection(self, settings: Settings) -> Connection:
        return Connection(settings, self.nets.pipeline.bench)

    def _drawn(self, draw: Any) -> Any:
        def drawn(desk: Desk) -> Events:
            """The widget as the app makes it, and then what is typed into this epoch of it."""
            draw(desk)
            self.epoch = desk.epoch
            return self.events.get(desk.epoch, Events())

        return drawn

    def _deliver(self, operation: str, key: str, phase: Literal["before", "after"]) -> None:
        if self.is_pumping and operation == "put" and key.startswith("inbox/") and phase == "after":
            self.nets.pipeline.pump()

    def open(self) -> Editor:
        self.tab.run()
        return self

    def type(self, events: Events) -> Editor:
        """What the grid reports from now on, until it is drawn anew."""
        self.events[self.epoch] = events
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
        return "\n".join(str(each.proto.body) for each in self.tab.get("html"))

    def cut_off(self) -> None:
        """From now on the store does not answer."""

        def refuse(*_: object) -> None:
            raise Unavailable("no connection to http://127.0.0.1:4566")

        self.nets.pipeline.store.faults = refuse

    def restore(self) -> None:
        self.nets.pipeline.store.faults = self._deliver
