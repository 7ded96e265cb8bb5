"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.local_stack import project_stack
from towline.local import editor

ROOT = Path(__file__).resolve().parents[1]
LAST = ("local", "cli", "statemachines", "e2e", "sam", "test_readme.py")

__all__ = ["project_stack"]

# Machines that run tests are busy: how long an example takes says nothing about what is tested.
# Elsewhere than in CI each run tries other examples; in CI a failure has to come of the change.
settings.register_profile("towline", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("towline")


# Side by side, each process of the tests looks for the ports of its editors elsewhere: one that was killed shall find
# its own free again. Programs that are started take those from 8501 on, as they do for everybody.
if worker := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
    editor.FIRST_PORT += 100 * (1 + int(worker))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their argument, not spelled out: those of an archive hold the time when it was made, and a
    test must have the same name in all processes that run side by side."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)
    for item in items:
        name = item.path.name
        if item.path.parent.name == "grid" or name.endswith("browser.py") or name == "test_screenshots.py":
            item.add_marker(pytest.mark.browser)


def _turn(item: pytest.Item) -> int:
    """What waits for stacks and containers comes last: CI runs the tests in a browser at the same time, which have the
    first word, and beside them such tests do little but ask again whether it is done."""
    place = item.path.relative_to(ROOT / "tests").parts[0]
    return LAST.index(place) + 1 if place in LAST else 0


@pytest.fixture(scope="session")
def real_table() -> Path:
    """The first user's real table. It lies beside the project and is no part of it (it has no licence)."""
    path = ROOT.parent / "shared" / "data" / "master.csv"
    if not path.exists():
        pytest.skip("the real table is not on this machine")
    return path
