"""What only the memory store does: it counts, it takes a clock, and it fails on request."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towline.errors import OutcomeUnknown, PreconditionFailed, Unavailable
from towline.memory import MemoryStore, fail_once
from towline.store import ABSENT, Matches, quote_metadata, unquote_metadata


def test_the_clock_is_the_callers() -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert MemoryStore(clock=lambda: noon).put("k", b"").modified == noon


def test_requests_are_counted_as_s3_would_count_them() -> None:
    store = MemoryStore(page_size=2)
    for key in "abcd":
        store.put(key, b"")
    list(store.list(""))
    store.copy("a", "e")
    store.assemble("f", [b"1"])
    with pytest.raises(PreconditionFailed):
        store.put("a", b"", when=ABSENT)
    assert store.requests == {"put": 5, "list": 2, "copy": 1, "assemble": 3}


def test_a_fault_before_a_write_prevents_it_and_one_after_does_not() -> None:
    store = MemoryStore()
    store.faults = fail_once("put", "before", Unavailable("down"))
    with pytest.raises(Unavailable):
        store.put("k", b"1")
    assert list(store.list("")) == []
    store.put("k", b"1")
    store.faults = fail_once("put", "after", OutcomeUnknown("lost"), prefix="k")
    store.put("other", b"")
    with pytest.raises(OutcomeUnknown):
        store.put("k", b"2")
    assert store.get("k").body == b"2"


def test_a_fault_can_play_a_rival_who_writes_first() -> None:
    store = MemoryStore()
    seen = store.put("k", b"0")

    def rival(operation: str, key: str, phase: str) -> None:
        if (operation, phase) == ("put", "before"):
            store.faults = None
            store.put("k", b"rival's")

    store.faults = rival
    with pytest.raises(PreconditionFailed):
        store.put("k", b"mine", when=Matches(seen.etag))
    assert store.get("k").body == b"rival's"


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True), st.text(max_size=40), max_size=4))
def test_quoted_metadata_is_printable_ascii_and_comes_back_exactly(metadata: dict[str, str]) -> None:
    quoted = quote_metadata(metadata)
    assert unquote_metadata(quoted) == metadata
    for value in quoted.values():
        assert value.isascii()
        assert value.isprintable()
        assert value == value.strip()
        assert "  " not in value
