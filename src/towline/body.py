"""The bytes of a new master: sent as they are, or joined by the store out of what stays of the old one and what is new.

| way       | what is sent                                                                              |
|-----------|-------------------------------------------------------------------------------------------|
| `put`     | all: of a small table, of one that was read as a whole, and of the first one of a dataset |
| `append`  | what changed, and the store copies the rest (`towline.parquet.splice`)                    |
| `compact` | the same, without most of the dead bytes of earlier edits                                 |
| `rewrite` | all, of a large table that cannot be spliced; `reason` says why                           |

What is large and sent whole goes by way of this machine's disk, as it may be more than memory holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pyarrow as pa

from towline import anew
from towline import store as stores
from towline import table as tables
from towline.errors import Corrupt
from towline.objects import ObjectSource
from towline.parquet.layout import Part as Laid
from towline.parquet.layout import Rules, layout
from towline.parquet.pieces import Keep
from towline.parquet.rewrite import canonical, is_ordered, merged
from towline.parquet.splice import Shape, splice, unfit
from towline.parquet.writer import commit_metadata
from towline.rows import Edited, Filed, Rows, pieces
from towline.store import MIB, CopyRange, Metadata, ObjectStore, Part, Precondition, Stat, file_parts, size_of
from towline.streamed import Streamed

SHAPE = Shape()
COPY = 128 * MIB  # bytes of a range that the store copies; it copies some side by side

Way = Literal["put", "append", "compact", "rewrite"]


@dataclass(frozen=True)
class Body:
    """A new master, not written yet. `reason`: why it is no append; empty where it is one, or small. `directory` holds
    the file that parts are read from: whoever made the body drops it."""

    parts: tuple[Part, ...]
    way: Way
    reason: str = ""
    directory: TemporaryDirectory[str] | None = None

    @property
    def copied(self) -> int:
        """Bytes that the store copies."""
        return sum(part.size for part in self.parts if isinstance(part, CopyRange))

    @property
    def sent(self) -> int:
        """Bytes that travel."""
        return sum(map(size_of, self.parts)) - self.copied

    def write(self, store: ObjectStore, key: str, when: Precondition, metadata: Metadata) -> Stat:
        """One write of the object, whatever it is made of. Errors as of `ObjectStore.put` and `assemble`."""
        match self.parts:
            case (bytes() as whole,):
                return store.put(key, whole, when=when, metadata=metadata)
            case parts:
                return store.assemble(key, parts, when=when, metadata=metadata)

    def drop(self) -> None:
        """Free the room on this machine's disk."""
        if self.directory is not None:
            self.directory.cleanup()


def make(rows: Rows, key: tuple[str, ...], *, commit: str, number: int) -> Body:
    """The body of a master that holds these rows, as commit `commit`, number `number`, makes it.

    Corrupt: what the rows lie in is not what it says. What the store raises where it cannot be read.
    """
    making = _Making(rows, key, commit, number)
    match rows:
        case Filed() as whole:
            return making.of_file(whole)
        case Edited(Filed() as under):
            return making.of_file(under)
        case Streamed():
            return making.anew(pieces(rows, rows.schema.names))
    return Body((tables.to_parquet(rows.table(), key, commit=commit, number=number),), "put")


@dataclass(frozen=True)
class _Making:
    rows: Rows
    key: tuple[str, ...]
    commit: str
    number: int

    def of_file(self, under: Filed) -> Body:
        """Of a master, or a snapshot of one, and what changes in it."""
        file, source = under.file, under.file.source
        assert isinstance(source, ObjectSource)  # noqa: S101 - so it was opened
        changes = self.rows.diff.changes if isinstance(self.rows, Edited) else ()
        is_small = source.size < SHAPE.small
        why = None if is_small else unfit(file, self.key, SHAPE)
        if why and is_ordered(file, self.key):
            return self.anew(merged(file, self.key, changes), why)
        spliced = splice(file, self.key, changes, commit=self.commit, number=self.number, shape=SHAPE)
        parts = tuple(_part(part, source) for part in layout(spliced.pieces, source.size, _rules()))
        return Body(parts, "put") if is_small else Body(parts, spliced.mode, spliced.reason)

    def anew(self, found: Iterable[pa.Table], reason: str = "") -> Body:
        """All rows, which come in key order."""
        directory = TemporaryDirectory(prefix="towline-master-", ignore_cleanup_errors=True)
        path, schema = Path(directory.name) / "master.parquet", canonical(self.rows.schema, self.key)
        count = anew.write(path, found, schema, self.key, commit_metadata(self.commit, self.number))
        if count != self.rows.num_rows:
            raise Corrupt(f"{count:,} rows were read, and {self.rows.num_rows:,} were meant: nothing was written")
        return Body(tuple(file_parts(path)), "rewrite" if reason else "put", reason, directory)


def _rules() -> Rules:
    return Rules(stores.PART_MIN, stores.PART_MAX, stores.PARTS_MAX, copy=COPY)


def _part(part: Laid, source: ObjectSource) -> Part:
    if isinstance(part, Keep):
        return CopyRange(source.key, source.version, part.start, part.stop)
    return part.read(source)
