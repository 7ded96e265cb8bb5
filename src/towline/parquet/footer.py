"""The footer of a Parquet file, taken apart no further than it has to be.

A footer describes every column chunk of every row group: 300 kB for ten million rows. An edit touches a handful of
groups, so the others stay the bytes that they are, and are pasted into the new footer as they stand. Arrow's own parser
(in C++) tells schema, rows and statistics.

Towline's files carry `towline.groups` among their key-value metadata, which tells for each row group how long its
description in the footer is, and a digest of each of its column chunks: 128 bits of BLAKE2b of the chunk's bytes. Equal
digests in two versions of a master mean equal values. (Equal footers would not: statistics are no hash.) Digests are a
claim like everything in a footer: they are to be believed of versions that Towline wrote.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

import pyarrow as pa
import pyarrow.parquet as pq

from towline.errors import Corrupt
from towline.parquet import thrift
from towline.parquet.source import BytesSource, Source, Span
from towline.parquet.thrift import BINARY, I64, LIST, STRUCT, Many, Struct

MAGIC = b"PAR1"
TAIL = 384 * 1024  # bytes at the end that are read first: the footer of ten million rows is there
GROUPS = "towline.groups"
DIGEST = 16  # bytes
_FOOTER_MAX = 256 * 2**20  # bytes
_KEPT = 64 * 1024  # bytes of a footer whose row groups stay decoded: Python takes 200 times as much at the worst
_HEAD = struct.Struct("<BHQ")  # version, columns, dead bytes
_VERSION = 1
# FileMetaData, RowGroup, ColumnChunk and ColumnMetaData of parquet.thrift.
_SCHEMA, _ROWS, _GROUPS, _KEY_VALUES = 2, 3, 4, 5
_COLUMNS, _GROUP_ROWS, _SORTING, _GROUP_OFFSET, _GROUP_SIZE, _ORDINAL = 1, 3, 4, 5, 6, 7
_CHUNK_OFFSET, _META, _OFFSET_INDEX, _COLUMN_INDEX = 2, 3, (4, 5), (6, 7)
_VALUES, _COMPRESSED, _DATA_PAGE, _INDEX_PAGE, _DICTIONARY_PAGE, _BLOOM = 5, 7, 9, 10, 11, (14, 15)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column chunk: its pages lie from byte `start` to `stop`. `raw`: ColumnChunk as the footer has it."""

    raw: Struct

    @property
    def meta(self) -> Struct:
        """ColumnMetaData."""
        found = self.raw.get(_META)
        if not isinstance(found, Struct):
            raise Corrupt("a column chunk without its metadata: it is encrypted, or in another file")
        return found

    @property
    def start(self) -> int:
        """Where its first page begins: writers that have no dictionary page leave its offset out, or say 0. Of no rows
        there are no pages."""
        pages = (self.meta.get(_DICTIONARY_PAGE), self.meta.get(_DATA_PAGE))
        return min((int(page) for page in pages if page), default=0)

    @property
    def stop(self) -> int:
        return self.start + int(self.meta.get(_COMPRESSED))

    @property
    def values(self) -> int:
        return int(self.meta.get(_VALUES))

    @property
    def data(self) -> int:
        """Where its first data page begins."""
        return int(self.meta.get(_DATA_PAGE))

    @property
    def offset_index(self) -> Span | None:
        return self._index(_OFFSET_INDEX)

    @property
    def column_index(self) -> Span | None:
        return self._index(_COLUMN_INDEX)

    def _index(self, numbers: tuple[int, int]) -> Span | None:
        offset, length = (self.raw.get(number) for number in numbers)
        return (offset, offset + length) if offset and length else None

    def moved(self, by: int) -> Chunk:
        """The same chunk, with its pages and their indexes `by` bytes further on. An offset of 0 means none."""
        raw, meta = self.raw.copy(), self.meta.copy()
        _shift(meta, (_DATA_PAGE, _INDEX_PAGE, _DICTIONARY_PAGE, _BLOOM[0]), by)
        _shift(raw, (_CHUNK_OFFSET, _OFFSET_INDEX[0], _COLUMN_INDEX[0]), by)
        raw.set(_META, STRUCT, meta)
        return Chunk(raw)

    def plain(self, *, bloom: bool = False) -> Chunk:
        """Without page indexes, and without a Bloom filter unless it moves along: nothing says where they lay."""
        raw, meta = self.raw.copy(), self.meta.copy()
        raw.drop(*_OFFSET_INDEX, *_COLUMN_INDEX)
        if not bloom:
            meta.drop(*_BLOOM)
        raw.set(_META, STRUCT, meta)
        return Chunk(raw)


def _shift(of: Struct, numbers: Iterable[int], by: int) -> None:
    for number in numbers:
        if value := of.get(number):
            of.set(number, I64, value + by)


@dataclass(frozen=True)
class Group:
    """One row group. `rest`: RowGroup as the footer has it."""

    rows: int
    chunks: tuple[Chunk, ...]
    rest: Struct

    @classmethod
    def of(cls, raw: Struct) -> Group:
        columns, rows = raw.get(_COLUMNS), raw.get(_GROUP_ROWS)
        if not isinstance(columns, Many) or columns.of != STRUCT or not isinstance(rows, int) or rows < 0:
            raise Corrupt("a row group without columns, or with no count of rows")
        return cls(rows, tuple(Chunk(column) for column in columns), raw)

    @cached_property
    def spans(self) -> list[Span]:
        return [(chunk.start, chunk.stop) for chunk in self.chunks]

    def having(self, chunks: Sequence[Chunk]) -> Group:
        """The same rows in these chunks."""
        rest = self.rest.copy()
        rest.set(_COLUMNS, LIST, thrift.structs([chunk.raw for chunk in chunks]))
        rest.set(2, I64, sum(int(chunk.meta.get(6)) for chunk in chunks))
        if _GROUP_SIZE in rest.fields:
            rest.set(_GROUP_SIZE, I64, sum(int(chunk.meta.get(_COMPRESSED)) for chunk in chunks))
        if rest.get(_GROUP_OFFSET):
            rest.set(_GROUP_OFFSET, I64, chunks[0].start)
        return Group(self.rows, tuple(chunks), rest)

    def moved(self, by: int) -> Group:
        return self.having([chunk.moved(by) for chunk in self.chunks])

    def to_bytes(self) -> bytes:
        """As it stands in a footer. Its ordinal, which matters to encrypted files only, would tie it to its place."""
        rest = self.rest.copy()
        rest.drop(_ORDINAL)
        return thrift.encode(rest)


@dataclass(frozen=True)
class Marks:
    """What `towline.groups` says: the length of each group's description, the digests of its chunks, and how many bytes
    of the data no chunk uses."""

    lengths: tuple[int, ...]
    digests: tuple[tuple[bytes, ...], ...]
    dead: int = 0

    def to_text(self) -> str:
        columns = len(self.digests[0]) if self.digests else 0
        body = bytearray(_HEAD.pack(_VERSION, columns, self.dead))
        for length, digests in zip(self.lengths, self.digests, strict=True):
            body += length.to_bytes(4, "little") + b"".join(digests)
        return b64encode(body).decode()

    @classmethod
    def of_text(cls, text: str) -> Marks | None:
        """None: it is not what this version writes."""
        try:
            body = b64decode(text, validate=True)
            version, columns, dead = _HEAD.unpack_from(body)
        except (ValueError, struct.error):
            return None
        size, rest = 4 + DIGEST * columns, len(body) - _HEAD.size
        if version != _VERSION or rest % size:
            return None
        starts = range(_HEAD.size, len(body), size)
        lengths = tuple(int.from_bytes(body[at : at + 4], "little") for at in starts)
        of_group = (range(at + 4, at + size, DIGEST) for at in starts)
        return cls(lengths, tuple(tuple(body[n : n + DIGEST] for n in places) for places in of_group), dead)


def digest(body: bytes | memoryview) -> bytes:
    """Of the bytes of a column chunk."""
    return blake2b(body, digest_size=DIGEST).digest()


@dataclass(frozen=True)
class Footer:
    """A file's footer. `start`: where it begins in the file, and the data ends. `raw`: its Thrift bytes. `foreign`: no
    commit wrote it, so its marks are not believed (`towline.parquet.sound`)."""

    where: str
    size: int
    start: int
    raw: bytes = field(repr=False)
    foreign: bool = False

    @classmethod
    def read(cls, source: Source, tail: bytes = b"") -> Footer:
        """The footer of a file that a commit wrote, whose last bytes, `tail`, may be known. Corrupt: it is no Parquet
        file. (For others: `towline.parquet.sound.footer`.)"""
        found = cls.located(source, tail)
        _ = found.arrow
        return found

    @classmethod
    def located(cls, source: Source, tail: bytes = b"") -> Footer:
        """As `read`, with nothing made of its bytes yet."""
        return _Reading(source, tail).footer()

    @cached_property
    def arrow(self) -> pq.FileMetaData:
        """What Arrow makes of it; Corrupt where that is nothing."""
        body = b"".join((self.raw, len(self.raw).to_bytes(4, "little"), MAGIC))
        try:
            return pq.read_metadata(pa.BufferReader(body))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Corrupt(f"{self.where} is not a Parquet table: {error}") from error

    @cached_property
    def schema(self) -> pa.Schema:
        return self.arrow.schema.to_arrow_schema().remove_metadata()

    @property
    def num_rows(self) -> int:
        return int(self.arrow.num_rows)

    @cached_property
    def rows(self) -> list[int]:
        """How many rows each group has."""
        return [self.arrow.row_group(n).num_rows for n in range(self.arrow.num_row_groups)]

    @cached_property
    def metadata(self) -> dict[str, str]:
        """The key-value metadata, without Arrow's own."""
        pairs = (self.arrow.metadata or {}).items()
        return {key.decode(errors="replace"): value.decode(errors="replace") for key, value in pairs}

    @cached_property
    def marks(self) -> Marks | None:
        """What the file says of its groups; None: nothing that fits it, or is to be believed."""
        if self.foreign:
            return None
        found = Marks.of_text(self.metadata.get(GROUPS, ""))
        columns = self.arrow.num_columns
        is_fit = found and len(found.lengths) == self.arrow.num_row_groups
        if not found or not is_fit or any(len(digests) != columns for digests in found.digests):
            return None
        return found

    @property
    def digests(self) -> tuple[tuple[bytes, ...], ...] | None:
        """Those of each group's chunks; None: the file has none."""
        return self.marks.digests if self.marks else None

    @property
    def dead(self) -> int:
        """Bytes of the data that no chunk uses, as far as the file says."""
        return self.marks.dead if self.marks else 0

    @cached_property
    def elements(self) -> list[Struct]:
        """The schema as the footer has it: the root, then its columns."""
        for number, kind, at in thrift.leading(self.raw):
            if number == _SCHEMA and kind == LIST:
                _, count, at = thrift.list_header(self.raw, at)
                found = []
                for _ in range(count):
                    element, at = thrift.decode(self.raw, at)
                    found.append(element)
                return found
        raise Corrupt(f"{self.where}: a footer without a schema")

    @cached_property
    def spans(self) -> list[Span]:
        """Where in `raw` each row group is described."""
        return _group_spans(self.raw, self.marks.lengths if self.marks else None, self.where)

    def raw_group(self, number: int) -> bytes:
        """A row group's description as it stands."""
        start, stop = self.spans[number]
        return self.raw[start:stop]

    def group(self, number: int) -> Group:
        """A row group, decoded. Corrupt: it is not what it claims."""
        found = self.decoded(number)
        if len(found.chunks) != self.arrow.num_columns:
            raise Corrupt(f"{self.where}: row group {number} has {len(found.chunks)} columns")
        return found

    def decoded(self, number: int) -> Group:
        """As `group`, before Arrow has seen anything."""
        if number in self._decoded:
            return self._decoded[number]
        start, stop = self.spans[number]
        raw, end = thrift.decode(self.raw, start)
        if end != stop:
            raise Corrupt(f"{self.where}: row group {number} is not where its length says")
        found = Group.of(raw)
        if len(self.raw) <= _KEPT:
            self._decoded[number] = found
        return found

    @cached_property
    def _decoded(self) -> dict[int, Group]:
        return {}

    def groups(self) -> list[Group]:
        return [self.group(number) for number in range(len(self.spans))]

    def with_groups(self, groups: Sequence[bytes], rows: int, metadata: Mapping[str, str]) -> bytes:
        """The bytes of another footer of this schema, closing magic included: row groups as they are described
        (`raw_group`, `Group.to_bytes`), how many rows they have, and key-value metadata that replace those of the same
        name."""
        return rebuilt(self._bare, groups, rows, metadata)

    @cached_property
    def _bare(self) -> bytes:
        """`raw` without its row groups, which are most of it: to pass over them would take longer than all the rest."""
        at = _groups_at(self.raw)
        stop = self.spans[-1][1] if self.spans else thrift.list_header(self.raw, at)[2]
        none = bytearray()
        thrift.put_list(none, STRUCT, 0)
        return self.raw[:at] + bytes(none) + self.raw[stop:]


def rebuilt(raw: bytes, groups: Sequence[bytes], rows: int, metadata: Mapping[str, str]) -> bytes:
    """As `Footer.with_groups`, of a footer's Thrift bytes."""
    out, last = bytearray(), 0
    values = {number: (kind, raw[at:stop]) for number, kind, at, stop in thrift.fields(raw) if number}
    values[_KEY_VALUES] = (LIST, _key_values(raw, metadata))
    for number, (kind, body) in sorted(values.items()):
        thrift.put_field(out, number, kind, last)
        last = number
        if number == _ROWS:
            thrift.put_value(out, I64, rows)
        elif number == _GROUPS:
            thrift.put_list(out, STRUCT, len(groups))
            out += b"".join(groups)
        else:
            out += body
    out.append(0)
    return bytes(out) + len(out).to_bytes(4, "little") + MAGIC


def _key_values(raw: bytes, metadata: Mapping[str, str]) -> bytes:
    """The list of key-value pairs with those of `metadata` in place of what has the same key."""
    there = [Struct({1: (BINARY, k.encode()), 2: (BINARY, v.encode())}) for k, v in metadata.items()]
    replaced = {key.encode() for key in metadata}
    for number, kind, at, _ in thrift.fields(raw):
        if number == _KEY_VALUES and kind == LIST:
            _, count, at = thrift.list_header(raw, at)
            old = []
            for _ in range(count):
                pair, at = thrift.decode(raw, at)
                old.append(pair)
            there = [pair for pair in old if pair.get(1) not in replaced] + there
    out = bytearray()
    thrift.put_value(out, LIST, thrift.structs(there))
    return bytes(out)


def _group_spans(raw: bytes, lengths: Sequence[int] | None, where: str) -> list[Span]:
    """Where each row group's description lies. `lengths` spare the walk, if they lead to where the list ends."""
    at = _groups_at(raw)
    of, count, at = thrift.list_header(raw, at)
    if of != STRUCT:
        raise Corrupt(f"{where}: its footer has no list of row groups")
    if lengths is not None and len(lengths) == count and _ends(raw, at + sum(lengths)):
        spans = []
        for length in lengths:
            spans.append((at, at + length))
            at += length
        return spans
    spans = []
    for _ in range(count):
        stop = thrift.skip(raw, at)
        spans.append((at, stop))
        at = stop
    return spans


def _groups_at(raw: bytes) -> int:
    """Where the value of the field of row groups begins; the fields before it are few and short."""
    for number, kind, at in thrift.leading(raw):
        if number == _GROUPS and kind == LIST:
            return at
    raise Corrupt("a footer without row groups")


def _ends(raw: bytes, at: int) -> bool:
    """Whether what follows from here on is the rest of a footer, after its row groups."""
    try:
        number = _GROUPS
        while raw[at]:
            number, kind, at = thrift.header(raw, at, number)
            at = thrift.skip_value(raw, at, kind, 8)
    except (Corrupt, IndexError):
        return False
    return at == len(raw) - 1


@dataclass
class _Reading:
    source: Source
    tail: bytes

    def footer(self) -> Footer:
        where, size = self.source.where, self.source.size
        if size < 12:
            raise Corrupt(f"{where} is not a Parquet table: it has {size} bytes")
        ending = self._last(8)
        if ending[4:] != MAGIC:
            hint = "its footer is encrypted" if ending[4:] == b"PARE" else "it does not end as one, or was cut"
            raise Corrupt(f"{where} is not a Parquet table that can be read: {hint}")
        length = int.from_bytes(ending[:4], "little")
        if not 0 < length <= min(size - 12, _FOOTER_MAX):
            raise Corrupt(f"{where}: its footer claims {length:,} bytes, in a file of {size:,}")
        return Footer(where, size, size - length - 8, self._last(length + 8)[:-8])

    def _last(self, count: int) -> bytes:
        """The last bytes of the file."""
        if len(self.tail) < count:
            size, known = self.source.size, len(self.tail)
            wanted = max(count, min(TAIL, size)) if not known else count
            self.tail = self.source.read([(size - wanted, size - known)])[0] + self.tail
        return self.tail[len(self.tail) - count :]


def of_bytes(body: bytes, where: str = "these bytes") -> Footer:
    return Footer.read(BytesSource(body, where))


__all__ = ["DIGEST", "GROUPS", "MAGIC", "TAIL", "Chunk", "Footer", "Group", "Marks", "digest", "of_bytes", "rebuilt"]
