"""An edit of a Parquet file that costs what it changes, not what the file weighs (docs/parquet.md).

    append      what changed is written behind everything that is there, and a new footer behind it: the usual way
    compact     where dead bytes would be more than a quarter of the file: the same without most of them
    rewrite     a small file; one that is not in canonical form; or one that a check found amiss: all of it anew

Each way gives exactly what applying the changes to the whole table gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from towline.change import RowChange
from towline.errors import Corrupt
from towline.parquet import verify
from towline.parquet.append import append
from towline.parquet.compact import compact
from towline.parquet.order import Order
from towline.parquet.outline import Outline
from towline.parquet.pieces import Assembled, Piece
from towline.parquet.rewrite import canonical, rewrite
from towline.parquet.tablefile import TableFile
from towline.parquet.verify import Amiss
from towline.parquet.writer import ROW_GROUP, commit_metadata

SMALL = 8 * 2**20  # bytes; below, writing a file anew costs hardly more than splicing it
DEAD = 0.25  # of a file's data; where more would be dead, dead bytes are left out, until it is half as much
TRACT = 8 * 2**20  # bytes of a file that are left out at once; S3 copies 5 MiB or more of what lies between
MOVED = 32 * 2**20  # bytes that are alive and are moved in one save, if it does not itself kill many

Mode = Literal["append", "compact", "rewrite"]


@dataclass(frozen=True)
class Shape:
    """The rows of a row group, from how many bytes on a file is spliced, how much of it may be dead, and what is done
    about it then."""

    group: int = ROW_GROUP
    small: int = SMALL
    dead: float = DEAD
    tract: int = TRACT
    moved: int = MOVED


@dataclass(frozen=True)
class Spliced:
    """A new version of a file: `pieces` in their order, the last one its footer. `reason`: why it is not an append;
    empty where it is one. `file`: the new version, read through its pieces."""

    pieces: tuple[Piece, ...]
    mode: Mode
    reason: str
    file: TableFile

    @property
    def rows(self) -> int:
        return self.file.num_rows


def splice(
    file: TableFile,
    key: tuple[str, ...],
    changes: Sequence[RowChange],
    *,
    commit: str,
    number: int,
    shape: Shape = Shape(),
) -> Spliced:
    """The file after these changes, at most one a key, as commit `commit`, number `number`, makes it.

    Corrupt: the changes do not fit the file (a row to change or to delete is not there, a row to insert is), or the
    file cannot be read.
    """
    splicing = _Splicing(file, key, changes, commit_metadata(commit, number), shape)
    why = splicing.unfit()
    if why:
        return splicing.rewritten(why)
    try:
        return splicing.spliced()
    except (Amiss, Corrupt) as error:  # what is wrong with the file or the changes, and not with this, is so here, too
        return splicing.rewritten(f"splicing it failed: {error}")


def unfit(file: TableFile, key: tuple[str, ...], shape: Shape = Shape()) -> str | None:
    """Why a file is not spliced, whatever changes in it; None: it is."""
    return _Splicing(file, key, (), {}, shape).unfit()


@dataclass(frozen=True)
class _Splicing:
    file: TableFile
    key: tuple[str, ...]
    changes: Sequence[RowChange]
    metadata: Mapping[str, str]
    shape: Shape

    def unfit(self) -> str | None:
        """Why the file cannot be spliced, or is not worth it; None: it can and is."""
        file, size = self.file, self.file.source.size
        if size < self.shape.small:
            return f"it has {size:,} bytes, and is spliced from {self.shape.small:,} on"
        if file.footer.digests is None:
            return "it carries no digests of its row groups: another program wrote it"
        if not file.is_flat or file.schema != canonical(file.schema, self.key):
            return "its columns are not in canonical form: those of the key take no null, all others do"
        if not file.num_rows or 0 in file.footer.rows:
            return "it has no rows, or a row group without any"
        return Order(file, self.key).disorder()

    def spliced(self) -> Spliced:
        outline = append(self.file, self.key, self.changes, self.shape.group)
        if outline.dead <= self.shape.dead * outline.size:
            return self._checked(outline, "append", "")
        reason = f"{outline.dead:,} of {outline.size:,} bytes would be dead, more than {self.shape.dead:.0%}"
        return self._checked(self._compact(outline), "compact", reason)

    def _compact(self, outline: Outline) -> Outline:
        shape, source = self.shape, self.file.source
        # Of tracts that are a quarter dead, three bytes are moved for one that goes: so no save adds more than go.
        most = max(shape.moved, 3 * (outline.dead - self.file.footer.dead))
        spare = int(shape.dead / 2 * outline.size)
        compacted = compact(outline, source, spare=spare, most=most, length=shape.tract)
        verify.check_moved(outline, compacted, source)
        return compacted

    def _checked(self, outline: Outline, mode: Mode, reason: str) -> Spliced:
        footer = outline.footer(self.file.footer, self.metadata)
        found = verify.opened(self.file, outline, footer, self.key, self._rows(), self.metadata)
        return Spliced((*outline.pieces, footer), mode, reason, found)

    def rewritten(self, reason: str) -> Spliced:
        pieces = tuple(rewrite(self.file, self.key, self.changes, self.metadata, self.shape.group))
        found = TableFile.open(Assembled(pieces, self.file.source), pieces[-1])
        if found.num_rows != self._rows():
            raise Corrupt(f"{self.file.source.where}: {found.num_rows:,} rows written, and {self._rows():,} were meant")
        return Spliced(pieces, "rewrite", reason, found)

    def _rows(self) -> int:
        kinds = [change.kind for change in self.changes]
        return self.file.num_rows + kinds.count("insert") - kinds.count("delete")
