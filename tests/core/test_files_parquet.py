"""Parquet in: types as they are, damage and bombs refused."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from towline.errors import UnreadableFile, UsageError
from towline.files import read_table, write_table


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


TABLE = pa.table({"id": pa.array([1, 2], pa.int16()), "s": ["a", None], "x": [0.1, None]})


def refusal(body: bytes, name: str = "t.parquet") -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_table(body, name)
    return str(caught.value)


def test_types_are_the_files_own() -> None:
    table, notes = read_table(parquet(TABLE), "t.parquet")
    assert table.equals(TABLE)
    assert notes == []


def test_the_name_does_not_matter_but_is_noted() -> None:
    table, notes = read_table(parquet(TABLE), "t.csv")
    assert table.equals(TABLE)
    assert notes == ["a Parquet file, although the name says .csv"]


def test_what_other_programs_keep_beside_the_table_is_left_out() -> None:
    table, _ = read_table(parquet(TABLE.replace_schema_metadata({"pandas": "{}"})), "t.parquet")
    assert table.schema.metadata is None
    assert all(field.metadata is None for field in table.schema)


@pytest.mark.parametrize("cut", [4, 8, 20, -1, -4, -8])
def test_a_file_that_is_cut_is_refused(cut: int) -> None:
    assert "cut or damaged" in refusal(parquet(TABLE)[:cut])


def test_damage_is_refused_wherever_it_is() -> None:
    body = parquet(TABLE)
    refused = 0
    for position in range(4, len(body) - 8, 7):
        damaged = bytearray(body)
        damaged[position] ^= 0xFF
        try:
            read_table(bytes(damaged), "t.parquet")
        except UnreadableFile:
            refused += 1
    assert refused


def test_nested_columns_are_refused() -> None:
    assert "column x holds lists" in refusal(parquet(pa.table({"x": [[1, 2]]})))


def test_text_that_unpacks_to_more_than_is_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("towline.files.parquet.MAX_TEXT", 1_000_000)
    bomb = parquet(pa.table({"x": ["y" * 10_000] * 1_000}))
    assert len(bomb) < 30_000
    assert "column x unpacks to 10,000,000 bytes of text" in refusal(bomb)


def test_more_cells_than_are_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("towline.files.parquet.MAX_CELLS", 1_000)
    assert "1,001 rows of 1 cells; at most 1,000" in refusal(parquet(pa.table({"x": [1] * 1_001})))


def test_too_many_columns_are_refused() -> None:
    assert "2,001 columns" in refusal(parquet(pa.table({f"c{i}": [1] for i in range(2_001)})))


def test_an_unknown_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="'ods' is not a format that is written; use csv, xlsx, parquet"):
        write_table(TABLE, "ods")
