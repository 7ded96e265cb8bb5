"""Debian's Chromium on the real editor: the words for what a person does around the grid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.grid.driver import CHROMIUM, FLAGS, Grid, Tabs, tabs
from towline.local.stack import Start

__all__ = ["CHROMIUM", "FLAGS", "WITH_EDITOR", "Tab", "Tabs", "browser", "tabs"]

WITH_EDITOR = Start(port=0, app=True)


@contextmanager
def browser(url: str, width: int = 1280, height: int = 800, scheme: str = "light") -> Iterator[Tab]:
    with tabs() as chromium:
        yield Tab.open(chromium, url, width, height, scheme)


@dataclass
class Tab:
    """A tab on the editor."""

    grid: Grid
    url: str

    @staticmethod
    def open(chromium: Tabs, url: str, width: int = 1280, height: int = 800, scheme: str = "light") -> Tab:
        return Tab(chromium.open(url, width, height, scheme), url)

    @property
    def page(self) -> Page:
        return self.grid.page

    def settled(self) -> None:
        """Everything that was typed is known to Python."""
        expect(self.grid.root).to_have_attribute("data-pending", "0")

    def reload(self, path: str = "") -> None:
        """Load the page anew: another session."""
        self.page.goto(f"{self.url}{path}")
        self.page.locator(".slick-cell").first.wait_for()

    def type(self, row: int, column: str, text: str) -> None:
        self.grid.type(row, column, text)

    def why(self, note: str) -> None:
        box = self.page.get_by_role("textbox", name="Why?")
        box.fill(note)
        box.press("Control+Enter")

    def button(self, label: str) -> Locator:
        return self.page.get_by_role("button", name=label).first

    def press(self, label: str) -> None:
        self.button(label).click()

    def tool(self, title: str) -> None:
        """Press a button of the grid's own bar."""
        self.page.locator(f".tl-bar button[title^='{title}']").click()

    def submit(self, note: str) -> None:
        """Submit, and wait until it is through."""
        self.why(note)
        self.press("Submit")
        self.sees("No changes yet")

    def download(self, label: str) -> bytes:
        """What a download button gives."""
        with self.page.expect_download() as started:
            self.press(label)
        return Path(started.value.path()).read_bytes()

    def go(self, page: str) -> None:
        self.page.get_by_role("link", name=page).click()

    def sees(self, text: str) -> None:
        """`text` is on the page, or comes."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def sees_no(self, text: str) -> None:
        expect(self.page.get_by_text(text)).to_have_count(0)

    def lists(self, *values: str) -> None:
        """These are the new values that stand beside the grid, or will."""
        expect(self.page.locator(".st-key-pending .tl-new, .st-key-pending .tl-bad")).to_have_text(list(values))
