"""Parts of a table become one canonical object: the same as if all rows were sorted at once, whatever the memory."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core import flattening
from towline import flatten, parts, piles, ranks, rowgroups
from towline import table as tables
from towline.errors import NotFound, PreconditionFailed, Unavailable, UnreadableFile
from towline.memory import MemoryStore
from towline.parquet.footer import digest, of_bytes
from towline.parquet.writer import to_parquet
from towline.rules.field import Field
from towline.store import ABSENT, MIB

FIELDS = (
    Field("whole", "integer"),
    Field("text", "string"),
    Field("number", "number"),
    Field("yes", "boolean"),
    Field("day", "date"),
    Field("at", "datetime"),
    Field("moment", "datetime", utc=True),
    Field("place", "integer"),
)
SCHEMA = pa.schema([(field.name, field.arrow) for field in FIELDS])
VALUES = {
    "whole": [None, 0, 1, -1, 2**63 - 1, -(2**63)],
    "text": [None, "", "a", "Z", "é", "🐟", "\uffff", "null"],
    "number": [None, 0.0, -0.0, 1.5, -1.5, math.inf, -math.inf, math.nan],
    "yes": [None, True, False],
    "day": [None, date(1, 1, 1), date(1969, 12, 31), date(9999, 12, 31)],
    "at": [None, datetime(1, 1, 1), datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(9999, 12, 31)],
    "moment": [None, datetime(1900, 1, 1, tzinfo=UTC), datetime(2024, 5, 4, 18, 3, 9, 250_001, tzinfo=UTC)],
}
# The same values in the types that engines write.
DISGUISES: dict[str, list[pa.DataType]] = {
    "whole": [pa.int64(), pa.int32(), pa.uint64(), pa.decimal128(20, 0), pa.dictionary(pa.int32(), pa.int64())],
    "text": [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.string_view()],
    "number": [pa.float64(), pa.float32()],
    "yes": [pa.bool_()],
    "day": [pa.date32(), pa.date64(), pa.timestamp("ms")],
    "at": [pa.timestamp("us"), pa.timestamp("ms"), pa.timestamp("ns")],
    "moment": [pa.timestamp("us", "UTC"), pa.timestamp("us"), pa.timestamp("ns", "America/Lima")],
    "place": [pa.int64(), pa.int16()],
}
rows = st.lists(st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()}), max_size=30)


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def put(*bodies: bytes) -> MemoryStore:
    store = MemoryStore()
    for number, body in enumerate(bodies):
        store.put(f"next/{number:04}", body)
    return store


def flattened(
    store: MemoryStore, key: Sequence[str], fields: Sequence[Field] = FIELDS, memory: int = flatten.MEMORY
) -> pq.ParquetFile:
    made = flatten.flatten(store, parts.find(store, "next/"), "result.parquet", fields, key, memory=memory)
    file = pq.ParquetFile(pa.BufferReader(store.get("result.parquet").body))
    assert made.rows == file.metadata.num_rows
    return file


def told(values: Sequence[Any]) -> list[str]:
    """Values as text: NaN is NaN there, and -0.0 is not 0.0."""
    return [str(value) for value in values]


def told_rows(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    return [told([row[name] for name in SCHEMA.names]) for row in rows]


def expected(rows: Sequence[dict[str, Any]], key: Sequence[str]) -> list[list[str]]:
    """What Python's own stable sort makes of them."""
    positive = [{n: v + 0.0 if n in key and isinstance(v, float) else v for n, v in row.items()} for row in rows]
    return told_rows(sorted(positive, key=lambda row: ranks.rank(row[name] for name in key)))


@st.composite
def part(draw: st.DrawFn, table: pa.Table) -> bytes:
    """A Parquet file of a table: types, order of the columns and form as some engine might choose them."""
    disguised = table
    for at, name in enumerate(table.column_names):
        type = draw(st.sampled_from(DISGUISES[name]))
        try:
            column = table[name].cast(type)
            same = told(column.cast(SCHEMA.field(name).type).to_pylist()) == told(table[name].to_pylist())
        except (pa.ArrowException, ValueError):
            continue  # these values do not go into that type
        disguised = disguised.set_column(at, name, column) if same else disguised
    return parquet(
        disguised.select(draw(st.permutations(disguised.column_names))),
        compression=draw(st.sampled_from(["none", "snappy", "gzip", "zstd", "lz4"])),
        row_group_size=draw(st.sampled_from([3, 100])),
        use_dictionary=draw(st.booleans()),
        store_schema=draw(st.booleans()),
    )


@settings(max_examples=150)
@given(st.data())
def test_parts_become_what_sorting_all_their_rows_becomes(data: st.DataObject) -> None:
    drawn = data.draw(rows)
    given = [{**row, "place": place} for place, row in enumerate(drawn)]
    key = data.draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3, unique=True))
    if data.draw(st.booleans()):  # parts that are in order take other ways
        given = sorted(given, key=lambda row: ranks.rank(row[name] for name in key))
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(given)), max_size=6))), len(given)]
    chunks = [pa.Table.from_pylist(given[a:b], SCHEMA) for a, b in pairwise(cuts)]
    store = put(*(data.draw(part(chunk)) for chunk in chunks))
    with patch.object(piles, "FAN_IN", 2), patch.object(piles, "LEAST_BATCH", data.draw(st.sampled_from([1, 3]))):
        file = flattened(store, key, memory=data.draw(st.sampled_from([1, 3000, 10_000, 10**9])))
    assert told_rows(file.read().to_pylist()) == expected(given, key)
    assert file.read().schema.names == SCHEMA.names
    assert file.read().schema.types == SCHEMA.types


def numbers(count: int, start: int = 0) -> pa.Table:
    """`count` rows with a key that jumps about, and a text."""
    order = [(start + n * 7_919) % 1_000_003 for n in range(count)]
    return pa.table({"whole": pa.array(order, pa.int64()), "text": [f"tow {n % 1_000}" for n in range(count)]})


PAIR = (Field("whole", "integer"), Field("text", "string"))


@pytest.mark.parametrize("memory", [100_000, 2**30])
def test_the_object_is_canonical_to_the_byte_of_every_column_chunk(memory: int) -> None:
    table = numbers(150_000)
    store = put(*(parquet(table.slice(start, 30_000)) for start in range(0, 150_000, 30_000)))
    flattened(store, ["whole"], PAIR, memory)
    schema = pa.schema([pa.field("whole", pa.int64(), nullable=False), pa.field("text", pa.string())])
    made = store.get("result.parquet").body
    one, other = of_bytes(made), of_bytes(to_parquet(tables.sort(table, ["whole"]).cast(schema), ["whole"], {}))
    assert one.digests == other.digests
    assert (one.schema, one.rows, one.dead) == (other.schema, other.rows, 0)
    for group in one.groups():
        assert tuple(digest(made[start:stop]) for start, stop in group.spans) in (one.digests or ())
    metadata = one.arrow
    assert [metadata.row_group(n).num_rows for n in range(3)] == [65_536, 65_536, 18_928]
    assert metadata.row_group(0).sorting_columns == (pq.SortingColumn(0),)
    assert metadata.row_group(0).column(0).statistics.has_min_max


def test_key_columns_are_required_unless_they_hold_a_null() -> None:
    whole = flattened(put(parquet(numbers(3))), ["whole"], PAIR)
    assert [field.nullable for field in whole.schema_arrow] == [False, True]
    holed = pa.table({"whole": pa.array([2, None, 1], pa.int64()), "text": ["a", "b", "c"]})
    file = flattened(put(parquet(holed), parquet(numbers(1, 5))), ["whole"], PAIR, memory=1)
    assert [field.nullable for field in file.schema_arrow] == [True, True]
    assert file.read()["whole"].to_pylist() == [1, 2, 5, None]


def test_parts_in_order_that_do_not_overlap_are_read_as_they_lie_and_nothing_is_sorted_or_written_between() -> None:
    table = tables.sort(numbers(60_000), ["whole"])
    slices = [table.slice(start, 10_000) for start in (40_000, 0, 50_000, 20_000, 10_000, 30_000)]
    not_sorted = patch.object(piles.pc, "sort_indices", side_effect=AssertionError("sorted"))
    not_written = patch.object(pa.ipc, "new_file", side_effect=AssertionError("written"))
    with not_sorted, not_written:
        file = flattened(put(*map(parquet, slices)), ["whole"], PAIR, memory=200_000)
    assert file.read().equals(table.cast(file.schema_arrow))


def test_parts_in_order_wait_on_the_disk_however_few_bytes_they_come_in(tmp_path: Path) -> None:
    """There may be any number of them: each has 1,000 rows of 100 bytes, in 2 kB."""
    wide = pa.table({"whole": pa.array(range(4_000), pa.int64()), "text": pa.array(["x" * 100] * 4_000)})
    slices = [wide.slice(start, 1_000) for start in range(0, 4_000, 1_000)]
    store = put(*(parquet(part, compression="zstd", use_dictionary=False) for part in slices))
    found = parts.find(store, "next/")
    assert max(entry.size for entry in found.entries) <= 200_000 // 32

    rows = piles.Piles.rows

    def merging(*given: Any) -> Any:
        assert len(list(tmp_path.glob("*/*.part"))) == 4
        return rows(*given)

    with patch.object(piles.Piles, "rows", merging):
        flatten.flatten(store, found, "r", PAIR, ["whole"], workdir=tmp_path, memory=200_000, canonical=True)
    assert pq.read_table(pa.BufferReader(store.get("r").body)).to_pylist() == wide.to_pylist()


def test_parts_without_rows_count_for_nothing() -> None:
    empty = parquet(pa.table({"other": pa.array([], pa.int64())}))
    assert flattened(put(empty, parquet(numbers(2)), empty), ["whole"], PAIR).metadata.num_rows == 2
    none = flattened(put(empty), ["whole"], PAIR)
    assert (none.metadata.num_rows, none.schema_arrow.names) == (0, ["whole", "text"])


def test_names_are_found_without_regard_to_case_where_the_exact_one_is_missing() -> None:
    fields = (Field("Tow", "integer"), Field("Net_ID", "integer"))
    store = put(parquet(pa.table({"net_id": [1], "tow": [2]})), parquet(pa.table({"Tow": [1], "Net_ID": [5]})))
    assert flattened(store, ["Tow"], fields).read().to_pylist() == [{"Tow": 1, "Net_ID": 5}, {"Tow": 2, "Net_ID": 1}]


def one(name: str, values: Sequence[Any], type: pa.DataType, **options: Any) -> bytes:
    return parquet(
        pa.table({"whole": pa.array(range(len(values)), pa.int64()), name: pa.array(values, type)}), **options
    )


NANOSECOND = pa.array([1_000, 1_001], pa.int64()).cast(pa.timestamp("ns"))


@pytest.mark.parametrize(
    ("field", "values", "type", "said"),
    [
        (Field("x", "integer"), [1.0, 1.5], pa.float64(), "row 2: x is 1.5 (double); this column holds whole numbers"),
        (Field("x", "integer"), [0, 2**63], pa.uint64(), "x is 9223372036854775808 (uint64)"),
        (Field("x", "integer"), ["0", "seven"], pa.string(), "x is '0'"),
        (Field("x", "number"), [2**53, 2**53 + 1], pa.int64(), "x is 9007199254740993 (int64)"),
        (Field("x", "number"), [None, Decimal("0.1")], pa.decimal128(38, 37), "row 2: x is '0.1000"),
        (Field("x", "string"), [1, 2], pa.int64(), "this column holds text"),
        (Field("x", "string"), [b"\xff"], pa.binary(), "this column holds text"),
        (Field("x", "boolean"), [1, 0], pa.int8(), "this column holds true and false"),
        (Field("x", "date"), [datetime(2024, 1, 1, 12)], pa.timestamp("us"), "this column holds dates"),
        (Field("x", "datetime"), [datetime(2024, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC"), "dates with times"),
        (Field("x", "datetime"), NANOSECOND, pa.timestamp("ns"), "row 2: x is"),
    ],
)
def test_what_would_lose_something_is_refused_with_part_row_column_and_value(
    field: Field, values: Sequence[Any], type: pa.DataType, said: str
) -> None:
    store = put(one("x", [None], type), one("x", values, type))
    with pytest.raises(UnreadableFile) as caught:
        flattened(store, ["whole"], (Field("whole", "integer"), field))
    assert "next/0001" in str(caught.value)
    assert said in str(caught.value)
    assert [entry.key for entry in store.list("")] == ["next/0000", "next/0001"]


def test_what_loses_nothing_is_taken() -> None:
    fields = (Field("whole", "integer"), Field("x", "number"))
    store = put(
        one("x", [Decimal("0.5")], pa.decimal128(10, 2)), one("x", [2**53], pa.int64()), one("x", [0.1], pa.float32())
    )
    values = flattened(store, ["whole"], fields).read()["x"].to_pylist()
    assert sorted(values) == [pytest.approx(0.1), 0.5, 2.0**53]


def test_old_timestamps_are_taken_where_microseconds_hold_them_in_any_year() -> None:
    times = [datetime(1, 1, 1), datetime(1677, 1, 1), datetime(2024, 5, 4, 18, 3, 9, 250_001), datetime(9999, 12, 31)]
    fields = (Field("whole", "integer"), Field("x", "datetime"))
    body = one("x", [*times, None], pa.timestamp("us"), use_deprecated_int96_timestamps=True)
    assert flattened(put(body), ["whole"], fields).read()["x"].to_pylist() == [*times, None]
    fine = one("x", NANOSECOND, pa.timestamp("ns"), use_deprecated_int96_timestamps=True)
    with pytest.raises(UnreadableFile, match=r"next/0001: x has a time .* finer than a microsecond"):
        flattened(put(body, fine), ["whole"], fields)


def test_a_lost_and_an_additional_column_are_named_with_their_part() -> None:
    store = put(parquet(numbers(1)), parquet(numbers(1).drop_columns(["text"])))
    with pytest.raises(UnreadableFile, match=r"next/0001 lacks the column text; it has whole"):
        flattened(store, ["whole"], PAIR)
    store = put(parquet(numbers(1)), parquet(numbers(1).append_column("more", pa.array([1]))))
    with pytest.raises(UnreadableFile, match=r"next/0001 has the column more, which the table lacks"):
        flattened(store, ["whole"], PAIR)


@pytest.mark.parametrize("name", ["text", "more"])
def test_nested_and_doubled_columns_are_refused(name: str) -> None:
    lists = pa.table({"whole": [1], name: pa.array([["a"]], pa.list_(pa.string()))})
    with pytest.raises(UnreadableFile, match=rf"next/0000: column {name} holds lists or structures"):
        flattened(put(parquet(lists)), ["whole"], PAIR)
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([1]), pa.array(["a"])], ["whole", "whole", "text"])
    with pytest.raises(UnreadableFile, match="next/0000: column whole is there more than once"):
        flattened(put(parquet(twice)), ["whole"], PAIR)


def damaged() -> dict[str, bytes]:
    sound = parquet(numbers(2_000), compression="snappy")
    footer = sound.rindex(b"PAR1") - 4
    size = int.from_bytes(sound[footer : footer + 4], "little")
    rows = sound[footer - size : footer].replace(b"\xa0\x1f", b"\xa2\x1f")  # 2,000 as Thrift writes it, and 2,001
    return {
        "text": b"tow,net\n1,2\n",
        "short": b"PAR1",
        "cut": sound[:-100],
        "headless": sound[1_000:],
        "zeroed": sound[:200] + bytes(2_000) + sound[2_200:],
        "lying about its rows": sound[: footer - size] + rows + sound[footer:],
        "lying about its footer": sound[:footer] + (2**31).to_bytes(4, "little") + b"PAR1",
    }


@pytest.mark.parametrize("how", damaged())
def test_what_is_no_sound_parquet_file_is_refused_by_name_and_leaves_nothing(how: str, tmp_path: Path) -> None:
    store = put(parquet(numbers(5)), damaged()[how])
    with pytest.raises(UnreadableFile, match="next/0001"):
        flatten.flatten(store, parts.find(store, "next"), "r", PAIR, ["whole"], workdir=tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotFound):
        store.head("r")


def test_a_part_that_is_replaced_meanwhile_is_not_mixed_up() -> None:
    store = put(parquet(numbers(5)))
    found = parts.find(store, "next")
    store.put("next/0000", parquet(numbers(6)))
    with pytest.raises(Unavailable, match=r"next/0000 was replaced"):
        flatten.flatten(store, found, "r", PAIR, ["whole"])


def test_work_files_are_gone_also_after_a_failure_at_the_very_end(tmp_path: Path) -> None:
    store = put(*(parquet(numbers(5_000, start)) for start in range(4)))
    store.put("r", b"")
    with pytest.raises(PreconditionFailed):
        flatten.flatten(
            store, parts.find(store, "next"), "r", PAIR, ["whole"], workdir=tmp_path, memory=1000, when=ABSENT
        )
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    store = put(parquet(numbers(5)), parquet(numbers(5)))
    with free(0), pytest.raises(Unavailable, match="bytes free"):
        flatten.flatten(store, parts.find(store, "next"), "r", PAIR, ["whole"], workdir=tmp_path)
    assert store.requests["get"] == 0
    with free(10**9, 0), pytest.raises(Unavailable, match="make room"):
        flatten.flatten(store, parts.find(store, "next"), "r", PAIR, ["whole"], workdir=tmp_path, memory=99)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    store = put(parquet(numbers(5)))
    full = patch.object(rowgroups, "encode", side_effect=OSError(28, "No space left on device"))
    with full, pytest.raises(Unavailable, match="No space left"):
        flatten.flatten(store, parts.find(store, "next"), "r", PAIR, ["whole"], workdir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def free(*sizes: int) -> Any:
    """The disk has so many bytes free, each time that it is asked."""
    return patch.object(piles.shutil, "disk_usage", side_effect=[SimpleNamespace(free=size) for size in sizes])


def test_texts_that_unpack_to_far_more_than_memory_are_refused_before_they_do() -> None:
    """A few kilobytes in a file, 400 MB in cells."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 4_000, pa.int32()), ["x" * 100_000])
    bomb = pa.table({"whole": pa.array(range(4_000), pa.int64()), "text": text})
    with pytest.raises(UnreadableFile, match="rows of this table take"):
        flattened(put(parquet(bomb)), ["whole"], PAIR, memory=2**25)


def test_a_table_larger_than_its_memory_is_flattened_within_it(tmp_path: Path) -> None:
    """300 MB with 64 MiB for rows at hand; Arrow's pages, a row group being encoded and the like come on top."""
    memory = 64 * MIB
    size = flattening.write_parts(tmp_path, rows=2_800_000, count=40)
    assert size > 300 * 10**6
    found = flattening.in_a_process(tmp_path, memory)
    assert found["rows"] == 2_800_000
    assert found["arrow"] < 1.5 * memory
    assert found["peak"] - found["before"] < 200 * MIB
    result = pq.ParquetFile(tmp_path / "result.parquet")
    keys = result.read(columns=list(flattening.KEY))
    assert keys["tow"].to_numpy().tolist() == [n // 8 for n in range(2_800_000)]
    assert ranks.is_ordered(keys)


def test_memory_follows_from_what_a_function_has() -> None:
    assert flatten.memory_within(2048 * 2**20) == pytest.approx(800 * 2**20, rel=0.1)
    assert flatten.memory_within(128 * 2**20) == 2**20


@pytest.mark.parametrize("memory", [1_000_000, 2**30])
def test_row_groups_begin_where_those_of_the_base_do_so_that_what_did_not_change_has_equal_digests(memory: int) -> None:
    schema = pa.schema([pa.field("whole", pa.int64(), nullable=False), pa.field("text", pa.string())])
    base = tables.sort(numbers(300_000), ["whole"]).cast(schema)
    changed = base.slice(200_000, 1).set_column(1, "text", pa.array(["another"]))
    inserted = pa.table({"whole": pa.array([-2, -1], pa.int64()), "text": ["a", "b"]})
    kept = [base.slice(70_005, 129_995), base.slice(0, 70_000), base.slice(200_001)]  # five rows are deleted
    store = put(*map(parquet, [*kept, changed, inserted]))
    store.put("base.parquet", to_parquet(base, ["whole"], {}))
    cuts = rowgroups.firsts(store, "base.parquet", PAIR, ["whole"])
    assert cuts == [piles.rank_at(base, ["whole"], row) for row in (65_536, 131_072, 196_608, 262_144)]
    flatten.flatten(store, parts.find(store, "next/"), "r", PAIR, ["whole"], memory=memory, cuts=cuts)
    one, other = of_bytes(store.get("base.parquet").body), of_bytes(store.get("r").body)
    assert other.rows == [65_538, 65_531, 65_536, 65_536, 37_856]
    same = [[a == b for a, b in zip(*group, strict=True)] for group in zip(one.digests, other.digests, strict=True)]
    assert same == [[False, False], [False, False], [True, True], [True, False], [True, True]]


def cut_at(rows: Sequence[int], cuts: Sequence[int]) -> list[int]:
    """How many rows the groups of a table with these keys have, which comes in pieces of three rows."""
    table = pa.table({"whole": pa.array(rows, pa.int64())})
    pieces = [table.slice(start, 3) for start in range(0, len(rows), 3)]
    ends = [ranks.rank([value]) for value in cuts]
    bounds = patch.multiple(rowgroups, ROW_GROUP=4, _LEAST=2, _MOST=6)
    with bounds:
        found = list(rowgroups.cut(pieces, table.schema, MIB, ["whole"], ends))
    assert pa.concat_tables(found).equals(table)
    return [each.num_rows for each in found]


@pytest.mark.parametrize(
    ("rows", "cuts", "groups"),
    [
        (range(8), [], [4, 4]),
        (range(9), [4, 8], [4, 4, 1]),
        (range(8), [5], [5, 3]),
        (range(8), [3, 20], [3, 5]),
        (range(9), [1, 5], [5, 4]),  # one row alone is no row group
        (range(14), [7], [4, 3, 4, 3]),  # more than half as many again are parted
        ([5, 5, 5, 6, 6], [6], [3, 2]),
        ([0, 1, 9, 10], [3, 4, 5, 9], [2, 2]),
        ([0, 1], [-3, 7], [2]),
        ([], [3], [0]),
    ],
)
def test_a_cut_begins_a_row_group_where_that_is_of_a_fair_size(
    rows: Sequence[int], cuts: Sequence[int], groups: Sequence[int]
) -> None:
    assert cut_at(rows, cuts) == groups


def test_a_base_that_is_none_or_has_another_key_gives_no_cuts() -> None:
    store = put(b"no table", parquet(numbers(3)))
    for base, fields in [("next/9", PAIR), ("next/0000", PAIR), ("next/0001", (Field("whole", "number"),))]:
        assert rowgroups.firsts(store, base, fields, ["whole"]) == []
