"""A put that is killed at any moment is there whole or not at all, and costs nothing that was there before."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.needs import need
from towline.local import pairs
from towline.local.pairs import BODY_NEXT, META, META_NEXT

CRASH_POINTS = Path(__file__).with_name("crash_points.py")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An object as MiniStack keeps it."""
    (tmp_path / "key").write_bytes(b"old")
    (tmp_path / ("key" + META)).write_text("old meta")
    return tmp_path


def pair(place: Path) -> tuple[str, str]:
    return (place / "key").read_text(), (place / ("key" + META)).read_text()


def leftovers(place: Path) -> list[str]:
    return [path.name for path in place.rglob("*.tmp")]


def leave(place: Path, *, body: str | None = None, meta: str | None = None) -> None:
    for ending, text in ((BODY_NEXT, body), (META_NEXT, meta)):
        if text is not None:
            (place / ("key" + ending)).write_text(text)


def test_a_put_replaces_both_files(place: Path) -> None:
    pairs.write(str(place / "key"), b"new", "new meta")
    assert pair(place) == ("new", "new meta")
    assert not leftovers(place)
    assert pairs.recover(place) == []


@pytest.mark.parametrize(
    "left", [{"body": "ne"}, {"body": "new", "meta": ""}, {"body": "new", "meta": "new m"}, {"body": "x", "meta": "y"}]
)
def test_a_put_killed_before_its_commit_point_never_was(place: Path, left: dict[str, str]) -> None:
    leave(place, **left)
    (healed,) = pairs.recover(place)
    assert healed == f"dropped a put of {place / 'key'} that was never answered"
    assert pair(place) == ("old", "old meta")
    assert not leftovers(place)


def test_a_put_killed_after_its_commit_point_is_finished(place: Path) -> None:
    (place / "key").write_text("new")
    leave(place, meta="new meta")
    assert pairs.recover(place) == [f"finished a put of {place / 'key'}"]
    assert pair(place) == ("new", "new meta")
    assert not leftovers(place)


def test_dropping_a_put_may_itself_be_killed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(place, body="new", meta="new meta")
    unlink = Path.unlink

    def die_after_one(self: Path, **more: Any) -> None:
        unlink(self, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", die_after_one)
        with pytest.raises(KeyboardInterrupt):
            pairs.recover(place)
    pairs.recover(place)
    assert pair(place) == ("old", "old meta")
    assert not leftovers(place)


def test_a_half_written_sidecar_of_ministacks_own_is_dropped(place: Path) -> None:
    (place / ("key" + META + ".tmp")).write_text("{")
    assert pairs.recover(place) == [f"dropped the half-written {place / ('key' + META)}.tmp"]
    assert pair(place) == ("old", "old meta")


@pytest.fixture(scope="module")
def crashes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    need(find_spec("ministack"), "MiniStack is not installed (uv sync --group local)")
    place = tmp_path_factory.mktemp("crashes")
    run = subprocess.run([sys.executable, CRASH_POINTS, place], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def etag(text: str) -> str:
    from hashlib import md5

    return f'"{md5(text.encode(), usedforsecurity=False).hexdigest()}"'


def test_the_crash_points_are_all_there(crashes: list[dict[str, Any]]) -> None:
    """Two files make six steps; a version that is displaced has three of its own before them."""
    steps = {before: sum(c["killed"] for c in crashes if c["before"] == before) for before in (0, 1, 2)}
    assert steps == {0: 6, 1: 9, 2: 9}
    assert any("finished" in line for c in crashes for line in c["healed"])
    assert any("dropped" in line for c in crashes for line in c["healed"])


def test_after_every_crash_the_object_is_as_before_or_as_put(crashes: list[dict[str, Any]]) -> None:
    for crash in crashes:
        status, body, commit, version, tag = crash["now"]
        if commit == "last":
            assert body == "the body that comes last"
            assert version == crash["versions"][-1] not in crash["ids"]
        elif crash["before"]:
            last = crash["before"] - 1
            assert (body, commit, version) == (f"body {last}", f"commit {last}", crash["ids"][-1])
        else:
            assert status == 404
        assert tag == (etag(body) if body else None)


def test_after_every_crash_what_was_answered_is_there(crashes: list[dict[str, Any]]) -> None:
    for crash in crashes:
        if not crash["killed"]:
            assert crash["now"][2] == "last"
        for number, seen in enumerate(crash["answered"]):
            assert seen[:4] == [200, f"body {number}", f"commit {number}", crash["ids"][number]]
        assert crash["versions"][: crash["before"]] == crash["ids"]


def test_after_every_crash_nothing_is_left_over_and_life_goes_on(crashes: list[dict[str, Any]]) -> None:
    assert all(not crash["left"] and crash["next"] for crash in crashes)
