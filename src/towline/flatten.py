"""Any number of Parquet parts -> one object in canonical form (docs/flatten.md), in bounded memory.

One part after the other is brought to this machine and sorted into piles (`towline.piles`), which are merged into the
canonical file, row group by row group; the file is sent in pieces. Nothing is held whole. Work files lie in a directory
of their own, which is gone afterwards, whatever happened.

Keys are not judged here: rows with a null in their key or with equal keys stay, and the check that follows names them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from towline.errors import Unavailable, UnreadableFile
from towline.partfile import PartFile, fetch
from towline.parts import Ignored, Parts
from towline.piles import Pile, Piles, Rank, is_ordered, rank
from towline.rules.field import Field
from towline.store import ALWAYS, MIB, ObjectStore, Precondition, file_parts
from towline.table import ROW_GROUP, without_negative_zero, writer

MEMORY = 512 * MIB  # bytes of rows at hand at once
_LEAST_GROUP = 256 * MIB  # bytes that a row group may take, however little memory there is
_BASE = 400 * MIB  # bytes that Python, Arrow and a row group being encoded take beside them


def memory_within(limit: int) -> int:
    """How many bytes of rows may be at hand in a process that has `limit` bytes."""
    return max(MIB, (limit - _BASE) // 3)


@dataclass(frozen=True)
class Flattened:
    """What was made: rows, of how many parts, in how many bytes, where; and what lay there and is no part."""

    key: str
    rows: int
    parts: int
    bytes: int
    ignored: tuple[Ignored, ...] = ()

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def flatten(
    store: ObjectStore,
    parts: Parts,
    target: str,
    fields: Sequence[Field],
    key: Sequence[str],
    *,
    workdir: Path | None = None,
    memory: int = MEMORY,
    when: Precondition = ALWAYS,
) -> Flattened:
    """Write the rows of all parts as one canonical object with the columns `fields`, sorted by `key`.

    UnreadableFile, naming the part: it is no sound table, or not of these columns. Unavailable: a part was replaced
    meanwhile, or there is no room in `workdir` (None: the system's temporary directory). What `when` raises, comes at
    the end, as in `ObjectStore.assemble`.
    """
    with _plain_pool(), TemporaryDirectory(prefix="towline-flatten-", dir=workdir, ignore_cleanup_errors=True) as name:
        work = _Work(Path(name), fields, key, memory)
        work.check_room(2 * parts.size)
        for entry in parts.entries:
            path = work.directory / "part.parquet"
            fetch(store, entry, path)
            work.add(path, entry.key)
        result = work.directory / "result.parquet"
        rows = work.write(result)
        stat = store.assemble(target, file_parts(result), when=when)
    return Flattened(target, rows, len(parts.entries), stat.size, parts.ignored)


@contextmanager
def _plain_pool() -> Iterator[None]:
    """Arrow's own pool keeps what is freed, as much again as is in use; the system's gives it back."""
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


class _Work:
    """The rows on their way from the parts to the result."""

    def __init__(self, directory: Path, fields: Sequence[Field], key: Sequence[str], memory: int) -> None:
        self.directory, self._fields, self._key, self._memory = directory, fields, key, memory
        self._names = [field.name for field in fields]
        self._schema = pa.schema([(field.name, field.arrow) for field in fields])
        self._piles = Piles(directory, self._schema, key, memory)
        self._null_keys: set[str] = set()

    def check_room(self, needed: int) -> None:
        """Unavailable where the disk cannot hold what will be needed."""
        free = shutil.disk_usage(self.directory).free
        if free < needed:
            raise Unavailable(
                f"{self.directory.parent} has {free:,} bytes free, and flattening needs {needed:,} and more: make "
                "room, or give it another work directory"
            )

    def add(self, path: Path, name: str) -> None:
        """The rows of a part; its file is taken over."""
        part = PartFile(path, name)
        if part.size > self._memory // 8 and (pile := self._as_pile(part, path)):
            self._piles.add_sorted(pile)
            return
        for table in self._tables(part, self._names):
            self._piles.add(table)
        path.unlink()

    def write(self, path: Path) -> int:
        """The canonical file; how many rows it has."""
        required = [name for name in self._key if name not in self._null_keys]
        schema = pa.schema([field.with_nullable(field.name not in required) for field in self._schema])
        groups = row_groups(self._piles.rows(), schema, max(2 * self._memory, _LEAST_GROUP))
        return _encode(path, groups, schema, self._key)

    def _as_pile(self, part: PartFile, path: Path) -> Pile | None:
        """A part whose rows are in key order already serves as a pile; None: they are not."""
        first = last = None
        for keys in self._tables(part, self._key):
            keys = keys.select(list(self._key))
            edge = keys if last is None else pa.concat_tables([last, keys])
            if not is_ordered(edge):
                return None
            first = first or _rank(keys, 0)
            last = keys.slice(keys.num_rows - 1)
        if first is None or last is None:
            return None
        home = path.rename(path.with_name(f"{len(list(self.directory.iterdir()))}.part"))
        part = PartFile(home, part.name)
        return Pile(first, _rank(last, 0), lambda: self._tables(part, self._names), home.unlink, heavy=True)

    def _tables(self, part: PartFile, names: Sequence[str]) -> Iterator[pa.Table]:
        for table in part.tables(self._fields, names, self._memory // 32):
            self._null_keys |= {name for name in self._key if table[name].null_count}
            yield without_negative_zero(table, self._key)


def _rank(keys: pa.Table, row: int) -> Rank:
    return rank(keys.slice(row, 1).to_pylist()[0].values())


def _encode(path: Path, groups: Iterable[pa.Table], schema: pa.Schema, key: Sequence[str]) -> int:
    """Write the row groups; how many rows there were. While one is encoded, the next is made."""
    rows = 0
    with writer(str(path), schema, key) as out, ThreadPoolExecutor(1) as encoder:
        encoding: Future[None] | None = None
        for group in groups:
            if encoding:
                encoding.result()
            encoding = encoder.submit(out.write_table, group, ROW_GROUP)
            rows += group.num_rows
        if encoding:
            encoding.result()
    return rows


def row_groups(tables: Iterable[pa.Table], schema: pa.Schema, limit: int) -> Iterator[pa.Table]:
    """The same rows in tables of ROW_GROUP rows, the last one with what is left; an empty one where there are none.

    UnreadableFile: so many rows take more than `limit` bytes.
    """
    pending, count = schema.empty_table(), 0
    for table in tables:
        pending = pa.concat_tables([pending, table.cast(schema)])
        while pending.num_rows >= ROW_GROUP:
            yield pending.slice(0, ROW_GROUP)
            pending, count = pending.slice(ROW_GROUP), count + 1
        if pending.nbytes > limit:
            raise UnreadableFile(
                f"{pending.num_rows:,} rows of this table take {pending.nbytes:,} bytes, and a row group of "
                f"{ROW_GROUP:,} may take {limit:,} here: shorten its texts, or give it more memory"
            )
    if pending.num_rows or not count:
        yield pending
