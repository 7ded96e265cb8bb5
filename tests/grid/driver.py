"""Debian's Chromium on the grid's page: a server, a tab, and words for what a person does in it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError, WebSocketRoute, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(__file__).with_name("page.py")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
GUTTER = 1  # columns of the grid before the table's

expect.set_options(timeout=15_000)


@contextmanager
def server(script: Path = PAGE) -> Iterator[str]:
    """The grid's page, or another, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    options += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        _await(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _await(url: str, patience: float = 30) -> None:
    deadline = monotonic() + patience
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            if monotonic() > deadline:
                raise
            sleep(0.1)


@contextmanager
def tabs() -> Iterator[Tabs]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield Tabs(chromium)
        finally:
            chromium.close()


@dataclass
class Tabs:
    """A browser. Each tab has a clipboard and a session of its own."""

    chromium: Any

    def open(self, url: str, width: int = 1280, height: int = 800, scheme: str = "light") -> Grid:
        return self._visit(self.blank(width, height, scheme), url)

    def open_by_line(self, url: str) -> tuple[Grid, list[WebSocketRoute]]:
        """A tab whose connections can be cut: they are in the list as they are made."""
        grid = self.blank()
        lines: list[WebSocketRoute] = []

        def connect(line: WebSocketRoute) -> None:
            line.connect_to_server()
            lines.append(line)

        grid.page.route_web_socket("**/_stcore/stream*", connect)
        return self._visit(grid, url), lines

    def blank(self, width: int = 1280, height: int = 800, scheme: str = "light") -> Grid:
        """A tab that shows nothing yet."""
        context = self.chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        grid = Grid(context.new_page())
        grid.page.on("pageerror", lambda error: grid.problems.append(str(error)))
        return grid

    def _visit(self, grid: Grid, url: str) -> Grid:
        for patience in (5_000, 5_000):  # a network that changes (a container starts) breaks a page that loads
            grid.page.goto(url)
            with suppress(TimeoutError):
                grid.cell(0, 0).wait_for(timeout=patience)
                return grid
        grid.page.goto(url)
        grid.cell(0, 0).wait_for()
        return grid


class Grid:
    """The grid in a tab. Rows and columns are counted as they are shown, from 0."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []

    @property
    def root(self) -> Locator:
        return self.page.locator(".tl-root")

    @property
    def keyboard(self) -> Any:
        return self.page.keyboard

    @property
    def columns(self) -> list[str]:
        self.page.locator(".tl-name").first.wait_for()
        return self.page.locator(".tl-name").all_text_contents()

    def cell(self, row: int, column: int | str) -> Locator:
        number = column if isinstance(column, int) else self.columns.index(column)
        return self.page.locator(f'.slick-row[data-row="{row}"] .slick-cell.l{number + GUTTER}')

    def text(self, row: int, column: str) -> str:
        return self.cell(row, column).text_content() or ""

    def go(self, row: int, column: str) -> None:
        self.cell(row, column).click()
        expect(self.cell(row, column)).to_contain_class("active")

    def type(self, row: int, column: str, text: str) -> None:
        """Type over a cell."""
        self.go(row, column)
        self.keyboard.type(text)
        self.keyboard.press("Enter")

    def select(self, row: int, column: str, down: int = 0, right: int = 0) -> None:
        self.go(row, column)
        for _ in range(down):
            self.keyboard.press("Shift+ArrowDown")
        for _ in range(right):
            self.keyboard.press("Shift+ArrowRight")

    def clip(self, text: str) -> None:
        """Put text into the clipboard, as another program does."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)

    def paste(self, row: int, column: str, text: str) -> None:
        self.clip(text)
        self.go(row, column)
        self.keyboard.press("Control+v")

    def settled(self) -> dict[str, Any]:
        """What Python knows, once it has acknowledged all that happened here and has said so on the page."""
        for _ in range(200):
            expect(self.root).to_have_attribute("data-pending", "0")
            store: dict[str, Any] = json.loads(self.page.get_by_test_id("stText").text_content() or "{}")
            if store["at"] == self.root.get_attribute("data-version"):
                return store
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the page stays at {store['at']}")

    def cells(self) -> dict[str, dict[str, str | None]]:
        """What was typed, by row and column."""
        found: dict[str, dict[str, str | None]] = self.settled()["state"]["cells"]
        return found
