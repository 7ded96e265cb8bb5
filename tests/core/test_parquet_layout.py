"""Pieces become parts that S3 takes, and as few bytes travel as its rules allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towline.errors import UsageError
from towline.memory import MemoryStore
from towline.parquet.layout import Part, Rules, Upload, layout
from towline.parquet.pieces import Keep, Piece, read, size
from towline.store import MIB, PART_MAX, PART_MIN, PARTS_MAX, CopyRange

S3 = Rules(PART_MIN, PART_MAX, PARTS_MAX)
OLD = bytes(range(256))


@dataclass
class Old:
    """An object in memory that counts what is read of it."""

    body: bytes = OLD
    where: str = "the old object"
    size: int = len(OLD)
    spans: list[tuple[int, int]] = field(default_factory=list)

    def read(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        self.spans += spans
        return [self.body[start:stop] for start, stop in spans]


@st.composite
def pieces_(draw: st.DrawFn, longest: int = 24) -> list[Piece]:
    """Some pieces; what is kept lies anywhere in the old object, in any order."""
    keep = st.tuples(st.integers(0, 200), st.integers(0, longest)).map(lambda at: Keep(at[0], at[0] + at[1]))
    return draw(st.lists(st.one_of(keep, keep, st.binary(max_size=6)), max_size=9))


def body(parts: Sequence[Part], source: Old) -> bytes:
    return b"".join(part.read(source) if isinstance(part, Upload) else OLD[part.start : part.stop] for part in parts)


def borrowed(parts: Sequence[Part]) -> int:
    return sum(part.borrowed for part in parts if isinstance(part, Upload))


def fewest(pieces: Sequence[Piece], least: int) -> int:
    """How few bytes can be borrowed: every way to cut the bytes is tried, and nothing is clever."""
    of = [(number, isinstance(piece, Keep)) for number, piece in enumerate(pieces) for _ in range(len(piece))]
    runs = [0] * (len(of) + 1)  # of each byte: up to where its own Keep goes on, which ends where bytes do not follow
    for at in range(len(of) - 1, -1, -1):
        follows = at + 1 < len(of) and _follows(pieces, of, at)
        runs[at] = runs[at + 1] if follows else at + 1
    kept = [0]
    for _, is_kept in of:
        kept.append(kept[-1] + is_kept)
    best: list[float] = [0.0] + [float("inf")] * len(of)
    for start in range(len(of)):
        for stop in range(start + 1, len(of) + 1):
            if stop - start < least and stop < len(of):
                continue
            copied = of[start][1] and stop <= runs[start]
            best[stop] = min(best[stop], best[start] + (0 if copied else kept[stop] - kept[start]))
    return int(best[-1])


def _follows(pieces: Sequence[Piece], of: Sequence[tuple[int, bool]], at: int) -> bool:
    """Whether the byte after this one lies after it in the old object, too."""
    one, following = pieces[of[at][0]], pieces[of[at + 1][0]]
    if not (isinstance(one, Keep) and isinstance(following, Keep)):
        return False
    return of[at][0] == of[at + 1][0] or one.stop == following.start


@settings(max_examples=400)
@given(pieces_(), st.integers(1, 8))
def test_the_parts_are_the_pieces_under_the_rules_with_the_fewest_bytes_borrowed(
    pieces: list[Piece], least: int
) -> None:
    if not size(pieces):
        return
    old = Old()
    parts = layout(pieces, old.size, Rules(least, 1000, 1000))
    assert body(parts, old) == b"".join(read(pieces, Old()))
    assert all(len(part) >= least for part in parts[:-1])
    assert all(parts)
    assert borrowed(parts) == size([Keep(*span) for span in old.spans]) == fewest(pieces, least)


@settings(max_examples=150)
@given(pieces_(longest=60), st.integers(1, 4), st.integers(8, 20), st.integers(1, 6))
def test_parts_are_neither_too_large_nor_too_many(pieces: list[Piece], least: int, most: int, count: int) -> None:
    rules = Rules(least, most, count, copy=most, upload=max(2 * least, most // 2))
    if not 0 < size(pieces) <= most * count:
        with pytest.raises(UsageError, match="make no object"):
            layout(pieces, len(OLD), rules)
        return
    parts = layout(pieces, len(OLD), rules)
    assert body(parts, Old()) == b"".join(read(pieces, Old()))
    assert all(least <= len(part) <= most for part in parts[:-1])
    assert 0 < len(parts[-1]) <= most
    assert len(parts) <= count


def test_one_part_borrows_less_than_two_times_the_least_size() -> None:
    """A small piece between two large ones: what it lacks comes of one of them, and nothing else travels."""
    parts = layout([Keep(0, 100 * MIB), b"new", Keep(101 * MIB, 200 * MIB)], 200 * MIB, S3)
    assert [len(part) for part in parts] == [95 * MIB + 3, PART_MIN, 99 * MIB]
    assert borrowed(parts) == PART_MIN - 3


def test_what_is_appended_borrows_nothing() -> None:
    parts = layout([Keep(0, 455 * MIB), b"new bytes and a footer"], 456 * MIB, S3)
    assert parts == [Keep(0, 455 * MIB), Upload((b"new bytes and a footer",))]


def test_large_ranges_are_divided_so_that_they_are_copied_side_by_side() -> None:
    parts = layout([Keep(0, 100 * 1024 * MIB), b"footer"], 101 * 1024 * MIB, S3)
    assert len(parts) == 201
    assert {len(part) for part in parts[:-1]} == {512 * MIB}
    assert len(layout([Keep(0, 20 * 1024**2 * MIB), b"footer"], 21 * 1024**2 * MIB, S3)) < PARTS_MAX / 2


def test_an_object_of_which_s3_copies_no_range_is_sent_whole() -> None:
    assert layout([Keep(0, PART_MIN - 1), b"footer"], PART_MIN, S3) == [Upload((Keep(0, PART_MIN - 1), b"footer"))]


def test_a_store_takes_the_parts() -> None:
    store = MemoryStore()
    old = OLD * (40 * MIB // len(OLD))
    version = store.put("master", old).version
    pieces: list[Piece] = [Keep(0, 9 * MIB), b"one", Keep(10 * MIB, 18 * MIB), b"two", Keep(20 * MIB, 22 * MIB), b"end"]
    source = Old(old, size=len(old))
    parts = layout(pieces, len(old), S3)
    store.assemble(
        "master",
        [p.read(source) if isinstance(p, Upload) else CopyRange("master", version, p.start, p.stop) for p in parts],
    )
    assert store.get("master").body == b"".join(read(pieces, Old(old, size=len(old))))
    assert any(isinstance(part, Keep) for part in parts)
