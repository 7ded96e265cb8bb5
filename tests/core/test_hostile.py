"""Files that lie are refused with the reason, in little memory and time, whichever way they come in."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core import hostile
from tests.core.forged import FOR_NO_ROWS, LIES, WHOLE, honest, nulls, prefixes, repeated
from towline.errors import Corrupt, UnreadableFile
from towline.files import read_table
from towline.parquet.source import BytesSource
from towline.parquet.tablefile import TableFile

MIB = 2**20
REFUSALS = {
    "file": ("Corrupt", "x.parquet"),
    "proposal": ("UnreadableFile", "x.parquet"),
    "part": ("UnreadableFile", "next/part"),
    "joined": ("Corrupt UnreadableFile", "next/part"),  # when the parts are joined, or when the result is read
    "master": ("Corrupt", "nets/master"),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return hostile.in_a_process(tmp_path_factory.mktemp("hostile"))


def test_what_does_not_lie_is_read_at_every_door(found: dict[str, Any]) -> None:
    assert found["answers"].keys() == REFUSALS.keys()
    assert [answers[hostile.HONEST][0] for answers in found["answers"].values()] == [None] * len(REFUSALS)


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_by_its_name_at_every_door(found: dict[str, Any], lie: str) -> None:
    for door, (kind, place) in REFUSALS.items():
        error, message, seconds = found["answers"][door][lie]
        if (door, lie) == ("joined", FOR_NO_ROWS):  # row groups without rows are left out
            assert error is None, message
            continue
        assert error, (door, message)
        assert error in kind.split(), (door, message)
        assert place in message
        is_told_before = door == "proposal" and lie in WHOLE  # by its first and last bytes
        assert is_told_before or re.search(LIES[lie][1], message), (door, message)
        assert seconds < 10


def test_lies_take_little_memory(found: dict[str, Any]) -> None:
    assert found["grown"] < 300 * MIB


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (prefixes(100), "column vessel unpacks to"),
        (repeated(1_000_000), "column vessel unpacks to 1,048,576,000,000 bytes of text"),
        (nulls(20_000_000), "unpacks to 67,200,000 bytes"),
    ],
    ids=["prefixes", "repeated", "nulls"],
)
def test_a_small_file_of_a_large_table_is_refused_where_it_is_too_large(body: bytes, said: str) -> None:
    """They do not lie: they are small because all that is in them is the same."""
    assert len(body) < 2 * MIB
    before = pa.total_allocated_bytes()
    with pytest.raises(Corrupt, match=said):
        TableFile.foreign(BytesSource(body)).read([0], most=64 * MIB)
    assert pa.total_allocated_bytes() - before < 64 * MIB


def test_dictionaries_with_texts_that_each_begin_with_the_one_before_are_read_where_there_is_room() -> None:
    assert TableFile.foreign(BytesSource(prefixes(20))).table().num_rows == 20
    assert read_table(prefixes(20), "x.parquet")[0].num_rows == 20


def test_a_file_of_a_row_group_more_than_its_bytes_describe_names_the_group() -> None:
    body = honest()
    with pytest.raises(UnreadableFile, match=r"column tow of row group 1: field 3 is missing"):
        read_table(_zeroed(body), "x.parquet")


def _zeroed(body: bytes) -> bytes:
    """With nothing where the pages of the first column of the second row group lie."""
    chunk = pq.read_metadata(pa.BufferReader(body)).row_group(1).column(0)
    start, stop = chunk.data_page_offset, chunk.data_page_offset + chunk.total_compressed_size
    return body[:start] + bytes(stop - start) + body[stop:]
