"""The bucket on disk: what tests/store says of every store, and what only this one does."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.diskstore import DiskStore, Traffic
from towline.errors import NotFound
from towline.store import PART_MIN, CopyRange

BODY = bytes(range(256)) * 24_576  # 6 MiB


def test_the_next_process_finds_what_was_left(tmp_path: Path) -> None:
    first = DiskStore(tmp_path)
    old = first.put("k", b"old", metadata={"commit": "C1"})
    new = first.assemble("k", [b"new"], metadata={"commit": "C2"})
    first.put("gone", b"")
    first.delete("gone")
    second = DiskStore(tmp_path)
    assert (second.head("k"), second.head("k", version=old.version)) == (new, old)
    assert (second.get("k").body, second.get("k", version=old.version).body) == (b"new", b"old")
    with pytest.raises(NotFound):
        second.head("gone")
    third = second.put("k", b"newer")
    assert [version.version for version in DiskStore(tmp_path).versions("k")] == [
        third.version,
        new.version,
        old.version,
    ]


def test_it_tells_what_moved_and_what_it_copied_within_itself(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    old = store.put("k", BODY)
    store.get("k", span=(10, 110))
    store.get("k", tail=50)
    assert store.traffic == Traffic(down=150, up=len(BODY))
    store.assemble("k", [CopyRange("k", old.version, 0, PART_MIN), b"1234"])
    assert (store.traffic.down, store.traffic.up, store.traffic.copied) == (150, len(BODY) + 4, PART_MIN)
    assert store.traffic.copying > 0
    store.copy("k", "snapshot")
    assert store.traffic.copied == 2 * PART_MIN + 4
    assert store.requests == {"put": 1, "get": 2, "assemble": 4, "copy": 1}


def test_a_file_is_taken_over_without_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    store = DiskStore(tmp_path / "bucket")
    stat = store.adopt("k", path)
    assert store.path("k").samefile(path)
    assert (stat.size, store.get("k").body) == (len(BODY), BODY)
    assert store.traffic.up == 0


def test_the_room_of_a_version_can_be_freed(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    old = store.put("k", b"old")
    store.put("k", b"new")
    store.forget(old)
    assert sorted(path.read_bytes() for path in tmp_path.glob("0*")) == [b"new"]
    assert store.get("k").body == b"new"
