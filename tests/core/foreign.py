"""Parquet files of one table as other programs write it: every codec, page version, encoding and layout that pyarrow,
DuckDB and polars offer, and the oddities that a schema can have.

    for form in FORMS: form.body          the bytes, made once
    NESTED, UNUSUAL, TWICE, ...           what is no table of one plain value a cell
    ENCRYPTED                             what cannot be read at all
"""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as crypto

from towline.sample import sample_table

ROWS = 600
MANY = 4_100  # in two row groups of DuckDB's smallest size, 2,048
FEW = 12
KEY = ("tow", "net")
NETS = 8  # of a tow
SCHEMA = sample_table().schema

Shape = Callable[[pa.Table], pa.Table]
Writer = Callable[[pa.Table], bytes]


@dataclass(frozen=True)
class Form:
    """One way to write the table. `keyed`: the rows are in the order of the key."""

    name: str
    writer: Writer
    shape: Shape = field(default=lambda table: table)
    rows: int = ROWS
    keyed: bool = True

    @cached_property
    def table(self) -> pa.Table:
        """What was written."""
        return self.shape(towed(self.rows))

    @cached_property
    def body(self) -> bytes:
        return self.writer(self.table)

    def __str__(self) -> str:
        return self.name


def towed(rows: int) -> pa.Table:
    """The table: `rows` nets, 8 a tow, in key order, with texts that repeat and texts that do not, and some nulls."""
    place = pa.array(range(rows), pa.int64())
    tow = pc.divide(place, NETS)
    noise = [pc.round(pc.random(rows, initializer=seed), 4) for seed in range(5)]
    vessel = pc.binary_join_element_wise("Meridian", pc.divide(tow, 25).cast(pa.string()), " ")
    cruise = pc.binary_join_element_wise("MD26", pc.divide(tow, 50).cast(pa.string()), "-0")
    time = pc.strftime(pc.multiply(place, 4_001).cast(pa.timestamp("s")), format="%Y-%m-%d %H:%M:%S")
    depth = [pc.multiply(noise[seed], 1_000.0) for seed in (2, 3)]
    volume = pc.if_else(pc.less(noise[4], 0.1), None, pc.multiply(noise[4], 800.0))
    is_day = pc.if_else(pc.greater(noise[0], 0.9), None, pc.less(noise[0], 0.5))
    size = pc.if_else(pc.less(tow, 20), None, 1.0)
    net = pc.subtract(place, pc.multiply(tow, NETS))
    latitude, longitude = pc.add(noise[0], 21.0), pc.subtract(noise[1], 158.0)
    columns = [vessel, cruise, tow, net, latitude, longitude, *depth, volume, time, time, is_day, size]
    return pa.table(columns, schema=SCHEMA)


# --- writers ---------------------------------------------------------------------------------------------------------


def by_pyarrow(**options: Any) -> Writer:
    def write(table: pa.Table) -> bytes:
        sink = io.BytesIO()
        pq.write_table(table, sink, **options)
        return sink.getvalue()

    return write


def by_duckdb(*options: str, before: str = "") -> Writer:
    def write(table: pa.Table) -> bytes:
        with duckdb.connect(config={"threads": 1}) as database, tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "x.parquet")
            database.register("towed", table)
            if before:
                database.execute(before)
            database.execute(f"COPY towed TO '{path}' ({', '.join(('FORMAT parquet', *options))})")
            return path.read_bytes()

    return write


def by_polars(**options: Any) -> Writer:
    def write(table: pa.Table) -> bytes:
        sink = io.BytesIO()
        polars.from_arrow(table).write_parquet(sink, **options)
        return sink.getvalue()

    return write


def in_groups(*sizes: int, **options: Any) -> Writer:
    """Row groups of these sizes, which may be 0; what is left makes the last one."""

    def write(table: pa.Table) -> bytes:
        sink, at = io.BytesIO(), 0
        with pq.ParquetWriter(sink, table.schema, **options) as writer:
            for size in (*sizes, table.num_rows - sum(sizes)):
                writer.write_table(table.slice(at, size), row_group_size=max(1, size))
                at += size
        return sink.getvalue()

    return write


def encrypted(*, plain_footer: bool) -> Writer:
    """With the footer encrypted (it ends with PARE), or only the column `vessel` (it ends with PAR1)."""
    columns = {"columns": ["vessel"]}
    configuration = crypto.EncryptionConfiguration(footer_key="footer", column_keys=columns)
    configuration.plaintext_footer = plain_footer
    factory = crypto.CryptoFactory(_Keys)
    return by_pyarrow(
        encryption_properties=factory.file_encryption_properties(crypto.KmsConnectionConfig(), configuration)
    )


class _Keys(crypto.KmsClient):
    def __init__(self, _: crypto.KmsConnectionConfig) -> None:
        super().__init__()

    def wrap_key(self, key: bytes, name: str) -> bytes:
        return base64.b64encode(key)

    def unwrap_key(self, key: bytes, name: str) -> bytes:
        return base64.b64decode(key)


# --- shapes ----------------------------------------------------------------------------------------------------------


def cast(**types: pa.DataType) -> Shape:
    """Columns in other types."""

    def shape(table: pa.Table) -> pa.Table:
        fields = [field.with_type(types.get(field.name, field.type)) for field in table.schema]
        return table.cast(pa.schema(fields))

    return shape


def with_column(column: Any, name: str = "extra") -> Shape:
    """One more column, which repeats these values."""

    def shape(table: pa.Table) -> pa.Table:
        values = column if isinstance(column, pa.Array) else pa.array(column)
        return table.append_column(name, values.take(pa.array([n % len(values) for n in range(table.num_rows)])))

    return shape


def in_place_of(name: str, column: Callable[[pa.Table], Any], type: pa.DataType | None = None) -> Shape:
    """A column replaced by another of its name."""

    def shape(table: pa.Table) -> pa.Table:
        values = column(table)
        values = values.cast(type) if type else values
        return table.set_column(table.column_names.index(name), name, values)

    return shape


def required(*names: str) -> Shape:
    """These columns REQUIRED, all others OPTIONAL."""

    def shape(table: pa.Table) -> pa.Table:
        return table.cast(pa.schema([field.with_nullable(field.name not in names) for field in table.schema]))

    return shape


def _without_nulls(table: pa.Table) -> pa.Table:
    filled = [pc.fill_null(table[f.name], _BLANK.get(f.type, 0.0)) for f in table.schema]
    return pa.table(filled, schema=table.schema)


_BLANK: dict[pa.DataType, Any] = {pa.string(): "", pa.bool_(): False, pa.int64(): 0}


def _without_values(table: pa.Table) -> pa.Table:
    empty = [table[f.name] if f.name in KEY else pa.nulls(table.num_rows, f.type) for f in table.schema]
    return pa.table(empty, schema=table.schema)


def _shuffled(table: pa.Table) -> pa.Table:
    return table.take(pc.sort_indices(pc.random(table.num_rows, initializer=26)))


def _half_null(table: pa.Table) -> pa.Table:
    """The first half has nothing but keys, so that some row groups have no value in a column and others no null."""
    half = pc.less(pa.array(range(table.num_rows)), table.num_rows // 2)
    columns = [table[name] if name in KEY else pc.if_else(half, None, table[name]) for name in table.column_names]
    return pa.table(columns, schema=table.schema)


_TEXTS = ("vessel", "cruise", "time_start_gmt", "time_start_local")
_NUMBERS = ("lat_decimal", "long_decimal", "min_depth", "max_depth", "volume_filtered", "net_size")
_CODECS = ("none", "snappy", "gzip", "zstd", "lz4", "brotli")


def _unusual_texts(table: pa.Table) -> pa.Table:
    unusual = pa.array(["", " ", "a\x00b", "Þórs\u2028höfn", "🐋", "x" * 70_000, "null", None])
    return table.set_column(0, "vessel", unusual.take(table["net"]))


def _unusual_numbers(table: pa.Table) -> pa.Table:
    numbers = pa.array([float("nan"), float("inf"), float("-inf"), -0.0, 0.0, 5e-324, 1.7976931348623157e308, None])
    return table.set_column(8, "volume_filtered", numbers.take(table["net"]))


def _plain_forms() -> Iterator[Form]:
    for codec in _CODECS:
        for version in ("1.0", "2.0"):
            name = f"pyarrow {codec}, pages {version}"
            yield Form(name, by_pyarrow(compression=codec, data_page_version=version, row_group_size=250))
    for codec in ("uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4_raw"):
        yield Form(f"duckdb {codec}", by_duckdb(f"CODEC '{codec}'"))
    for codec in ("uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4"):
        yield Form(f"polars {codec}", by_polars(compression=codec, row_group_size=250))


def _laid_out() -> Iterator[Form]:
    yield Form("one row a group", by_pyarrow(row_group_size=1), rows=FEW)
    yield Form("one group", by_pyarrow(row_group_size=ROWS))
    yield Form("groups of all sizes", in_groups(1, 7, 10, 16))
    yield Form("empty groups", in_groups(0, 10, 0, 20, 0, 0))
    yield Form("only empty groups", in_groups(0, 0), rows=0)
    yield Form("tiny pages", by_pyarrow(data_page_size=64, write_batch_size=16, max_rows_per_page=16))
    yield Form(
        "tiny pages of version 2", by_pyarrow(data_page_version="2.0", max_rows_per_page=16, write_batch_size=16)
    )
    yield Form("page index", by_pyarrow(write_page_index=True, row_group_size=150, max_rows_per_page=100))
    bloom = {"vessel": {"ndv": 100}, "tow": {"ndv": 1000}}
    yield Form("bloom filters", by_pyarrow(bloom_filter_options=bloom, row_group_size=150))
    yield Form("checksums of pages", by_pyarrow(write_page_checksum=True))
    yield Form("content-defined pages", by_pyarrow(use_content_defined_chunking=True, data_page_size=1_024))
    yield Form("no statistics", by_pyarrow(write_statistics=False, row_group_size=150))
    yield Form("no statistics of the key", by_pyarrow(write_statistics=["vessel"], row_group_size=150))
    yield Form("no Arrow schema", by_pyarrow(store_schema=False))
    yield Form("Parquet 1.0", by_pyarrow(version="1.0"))
    yield Form("flavor of Spark", by_pyarrow(flavor="spark"))
    yield Form("duckdb version 2", by_duckdb("PARQUET_VERSION V2", "ROW_GROUP_SIZE 2048"), rows=MANY)
    yield Form("duckdb without dictionaries", by_duckdb("STRING_DICTIONARY_PAGE_SIZE_LIMIT 1"))
    yield Form("duckdb, field ids", by_duckdb("FIELD_IDS 'auto'"))
    yield Form("polars without statistics", by_polars(statistics=False))
    yield Form("polars, tiny pages", by_polars(data_page_size=128, statistics="full"))


def _encoded() -> Iterator[Form]:
    yield Form("no dictionaries", by_pyarrow(use_dictionary=False))
    yield Form("dictionaries that overflow", by_pyarrow(dictionary_pagesize_limit=64, row_group_size=400))
    yield Form("byte stream split", by_pyarrow(use_dictionary=False, use_byte_stream_split=list(_NUMBERS)))
    encodings = dict.fromkeys(KEY, "DELTA_BINARY_PACKED") | dict.fromkeys(_TEXTS, "DELTA_BYTE_ARRAY")
    encodings |= {"cruise": "DELTA_LENGTH_BYTE_ARRAY", "is_day": "RLE", "net_size": "BYTE_STREAM_SPLIT"}
    yield Form("delta", by_pyarrow(use_dictionary=False, column_encoding=encodings))
    yield Form("delta, pages 2.0", by_pyarrow(use_dictionary=False, column_encoding=encodings, data_page_version="2.0"))


def _filled() -> Iterator[Form]:
    write = by_pyarrow(row_group_size=150, compression="zstd")
    yield Form("zero rows", by_pyarrow(), rows=0)
    yield Form("zero rows of duckdb", by_duckdb(), rows=0)
    yield Form("zero rows of polars", by_polars(), rows=0)
    yield Form("no nulls", write, _without_nulls)
    yield Form("no nulls, of duckdb", by_duckdb(), _without_nulls)
    yield Form("nothing but nulls", write, _without_values)
    yield Form("nothing but nulls, of duckdb", by_duckdb(), _without_values)
    yield Form("nothing but nulls, of polars", by_polars(), _without_values)
    yield Form("groups of nulls", write, _half_null)
    yield Form("unsorted", write, _shuffled, keyed=False)
    yield Form("unusual texts", write, _unusual_texts, rows=80)
    yield Form("unusual texts of duckdb", by_duckdb(), _unusual_texts, rows=80)
    yield Form("unusual numbers", write, _unusual_numbers, rows=80)
    yield Form("unusual numbers of polars", by_polars(), _unusual_numbers, rows=80)


VIEWS = Form("views of texts", by_pyarrow(row_group_size=250), cast(**dict.fromkeys(_TEXTS, pa.string_view())))


def _typed() -> Iterator[Form]:
    write = by_pyarrow(row_group_size=250)
    yield Form("all columns required", write, lambda t: required(*t.column_names)(_without_nulls(t)))
    yield Form("key optional", write, required())
    yield Form("columns in another order", write, lambda t: t.select(t.column_names[::-1]))
    yield Form("int32", write, cast(tow=pa.int32(), net=pa.int8()))
    yield Form("unsigned", write, cast(tow=pa.uint64(), net=pa.uint16()))
    yield Form("floats for a key", write, cast(tow=pa.float64()))
    yield Form(
        "float32",
        write,
        lambda t: t.cast(cast(**dict.fromkeys(_NUMBERS, pa.float32()))(t.slice(0, 0)).schema, safe=False),
    )
    yield Form("large texts", write, cast(**dict.fromkeys(_TEXTS, pa.large_string())))
    yield VIEWS
    yield Form("dictionaries of texts", write, _dictionaries)
    yield Form("columns of nulls", write, in_place_of("net_size", lambda t: pa.nulls(t.num_rows)))
    yield Form("pandas metadata", write, lambda t: t.replace_schema_metadata({"pandas": "{}", "x": "y"}))
    decimal = in_place_of(
        "volume_filtered", lambda t: pc.round(t["volume_filtered"], 1).cast(pa.decimal128(9, 1), safe=False)
    )
    yield Form("decimals", write, decimal)
    yield Form("decimals of duckdb", by_duckdb(), decimal)


def _dictionaries(table: pa.Table) -> pa.Table:
    for name in _TEXTS:
        table = table.set_column(table.column_names.index(name), name, pc.dictionary_encode(table[name]))
    return table


FORMS = (*_plain_forms(), *_laid_out(), *_encoded(), *_filled(), *_typed())


def _times(unit: str, zone: str | None = None) -> pa.Array:
    return pa.array([0, 86_400_000, None, 1_000_000], pa.timestamp(unit, zone))


def _more_types() -> Iterator[Form]:
    for unit in ("s", "ms", "us", "ns"):
        yield Form(f"times in {unit}", by_pyarrow(), with_column(_times(unit)))
    yield Form("times in UTC", by_pyarrow(), with_column(_times("ms", "UTC")))
    yield Form("times in a zone", by_pyarrow(), with_column(_times("us", "Pacific/Honolulu")))
    yield Form("INT96", by_pyarrow(use_deprecated_int96_timestamps=True), with_column(_times("ns")))
    yield Form("times of duckdb", by_duckdb(), with_column(_times("us", "UTC")))
    yield Form("times of polars", by_polars(), with_column(_times("ms")))
    yield Form("half floats", by_pyarrow(), with_column(pa.array([1.5, None], pa.float16())))
    yield Form("wide decimals", by_pyarrow(), with_column(pa.array([1, None], pa.decimal256(60, 3))))
    yield Form("dates", by_pyarrow(), with_column(pa.array([0, 20_000, None], pa.date32())))


MORE_TYPES = tuple(_more_types())


def _nested() -> Iterator[Form]:
    columns = {
        "lists": [[1, 2], [], None, [None]],
        "structures": [{"a": 1, "b": "x"}, None, {"a": None, "b": ""}],
        "lists of structures": [[{"a": [1]}], [], None],
        "maps": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        "fixed lists": pa.array([[1, 2], None], pa.list_(pa.int32(), 2)),
    }
    for name, column in columns.items():
        yield Form(name, by_pyarrow(row_group_size=250), with_column(column))
    yield Form("lists of duckdb", by_duckdb(), with_column(columns["lists"]))
    yield Form("structures of polars", by_polars(), with_column(columns["structures"]))


def _not_of_a_table() -> Iterator[Form]:
    yield Form("bytes", by_pyarrow(), with_column([b"\xff\x00", None]))
    yield Form("bytes of one length", by_pyarrow(), with_column(pa.array([b"0123456789abcdef"], pa.binary(16))))
    yield Form("times of day", by_pyarrow(), with_column(pa.array([1, None], pa.time64("us"))))
    yield Form("durations", by_pyarrow(), with_column(pa.array([1, None], pa.duration("us"))))
    yield Form("UUIDs", by_pyarrow(), with_column(_uuids()))


def _uuids() -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0123456789abcdef", None], pa.binary(16)))


NESTED = tuple(_nested())
UNUSUAL = tuple(_not_of_a_table())
TWICE = Form("a column twice", by_pyarrow(), with_column(["again"], "vessel"))
NAMELESS = Form("a column without a name", by_pyarrow(), with_column(["x"], ""))
DOTTED = Form("a dot in a name", by_pyarrow(), with_column(["x"], "a.b"))
ALIKE = Form("names that differ in case", by_pyarrow(), with_column(["x"], "Vessel"))
COLUMNLESS = Form("no columns", by_pyarrow(), lambda table: table.select([]))
ENCRYPTED = (
    Form("footer encrypted", encrypted(plain_footer=False), rows=FEW),
    Form("a column encrypted", encrypted(plain_footer=True), rows=FEW),
    Form(
        "encrypted by duckdb",
        by_duckdb(
            "ENCRYPTION_CONFIG {footer_key: 'k'}",
            before="SET force_mbedtls_unsafe = 'true'; PRAGMA add_parquet_key('k', '0123456789112345')",
        ),
        rows=FEW,
    ),
)


# --- readers ---------------------------------------------------------------------------------------------------------


def by_arrow(body: bytes) -> pa.Table:
    return pq.ParquetFile(pa.BufferReader(body)).read().replace_schema_metadata(None)


def by_all(body: bytes) -> list[pa.Table]:
    """What pyarrow, DuckDB and polars each read, in the types of the first."""
    first = by_arrow(body)
    with duckdb.connect(config={"threads": 1}) as database, tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.parquet")
        path.write_bytes(body)
        second = database.sql(f"FROM read_parquet('{path}')").to_arrow_table()
    third = polars.read_parquet(io.BytesIO(body)).to_arrow()
    return [first, second.cast(first.schema), third.cast(first.schema)]


def same(found: pa.Table, expected: pa.Table) -> bool:
    """Equal in types, order and values, NaN included."""
    is_same = found.equals(expected) or repr(found.to_pylist()) == repr(expected.to_pylist())
    return is_same and found.schema.equals(expected.schema)
