"""The services' state is loaded whole, from the right stack, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from towline.local.state import Origin, load_from

OURS = Origin(port=4566, ministack="1.5.33")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A state directory with a current generation g7, and one that was being written when the stack was killed."""
    for name in ("g7", "g8"):
        (tmp_path / name).mkdir()
    (tmp_path / "g7" / "cloudformation.json").write_text('{"payload": {}}')
    (tmp_path / "g7" / "sqs.json").write_text('{"payload": {}}')
    (tmp_path / "g8" / "sqs.json").write_text('{"payl')
    note(tmp_path, generation="g7", port=4566, ministack="1.5.33")
    return tmp_path


def note(state: Path, **current: object) -> None:
    (state / "current").write_text(json.dumps(current))


def is_new(found: Path) -> bool:
    return found.is_dir() and not list(found.iterdir())


def test_the_current_generation_is_loaded(saved: Path) -> None:
    assert load_from(saved, OURS) == saved / "g7"


def test_a_first_start_loads_nothing(tmp_path: Path) -> None:
    assert is_new(load_from(tmp_path, OURS))


@pytest.mark.parametrize("other", [Origin(4567, "1.5.33"), Origin(4566, "1.5.34")])
def test_the_state_of_another_port_or_version_is_not_loaded(saved: Path, other: Origin) -> None:
    assert is_new(load_from(saved, other))


@pytest.mark.parametrize("damage", ["", "{", '{"payload": '])
def test_a_generation_with_a_damaged_file_is_not_loaded_at_all(saved: Path, damage: str) -> None:
    (saved / "g7" / "sqs.json").write_text(damage)
    assert is_new(load_from(saved, OURS))


def test_a_generation_without_its_stack_is_not_loaded(saved: Path) -> None:
    (saved / "g7" / "cloudformation.json").unlink()
    assert is_new(load_from(saved, OURS))


@pytest.mark.parametrize("current", ["", "[]", '"g7"', "{}", '{"generation": "g7"}', "\x00\x00"])
def test_a_damaged_note_of_what_is_current_loads_nothing(saved: Path, current: str) -> None:
    (saved / "current").write_text(current)
    assert is_new(load_from(saved, OURS))
