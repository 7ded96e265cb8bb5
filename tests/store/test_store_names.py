"""Which keys and metadata every store holds, and how it lists them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from towline.errors import UsageError
from towline.store import CopyRange, ObjectStore

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
