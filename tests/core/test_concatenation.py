"""Parts that are in order already become one object undecoded, and any others are sorted as ever."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.test_flatten import parquet, put
from towline import concatenation, flatten, parts, store
from towline.concatenation import Unfit, concatenated
from towline.errors import Unavailable, UnreadableFile
from towline.flatten import Flattened
from towline.memory import MemoryStore
from towline.parquet.tablefile import TableFile
from towline.parquet.writer import COMMIT, commit_metadata, to_parquet
from towline.rules.field import Field
from towline.store import CopyRange

FIELDS = (
    Field("tow", "integer"),
    Field("net", "string"),
    Field("depth", "number"),
    Field("at", "datetime", utc=True),
)
SCHEMA = pa.schema([(field.name, field.arrow) for field in FIELDS])
KEY = ("tow", "net")


def thrift_number(value: int) -> bytes:
    """A count as Thrift writes it: zigzag, seven bits a byte."""
    value *= 2
    return bytes([value & 127 | 128, value >> 7])


PART_MIN = 3_000  # bytes


@pytest.fixture(autouse=True)
def small_bounds() -> Iterator[None]:
    with patch.object(store, "PART_MIN", PART_MIN), patch.object(concatenation, "LEAST", 0):
        yield


def rows(first: int, count: int) -> pa.Table:
    """Rows in order, two nets a tow."""
    return pa.table(
        {
            "tow": [n // 2 for n in range(first, first + count)],
            "net": [f"net {n % 2}" for n in range(first, first + count)],
            "depth": [None if n % 7 == 0 else n * 0.37 % 11 for n in range(first, first + count)],
            "at": [datetime(2024, 5, 4, n % 24, n % 60, tzinfo=UTC) for n in range(first, first + count)],
        },
        schema=SCHEMA,
    )


def made(
    bucket: MemoryStore, fields: Sequence[Field] = FIELDS, key: Sequence[str] = KEY, **options: Any
) -> tuple[Flattened, bytes]:
    said = flatten.flatten(bucket, parts.find(bucket, "next/"), "result.parquet", fields, key, **options)
    return said, bucket.get("result.parquet").body


def check_reads(body: bytes, table: pa.Table, path: Path) -> None:
    """Arrow, DuckDB, polars and Towline itself read the table out of a file."""
    path.write_bytes(body)
    assert pq.ParquetFile(pa.BufferReader(body)).read().equals(table)
    file = TableFile.of_bytes(body)
    assert file.table().equals(table)
    some = table.slice(table.num_rows // 2, 1).to_pylist()[0]
    wanted = tuple(some[name] for name in KEY)
    assert file.rows([wanted], KEY) == {wanted: some}
    few = ["tow", "net", "depth"]
    seen = duckdb.connect().read_parquet(str(path)).select(*few).fetchall()
    assert seen == [tuple(row.values()) for row in table.select(few).to_pylist()]
    assert polars.read_parquet(path).rows() == [tuple(row.values()) for row in table.to_pylist()]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_parts_in_order_are_joined_as_they_lie_and_any_reader_reads_them(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.sampled_from([0, 1, 2, 40, 300, 2_000]), min_size=1, max_size=6).filter(any))
    options = {
        "compression": data.draw(st.sampled_from(["none", "snappy", "zstd", "gzip"])),
        "row_group_size": data.draw(st.sampled_from([100, 1_000])),
        "data_page_version": data.draw(st.sampled_from(["1.0", "2.0"])),
        "use_dictionary": data.draw(st.booleans()),
        "write_page_index": data.draw(st.booleans()),
        "write_statistics": data.draw(st.booleans()),
    }
    if data.draw(st.booleans()):
        options["bloom_filter_options"] = {"tow": {"ndv": 100, "fpp": 0.01}}
    tables, at = [], 0
    for size in sizes:
        tables.append(rows(at, size))
        at += size
    order = data.draw(st.permutations(tables))
    bucket = put(*(parquet(table, **options) for table in order))
    said, body = made(bucket)
    assert (said.unfit, said.rows) == ("", sum(sizes))
    with TemporaryDirectory() as name:
        check_reads(body, pa.concat_tables(tables).combine_chunks(), Path(name) / "result.parquet")


def test_the_store_copies_all_but_the_footer_and_what_is_too_small(tmp_path: Path) -> None:
    tables = [rows(0, 2_000), rows(2_000, 10), rows(2_010, 2_000), rows(4_010, 2_000)]
    bucket = put(*map(parquet, tables))
    found = concatenated(bucket, parts.find(bucket, "next/"), FIELDS, KEY, tmp_path)
    sent = sum(part.size for part in found.parts if not isinstance(part, CopyRange))
    copied = {part.key for part in found.parts if isinstance(part, CopyRange)}
    assert copied == {"next/0000", "next/0002", "next/0003"}
    assert all(part.version == bucket.head(part.key).version for part in found.parts if isinstance(part, CopyRange))
    assert sent < 2 * PART_MIN + 6_000  # what is borrowed for the small part, and the footer
    assert bucket.requests["get"] < 25


def test_what_one_part_says_of_itself_alone_is_not_said_of_the_result() -> None:
    bucket = put(to_parquet(rows(0, 900), KEY, commit_metadata("01K", 7)), to_parquet(rows(900, 900), KEY, {}))
    said, body = made(bucket)
    file = TableFile.of_bytes(body)
    assert (said.unfit, file.footer.digests, file.footer.metadata.get(COMMIT)) == ("", None, "")
    assert file.table().equals(rows(0, 1_800).cast(file.schema))


def swapped(table: pa.Table) -> pa.Table:
    return table.take([1, 0, *range(2, table.num_rows)])


def required(table: pa.Table) -> pa.Table:
    return table.cast(pa.schema([field.with_nullable(field.name not in KEY) for field in SCHEMA]))


WHOLE = rows(1_000, 1_000)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (parquet(swapped(WHOLE)), "0001 .* are not in key order"),
        (parquet(rows(999, 500)), "begins before .* ends"),
        (parquet(rows(400, 500), write_statistics=False), "0001 .* begins before .*0000 .* ends"),
        (parquet(WHOLE.select(["net", "tow", "depth", "at"])), "describes its columns otherwise"),
        (parquet(required(WHOLE)), "describes its columns otherwise"),
        (parquet(WHOLE.set_column(0, "tow", WHOLE["tow"].cast("int32"))), "describes its columns otherwise"),
        (
            parquet(pa.concat_tables([WHOLE, WHOLE.slice(0, 1).set_column(1, "net", pa.array([None], "string"))])),
            "order",
        ),
    ],
)
def test_any_other_parts_are_sorted_as_ever(other: bytes, why: str, tmp_path: Path) -> None:
    bucket = put(parquet(rows(0, 1_000)), other)
    with pytest.raises(Unfit, match=why):
        concatenated(bucket, parts.find(bucket, "next/"), FIELDS, KEY, tmp_path)
    said, body = made(bucket)
    assert re.search(why, said.unfit)
    keys = TableFile.of_bytes(body).table().select(["tow", "net"])
    assert TableFile.of_bytes(body).footer.digests
    assert keys.equals(keys.sort_by([(name, "ascending") for name in KEY]))


@pytest.mark.parametrize(
    ("fields", "key", "why"),
    [
        (FIELDS, ("depth", "tow"), "depth of the key is floating"),
        ((*FIELDS[:2], FIELDS[3], FIELDS[2]), KEY, "other columns"),
        ((Field("tow", "number"), *FIELDS[1:]), KEY, "other columns"),
    ],
)
def test_what_is_wanted_otherwise_than_it_lies_is_made_anew(
    fields: Sequence[Field], key: Sequence[str], why: str
) -> None:
    said, body = made(put(parquet(rows(1, 5)), parquet(rows(6, 5))), fields, key)
    assert why in said.unfit
    assert TableFile.of_bytes(body).schema.names == [field.name for field in fields]


def test_what_is_no_table_is_refused_by_name_as_ever() -> None:
    with pytest.raises(UnreadableFile, match="next/0001"):
        made(put(parquet(rows(0, 1_000)), b"no table"))


@pytest.mark.parametrize("asked", [{"canonical": True}, {"cuts": [((0, 450), (0, "net 0"))]}])
def test_where_the_canonical_form_is_asked_for_nothing_is_joined(asked: dict[str, Any]) -> None:
    said, body = made(put(parquet(rows(0, 900)), parquet(rows(900, 900))), **asked)
    file = TableFile.of_bytes(body)
    assert "canonical form" in said.unfit
    assert file.footer.digests
    assert file.table().equals(rows(0, 1_800).cast(file.schema))


def test_few_bytes_are_sorted_at_once() -> None:
    with patch.object(concatenation, "LEAST", 10**9):
        said, _ = made(bucket := put(parquet(rows(0, 5)), parquet(rows(5, 5))))
    assert "sorted sooner" in said.unfit
    assert bucket.requests["get"] == 3  # the two parts, and the result by this test


def test_row_groups_that_no_reader_expects_are_cut_anew() -> None:
    with patch.object(concatenation, "GROUP_MAX", 1_000):
        said, body = made(put(parquet(rows(0, 900)), parquet(rows(900, 900))))
    assert "are bearable" in said.unfit
    assert TableFile.of_bytes(body).num_rows == 1_800


def test_a_part_that_is_replaced_meanwhile_is_not_mixed_up(tmp_path: Path) -> None:
    bucket = put(parquet(rows(0, 900)), parquet(rows(900, 900)))
    found = parts.find(bucket, "next/")
    bucket.put("next/0001", parquet(rows(900, 800)))
    with pytest.raises(Unavailable, match="next/0001 was replaced"):
        concatenated(bucket, found, FIELDS, KEY, tmp_path)


def test_a_part_that_is_replaced_after_it_was_looked_at_is_copied_as_it_was(tmp_path: Path) -> None:
    bucket = put(parquet(rows(0, 900)), parquet(rows(900, 900)))
    found = concatenated(bucket, parts.find(bucket, "next/"), FIELDS, KEY, tmp_path)
    bucket.put("next/0001", b"something else")
    bucket.assemble("r", found.parts)
    assert TableFile.of_bytes(bucket.get("r").body).table().equals(rows(0, 1_800))


def lying(table: pa.Table, old: bytes, new: bytes) -> bytes:
    """The file of a table, with these bytes of its footer changed."""
    body = parquet(table, compression="snappy")
    footer = len(body) - 8 - int.from_bytes(body[-8:-4], "little")
    assert old in body[footer:]
    return body[:footer] + body[footer:].replace(old, new, 1)


@pytest.mark.parametrize(
    "body",
    [
        lying(WHOLE, thrift_number(1_000), thrift_number(1_001)),
        parquet(WHOLE, compression="snappy")[:4] + bytes(500) + parquet(WHOLE, compression="snappy")[504:],
        b"XXXX" + parquet(WHOLE)[4:],
    ],
    ids=["rows", "pages", "magic"],
)
def test_a_part_that_is_other_than_it_claims_is_never_joined(body: bytes, tmp_path: Path) -> None:
    bucket = put(body, parquet(rows(2_000, 900)))
    with pytest.raises(Unfit, match="next/0000"):
        concatenated(bucket, parts.find(bucket, "next/"), FIELDS, KEY, tmp_path)
