"""Tampered files, a minute of them in CI, some seconds elsewhere. A failure names `tampered(seed, number)`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.core import fuzzing

SECONDS = 60.0 if os.environ.get("CI") else 3.0
SEED = 1_836


def test_a_tampered_file_is_refused_or_holds_together(tmp_path: Path) -> None:
    """Never another exception, never the end of the process, never much memory or time."""
    place = tmp_path / "number"
    done = fuzzing.start(SEED, SECONDS, place)
    number = int(place.read_text()) if place.exists() else 0
    if done.returncode:
        kept = tmp_path / "tampered.parquet"
        kept.write_bytes(fuzzing.tampered(SEED, number))
        pytest.fail(f"tampered({SEED}, {number}), kept as {kept}: exit {done.returncode}\n{done.stderr[-3_000:]}")
    found = json.loads(done.stdout)
    print(f"seed {SEED}: {found}")
    assert found["cases"] > 50 * SECONDS / 3
    assert 0 < found["read"] < found["cases"]
    assert found["slowest"] < 10
    assert found["grown"] < 512 * 2**20
