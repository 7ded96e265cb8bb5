"""Explore in a real browser: the pictures are there with a mark for each row, lead to their rows, and can be saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.app.browser import CHROMIUM, FLAGS, WITH_EDITOR
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import running
from tests.needs import need
from towline.change import RowChange
from towline.local.stack import StackInfo

ROWS = 125  # of the sample


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """The sample; commit 2 changes a row, adds one and deletes one."""
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with running(tmp_path_factory.mktemp("explore"), WITH_EDITOR) as started:
        ana = Researcher(started, NAME)
        first, second, last = ana.row(0), ana.row(1), ana.row(ROWS - 1)
        changes = (
            RowChange(first, {**first, "lat_decimal": 22.5}),
            RowChange(second, None),
            RowChange(None, {**last, "tow": 14}),
        )
        commit = ana.head().commit
        assert commit is not None
        assert ana.send(ana.dataset.rows(changes, "a better position", commit)).wait().status == "committed"
        yield started


@pytest.fixture(scope="module")
def page(info: StackInfo) -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            opened = chromium.new_page(viewport={"width": 1280, "height": 900})
            yield opened
        finally:
            chromium.close()


def explore(page: Page, info: StackInfo, commit: str = "") -> None:
    page.goto(f"{info.editor}/explore?dataset={NAME}{commit and f'&commit={commit}'}")
    expect(marks(page, "missing", "rect")).to_have_count(13)


def chart(page: Page, kind: str) -> Locator:
    return page.locator(f".st-key-explore-{kind} svg.marks")


def marks(page: Page, kind: str, mark: str) -> Locator:
    """The marks of a picture, without those of its legends."""
    return chart(page, kind).locator(f".mark-{mark}.role-mark path")


def test_every_row_has_a_mark_and_changed_ones_have_signs(page: Page, info: StackInfo) -> None:
    explore(page, info)
    # Dots of the rows that are there (one added, one deleted), and three signs.
    expect(marks(page, "map", "symbol")).to_have_count(ROWS + 3)
    expect(marks(page, "range", "rect")).to_have_count(ROWS + 1)
    expect(marks(page, "range", "symbol")).to_have_count(3)
    expect(page.get_by_text("Rows that differ from commit 1:")).to_be_visible()
    expect(chart(page, "map").get_by_text("row inserted")).to_be_visible()


def test_an_older_commit_is_shown_as_it_was(page: Page, info: StackInfo) -> None:
    explore(page, info, "1")
    expect(marks(page, "map", "symbol")).to_have_count(ROWS)
    expect(page.get_by_text("it is the first commit")).to_be_visible()


def test_the_map_keeps_apart_what_is_apart(page: Page, info: StackInfo) -> None:
    """The nets of the sample lie within 2.5 degrees: their marks fill the map, and the tows do not collapse."""
    explore(page, info, "1")
    boxes = [box for box in (dot.bounding_box() for dot in marks(page, "map", "symbol").all()) if box]
    places = {(round(box["x"] / 4), round(box["y"] / 4)) for box in boxes}
    whole = chart(page, "map").bounding_box()
    assert whole is not None
    assert len(places) > 25
    assert max(box["y"] for box in boxes) - min(box["y"] for box in boxes) > whole["height"] / 2


def test_a_click_on_a_mark_leads_to_its_row(page: Page, info: StackInfo) -> None:
    explore(page, info)
    # Tow 1 and tow 2 have 17 nets left, so that this is the fourth of tow 3.
    marks(page, "range", "rect").nth(20).click(force=True)
    link = page.get_by_role("link", name="Open this row on the Edit page")
    expect(link).to_be_visible()
    link.click()
    page.wait_for_url("**key=*")
    assert "key=3%2C3" in page.url


@pytest.mark.parametrize("kind", ["Map lat_decimal long_decimal", "Missing values"])
def test_a_picture_is_saved_as_svg_and_png(page: Page, info: StackInfo, kind: str, tmp_path: Path) -> None:
    explore(page, info)
    name, body = saved(page, f"Save {kind} as SVG", tmp_path)
    assert name.startswith(f"{NAME}-commit-2-")
    root = ElementTree.fromstring(body)  # noqa: S314  # our own picture
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 13
    assert b"http://127.0.0.1" not in body
    name, body = saved(page, f"Save {kind} as PNG", tmp_path)
    assert name.endswith(".png")
    assert body.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(body) > 10_000


def saved(page: Page, label: str, folder: Path) -> tuple[str, bytes]:
    with page.expect_download() as started:
        page.get_by_role("button", name=label).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path.name, path.read_bytes()
