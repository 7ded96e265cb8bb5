"""What was explored is shown below every run of the tests, not only when one fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

PROPERTY = "proof"


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Lines for the summary of the run. They travel with the test's report, as it may run in another process."""
    lines: list[str] = []
    yield lines
    request.node.user_properties.extend((PROPERTY, line) for line in lines)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    ended = [one for some in terminalreporter.stats.values() for one in some if getattr(one, "when", "") == "teardown"]
    lines = [line for one in ended for name, line in one.user_properties if name == PROPERTY]
    if lines:
        terminalreporter.section("the proof of the commit protocol")
        for line in lines:
            terminalreporter.write_line(line)
