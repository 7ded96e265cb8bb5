"""Which objects of a prefix are parts of its table, and what is said of the others."""

from __future__ import annotations

import pytest

from towline import parts
from towline.errors import NotFound, TowlineError, UsageError
from towline.memory import MemoryStore

BUCKET = "s3://towline/"


def store_of(*keys: str, **bodies: bytes) -> MemoryStore:
    store = MemoryStore()
    for key in keys:
        store.put(f"next/{key}", b"PAR1")
    for key, body in bodies.items():
        store.put(f"next/{key}", body)
    return store


def names(found: parts.Parts) -> list[str]:
    return [entry.key.removeprefix("next/") for entry in found.entries]


def test_a_part_is_what_is_no_mark_with_or_without_an_ending_and_in_any_folder() -> None:
    keys = ["20260101_000000_00001_abcde_0b1c", "b.parquet", "cruise=SR_1/d", "deep/er/c.snappy.parquet", "e.f_"]
    assert names(parts.find(store_of(*reversed(keys)), "next/")) == keys


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("_SUCCESS", "a hidden name"),
        ("_committed_123", "a hidden name"),
        (".part-0.crc", "a hidden name"),
        ("_temporary/0/part-0.parquet", "a hidden name"),
        ("deep/.staging/part-0", "a hidden name"),
        ("deep_$folder$", "a folder's marker"),
        ("0a1b-manifest.csv", "a manifest"),
        ("deep/0a1b-manifest.csv", "a manifest"),
    ],
)
def test_marks_are_left_out_and_said(key: str, reason: str) -> None:
    found = parts.find(store_of("part", key), "next/")
    assert names(found) == ["part"]
    assert found.ignored == (parts.Ignored(f"next/{key}", reason),)


def test_folders_and_empty_objects_are_left_out() -> None:
    store = store_of("part")
    for key in ("next/", "next/deep/", "next/empty.parquet"):
        store.put(key, b"")
    found = parts.find(store, "next")
    assert names(found) == ["part"]
    assert [ignored.reason for ignored in found.ignored] == ["a folder's marker", "a folder's marker", "empty"]


def test_a_prefix_ends_where_its_folder_ends() -> None:
    store = store_of("part")
    store.put("next2/part", b"PAR1")
    assert names(parts.find(store, "next")) == ["part"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "nothing lies there"),
        (["_SUCCESS"], "only next/_SUCCESS (a hidden name)"),
        (["_a", "_b", "_c"], "and 2 more objects that are none"),
    ],
)
def test_where_there_is_no_part_it_is_said_what_there_is(keys: list[str], said: str) -> None:
    with pytest.raises(NotFound) as caught:
        parts.find(store_of(*keys), "next/")
    assert said in str(caught.value)
    assert "next/" in str(caught.value)


def test_a_manifest_decides_over_the_listing() -> None:
    manifest = f"{BUCKET}next/b\n{BUCKET}next/_odd\n\n".encode()
    store = store_of("a", "b", "_odd")
    store.put("results/x-manifest.csv", manifest)
    found = parts.find(store, "next/", "results/x-manifest.csv")
    assert names(found) == ["_odd", "b"]
    assert found.ignored == (parts.Ignored("next/a", "not in the manifest"),)


@pytest.mark.parametrize(
    ("manifest", "error", "said"),
    [
        (f"{BUCKET}next/a\n{BUCKET}next/gone\n", NotFound, "names next/gone, and 1 such part is not there"),
        (f"{BUCKET}next/x\n{BUCKET}next/y\n", NotFound, "2 such parts are not there"),
        (f"{BUCKET}next/a\n{BUCKET}elsewhere/b\n", UsageError, "line 2: 's3://towline/elsewhere/b' is no object under"),
        (f"{BUCKET}next2/a\n", UsageError, "no object under next/"),
        ("next/a\n", UsageError, "line 1"),
        ("\xff", UsageError, "not text"),
        ("", NotFound, "only next/a (not in the manifest)"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(manifest: str, error: type[TowlineError], said: str) -> None:
    store = store_of("a")
    store.put("m.csv", manifest.encode("latin-1"))
    with pytest.raises(error) as caught:
        parts.find(store, "next/", "m.csv")
    assert said in str(caught.value)


def test_a_manifest_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"m\.csv"):
        parts.find(store_of("a"), "next/", "m.csv")


def test_a_uri_is_a_key_of_this_bucket_or_refused() -> None:
    assert parts.key_of("s3://towline/sql/a b/m.csv", "towline") == "sql/a b/m.csv"
    for uri in ("s3://other/m.csv", "towline/m.csv", "s3://towline", "s3://towline/", "https://towline/m.csv"):
        with pytest.raises(UsageError):
            parts.key_of(uri, "towline")
