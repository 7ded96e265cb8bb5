"""What every store does, run on each of them."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import md5
from itertools import pairwise
from pathlib import Path
from threading import Barrier

import pytest

from towline.errors import NotFound, PreconditionFailed, UsageError
from towline.memory import MemoryStore
from towline.store import ABSENT, PART_MIN, CopyRange, Matches, ObjectStore, TooLarge, file_parts

ODD_KEYS = [
    "with space",
    " leading and trailing ",
    "two  spaces",
    "plus+plus",
    "percent%41%",
    "%2F",
    "é/ñ/漢字",
    "e\u0301 decomposed",
    "(paren)[bracket]{brace}",
    "line\nbreak",
    "tab\tx",
    "a//b",
    "a/./b",
    "dots/../b",
    "folder/",
    "q?versionId=1",
    "hash#frag",
    "amp&=;:@!$'*,\"<>|^`~",
    "back\\slash",
    "emoji😀",
    "/leading-slash",
    "-" * 1024,
]


# put, get, head


def test_what_is_put_can_be_read_and_headed(store: ObjectStore) -> None:
    put = store.put("a/b", b"hello", metadata={"commit": "C1"})
    blob = store.get("a/b")
    assert blob.body == b"hello"
    assert blob.stat == store.head("a/b")
    assert (put.key, put.size, put.etag, put.version) == ("a/b", 5, blob.stat.etag, blob.stat.version)
    assert put.metadata == blob.stat.metadata == {"commit": "C1"}


def test_the_etag_of_a_put_is_the_md5_of_its_body_without_quotes(store: ObjectStore) -> None:
    assert store.put("k", b"hello").etag == md5(b"hello", usedforsecurity=False).hexdigest()


def test_times_are_utc_and_of_now(store: ObjectStore) -> None:
    for modified in (store.put("k", b"").modified, store.head("k").modified, next(store.list("")).modified):
        assert modified.utcoffset() == timedelta(0)
        assert abs(modified - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    assert store.put("k", b"").size == 0
    assert store.get("k").body == b""
    assert store.head("k").size == 0


def test_a_missing_object_is_not_found(store: ObjectStore) -> None:
    for read in (store.get, store.head):
        with pytest.raises(NotFound, match="nothing-here"):
            read("nothing-here")


def test_a_missing_version_is_not_found(store: ObjectStore) -> None:
    store.put("k", b"1")
    other = store.put("other", b"2").version
    for read in (store.get, store.head):
        with pytest.raises(NotFound):
            read("k", version=other)


def test_a_body_is_not_changed_by_what_its_author_does_next(store: ObjectStore) -> None:
    body, metadata = bytearray(b"before"), {"a": "before"}
    store.put("k", body, metadata=metadata)  # type: ignore[arg-type]
    body[:], metadata["a"] = b"after!", "after"
    assert store.get("k").body == b"before"
    assert store.head("k").metadata == {"a": "before"}


@pytest.mark.parametrize("key", ["", "x" * 1025, "é" * 513, "\ud800"])
def test_keys_that_s3_cannot_hold_are_refused(store: ObjectStore, key: str) -> None:
    for call in (store.get, store.head, store.delete, lambda key: list(store.versions(key))):
        with pytest.raises(UsageError):
            call(key)
    with pytest.raises(UsageError):
        store.put(key, b"")
    with pytest.raises(UsageError):
        store.copy(key, "target")


# conditions


def test_absent_writes_only_where_nothing_is(store: ObjectStore) -> None:
    store.put("k", b"1", when=ABSENT)
    with pytest.raises(PreconditionFailed):
        store.put("k", b"2", when=ABSENT)
    assert store.get("k").body == b"1"


def test_absent_holds_again_after_a_delete(store: ObjectStore) -> None:
    store.put("k", b"1")
    store.delete("k")
    store.put("k", b"2", when=ABSENT)
    assert store.get("k").body == b"2"


def test_matches_writes_only_over_that_etag(store: ObjectStore) -> None:
    first = store.put("k", b"1")
    second = store.put("k", b"2", when=Matches(first.etag))
    with pytest.raises(PreconditionFailed):
        store.put("k", b"3", when=Matches(first.etag))
    assert store.head("k").version == second.version


def test_matches_of_a_missing_or_deleted_object_is_not_found(store: ObjectStore) -> None:
    etag = store.put("deleted", b"1").etag
    store.delete("deleted")
    for key in ("never-was", "deleted"):
        with pytest.raises(NotFound):
            store.put(key, b"2", when=Matches(etag))


def test_32_threads_that_compare_and_swap_lose_no_increment(store: ObjectStore) -> None:
    store.put("counter", b"0")
    all_have_read = Barrier(32)

    def increment(_: int) -> int:
        for attempt in range(1, 1000):
            seen = store.get("counter")
            if attempt == 1:
                all_have_read.wait()
            try:
                store.put("counter", str(int(seen.body) + 1).encode(), when=Matches(seen.stat.etag))
                return attempt
            except PreconditionFailed:
                continue
        raise AssertionError("never won")

    with ThreadPoolExecutor(32) as pool:
        attempts = list(pool.map(increment, range(32)))
    assert store.get("counter").body == b"32"
    assert len(list(store.versions("counter"))) == 33
    assert attempts.count(1) == 1  # of those who read 0, one won


# spans and bounds


def test_a_span_is_half_open_and_ends_with_the_object(store: ObjectStore) -> None:
    store.put("k", b"0123456789")
    assert store.get("k", span=(2, 5)).body == b"234"
    assert store.get("k", span=(0, 10)).body == b"0123456789"
    assert store.get("k", span=(8, 99)).body == b"89"


def test_the_size_beside_a_span_is_the_whole_objects(store: ObjectStore) -> None:
    store.put("k", b"0123456789")
    assert store.get("k", span=(2, 5)).stat == store.head("k")


def test_a_span_of_an_older_version(store: ObjectStore) -> None:
    old = store.put("k", b"0123456789")
    store.put("k", b"something else")
    blob = store.get("k", version=old.version, span=(7, 99))
    assert (blob.body, blob.stat.size, blob.stat.version) == (b"789", 10, old.version)


@pytest.mark.parametrize(("tail", "last"), [(3, b"789"), (10, b"0123456789"), (99, b"0123456789")])
def test_a_tail_is_the_end_of_an_object_or_all_of_it(store: ObjectStore, tail: int, last: bytes) -> None:
    old = store.put("k", b"0123456789")
    store.put("k", b"x")
    blob = store.get("k", version=old.version, tail=tail)
    assert (blob.body, blob.stat) == (last, store.head("k", version=old.version))
    assert store.get("k", tail=tail).body == b"x"


def test_an_empty_object_has_an_empty_tail(store: ObjectStore) -> None:
    store.put("k", b"")
    assert store.get("k", tail=9).body == b""


def test_several_ranges_come_in_the_order_they_were_asked_for(store: ObjectStore) -> None:
    old = store.put("k", b"0123456789")
    store.put("k", b"x")
    spans = [(n, n + 2) for n in (7, 0, 3, 5, 1, 2, 8, 4, 6)]
    assert store.ranges("k", spans, version=old.version) == [b"0123456789"[a:b] for a, b in spans]
    assert store.ranges("k", []) == []
    with pytest.raises(NotFound):
        store.ranges("gone", spans)


@pytest.mark.parametrize("span", [(5, 5), (5, 2), (-3, 2), (10, 12), (99, 100)])
def test_a_span_that_selects_nothing_is_refused(store: ObjectStore, span: tuple[int, int]) -> None:
    version = store.put("k", b"0123456789").version
    for which in (None, version):
        with pytest.raises(UsageError):
            store.get("k", version=which, span=span)


def test_an_object_over_max_bytes_is_too_large(store: ObjectStore) -> None:
    store.put("k", b"0123456789")
    assert store.get("k", max_bytes=10).body == b"0123456789"
    with pytest.raises(TooLarge) as caught:
        store.get("k", max_bytes=9)
    assert (caught.value.size, caught.value.limit) == (10, 9)


def test_max_bytes_bounds_what_is_read_not_the_object(store: ObjectStore) -> None:
    store.put("k", b"0123456789")
    assert store.get("k", span=(4, 99), max_bytes=6).body == b"456789"
    with pytest.raises(TooLarge):
        store.get("k", span=(3, 99), max_bytes=6)


# versions and deletes


def test_every_version_can_be_read_after_it_was_replaced_or_deleted(store: ObjectStore) -> None:
    written = [store.put("k", body, metadata={"n": str(n)}) for n, body in enumerate([b"1", b"22", b"333"])]
    store.delete("k")
    assert len({stat.version for stat in written}) == 3
    for n, stat in enumerate(written):
        blob = store.get("k", version=stat.version)
        assert (blob.stat.size, blob.stat.metadata) == (n + 1, {"n": str(n)})
        assert store.head("k", version=stat.version) == blob.stat


def test_equal_bytes_make_another_version_with_the_same_etag(store: ObjectStore) -> None:
    first, second = store.put("k", b"same"), store.put("k", b"same")
    assert first.etag == second.etag
    assert first.version != second.version


def test_a_deleted_object_is_not_found_nor_listed(store: ObjectStore) -> None:
    store.put("k", b"1")
    store.delete("k")
    for read in (store.get, store.head):
        with pytest.raises(NotFound):
            read("k")
    assert list(store.list("")) == []


def test_deleting_what_is_not_there_is_no_error(store: ObjectStore) -> None:
    store.delete("never-was")
    store.delete("never-was")
    with pytest.raises(NotFound):
        store.head("never-was")


def test_a_delete_marker_cannot_be_read_by_its_version(store: ObjectStore) -> None:
    store.put("k", b"1")
    store.delete("k")
    marker = next(store.versions("k"))
    for read in (store.get, store.head):
        with pytest.raises(NotFound):
            read("k", version=marker.version)


@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_versions_come_newest_first_with_delete_markers_in_place(make_store, page_size: int) -> None:
    store = make_store(page_size=page_size)
    store.put("k", b"1")
    store.delete("k")
    store.put("k", b"22")
    store.put("k", b"333")
    store.delete("k")
    store.delete("k")
    store.put("k", b"4444")
    history = list(store.versions("k"))
    assert [version.size for version in history] == [4, 0, 0, 3, 2, 0, 1]
    assert [version.is_delete_marker for version in history] == [False, True, True, False, False, True, False]
    assert [version.is_latest for version in history] == [True] + [False] * 6
    assert history[0].version == store.head("k").version
    assert [version.etag == "" for version in history] == [version.is_delete_marker for version in history]
    assert all(older.modified <= newer.modified for newer, older in pairwise(history))


@pytest.mark.parametrize("page_size", [2, 1000])
def test_versions_are_of_exactly_that_key(make_store, page_size: int) -> None:
    store = make_store(page_size=page_size)
    for key in ("k", "k2", "k/sub", "j", "k", "k2"):
        store.put(key, key.encode())
    store.delete("k-deleted")
    assert [version.key for version in store.versions("k")] == ["k", "k"]
    assert list(store.versions("never-was")) == []


# listings


def test_a_listing_is_of_the_prefix_in_order_with_current_sizes(store: ObjectStore) -> None:
    for key in ("b", "a/2", "a/10", "a/", "A", "a"):
        store.put(key, b"old")
        store.put(key, key.encode())
    entries = list(store.list("a"))
    assert [entry.key for entry in entries] == ["a", "a/", "a/10", "a/2"]
    assert [(entry.size, entry.etag) for entry in entries] == [
        (store.head(entry.key).size, store.head(entry.key).etag) for entry in entries
    ]


def test_a_listing_can_begin_after_a_key(store: ObjectStore) -> None:
    for key in ("p/1", "p/2", "p/3", "q"):
        store.put(key, b"")
    assert [entry.key for entry in store.list("p/", after="p/1")] == ["p/2", "p/3"]
    assert [entry.key for entry in store.list("p/", after="p/15")] == ["p/2", "p/3"]
    assert list(store.list("p/", after="z")) == []


@pytest.mark.parametrize("count", [0, 1, 3, 6, 7])
def test_pages_join_without_a_gap_or_a_repetition(make_store, count: int) -> None:
    store = make_store(page_size=3)
    keys = [f"p/{n:02}é" for n in range(count)]
    for key in keys:
        store.put(key, b"")
    assert [entry.key for entry in store.list("p/")] == keys
    assert [entry.key for entry in store.list("p/", after="p/00é")] == keys[1:]


def test_more_than_a_thousand_keys_are_all_listed(make_store) -> None:
    store = make_store()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.put(f"many/{n:04}", b""), range(1005)))
    assert [entry.key for entry in store.list("many/")] == [f"many/{n:04}" for n in range(1005)]


def test_a_listing_is_fetched_while_it_is_consumed(make_store) -> None:
    store = make_store(page_size=2)
    for key in ("a", "b", "c", "d"):
        store.put(key, b"")
    listing = store.list("")
    assert next(listing).key == "a"
    store.delete("d")
    assert [entry.key for entry in listing] == ["b", "c"]


# odd names and values


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_work_everywhere(store: ObjectStore, key: str) -> None:
    old = store.put(key, b"old", metadata={"key": "old"})
    store.put(key, b"new")
    assert store.get(key).body == b"new"
    assert store.get(key, version=old.version).body == b"old"
    assert [entry.key for entry in store.list(key)] == [key]
    assert [version.version for version in store.versions(key)][1] == old.version
    assert store.copy(key, "copy", version=old.version).metadata == {"key": "old"}
    assert store.get("copy").body == b"old"
    store.assemble("joined", [CopyRange(key, old.version, 1, 3)])
    assert store.get("joined").body == b"ld"
    store.delete(key)
    assert [entry.key for entry in store.list("")] == ["copy", "joined"]


def test_odd_keys_are_listed_whole_and_in_the_order_of_their_utf8(make_store) -> None:
    store = make_store(page_size=4)
    for key in ODD_KEYS:
        store.put(key, b"")
    assert [entry.key for entry in store.list("")] == sorted(ODD_KEYS, key=str.encode)


@pytest.mark.parametrize(
    "value",
    ["", " ", " a  b ", "100%", "%41", "%%", "é ☃ 😀", "two\nlines\r\n", "\0", "=?UTF-8?Q?x?=", "a,b;c=\"d\\'"],
)
def test_any_text_survives_as_metadata(store: ObjectStore, value: str) -> None:
    metadata = {"value": value, "plain_name-1.x": "plain"}
    assert store.put("k", b"", metadata=metadata).metadata == metadata
    assert store.head("k").metadata == metadata
    assert store.get("k").stat.metadata == metadata
    assert store.copy("k", "copy").metadata == metadata
    assert store.head("copy").metadata == metadata
    assert store.assemble("joined", [b"x"], metadata=metadata).metadata == metadata
    assert store.head("joined").metadata == metadata


@pytest.mark.parametrize(
    "metadata", [{"a": "x" * 2048}, {"a": "é" * 342}, {"Upper": "x"}, {"sp ace": "x"}, {"é": "x"}, {"a": "\ud800"}]
)
def test_metadata_that_s3_cannot_carry_is_refused_before_anything_is_sent(
    store: ObjectStore, metadata: dict[str, str]
) -> None:
    with pytest.raises(UsageError):
        store.put("k", b"", metadata=metadata)
    with pytest.raises(UsageError):
        store.assemble("k", [b"x"], metadata=metadata)
    assert not store.requests  # type: ignore[attr-defined]


def test_metadata_up_to_two_kilobytes_is_kept(store: ObjectStore) -> None:
    metadata = {"a": "x" * 1023, "b": "y" * 1023}
    store.put("k", b"", metadata=metadata)
    assert store.head("k").metadata == metadata


# copies


def test_a_copy_is_of_the_exact_version(store: ObjectStore) -> None:
    old = store.put("k", b"old", metadata={"commit": "C1", "note": "é"})
    store.put("k", b"newer", metadata={"commit": "C2"})
    copied = store.copy("k", "snapshot", version=old.version)
    assert store.get("snapshot").body == b"old"
    assert copied.metadata == {"commit": "C1", "note": "é"}
    found = store.head("snapshot")
    assert (copied.key, copied.size, copied.etag, copied.version) == ("snapshot", 3, found.etag, found.version)


def test_a_copy_can_have_metadata_of_its_own(store: ObjectStore) -> None:
    store.put("k", b"body", metadata={"commit": "C1", "old": "gone"})
    copied = store.copy("k", "copy", metadata={"ingest": "20261128T214500-3f9a52c07be1", "raw": "raw/golf/é\n.csv"})
    found = store.get("copy")
    assert (found.body, found.stat.metadata) == (b"body", copied.metadata)
    assert copied.metadata == {"ingest": "20261128T214500-3f9a52c07be1", "raw": "raw/golf/é\n.csv"}
    assert store.copy("k", "bare", metadata={}).metadata == store.head("bare").metadata == {}
    assert store.head("k").metadata == {"commit": "C1", "old": "gone"}


def test_a_copy_whose_metadata_s3_cannot_carry_is_refused(store: ObjectStore) -> None:
    store.put("k", b"body")
    for wrong in ({"raw": "x" * 2048}, {"Raw": "x"}):
        with pytest.raises(UsageError):
            store.copy("k", "copy", metadata=wrong)
    assert [entry.key for entry in store.list("")] == ["k"]


def test_a_copy_without_a_version_is_of_the_current_one(store: ObjectStore) -> None:
    store.put("k", b"old")
    store.put("k", b"newer", metadata={"commit": "C2"})
    assert (store.copy("k", "c").size, store.get("c").body) == (5, b"newer")


def test_a_copy_of_a_deleted_object_needs_its_version(store: ObjectStore) -> None:
    stat = store.put("k", b"1")
    store.delete("k")
    assert store.copy("k", "c", version=stat.version).size == 1
    for version in (None, next(store.versions("k")).version):
        with pytest.raises(NotFound):
            store.copy("k", "d", version=version)


def test_a_copy_of_what_is_not_there_is_not_found(store: ObjectStore) -> None:
    with pytest.raises(NotFound):
        store.copy("never-was", "c")
    assert list(store.list("")) == []


def test_a_conditional_copy_does_not_replace_what_is_there(store: ObjectStore, request: pytest.FixtureRequest) -> None:
    if not isinstance(store, MemoryStore):
        reason = "MiniStack 1.5.33, stock, ignores CopyObject's conditions; test_store_s3 checks that they are sent"
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    store.put("source", b"new")
    there = store.put("target", b"there")
    for when in (ABSENT, Matches("0" * 32)):
        with pytest.raises(PreconditionFailed):
            store.copy("source", "target", when=when)
    assert store.copy("source", "target", when=Matches(there.etag)).size == 3


# multipart


def test_bytes_and_ranges_of_old_versions_are_joined(store: ObjectStore) -> None:
    body = bytes(range(256)) * 24576  # 6 MiB
    old = store.put("k", body)
    store.put("k", b"newer")
    tail = store.put("tail", b"0123456789")
    parts = [CopyRange("k", old.version, 7, 7 + PART_MIN), b"x" * PART_MIN, CopyRange("tail", None, 2, 5)]
    joined = store.assemble("joined", parts, metadata={"commit": "C1"})
    blob = store.get("joined")
    assert blob.body == body[7 : 7 + PART_MIN] + b"x" * PART_MIN + b"234"
    assert blob.stat.metadata == joined.metadata == {"commit": "C1"}
    assert (joined.size, joined.etag, joined.version) == (len(blob.body), blob.stat.etag, blob.stat.version)
    assert joined.etag.endswith("-3")
    assert tail.version == store.head("tail").version


def test_an_assembled_object_obeys_conditions_at_its_end(store: ObjectStore) -> None:
    first = store.assemble("k", [b"1"], when=ABSENT)
    with pytest.raises(PreconditionFailed):
        store.assemble("k", [b"2"], when=ABSENT)
    second = store.assemble("k", [b"22"], when=Matches(first.etag))
    with pytest.raises(PreconditionFailed):
        store.assemble("k", [b"333"], when=Matches(first.etag))
    with pytest.raises(NotFound):
        store.assemble("never-was", [b"4"], when=Matches(first.etag))
    assert store.get("k").body == b"22"
    assert [version.version for version in store.versions("k")] == [second.version, first.version]


def test_a_file_becomes_an_object_piece_by_piece(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 45_000)  # 11 MiB
    parts = file_parts(path, PART_MIN)
    assert [part.size for part in parts] == [PART_MIN, PART_MIN, 256 * 45_000 - 2 * PART_MIN]
    stat = store.assemble("k", parts, when=ABSENT, metadata={"commit": "C1"})
    blob = store.get("k")
    assert blob.body == path.read_bytes()
    assert (stat.size, stat.etag) == (len(blob.body), blob.stat.etag)
    small = tmp_path / "small"
    small.write_bytes(b"few")
    assert store.assemble("k", [b"x" * PART_MIN, *file_parts(small)]).size == PART_MIN + 3
    assert store.get("k").body.endswith(b"xfew")


def test_pieces_of_a_file_are_as_many_as_s3_joins_at_most(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(200 * 1024**3)
    parts = file_parts(path)
    assert len(parts) == 10_000
    assert (parts[0].start, parts[-1].stop) == (0, 200 * 1024**3)


def test_a_file_that_is_cut_or_gone_while_it_is_sent_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(PART_MIN + 10))
    parts = file_parts(path, PART_MIN)
    path.write_bytes(bytes(PART_MIN + 9))
    with pytest.raises(UsageError, match="it was cut while it was sent"):
        store.assemble("k", parts)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        store.assemble("k", parts)
    path.touch()
    with pytest.raises(UsageError):
        store.assemble("k", file_parts(path))
    assert list(store.list("")) == []


def test_a_part_of_what_is_not_there_is_not_found_and_leaves_nothing(store: ObjectStore) -> None:
    version = store.put("k", b"0123456789").version
    with pytest.raises(NotFound, match="never-was"):
        store.assemble("joined", [CopyRange("never-was", None, 0, 1)])
    with pytest.raises(UsageError):
        store.assemble("joined", [CopyRange("k", version, 5, 11)])
    assert [entry.key for entry in store.list("")] == ["k"]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"x"] * 10_001,
        [b"too small, and not the last", b"x"],
        [CopyRange("k", None, 0, 5), b"x"],
        [CopyRange("k", None, 5, 5)],
        [CopyRange("k", None, -1, 5)],
        [CopyRange("k", None, 0, 5 * 1024**3 + 1)],
        [CopyRange("", None, 0, 5)],
    ],
)
def test_parts_that_s3_would_refuse_at_the_end_are_refused_at_once(store: ObjectStore, parts: list) -> None:
    with pytest.raises(UsageError):
        store.assemble("joined", parts)
    assert not store.requests  # type: ignore[attr-defined]


# what was begun and never ended


class Death(BaseException):
    """The process ends: no error that anybody handles."""


def begin(store: ObjectStore, key: str) -> None:
    """Begin to assemble an object, and die of it."""
    if isinstance(store, MemoryStore):

        def die(operation: str, at: str, phase: str) -> None:
            if operation == "assemble":
                raise Death

        store.faults = die
        with contextlib.suppress(Death):
            store.assemble(key, [b"1"])
        store.faults = None
    else:
        store._client.create_multipart_upload(Bucket=store.bucket, Key=key)  # type: ignore[attr-defined]


def test_what_was_begun_and_never_ended_is_found_and_given_up(store: ObjectStore) -> None:
    for key in ("data/a", "data/b", "data/b", "other"):
        begin(store, key)
    found = list(store.unfinished("data/"))
    assert [each.key for each in found] == ["data/a", "data/b", "data/b"]
    assert len({each.upload for each in found}) == 3
    assert all(abs(datetime.now(UTC) - each.begun) < timedelta(minutes=5) for each in found)
    store.give_up(found[1])
    store.give_up(found[1])  # again, as after a lost answer
    assert list(store.unfinished("data/")) == [found[0], found[2]]
    assert [entry.key for entry in store.list("")] == []


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_pages_of_what_is_unfinished_join_without_a_gap_or_a_repetition(make_store, count: int) -> None:
    store = make_store(page_size=2)
    for number in range(count):
        begin(store, f"k{number // 2}")
    assert [each.key for each in store.unfinished("")] == [f"k{number // 2}" for number in range(count)]


def test_what_was_assembled_refused_or_found_wrong_is_not_unfinished(store: ObjectStore) -> None:
    store.assemble("k", [b"1"])
    with pytest.raises(PreconditionFailed):
        store.assemble("k", [b"2"], when=ABSENT)
    with pytest.raises(NotFound):
        store.assemble("k", [CopyRange("never-was", None, 0, 1)])
    assert list(store.unfinished("")) == []


def test_many_parts_are_joined_in_their_order_though_they_are_sent_side_by_side(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"f" * PART_MIN)
    source = store.put("source", bytes(range(256)) * (2 * PART_MIN // 256))
    parts = [CopyRange("source", source.version, 0, PART_MIN), *file_parts(path), b"b" * PART_MIN] * 4 + [b"end"]
    assert store.assemble("k", parts).size == 12 * PART_MIN + 3
    once = store.get("source", span=(0, PART_MIN)).body + path.read_bytes() + b"b" * PART_MIN
    assert store.get("k").body == once * 4 + b"end"
