"""The Files page in a real browser, on a real local stack: a good file and a refused one, and trying that again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.app.browser import CHROMIUM, WITH_EDITOR, tabs
from tests.local_stack import eventually, running
from tests.needs import need
from towline.connect import connect
from towline.ingest import manifest
from towline.ingest.entry import Entry
from towline.local.stack import StackInfo, stack_settings

SET = "loggers"
NASTY = "bad\n<img src=x onerror=alert(1)>![x](x).csv"


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with running(tmp_path_factory.mktemp("files"), WITH_EDITOR) as started:
        yield started


def test_a_good_and_a_refused_file_are_shown_and_the_refused_one_is_tried_again(info: StackInfo) -> None:
    store = connect(stack_settings(info)).bench.store
    store.put(f"raw/{SET}/north/good.csv", b"depth,temperature\n1.5,<b>4.25</b>\n2.5,\n")
    store.put(f"raw/{SET}/{NASTY}", b"depth,temperature\n")

    def both() -> list[Entry]:
        found = manifest.entries(store, SET)
        is_sampled = any(store.list(f"samples/{SET}/"))
        return found if len(found) == 2 and is_sampled else []

    good, bad = sorted(eventually(both), key=lambda entry: entry.status)
    assert (good.status, bad.status) == ("bronze", "quarantined")
    with tabs() as chromium:
        grid = chromium.blank(1280, 800, "light")
        page = grid.page
        page.goto(f"{info.editor}/files?of={SET}&file={good.ingest}")
        expect(page.get_by_text("2 files came in")).to_be_visible()
        expect(page.get_by_role("region", name="Sample")).to_contain_text("<b>4.25</b>")
        page.get_by_role("button", name="bad↵<img src=x onerror=alert(1)>![x](x).csv").click()
        expect(page.get_by_text("Why it was refused")).to_be_visible()
        expect(page.get_by_text(bad.reasons[0]).first).to_be_visible()
        page.get_by_role("button", name="Retry").click()
        page.get_by_role("button", name="quarantined", exact=True).click()
        expect(page.get_by_role("cell", name=f"{bad.ingest}.1", exact=True)).to_be_visible()
        expect(page.get_by_text("3 files came in")).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert grid.problems == []
    assert sorted(entry.retry_of or "" for entry in manifest.entries(store, SET)) == ["", "", bad.ingest]
