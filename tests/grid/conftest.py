"""One server and one browser for all tests of the grid; a tab of its own for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.grid.driver import CHROMIUM, Grid, Tabs, server, tabs
from tests.needs import need


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    need(CHROMIUM.exists(), "chromium is not installed (apt-get install chromium)")
    with server() as address:
        yield address


@pytest.fixture(scope="package")
def chromium() -> Iterator[Tabs]:
    need(CHROMIUM.exists(), "chromium is not installed (apt-get install chromium)")
    with tabs() as browser:
        yield browser


@pytest.fixture
def grid(chromium: Tabs, url: str) -> Iterator[Grid]:
    tab = chromium.open(url)
    yield tab
    problems = tab.problems
    tab.page.context.close()
    assert problems == []
