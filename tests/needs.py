"""What a test needs of the machine it runs on."""

from __future__ import annotations

import os

import pytest


def need(ok: object, reason: str) -> None:
    """Skip the test on a laptop where something is missing; fail it under CI=true, where nothing may be."""
    if ok:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"under CI=true this must not be missing: {reason}", pytrace=False)
    pytest.skip(reason)
