"""Pictures of every page, with something on it: for the docs, and for a look at it.

TOWLINE_SCREENSHOTS=docs/screenshots uv run pytest tests/app/test_screenshots.py     makes those of the docs anew
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import expect

from tests.app.browser import CHROMIUM, Tab, Tabs, tabs
from tests.core.test_golf_rounds import generator
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import eventually, running
from tests.needs import need
from towline import keys
from towline.change import RowChange
from towline.connect import connect
from towline.dataset import Draft
from towline.local.stack import StackInfo, Start, stack_settings
from towline.pipeline import inventory
from towline.store import ObjectStore
from towline.values import Value

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "screenshots"
WORDS = {
    "edit": "1 error",
    "sql": "waits for your word",
    "proposals": "Reopen",
    "conflicts": "Solve",
    "review": "1 proposal waiting",
    "history": "newest first",
    "explore": "Map",
    "files": "No file has come in for net_tows yet",
    "health": "Queues",
}
EDIT = "UPDATE net_tows\nSET volume_filtered = volume_filtered * 1.02\nWHERE tow = 4 AND net > 0"
SIZES = {1280: 800, 1920: 1080}


@pytest.fixture(scope="module")
def info() -> Iterator[StackInfo]:
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory(prefix="towline-") as data_dir:
        patch.setenv("LOGNAME", "ana")  # the person who the pages are drawn for
        with running(Path(data_dir), Start(port=0, app=True)) as started:
            _furnish(started)
            yield started


GOLF, LOOKED_AT = "golf_rounds", "rounds-2025-07-03.csv"


def _furnish(info: StackInfo) -> None:
    """A dataset with some history: edits of three people, an insertion, two proposals that were refused, and one that
    waits for review."""
    policy = {"policy": "when", "when": {"rows_deleted": 0}}
    _drop_files(connect(stack_settings(info)).bench.store)
    ana, bo, cy = (Researcher(info, NAME, name, policy) for name in ("ana", "bo", "cy"))
    for person, place, volume, note in (
        (cy, 3, 412.5, "flow meter read again"),
        (bo, 17, 388.0, "typing error in the log sheet"),
        (ana, 18, 391.25, "the same for net 0 of tow 3"),
        (cy, 40, 120.0, "net tore at 200 m, volume estimated"),
    ):
        commit(person, place, note, volume_filtered=volume)
    stale = draft(ana, 21, "calibration of 2026-02", volume_filtered=300.5, max_depth=512.0, net_size=0.25)
    commit(bo, 21, "as written in the cruise report", volume_filtered=301.0, max_depth=510.0)
    commit(cy, 21, "the large net", net_size=1.0)
    assert ana.send(stale).wait().status == "conflicted"
    assert ana.send(draft(ana, 5, "recount", volume_filtered=-1.0)).wait().status == "rejected"
    head = cy.head()
    last = {**cy.row(head.table.num_rows - 1)}
    change = RowChange(None, {**last, "net": last["net"] + 1})
    assert head.commit is not None
    cy.send(cy.dataset.rows([change], "the net that was forgotten", head.commit)).wait()
    lost, head = RowChange(bo.row(9), None), bo.head()
    assert head.commit is not None
    run = ana.send(ana.dataset.sql(EDIT, "flow meter of tow 4 recalibrated", preview=True)).wait()
    assert run.status == "previewed", run
    waits = bo.send(bo.dataset.rows([lost], "the net was lost at 300 m", head.commit)).wait()
    assert waits.status == "in_review"


def _drop_files(store: ObjectStore) -> None:
    """Files of golf rounds: some that are good, one with a round that has no place, one twice, one that is none. A load
    takes them in its own time."""
    generate, bodies = generator(), {}
    for number in range(8):
        course, table = generate.file(number, 6, fixes=20)
        bodies[f"{course.name}/rounds-2025-07-0{number // 4 + 1}.csv"] = generate.body(table, "csv")
    bodies["heronpoint/copy of rounds-2025-07-01.csv"] = bodies["heronpoint/rounds-2025-07-01.csv"]
    bodies["heronpoint/export.zip"] = b"PK\x03\x04 and nothing of a ZIP archive behind it"
    _, table = generate.file(1, 6, seed=8, fixes=20)
    bodies[f"heronpoint/{LOOKED_AT}"] = generate.body(table, "csv").replace(b",43.2", b",143.2", 3)
    for name, body in bodies.items():
        store.put(f"raw/{GOLF}/{name}", body)
    eventually(lambda: len(inventory.read(store, keys.SILVER, GOLF).loaded) >= 9, 60)


def draft(person: Researcher, place: int, note: str, **cells: Value) -> Draft:
    head, row = person.head(), person.row(place)
    assert head.commit is not None
    return person.dataset.rows([RowChange(row, {**row, **cells})], note, head.commit)


def commit(person: Researcher, place: int, note: str, **cells: Value) -> None:
    assert person.send(draft(person, place, note, **cells)).wait().status == "committed"


@pytest.fixture(scope="module")
def chromium(info: StackInfo) -> Iterator[Tabs]:
    with tabs() as opened:
        yield opened


def edits(tab: Tab) -> None:
    """One of everything: a change, a text that does not fit, an emptied cell, an added and a deleted row."""
    tab.type(2, "volume_filtered", "412.75")
    tab.type(4, "volume_filtered", "12,5")
    tab.grid.go(6, "vessel")
    tab.page.keyboard.press("Delete")
    tab.grid.go(8, "vessel")
    tab.tool("Delete the selected rows")
    tab.grid.go(9, "vessel")
    tab.tool("Add rows below")
    tab.grid.cell(2, "volume_filtered").scroll_into_view_if_needed()
    tab.sees("1 error")


def solving(tab: Tab) -> None:
    """A conflict of several cells, one of them decided, and one being typed."""
    tab.press("Solve")
    tab.sees("0 of 3 decided")
    tab.page.locator(".st-key-conflicts [data-act^='[\"pick\"'][data-act*='\"ours\"']").first.click()
    tab.sees("1 of 3 decided")
    tab.page.locator(".st-key-conflicts [data-act^='[\"type\"']").nth(1).click()
    tab.sees("Take it")


def previewing(tab: Tab) -> None:
    """A statement in the field, and what it would do."""
    tab.page.locator(".tl-run").first.click()
    tab.sees("Nothing is changed yet.")
    tab.press("Edit the statement again")
    tab.sees("Columns that change")
    tab.page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")


def browsing(tab: Tab) -> None:
    """The files of another dataset, one of them with refused rows."""
    tab.page.get_by_role("combobox", name="Files of").click()
    tab.page.get_by_role("option", name=GOLF).click()
    tab.sees(f"{GOLF} · ")
    tab.page.get_by_role("button", name=LOOKED_AT).click()
    tab.sees("Refused rows")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", SIZES)
def test_every_page_can_be_shown(chromium: Tabs, info: StackInfo, width: int, scheme: str, tmp_path: Path) -> None:
    tab = Tab.open(chromium, info.editor or "", width, SIZES[width], scheme)
    edits(tab)
    for page, words in WORDS.items():
        if page != "edit":
            tab.go({"proposals": "My proposals", "sql": "SQL"}.get(page, page.capitalize()))
        tab.sees(words)
        if page == "conflicts":
            solving(tab)
        if page == "sql":
            previewing(tab)
        if page == "files":
            browsing(tab)
        tab.page.wait_for_timeout(1500)  # for what is drawn late: charts, probes
        expect(tab.page.get_by_test_id("stException")).to_have_count(0)
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page} is too wide"
        name = f"{page}{'' if scheme == 'light' else '-dark'}{'' if width == 1280 else f'-{width}'}.png"
        body = tab.page.screenshot(path=tmp_path / name)
        assert len(body) > 20_000
        if name in shown() and os.environ.get("TOWLINE_SCREENSHOTS"):
            (PICTURES / name).write_bytes(body)
    tab.go("Edit")
    tab.press("Revert all")
    tab.sees("No changes yet")
    assert tab.grid.problems == []
    tab.page.context.close()


def shown() -> set[str]:
    """The pictures that the docs show."""
    told = "\n".join(path.read_text() for path in DOCS.glob("*.md"))
    return set(re.findall(r"\]\(screenshots/([\w-]+\.png)\)", told))


def test_the_docs_show_a_picture_of_every_page() -> None:
    assert shown() == {path.name for path in PICTURES.glob("*")}
    assert shown() >= {f"{page}.png" for page in WORDS}
