"""Whether a file that others wrote is what it claims to be, before anything is made of it.

A footer is a list of claims, and Arrow (C++) believes more of them than is good for us. It takes as much memory as the
header of a page says, so that 60 kB can become gigabytes; where a column chunk claims fewer values than its row group
has rows, rows are missing and nothing says so; and of a chunk whose codec, type, histograms or statistics are none that
can be, a mere look at the metadata ends the process (pyarrow 26). So a footer is held against itself and against the
size of the file before Arrow sees it, and pages against the footer before they are decoded (`towline.parquet.unpack`).

Of such a file nothing is believed but the values: not its statistics, page indexes and digests, which could lead past
rows. Files that a commit wrote in its turn are read without all this (docs/parquet.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pyarrow as pa

from towline.errors import Corrupt
from towline.parquet import thrift
from towline.parquet.footer import Chunk, Footer, Group
from towline.parquet.source import Source, Span
from towline.parquet.thrift import I32, I64, LIST, STRUCT, Many, Struct

# Bounds on memory and time for files that come from anyone. A footer of 16 MiB describes 500 million rows in row groups
# of 65,536; Arrow needs about 1 kB for a column chunk, Python 200 bytes for each byte of what it decodes.
FOOTER_MAX = 16 * 2**20
CHUNKS_MAX = 2**18
COLUMNS_MAX = 2_000
GROUP_MAX = 2 * 2**20  # bytes of a row group's description

# Bytes in memory that a value takes at least, by its type: BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, and
# FIXED_LEN_BYTE_ARRAY, of which the schema tells.
_BYTE_ARRAY, _FIXED, _NESTED = 6, 7, -1
_WIDTHS = {0: 1, 1: 4, 2: 8, 3: 12, 4: 4, 5: 8, _BYTE_ARRAY: 16, _FIXED: 0}
_CODECS = range(8)  # UNCOMPRESSED, SNAPPY, GZIP, LZO, BROTLI, LZ4, ZSTD, LZ4_RAW
_REQUIRED, _REPEATED = 0, 2
_SCHEMA, _GROUPS, _ENCRYPTION = 2, 4, {8, 9}  # fields of FileMetaData
_COLUMNS = 1  # field of RowGroup
_ENCRYPTED_CHUNK = {8, 9}  # fields of ColumnChunk


@dataclass(frozen=True)
class Leaf:
    """A column as the schema has it. `width`: bytes in memory that a value takes at least."""

    name: str
    type: int
    optional: bool
    width: int

    def __str__(self) -> str:
        return f"column {self.name if self.name.isprintable() else ascii(self.name)}"


def footer(source: Source, tail: bytes = b"") -> Footer:
    """The footer of a file that others wrote; `tail`, its last bytes, may be known. Corrupt, naming the place: it
    contradicts itself or the file, or describes what no table of Towline has."""
    found = replace(Footer.located(source, tail), foreign=True)
    try:
        rows = _check(found)
    except Corrupt as error:
        raise Corrupt(f"{found.where}: {error}") from None
    if found.num_rows != rows:
        raise Corrupt(f"{found.where}: {rows:,} rows in its row groups, and {found.num_rows:,} in all")
    try:
        names = found.schema.names
    except (pa.ArrowException, ValueError) as error:
        raise Corrupt(f"{found.where}: {error}") from error
    if names != [leaf.name for leaf in leaves(found)]:
        raise Corrupt(f"{found.where}: its Arrow schema has other columns than its Parquet schema")
    return found


def _check(footer: Footer) -> int:
    """Hold a footer against itself, and against the data, which ends where it begins. How many rows its row groups
    have; Corrupt: what is wrong."""
    _check_fields(footer.raw)
    columns, rows = leaves(footer), 0
    claimed: list[tuple[int, int, str]] = []
    for number, group in enumerate(_groups(footer, len(columns))):
        rows += group.rows
        claimed += _check_group(footer, f"row group {number}", group, columns)
    claimed.sort()
    for (_, stop, one), (start, _, other) in pairwise(claimed):
        if start < stop:
            raise Corrupt(f"{one} and {other} claim the same bytes, from {start:,} on")
    return rows


def _check_fields(raw: bytes) -> None:
    """Each field is there once, those that matter are, and nothing is behind them; the schema is not too large."""
    if len(raw) > FOOTER_MAX:
        raise Corrupt(f"a footer of {len(raw):,} bytes; at most {FOOTER_MAX:,} are read")
    there, last = {}, 0
    for number, kind, at, stop in thrift.fields(raw):
        if number and number <= last:
            raise Corrupt(f"its footer has field {number} after field {last}")
        there[number], last = (kind, at, stop), number
    if there.keys() & _ENCRYPTION:
        raise Corrupt("it is encrypted: write it without encryption")
    if (rest := len(raw) - there[0][2]) > 0:
        raise Corrupt(f"its footer ends {rest:,} bytes early")
    for number, name in {_SCHEMA: "a schema", _GROUPS: "row groups"}.items():
        if there.get(number, (0,))[0] != LIST:
            raise Corrupt(f"a footer without {name}")
    _, at, stop = there[_SCHEMA]
    columns = thrift.list_header(raw, at)[1] - 1
    if not 0 <= columns <= COLUMNS_MAX or stop - at > GROUP_MAX:
        raise Corrupt(f"{columns:,} columns, described in {stop - at:,} bytes; at most {COLUMNS_MAX:,} are read")


def leaves(footer: Footer) -> list[Leaf]:
    """The columns of a footer's schema. Corrupt: it is none, or has columns within columns."""
    elements = footer.elements
    found = [_leaf(element) for element in elements[1:]]
    if whole(elements[0], 5, I32, default=0) != len(found):
        raise Corrupt("its schema has other columns than it says")
    names = Counter(leaf.name for leaf in found)
    if twice := [leaf for leaf in found if names[leaf.name] > 1]:
        raise Corrupt(f"{twice[0]} is there more than once; keep one")
    return found


def _leaf(element: Struct) -> Leaf:
    try:
        name = element.get(4, b"").decode()
    except (AttributeError, UnicodeDecodeError):
        raise Corrupt("a column whose name is no text") from None
    repetition, type = whole(element, 3, I32, default=_REQUIRED), whole(element, 1, I32, default=_NESTED)
    length = whole(element, 2, I32, default=0)
    leaf = Leaf(name, type, repetition != _REQUIRED, length if type == _FIXED else _WIDTHS.get(type, 0))
    if whole(element, 5, I32, default=0) or repetition == _REPEATED or type == _NESTED:
        raise Corrupt(f"{leaf} holds lists or structures; a table has one value a cell: split it")
    if type not in _WIDTHS or repetition not in (0, 1) or not 0 < leaf.width < 2**16:
        raise Corrupt(f"{leaf} is of no type that there is")
    return leaf


def whole(of: Struct, number: int, kind: int, *, default: int | None = None) -> int:
    """A field that has to be a whole number of this type, and of its size; `default` where it is not there."""
    found = of.fields.get(number)
    if found is None and default is not None:
        return default
    bits = 31 if kind == I32 else 63
    if found is None or found[0] != kind or not -(2**bits) <= found[1] < 2**bits:
        raise Corrupt(f"field {number} is missing, or is no number of its kind")
    return int(found[1])


def _groups(footer: Footer, columns: int) -> Iterator[Group]:
    spans = footer.spans
    if len(spans) * columns > CHUNKS_MAX:
        raise Corrupt(
            f"{len(spans):,} row groups of {columns:,} columns; at most {CHUNKS_MAX:,} column chunks "
            "are read: write it in larger row groups"
        )
    for number, (start, stop) in enumerate(spans):
        if stop - start > GROUP_MAX:
            raise Corrupt(f"{stop - start:,} bytes tell of row group {number}")
        if (count := _count(footer.raw, start)) != columns:
            raise Corrupt(f"row group {number} has {count:,} of {columns:,} columns")
        yield footer.decoded(number)


def _count(raw: bytes, start: int) -> int:
    """How many columns the row group at `start` says that it has, before they are decoded."""
    lists = (at for number, kind, at in thrift.leading(raw, start) if number == _COLUMNS and kind == LIST)
    at = next(lists, None)
    return 0 if at is None else thrift.list_header(raw, at)[1]


def _check_group(footer: Footer, name: str, group: Group, columns: Sequence[Leaf]) -> Iterator[tuple[int, int, str]]:
    """The bytes that each chunk claims, if any."""
    whole(group.rest, 3, I64)
    for chunk, leaf in zip(group.chunks, columns, strict=True):
        place = f"{leaf} of {name}"
        try:
            span = _check_chunk(chunk, leaf, group.rows, footer.start)
        except Corrupt as error:
            raise Corrupt(f"{place}: {error}") from None
        if span[0] < span[1]:
            yield (*span, place)


def _check_chunk(chunk: Chunk, leaf: Leaf, rows: int, end: int) -> Span:
    """Where its pages lie."""
    if chunk.raw.fields.keys() & _ENCRYPTED_CHUNK:
        raise Corrupt("it is encrypted: write it without encryption")
    if chunk.raw.get(1) or chunk.raw.fields.get(3, (0,))[0] != STRUCT:
        raise Corrupt("it lies in another file")
    meta = chunk.meta
    type, codec, values = whole(meta, 1, I32), whole(meta, 4, I32), whole(meta, 5, I64)
    path = meta.get(3)
    if type != leaf.type or not isinstance(path, Many) or path.members != [leaf.name.encode()]:
        raise Corrupt("it is of another type or name than the schema says")
    if codec not in _CODECS:
        raise Corrupt(f"there is no codec {codec}")
    if values != rows:
        raise Corrupt(f"{values:,} values, and {rows:,} rows")
    _check_histograms(meta.get(16), leaf)
    _check_statistics(meta.get(12), leaf)
    return _check_span(meta, end)


def _check_span(meta: Struct, end: int) -> Span:
    size, unpacked, data = whole(meta, 7, I64), whole(meta, 6, I64), whole(meta, 9, I64)
    dictionary = whole(meta, 11, I64, default=0)
    start = min((page for page in (data, dictionary) if page), default=0)
    if size < 0 or unpacked < 0 or data < 0 or dictionary < 0:
        raise Corrupt("a size or an offset below 0")
    if size and not 4 <= start <= start + size <= end:
        raise Corrupt(f"it claims bytes {start:,} to {start + size:,}, and the data goes from 4 to {end:,}")
    if whole(meta, 5, I64) and not start <= data < start + max(size, 1):
        raise Corrupt(f"its data begins at {data:,}, outside of its bytes from {start:,} to {start + size:,}")
    return start, start + size


def _check_histograms(statistics: Struct | None, leaf: Leaf) -> None:
    """Of SizeStatistics: how often each repetition and definition level is there."""
    if statistics is None:
        return
    levels = {2: 1, 3: 1 + leaf.optional}
    found = {number: statistics.get(number) for number in levels} if isinstance(statistics, Struct) else {2: 0}
    for number, histogram in found.items():
        if histogram is not None and (not isinstance(histogram, Many) or len(histogram) not in (0, levels[number])):
            raise Corrupt("a histogram of other levels than it has")


def _check_statistics(statistics: Struct | None, leaf: Leaf) -> None:
    """The least and the greatest value, in the old fields and the new ones. What they are is not believed; but where
    one is too short to be a value, Arrow ends the process when it is asked for them."""
    if not isinstance(statistics, Struct) or leaf.type == _BYTE_ARRAY:
        return
    bounds = (statistics.get(number, b"") for number in (1, 2, 5, 6) if number in statistics.fields)
    if not all(isinstance(bound, bytes) and len(bound) >= leaf.width for bound in bounds):
        raise Corrupt("statistics that are no values of its type")
