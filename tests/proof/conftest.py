"""What was explored is shown below every run of the tests, not only when one fails."""

from __future__ import annotations

from typing import Any

import pytest

LINES = pytest.StashKey[list[str]]()


@pytest.fixture
def report(pytestconfig: pytest.Config) -> list[str]:
    """Lines for the summary of the run."""
    return pytestconfig.stash.setdefault(LINES, [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    lines = config.stash.get(LINES, [])
    if lines:
        terminalreporter.section("the proof of the commit protocol")
        for line in lines:
            terminalreporter.write_line(line)
