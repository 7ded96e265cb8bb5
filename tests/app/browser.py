"""Debian's Chromium on the real editor. The grid is a canvas: cells are reached by a click on a key cell and the arrow
keys, and read from the accessibility tree that the widget keeps of what is visible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, TimeoutError, expect, sync_playwright

from app.grid import ROW_HEIGHT

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
HEADER, MARKER = 34, 60  # pixels: the header's height; from the grid's edge into the first column
TRIES = 4

expect.set_options(timeout=20_000)


@contextmanager
def browser(url: str, width: int = 1280, height: int = 800) -> Iterator[Tab]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield Tab(chromium.new_page(viewport={"width": width, "height": height}), url).open()
        finally:
            chromium.close()


@dataclass
class Tab:
    """A tab on the editor."""

    page: Page
    url: str

    def open(self) -> Tab:
        """Load the editor. A change of the machine's networks (a container that starts) breaks a page that is loading:
        then it is loaded again."""
        for _ in range(TRIES):
            self.page.goto(self.url)
            self.grid.wait_for()
            self.page.wait_for_timeout(500)
            if not self.page.get_by_text("Failed to fetch").count():
                return self
        raise AssertionError("the page does not load")

    @property
    def grid(self) -> Locator:
        return self.page.locator(".stDataFrameGlideDataEditor").first

    def cell(self, place: int, column: int) -> Callable[[str], None]:
        """Go to a cell by mouse and keyboard: rows and columns as they stand in the grid, the first is 0."""
        self.grid.click(position={"x": MARKER, "y": HEADER + ROW_HEIGHT * (place + 0.5)})
        self._is_at(place, 0)
        for _ in range(column):
            self.page.keyboard.press("ArrowRight", delay=20)
        self._is_at(place, column)
        return self._type

    def _is_at(self, place: int, column: int) -> None:
        """Wait until the grid says that this cell is selected: it hears no keys before."""
        expect(self.page.locator(f"#glide-cell-{column + 1}-{place}")).to_have_attribute("aria-selected", "true")

    def _type(self, text: str) -> None:
        """Type over the cell that is selected, as fast as people do."""
        self.page.keyboard.type(text, delay=40)
        expect(self.page.locator("#portal textarea, #portal input")).to_have_value(text)
        self.page.keyboard.press("Enter", delay=40)

    def why(self, note: str) -> None:
        self.page.get_by_role("textbox", name="Why?").fill(note)

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label).first.click()

    def submit(self) -> None:
        """Press Submit until the proposal is through. A click that meets a page which is just being redrawn can be lost
        on a slow machine: a person sees that, and clicks again."""
        done = self.page.get_by_text("No changes yet").first
        for _ in range(TRIES):
            self.press("Submit")
            with suppress(AssertionError):
                expect(done).to_be_visible(timeout=8_000)
                return
        expect(done).to_be_visible()

    def download(self, label: str) -> bytes:
        """What a download button gives; pressed again as Submit is."""
        for _ in range(TRIES):
            with suppress(TimeoutError):
                with self.page.expect_download(timeout=8_000) as started:
                    self.press(label)
                return Path(started.value.path()).read_bytes()
        raise AssertionError(f"{label!r} gives no file")

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
