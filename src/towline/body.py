"""The bytes of a new master: sent as they are, or joined by the store out of what stays of the old one and what is new.

put       a small table, and one that was read as a whole: all of it is sent
append    what changed is sent, and the store copies the rest (`towline.parquet.splice`)
compact   the same without most of the dead bytes of earlier edits
rewrite   a large table that cannot be spliced: all of it is sent, and `reason` says why
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from towline import store as stores
from towline import table as tables
from towline.objects import ObjectSource
from towline.parquet.layout import Part as Laid
from towline.parquet.layout import Rules, layout
from towline.parquet.pieces import Keep
from towline.parquet.splice import Shape, splice
from towline.rows import Edited, Filed, Rows
from towline.store import CopyRange, Metadata, ObjectStore, Part, Precondition, Stat

SHAPE = Shape()

Way = Literal["put", "append", "compact", "rewrite"]


@dataclass(frozen=True)
class Body:
    """A new master, not written yet. `reason`: why it is no append; empty where it is one, or small."""

    parts: tuple[Part, ...]
    way: Way
    reason: str = ""

    @property
    def copied(self) -> int:
        """Bytes that the store copies."""
        return sum(part.size for part in self.parts if isinstance(part, CopyRange))

    @property
    def sent(self) -> int:
        """Bytes that travel."""
        return sum(len(part) for part in self.parts if isinstance(part, bytes))

    def write(self, store: ObjectStore, key: str, when: Precondition, metadata: Metadata) -> Stat:
        """One write of the object, whatever it is made of. Errors as of `ObjectStore.put` and `assemble`."""
        match self.parts:
            case (bytes() as whole,):
                return store.put(key, whole, when=when, metadata=metadata)
            case parts:
                return store.assemble(key, parts, when=when, metadata=metadata)


def make(rows: Rows, key: tuple[str, ...], *, commit: str, number: int) -> Body:
    """The body of a master that holds these rows, as commit `commit`, number `number`, makes it.

    Corrupt: what the rows lie in is not what it says. What the store raises where it cannot be read.
    """
    under, changes = (rows.under, rows.diff.changes) if isinstance(rows, Edited) else (rows, ())
    if not isinstance(under, Filed):
        return Body((tables.to_parquet(rows.table(), key, commit=commit, number=number),), "put")
    source = under.file.source
    assert isinstance(source, ObjectSource)  # noqa: S101 - a master, or a snapshot of one
    spliced = splice(under.file, key, changes, commit=commit, number=number, shape=SHAPE)
    parts = tuple(_part(part, source) for part in layout(spliced.pieces, source.size, _rules()))
    is_small = spliced.mode == "rewrite" and source.size < SHAPE.small
    return Body(parts, "put" if is_small else spliced.mode, "" if is_small else spliced.reason)


def _rules() -> Rules:
    return Rules(stores.PART_MIN, stores.PART_MAX, stores.PARTS_MAX)


def _part(part: Laid, source: ObjectSource) -> Part:
    if isinstance(part, Keep):
        return CopyRange(source.key, source.version, part.start, part.stop)
    return part.read(source)
