"""The built grid is what its sources make, byte for byte, and its own tests pass."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from shutil import copytree, ignore_patterns, which

import pytest

from tests.needs import need

GRID = Path(__file__).resolve().parents[2] / "app" / "grid"


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, env=plain)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources, without anything that was built or installed."""
    need(which("npm"), "npm is not installed")
    place = tmp_path_factory.mktemp("grid") / "grid"
    copytree(GRID, place, ignore=ignore_patterns("node_modules", "dist"))
    installed = run("npm", "ci", cwd=place)
    need(installed.returncode == 0, f"npm ci failed: {installed.stderr[-500:]}")
    return place


def test_the_built_asset_is_what_the_sources_make(workshop: Path) -> None:
    built = run("npm", "run", "build", cwd=workshop)
    assert built.returncode == 0, built.stderr
    for name in ("grid.js", "loader.js", "grid.css"):
        assert (workshop / "dist" / name).read_bytes() == (GRID / "dist" / name).read_bytes(), (
            f"{name} is not what its sources make: run `npm ci && npm run build` in app/grid"
        )


def test_its_own_tests_pass(workshop: Path) -> None:
    tested = run("npm", "test", cwd=workshop)
    assert tested.returncode == 0, tested.stdout[-3000:]


def test_it_loads_nothing_from_elsewhere() -> None:
    css = (GRID / "dist" / "grid.css").read_text("utf-8")
    assert "http" not in css
    assert "@import" not in css
    js = (GRID / "dist" / "grid.js").read_text("utf-8")
    assert not any(word in js for word in ("importScripts", "fetch(", "XMLHttpRequest", "WebSocket"))


def test_packages_are_pinned_by_version_and_checksum_and_no_registry_is_named() -> None:
    text = (GRID / "package-lock.json").read_text("utf-8")
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert all("integrity" in entry for entry in packages.values())
    assert "resolved" not in text
    wanted = json.loads((GRID / "package.json").read_text("utf-8"))
    assert {**wanted["dependencies"], **wanted["devDependencies"]} == {
        name: packages[f"node_modules/{name}"]["version"] for name in ("slickgrid", "esbuild")
    }
