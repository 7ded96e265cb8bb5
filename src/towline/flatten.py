"""Any number of Parquet parts -> one object, sorted by key (docs/flatten.md), in bounded memory.

Parts that are in order already, and need no conversion, the store joins itself (`towline.concatenation`). Any others
are brought to this machine and sorted into piles (`towline.piles`), some side by side; these are merged into a file in
canonical form, row group by row group (`towline.rowgroups`), which is sent piece by piece while the next are made.
Nothing is held whole. Work files lie in a directory of their own, which is gone afterwards, whatever happened.

Keys are not judged here: rows with a null in their key or with equal keys stay, and the check that follows names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from towline import keys, rowgroups
from towline.ahead import ahead
from towline.concatenation import Unfit, concatenated
from towline.errors import NotFound, Refused, Unavailable, UsageError
from towline.partfile import PartFile, fetch
from towline.parts import Ignored, Parts
from towline.piles import Piles, Sorted, check_room
from towline.ranks import Rank, is_ordered, rank_at
from towline.rules.field import Field
from towline.store import ALWAYS, MIB, PARTS_MAX, Entry, ObjectStore, Part, Precondition
from towline.table import without_negative_zero

MEMORY = 512 * MIB  # bytes of rows at hand at once
WORKERS = 2  # threads: as many as a function of 2 GB has cores
_LEAST_PIECE = MIB // 16  # bytes that are read of a part at once, however little memory there is
_LEAST_GROUP = 256 * MIB  # bytes that a row group may take, however little memory there is
_SENT = 8 * MIB  # bytes of the result that are sent at once
_GROWN = 4  # times the parts' bytes, for which pieces are large enough that S3 joins them
_BASE = 400 * MIB  # bytes that Python, Arrow and a row group being encoded take beside them


def memory_within(limit: int) -> int:
    """How many bytes of rows may be at hand in a process that has `limit` bytes."""
    return max(MIB, (limit - _BASE) // 2)


@dataclass(frozen=True)
class Flattened:
    """What was made: rows, of how many parts, in how many bytes, where; what lay there and is no part; and why the rows
    had to be sorted (`unfit`; empty where the parts lie behind one another as they were)."""

    key: str
    rows: int
    parts: int
    bytes: int
    ignored: tuple[Ignored, ...] = ()
    unfit: str = ""

    def to_json(self) -> dict[str, object]:
        return {name: value for name, value in asdict(self).items() if name != "unfit"}


def flatten(
    store: ObjectStore,
    parts: Parts,
    target: str,
    fields: Sequence[Field],
    key: Sequence[str],
    *,
    workdir: Path | None = None,
    memory: int = MEMORY,
    cuts: Sequence[Rank] = (),
    canonical: bool = False,
    when: Precondition = ALWAYS,
) -> Flattened:
    """Write the rows of all parts as one object with the columns `fields`, sorted by `key`. It has the parts' own row
    groups where they can be joined as they lie. Where not, or where it has to be `canonical`, all is written anew; row
    groups begin at `cuts` (`rowgroups.cut`).

    UnreadableFile, naming the part: it is no sound table, or not of these columns. Unavailable: a part was replaced
    meanwhile, or there is no room in `workdir` (None: the system's temporary directory). What `when` raises, comes at
    the end, as in `ObjectStore.assemble`.
    """
    with _plain_pool(), TemporaryDirectory(prefix="towline-flatten-", dir=workdir, ignore_cleanup_errors=True) as name:
        work = _Work(Path(name), fields, key, memory)
        try:
            pieces, unfit = _made(store, parts, work, cuts, canonical=canonical)
            stat = store.assemble(target, pieces, when=when)
        except OSError as error:  # what is wrong with a part, or with the store, is told otherwise
            raise Unavailable(f"working in {Path(name).parent} failed: {error}") from error
    return Flattened(target, work.rows, len(parts.entries), stat.size, parts.ignored, unfit)


def check_target(store: ObjectStore, layout: keys.Layout, prefix: str, target: str, *, replace: bool) -> None:
    """Refused where a person may not write at all; UsageError where the object would be a part of itself, or another
    is there already and not to be replaced."""
    if layout.is_kept(target):
        raise Refused(f"{target} lies where only Towline itself writes; choose a key elsewhere, such as exports/…")
    if target.startswith(f"{prefix.rstrip('/')}/") or target.endswith("/"):
        raise UsageError(f"{target} cannot be the result: name a key that lies outside {prefix}")
    if not replace:
        with suppress(NotFound):
            stat = store.head(target)
            raise UsageError(f"{target} exists already ({stat.size:,} bytes); choose another key, or say --replace")


@contextmanager
def _plain_pool() -> Iterator[None]:
    """Arrow's own pool keeps what is freed, as much again as is in use; the system's gives it back."""
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def _made(
    store: ObjectStore, parts: Parts, work: _Work, cuts: Sequence[Rank], *, canonical: bool
) -> tuple[Iterable[Part], str]:
    """What the store is to join, and why the rows have to be sorted for it; empty: they have not."""
    try:
        if canonical or cuts:
            raise Unfit("the result is to be in canonical form")
        joined = concatenated(store, parts, work.fields, work.key, work.directory)
    except Unfit as error:
        check_room(work.directory, parts.size)
        pieces = work.pieces(work.sorted(store, parts), cuts)
        return _grouped(pieces, max(_SENT, _GROWN * parts.size // PARTS_MAX)), str(error)
    work.rows = joined.rows
    return joined.parts, ""


def _grouped(pieces: Iterable[bytes | memoryview], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of `size` or more, the last one with what is left."""
    waiting: list[bytes | memoryview] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(map(len, waiting)) >= size:
            yield b"".join(waiting)
            waiting.clear()
    if waiting:
        yield b"".join(waiting)


class _Work:
    """The rows on their way from the parts to the result."""

    def __init__(self, directory: Path, fields: Sequence[Field], key: Sequence[str], memory: int) -> None:
        self.directory, self.fields, self.key, self._memory = directory, fields, tuple(key), memory
        self.rows = 0  # that were written
        self._is_alone = False
        self._names = [field.name for field in fields]
        self._schema = pa.schema([(field.name, field.arrow) for field in fields])
        self._piles = Piles(directory, self._schema, key, memory)
        self._null_keys: set[str] = set()

    def sorted(self, store: ObjectStore, parts: Parts) -> list[Sorted]:
        """The rows of all parts, sorted as far as memory goes; in the order of the parts."""
        self._is_alone = len(parts.entries) == 1
        loads = _loads(parts.entries, self._memory // 64)
        return list(chain.from_iterable(ahead(partial(self._load, store), loads, WORKERS)))

    def pieces(self, found: Sequence[Sorted], cuts: Sequence[Rank]) -> Iterator[bytes | memoryview]:
        """The canonical file. Nothing but what is not sent yet is held of it."""
        required = [name for name in self.key if name not in self._null_keys]
        schema = pa.schema([field.with_nullable(field.name not in required) for field in self._schema])
        limit = max(self._memory, _LEAST_GROUP)
        groups = rowgroups.cut(self._counted(self._piles.rows(found)), schema, limit, self.key, cuts)
        return rowgroups.pieces(groups, schema, self.key, self._memory // 4)

    def _counted(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        for table in tables:
            self.rows += table.num_rows
            yield table

    def _load(self, store: ObjectStore, entries: Sequence[Entry]) -> list[Sorted]:
        """The rows of these parts."""
        found: list[Sorted] = []
        waiting: list[Iterator[pa.Table]] = []
        for entry in entries:
            opened = self._opened(store, entry)
            if isinstance(opened, PartInOrder):
                found += [*self._piles.of(chain.from_iterable(waiting)), opened]
                waiting = []
            else:
                waiting.append(opened)
        return [*found, *self._piles.of(chain.from_iterable(waiting))]

    def _opened(self, store: ObjectStore, entry: Entry) -> PartInOrder | Iterator[pa.Table]:
        path = self.directory / f"{blake2b(entry.key.encode()).hexdigest()}.part"
        part = PartFile(fetch(store, entry, path, self._memory // 32), entry.key, is_alone=self._is_alone)
        if part.size > self._memory // 8:
            part = part.on_disk(path)  # where many of them may have to wait
            if found := self._in_order(part, path):
                return found
        return self._taken(part, path)

    def _taken(self, part: PartFile, path: Path) -> Iterator[pa.Table]:
        """The rows of a part, whose file is gone afterwards."""
        yield from self._tables(part, self._names)
        path.unlink(missing_ok=True)

    def _in_order(self, part: PartFile, path: Path) -> PartInOrder | None:
        """A part whose rows are in key order already; None: they are not."""
        first = last = None
        for table in self._tables(part, self.key):
            rows = table.select(list(self.key))
            if not is_ordered(rows if last is None else pa.concat_tables([last, rows])):
                return None
            first = first or rank_at(rows, self.key, 0)
            last = rows.slice(rows.num_rows - 1)
        if first is None or last is None:
            return None
        return PartInOrder(first, rank_at(last, self.key, 0), partial(self._taken, part, path))

    def _tables(self, part: PartFile, names: Sequence[str]) -> Iterator[pa.Table]:
        for table in part.tables(self.fields, names, max(self._memory // 32, _LEAST_PIECE)):
            self._null_keys.update(name for name in self.key if table[name].null_count)
            yield without_negative_zero(table, self.key)


@dataclass(frozen=True)
class PartInOrder:
    """A part whose rows are in key order. Its file goes when it has been read."""

    first: Rank
    last: Rank
    read: Callable[[], Iterator[pa.Table]]

    def drop(self) -> None:
        """Nothing is left to be freed."""


def _loads(entries: Sequence[Entry], size: int) -> Iterator[list[Entry]]:
    """The parts in their order, small ones together: of at most `size` bytes, or one."""
    load: list[Entry] = []
    for entry in entries:
        if load and sum(each.size for each in load) + entry.size > size:
            yield load
            load = []
        load.append(entry)
    yield load
