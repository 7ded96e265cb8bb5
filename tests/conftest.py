"""What all tests share. A test that needs a program or a service says so through `need`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def need(ok: object, reason: str) -> None:
    """Skip the test on a laptop where something is missing; fail it under CI=true, where nothing may be."""
    if ok:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"under CI=true this must not be missing: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def real_table() -> Path:
    """The first user's real table. It lies beside the project and is no part of it (it has no licence)."""
    path = ROOT.parent / "shared" / "data" / "master.csv"
    if not path.exists():
        pytest.skip("the real table is not on this machine")
    return path
