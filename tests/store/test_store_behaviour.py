"""What every store does, run on each of them: objects, conditions, ranges and versions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import md5
from itertools import pairwise
from threading import Barrier

import pytest

from towline.errors import NotFound, PreconditionFailed, UsageError
from towline.store import ABSENT, Matches, ObjectStore, TooLarge


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
