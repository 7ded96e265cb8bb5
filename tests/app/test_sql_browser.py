"""SQL in a real browser, on a real local stack: read and take the result along, try an edit out, promote it once."""

from __future__ import annotations

import getpass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from playwright.sync_api import Locator, expect

from tests.app.browser import CHROMIUM, WITH_EDITOR, Tab, Tabs, tabs
from tests.app.test_review_browser import picture
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import running
from tests.needs import need

SHIFT = "UPDATE net_tows SET volume_filtered = volume_filtered * 1.02 WHERE tow = 4"


def test_reading_trying_out_and_promoting(tmp_path: Path) -> None:
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with running(tmp_path, WITH_EDITOR) as info, tabs() as chromium:
        me = Researcher(info, NAME, getpass.getuser())
        tab = Tab.open(chromium, info.editor or "")
        tab.go("SQL")
        reads(tab, me)
        is_refused_at_its_place(tab, me)
        is_promoted_once(tab, me, chromium)
        expect(tab.page.get_by_test_id("stException")).to_have_count(0)
        assert tab.grid.problems == []


def field(tab: Tab) -> Locator:
    return tab.page.get_by_role("textbox", name="Statement", exact=True)


def reads(tab: Tab, me: Researcher) -> None:
    """A name is put in by a click, Ctrl+Enter runs it, and both files hold all that it found."""
    field(tab).fill("SELECT tow, count(*) AS nets FROM")
    field(tab).press("End")
    tab.button(NAME).click()
    expect(field(tab)).to_have_value("SELECT tow, count(*) AS nets FROM net_tows")
    field(tab).press_sequentially(" GROUP BY tow ORDER BY tow")
    field(tab).press("Control+Enter")
    tab.sees("USD at Athena's price")
    tab.sees("Run lately")
    expect(tab.button("volume_filtered")).to_be_visible()
    counted = me.head().table.group_by("tow").aggregate([([], "count_all")]).sort_by("tow")
    tab.sees(f"{counted.num_rows} rows")
    found = pq.read_table(pa.BufferReader(tab.download("Download result.parquet")))
    assert found.to_pydict() == {"tow": counted["tow"].to_pylist(), "nets": counted["count_all"].to_pylist()}
    assert tab.download("Download result.csv").decode().splitlines()[0] == "tow,nets"
    picture(tab, "sql-result")


def is_refused_at_its_place(tab: Tab, me: Researcher) -> None:
    field(tab).fill("UPDATE net_tows\nSET volume = 1")
    tab.page.get_by_role("textbox", name="Why?").fill("recalibrated")
    tab.press("Preview the edit")
    tab.sees("Line 2:5: net_tows has no column volume")
    tab.sees("    ^^^^^^")
    assert len(me.receipts()) == 1


def is_promoted_once(tab: Tab, me: Researcher, chromium: Tabs) -> None:
    before = {row["net"]: row["volume_filtered"] for row in me.head().table.to_pylist() if row["tow"] == 4}
    field(tab).fill(SHIFT)
    field(tab).press("Control+Enter")
    tab.sees(f"Updates {len(before)} rows, of 125.")
    tab.sees("Nothing is changed yet.")
    picture(tab, "sql-preview")
    other = Tab(chromium.blank(), tab.url)
    other.page.goto(tab.page.url)
    other.sees("Nothing is changed yet.")
    tab.button("Promote").dblclick()
    tab.sees("Committed as commit 2")
    after = {row["net"]: row["volume_filtered"] for row in me.head().table.to_pylist() if row["tow"] == 4}
    assert after == {net: volume * 1.02 for net, volume in before.items()}
    other.sees("Committed as commit 2")
    assert me.head().number == 2
    tab.press("Commit 2 in History")
    tab.sees(SHIFT)
    picture(tab, "sql-history")
