"""One `sam build` for the session."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.needs import need
from tests.sam.tools import Sam


@pytest.fixture(scope="session")
def sam() -> Sam:
    return Sam.find()


@pytest.fixture(scope="session")
def built(sam: Sam, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of `sam build`: template.yaml, a directory a function, and the layer."""
    need(shutil.which("make"), "make is not installed, which the layer is built with")
    need(os.environ.get("UV") or shutil.which("uv"), "uv is not on PATH, which the layer is built with")
    directory = tmp_path_factory.mktemp("sam") / "build"
    answer = sam.run("build", "--build-dir", directory, "--cache-dir", directory.parent / "cache")
    assert answer.returncode == 0, answer.stderr
    return directory
