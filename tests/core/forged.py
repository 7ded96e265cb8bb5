"""Parquet files that lie: a sound file of the dataset `nets` in which one claim is not true.

LIES: name -> (the file, what its refusal says)
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from tests.core.nets import CONTRACT
from towline.parquet import thrift
from towline.parquet.footer import MAGIC, of_bytes
from towline.parquet.thrift import BINARY, I32, I64, LIST, STRUCT, Many, Struct

ROWS, GROUP = 40, 20
GIB = 2**30
TOW, NET, VOLUME, VESSEL, IS_DAY = range(5)
FOR_NO_ROWS = "a dictionary of 2 GiB for no rows"
_PLAIN = 0
_DATA, _DICTIONARY = 0, 2
_NONE, _ZSTD = 0, 6

Lie = Callable[[bytes], bytes]


def honest(first: int = 0) -> bytes:
    """Two row groups, no compression, no dictionaries: what is changed in it is all that is wrong with it. `first`: of
    its rows."""
    numbers = range(first, first + ROWS)
    columns = {
        "tow": [number // 8 for number in numbers],
        "net": [number % 8 for number in numbers],
        "volume": [number / 4 for number in numbers],
        "vessel": ["Meridian" if number % 3 else None for number in numbers],
        "is_day": [bool(number % 2) for number in numbers],
    }
    sink = io.BytesIO()
    table = pa.table(columns, schema=CONTRACT.schema)
    pq.write_table(table, sink, compression="none", use_dictionary=False, row_group_size=GROUP)
    return sink.getvalue()


# --- the footer ------------------------------------------------------------------------------------------------------


def close(data: bytes, raw: bytes) -> bytes:
    """A file of these data and this footer."""
    return b"".join((data, raw, len(raw).to_bytes(4, "little"), MAGIC))


def footer(change: Callable[[Struct], object]) -> Lie:
    """A change of the footer (FileMetaData)."""

    def lie(body: bytes) -> bytes:
        found = of_bytes(body)
        whole, _ = thrift.decode(found.raw)
        change(whole)
        return close(body[: found.start], thrift.encode(whole))

    return lie


def group(change: Callable[[Struct], object], number: int = 0) -> Lie:
    """A change of a RowGroup."""
    return footer(lambda whole: change(whole.get(4).members[number]))


def chunk(change: Callable[[Struct], object], column: int = NET) -> Lie:
    """A change of a ColumnChunk."""
    return group(lambda found: change(found.get(1).members[column]))


def meta(field: int, kind: int, value: object, column: int = NET) -> Lie:
    """Another value in a field of a ColumnMetaData."""
    return chunk(lambda found: found.get(3).set(field, kind, value), column)


def element(field: int, kind: int, value: object, column: int = NET) -> Lie:
    """Another value in a field of a SchemaElement."""
    return footer(lambda whole: whole.get(2).members[1 + column].set(field, kind, value))


def raw(change: Callable[[bytes], bytes]) -> Lie:
    """A change of the footer's bytes."""

    def lie(body: bytes) -> bytes:
        found = of_bytes(body)
        return close(body[: found.start], change(found.raw))

    return lie


def _same_bytes(whole: Struct) -> None:
    """Column `net` where column `tow` lies: it would be read without a complaint."""
    columns = whole.get(1).members
    columns[NET].get(3).set(9, I64, columns[TOW].get(3).get(9))


def _many_columns(whole: Struct) -> None:
    whole.get(4).members[0].set(1, LIST, Many(STRUCT, [Struct()] * 1_000_000))


def _many_groups(whole: Struct) -> None:
    whole.set(4, LIST, Many(STRUCT, [whole.get(4).members[0]] * 60_000))


def _structures(found: bytes) -> bytes:
    """A field more, that holds a structure, that holds a structure, ..."""
    return found[:-1] + b"\x8c" + b"\x1c" * 100_000 + b"\x00" * 100_002


def _lists(found: bytes) -> bytes:
    return found[:-1] + b"\x89" + b"\x19" * 100_000 + b"\x00\x00"


FOOTERS: Mapping[str, tuple[Lie, str]] = {
    "chunk behind the file": (meta(9, I64, 10**9), "column net of row group 0: it claims bytes 1,000,000,000 to"),
    "chunk before the file": (meta(9, I64, -8), "an offset below 0"),
    "chunk in the magic": (meta(9, I64, 1), "it claims bytes 1 to"),
    "chunk into the footer": (meta(7, I64, 3_000), "and the data goes from 4 to"),
    "chunk of 2^62 bytes": (meta(7, I64, 2**62), "and the data goes from 4 to"),
    "chunk of -1 bytes": (meta(7, I64, -1), "a size or an offset below 0"),
    "chunk of -1 bytes unpacked": (meta(6, I64, -1), "a size or an offset below 0"),
    "chunks on one another": (group(_same_bytes), "claim the same bytes"),
    "data outside of the chunk": (meta(11, I64, 4, VOLUME), "column volume of row group 0: its data begins at"),
    "too few values": (meta(5, I64, 7), "7 values, and 20 rows"),
    "fewer than no values": (meta(5, I64, -10), "-10 values, and 20 rows"),
    "2^40 values": (meta(5, I64, 2**40), "1,099,511,627,776 values, and 20 rows"),
    "fewer rows in all": (footer(lambda whole: whole.set(3, I64, 39)), "40 rows in its row groups, and 39 in all"),
    "more rows in a group": (group(lambda found: found.set(3, I64, 25)), "20 values, and 25 rows"),
    "fewer than no rows": (group(lambda found: found.set(3, I64, -1)), "no count of rows"),
    "no count of rows": (group(lambda found: found.drop(3)), "no count of rows"),
    "an unknown codec": (meta(4, I32, 17), "there is no codec 17"),
    "another type": (meta(1, I32, 5), "another type or name than the schema says"),
    "another column": (meta(3, LIST, Many(BINARY, [b"tow"])), "another type or name than the schema says"),
    "a size of another kind": (meta(7, BINARY, b"12"), "field 7 is missing, or is no number of its kind"),
    "no size": (chunk(lambda found: found.get(3).drop(7)), "field 7 is missing"),
    "levels that are none": (
        meta(16, STRUCT, Struct({3: (LIST, Many(I64, [1, 2, 3]))})),
        "a histogram of other levels than it has",
    ),
    "statistics cut short": (
        chunk(lambda found: found.get(3).get(12).set(6, BINARY, b"\0\0\0")),
        "statistics that are no values of its type",
    ),
    "another file": (chunk(lambda found: found.set(1, BINARY, b"/etc/passwd")), "it lies in another file"),
    "no metadata": (chunk(lambda found: found.drop(3)), "it lies in another file"),
    "an encrypted column": (chunk(lambda found: found.set(9, BINARY, b"x")), "it is encrypted"),
    "an encrypted file": (footer(lambda whole: whole.set(8, STRUCT, Struct())), "is encrypted"),
    "a column less in a group": (group(lambda found: found.get(1).members.pop()), "has 4 of 5 columns"),
    "a million columns in a group": (footer(_many_columns), "has 1,000,000 of 5 columns"),
    "60,000 row groups": (footer(_many_groups), "bytes; at most 16,777,216 are read"),
    "more columns than there are": (
        footer(lambda whole: whole.get(2).members[0].set(5, I32, 9)),
        "its schema has other columns than it says",
    ),
    "a column of columns": (element(5, I32, 1), "column net holds lists or structures"),
    "a list": (element(3, I32, 2), "column net holds lists or structures"),
    "a type that is none": (element(1, I32, 11), "column net is of no type that there is"),
    "a type of no width": (element(1, I32, 7), "column net is of no type that there is"),
    "a name twice": (element(4, BINARY, b"tow"), "column tow is there more than once"),
    "a name that is no text": (element(4, BINARY, b"\xff\xfe"), "a column whose name is no text"),
    "no row groups": (footer(lambda whole: whole.drop(4)), "without row groups"),
    "no schema": (footer(lambda whole: whole.drop(2)), "without a schema"),
    "structures in structures": (raw(_structures), "more than 32 structs within each other"),
    "lists in lists": (raw(_lists), "malformed Thrift"),
    "a footer that goes on": (raw(lambda found: found + b"\x00" * 9), "its footer ends 9 bytes early"),
    "a field twice": (raw(lambda found: found[:-1] + b"\x09\x08\x0c" + b"\x00"), "has field 4 after field"),
    "half a footer": (raw(lambda found: found[: len(found) // 2]), "malformed Thrift"),
    "a text of 2^31 bytes": (raw(lambda found: found[:-1] + b"\xf8\xff\xff\xff\xff\x07" + b"\x00"), "malformed Thrift"),
    "a list of 2^31": (
        raw(lambda found: found[:-1] + b"\xf9\xfc\xff\xff\xff\xff\x07" + b"\x00"),
        "claims 2,147,483,647",
    ),
    "no footer": (raw(lambda found: b""), "its footer claims 0 bytes"),
}


# --- pages -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """A page as it is written. `size`: what it says that it unpacks to."""

    body: bytes
    size: int
    values: int
    kind: int = _DATA
    encoding: int = _PLAIN
    packed: int | None = None  # what it says that it has, if not what it has

    def to_bytes(self) -> bytes:
        about = {1: (I32, self.values), 2: (I32, self.encoding)}
        if self.kind == _DATA:
            about |= {3: (I32, 3), 4: (I32, 3)}
        packed = len(self.body) if self.packed is None else self.packed
        header = {1: (I32, self.kind), 2: (I32, self.size), 3: (I32, packed)}
        header[5 if self.kind == _DATA else 7] = (STRUCT, Struct(about))
        return thrift.encode(Struct(header)) + self.body


def zeros(size: int) -> bytes:
    """A zstd frame that unpacks to `size` bytes of nothing: blocks of 128 KiB of the same byte, in 4 bytes each."""
    out = bytearray(b"\x28\xb5\x2f\xfd\xe0" + size.to_bytes(8, "little"))
    for start in range(0, size, 128 * 1024):
        block = min(128 * 1024, size - start)
        out += (block << 3 | 1 << 1 | (start + block == size)).to_bytes(3, "little") + b"\0"
    return bytes(out)


def pages(column: int, codec: int, *written: Page) -> Lie:
    """The pages of a column of the first row group are these."""

    def lie(body: bytes) -> bytes:
        found = of_bytes(body)
        whole, _ = thrift.decode(found.raw)
        bodies = [page.to_bytes() for page in written]
        about = whole.get(4).members[0].get(1).members[column].get(3)
        has_dictionary = written[0].kind == _DICTIONARY
        changed = {4: codec, 7: sum(map(len, bodies)), 9: found.start + (len(bodies[0]) if has_dictionary else 0)}
        for field, value in changed.items():
            about.set(field, I32 if field == 4 else I64, value)
        if has_dictionary:
            about.set(11, I64, found.start)
        return close(body[: found.start] + b"".join(bodies), thrift.encode(whole))

    return lie


_NETS = b"".join(number.to_bytes(8, "little") for number in range(GROUP))
_INDEXES = b"\x01" + bytes((GROUP << 1, 0))  # every value is the dictionary's first


def _of_no_rows(lie: Lie) -> Lie:
    """In the first row group, which has none; the second one stays."""

    def empty(whole: Struct) -> None:
        group = whole.get(4).members[0]
        whole.set(3, I64, ROWS - GROUP)
        group.set(3, I64, 0)
        for column in group.get(1).members:
            column.get(3).set(5, I64, 0)
            column.get(3).set(7, I64, 0)

    return lambda body: lie(footer(empty)(body))


PAGES: Mapping[str, tuple[Lie, str]] = {
    "numbers of 2 GiB": (pages(NET, _ZSTD, Page(zeros(2 * GIB - 8), 2 * GIB - 8, GROUP)), "claims 2,147,483,640 bytes"),
    "numbers that say 2 GiB": (
        pages(NET, _ZSTD, Page(zeros(160), 2 * GIB - 1, GROUP)),
        "claims 2,147,483,647 bytes for",
    ),
    "numbers that say too little": (
        pages(NET, _ZSTD, Page(zeros(2 * GIB - 8), 160, GROUP)),
        "ZSTD decompression failed",
    ),
    "texts of 2 GiB": (
        pages(VESSEL, _ZSTD, Page(zeros(2 * GIB - 8), 2 * GIB - 8, GROUP)),
        "unpacks to 2,147,483,640 bytes|largest pages come to",
    ),
    "a dictionary of 2 GiB": (
        pages(VESSEL, _ZSTD, Page(zeros(2 * GIB - 8), 2 * GIB - 8, 1, _DICTIONARY), Page(_INDEXES, 9, GROUP)),
        "unpacks to 2,147,483,640 bytes|largest pages come to",
    ),
    "a dictionary of 2^29 empty texts": (
        pages(VESSEL, _ZSTD, Page(zeros(2 * GIB - 8), 2 * GIB - 8, 2**29 - 2, _DICTIONARY), Page(_INDEXES, 9, GROUP)),
        "unpacks to 8,589,934,560 bytes|largest pages come to",
    ),
    FOR_NO_ROWS: (
        _of_no_rows(pages(VESSEL, _ZSTD, Page(zeros(2 * GIB - 8), 2 * GIB - 8, 1, _DICTIONARY))),
        "unpacks to 2,147,483,640 bytes|largest pages come to",
    ),
    "fewer than no bytes": (pages(NET, _NONE, Page(_NETS, 160, GROUP, packed=-5)), "claims -5 bytes"),
    "fewer than no bytes unpacked": (pages(NET, _NONE, Page(_NETS, -160, GROUP)), "fewer than 0 values or bytes"),
    "a page beyond its chunk": (pages(NET, _NONE, Page(_NETS, 160, GROUP, packed=9_999)), "the chunk has 160 more"),
    "a page of no values": (pages(NET, _NONE, Page(_NETS, 160, 0)), "no page at byte"),
    "a page of too many values": (
        pages(NET, _NONE, Page(_NETS, 160, GROUP + 1)),
        "21 values in its pages, and 20 in all",
    ),
    "a page of 2^31 values": (
        pages(NET, _NONE, Page(_NETS, 160, 2**31 - 1)),
        "2,147,483,647 values in its pages, and 20 in all",
    ),
    "a page of -1 values": (pages(NET, _NONE, Page(_NETS, 160, -1)), "fewer than 0 values"),
    "a page too few": (pages(NET, _NONE, Page(_NETS[:80], 80, GROUP // 2)), "no page at byte"),
    "a page of no kind": (pages(NET, _NONE, Page(_NETS, 160, GROUP, kind=9)), "a page of kind 9"),
    "two dictionaries": (
        pages(NET, _NONE, Page(_NETS, 160, GROUP, _DICTIONARY), Page(_NETS, 160, GROUP, _DICTIONARY)),
        "a second dictionary",
    ),
}


# --- the whole file --------------------------------------------------------------------------------------------------


def _length(length: int) -> Lie:
    return lambda body: body[:-8] + length.to_bytes(4, "little") + MAGIC


WHOLE: Mapping[str, tuple[Lie, str]] = {
    "half a file": (lambda body: body[: len(body) // 2], ""),
    "a file without its end": (lambda body: body[:-1], ""),
    "an encrypted footer": (lambda body: body[:-4] + b"PARE", ""),
    "a footer of 4 GiB": (_length(2**32 - 1), "its footer claims 4,294,967,295 bytes, in a file of"),
    "a footer too long": (_length(5_000), "its footer claims 5,000 bytes"),
    "a footer too short": (_length(100), ""),
    "nothing but magic": (lambda body: MAGIC * 3, "its footer claims 827,474,256 bytes"),
}

LIES: Mapping[str, tuple[Lie, str]] = {**FOOTERS, **PAGES, **WHOLE}


def prefixes(rows: int) -> bytes:
    """Texts of 1 MiB, of which each says that it begins with all of the one before it: a file of 1 MiB."""
    texts = pa.array(["x" * 2**20]).take(pa.repeat(pa.scalar(0), rows))
    sink = io.BytesIO()
    pq.write_table(pa.table({"vessel": texts}), sink, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY")
    return sink.getvalue()


def repeated(rows: int) -> bytes:
    """One text of 1 MiB in all rows: a file of 1 MiB."""
    texts = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), ["x" * 2**20])
    sink = io.BytesIO()
    pq.write_table(pa.table({"vessel": texts}), sink, compression="none")
    return sink.getvalue()


def nulls(rows: int) -> bytes:
    """A column of nothing: a page of 1 kB that says so of all rows."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"vessel": pa.nulls(rows, pa.string())}), sink, row_group_size=rows)
    return sink.getvalue()
