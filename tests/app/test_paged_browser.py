"""A table of more rows than the grid shows at once, in a real browser on a real local stack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from playwright.sync_api import expect

from app.editing.paged import LARGE
from tests.app.browser import CHROMIUM, WITH_EDITOR, Tab, browser
from tests.app.test_screenshots import PICTURES
from tests.local_stack import running
from tests.needs import need
from towline.connect import connect
from towline.contract import Contract
from towline.dataset import Dataset
from towline.files import write_table
from towline.local.stack import StackInfo, stack_settings

NAME = "catches"
ROWS = LARGE + 10_000
CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "haul", "type": "integer"},
            {"name": "length", "type": "number", "unit": "mm"},
            {"name": "species", "type": "string"},
        ],
        "primaryKey": ["haul"],
        "towline": {"version": 1, "dataset": NAME},
    }
)


@pytest.fixture
def info(tmp_path: Path) -> Iterator[StackInfo]:
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with running(tmp_path, WITH_EDITOR) as started:
        yield started


def table() -> pa.Table:
    numbers = range(1, ROWS + 1)
    return pa.table(
        {
            "haul": pa.array(numbers, pa.int64()),
            "length": [n * 37 % 1000 / 2 for n in numbers],
            "species": ["herring" if n % 30_000 == 7 else "cod" for n in numbers],
        }
    )


def test_rows_of_two_pages_are_edited_in_one_proposal(info: StackInfo) -> None:
    dataset = Dataset(connect(stack_settings(info)).bench, NAME, "ana")
    draft = dataset.create("catches.parquet", write_table(table(), "parquet"), CONTRACT, "first load")
    assert dataset.send(draft).wait().status == "committed"
    assert info.editor is not None
    with browser(info.editor) as tab:
        tab.sees(f"Rows 1-1,000 of {ROWS:,}")
        tab.type(1, "length", "12.5")
        tab.sees("1 cell in 1 row changed")
        _narrow(tab, "species", "herring")
        tab.sees("Rows 1-2 of 2 that match")
        assert [tab.grid.text(row, "haul") for row in range(2)] == ["7", "30007"]
        tab.press("species = herring")
        tab.sees(f"Rows 1-1,000 of {ROWS:,}")
        way = tab.page.get_by_role("textbox", name="Go to a row", exact=True)
        way.fill("45678")
        way.press("Enter")
        tab.sees(f"Rows 45,001-46,000 of {ROWS:,}")
        expect(tab.page.locator(".slick-cell.active")).to_have_text("45678")
        tab.type(677, "species", "sprat")
        tab.sees("1 row on other pages")
        tab.lists("12.5", "sprat")
        if os.environ.get("TOWLINE_SCREENSHOTS"):
            tab.page.screenshot(path=PICTURES / "large.png")
        tab.submit("read wrong on the log sheet")
        tab.sees("Commit 2")
        tab.sees(f"Rows 45,001-46,000 of {ROWS:,}")
        assert tab.grid.text(677, "species") == "sprat"
        assert tab.grid.problems == []
    _, after = dataset.table()
    assert after["length"][1].as_py() == 12.5
    assert after["species"][45_677].as_py() == "sprat"
    (record, *_) = dataset.log()
    assert (record["cells_changed"], record["rows_updated"]) == (2, 2)


def _narrow(tab: Tab, column: str, value: str) -> None:
    """Add a filter for rows that hold a value, which is what is offered first."""
    tab.press("Filter")
    tab.page.get_by_role("combobox", name="Column").last.fill(column)
    tab.page.get_by_role("option", name=column, exact=True).click()
    tab.page.get_by_role("textbox", name="Value").fill(value)
    tab.press("Add this filter")
