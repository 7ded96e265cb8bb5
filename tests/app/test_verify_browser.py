"""Verifying a dataset on the Health page, in a real browser on a real local stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.browser import CHROMIUM, WITH_EDITOR, Tab, tabs
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import running
from tests.needs import need
from towline.local.stack import StackInfo


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with running(tmp_path_factory.mktemp("verify"), WITH_EDITOR) as started:
        yield started


def test_the_health_page_verifies_the_chosen_dataset_and_names_what_somebody_did(info: StackInfo) -> None:
    person = Researcher(info, NAME)
    receipt = person.send(person.edit(0, volume_filtered=1234.5)).wait()
    with tabs() as chromium:
        tab = Tab.open(chromium, f"{info.editor}/?dataset={NAME}")
        tab.go("Health")
        tab.press("Verify this dataset")
        tab.sees("net_tows is whole: 2 commits and 2 versions of the master, every table replayed")
        person.bench.store.put(str(receipt.changes_key), b"something else")
        tab.press("Verify this dataset")
        tab.sees("net_tows is not whole: 1 break in 2 commits")
        tab.sees("commit 2: changes.altered: SHA-256: expected")
        assert tab.grid.problems == []
