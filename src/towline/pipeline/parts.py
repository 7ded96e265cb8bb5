"""The file of one partition: its rows of all files, one a key, in the same bytes whatever order they came in.

Of rows with equal keys the one stays that comes first by what the contract prefers, then by its ingest, then by its
place in the file. That is a total order, so the winner among winners is the winner of all: files may come one by one
or all at once, late or early.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import blake2b

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from towline.contract import Contract
from towline.errors import Corrupt, NotFound
from towline.pipeline.inventory import PartitionFile
from towline.pipeline.registry import INGEST
from towline.pipeline.spool import AT, FILE
from towline.store import ObjectStore

ROW_GROUP = 128 * 1024  # rows
_LOOKED_AT = 512  # rows, to see whether texts repeat
SOURCES, DIGEST = b"towline.sources", "digest"  # metadata of the file, and of the object


@dataclass(frozen=True)
class Part:
    """A partition's file before it is written. `sources`: the ingests that had rows for it, also where others won."""

    body: bytes
    rows: int
    digest: str
    sources: tuple[str, ...]


def schema(contract: Contract) -> pa.Schema:
    """The columns of a silver table: the contract's, and the ingest that each row came with."""
    return contract.schema.append(pa.field(INGEST, pa.string(), nullable=False))


def of_spool(pieces: Sequence[pa.Table], ingests: Sequence[str]) -> pa.Table:
    """Spooled rows with their ingests' ids, which `ingests` has by number."""
    rows = pa.concat_tables(pieces)
    named = pa.array(ingests, pa.string()).take(rows.column(FILE).combine_chunks())
    return rows.drop_columns([FILE]).append_column(INGEST, named)


def stored(store: ObjectStore, file: PartitionFile, contract: Contract) -> pa.Table:
    """The rows of a partition as they are. Corrupt: they are gone, or not what was written."""
    try:
        body = store.get(file.key).body
    except NotFound as error:
        raise Corrupt(f"{file.key} is gone: load all files anew (`towline load --full`)") from error
    if digest(body) != file.digest:
        raise Corrupt(f"{file.key} is not what the inventory says: load all files anew (`towline load --full`)")
    rows = pq.ParquetFile(pa.BufferReader(body)).read()
    unplaced = pa.repeat(pa.scalar(-1, pa.int64()), len(rows))  # its ingest has no other row with this key
    nullable = pa.schema([field.with_nullable(True) for field in schema(contract)])
    return pa.table(rows.columns, schema=nullable).append_column(AT, unplaced)


def made(pieces: Sequence[pa.Table], sources: Collection[str], contract: Contract) -> Part:
    """The file of a partition with these rows, each with INGEST and AT."""
    names = schema(contract).names
    rows = merged(pa.concat_tables([piece.select([*names, AT]) for piece in pieces]), contract).select(names)
    found = tuple(sorted(sources))
    body = encoded(pa.table(rows.columns, schema=schema(contract)), found)
    return Part(body, len(rows), digest(body), found)


def merged(rows: pa.Table, contract: Contract) -> pa.Table:
    """One row a key, sorted by key."""
    order = [(name, "ascending") for name in contract.key]
    order += [(name, "descending") for name in contract.silver.prefer]
    order += [(INGEST, "ascending"), (AT, "ascending")]
    rows = rows.take(pc.sort_indices(rows, sort_keys=order)).combine_chunks()
    if len(rows) < 2:
        return rows
    keys = [rows.column(name).combine_chunks() for name in contract.key]
    differs = reduce(pc.or_, (pc.not_equal(key.slice(1), key.slice(0, len(key) - 1)) for key in keys))
    return rows.filter(pa.concat_arrays([pa.array([True]), differs]))


def digest(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()


def write(store: ObjectStore, key: str, part: Part) -> PartitionFile:
    store.put(key, part.body, metadata={DIGEST: part.digest})
    return placed(key, part)


def is_there(store: ObjectStore, file: PartitionFile) -> bool:
    """Whether a partition's file is as it was written, as far as can be told without reading it."""
    try:
        return store.head(file.key).metadata.get(DIGEST) == file.digest
    except NotFound:
        return False


def placed(key: str, part: Part) -> PartitionFile:
    return PartitionFile(key, part.rows, len(part.body), part.digest, part.sources)


def encoded(rows: pa.Table, sources: Sequence[str]) -> bytes:
    """The bytes of a file with these rows, which says what it was made of; the same always."""
    told: Mapping[bytes, bytes] = {SOURCES: json.dumps(sources, separators=(",", ":")).encode()}
    table = pa.table(rows.columns, schema=rows.schema.with_metadata(told))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", row_group_size=ROW_GROUP, use_dictionary=_repeating(table))
    return bytes(sink.getvalue().to_pybytes())


def _repeating(rows: pa.Table) -> list[str]:
    """Columns whose values come again, so that a dictionary of them is shorter than they are: by their types, and texts
    by the first of them. Of measured values and moments nearly each is another."""
    return [
        field.name
        for field in rows.schema
        if pa.types.is_integer(field.type)
        or pa.types.is_date(field.type)
        or (pa.types.is_string(field.type) and _is_repeating(rows.column(field.name).slice(0, _LOOKED_AT)))
    ]


def _is_repeating(texts: pa.ChunkedArray) -> bool:
    return 2 * int(pc.count_distinct(texts).as_py()) <= len(texts)
