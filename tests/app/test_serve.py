"""What is ready before the first tab comes."""

from __future__ import annotations

import logging
import sys

import pytest

import app.route  # before a test puts anything in the place of a name that the pages import
import app.session
from app import serve
from tests.test_layers import ROOT, imports
from towline.errors import UsageError


def test_the_script_imports_nothing_else_for_which_a_tab_would_wait() -> None:
    """Two imports of one module wait for each other; of two modules that need each other, Python lets one go on with
    a half of the other."""
    found = imports(ROOT / "app" / "main.py")
    mine = {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}
    assert mine == {"app.route", "app.route.route"}
    assert serve.IMPORTED[0] == "app.route"


class Bucket:
    def __init__(self) -> None:
        self.listed = 0

    def datasets(self) -> list[str]:
        self.listed += 1
        return []


def test_it_imports_what_a_run_needs_and_talks_to_the_store(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bucket = Bucket()
    monkeypatch.setattr(app.session, "connection", lambda: bucket)
    serve.warm()
    assert bucket.listed == 1
    assert not [record for record in caplog.records if record.name == serve.__name__]


def test_what_fails_is_in_the_log_and_leaves_the_server_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def connection() -> Bucket:
        raise UsageError("no bucket is named")

    monkeypatch.setattr(app.session, "connection", connection)
    with caplog.at_level(logging.ERROR):
        serve.warm()
    assert "its first tab takes longer" in caplog.text
    assert "no bucket is named" in caplog.text
