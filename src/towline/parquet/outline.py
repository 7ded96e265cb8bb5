"""A new version of a file as it takes shape: pieces of its data, and the row groups that its footer will list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from towline.parquet import thrift
from towline.parquet.footer import GROUPS, Footer, Group, Marks
from towline.parquet.pieces import Piece, size


@dataclass(frozen=True)
class Listed:
    """A row group as the footer will list it: its description, the digests of its chunks, how many rows it has.
    `columns`: those whose chunks are new."""

    raw: bytes
    digests: tuple[bytes, ...]
    rows: int
    columns: tuple[int, ...] = ()

    @classmethod
    def of(cls, group: Group, digests: tuple[bytes, ...], columns: tuple[int, ...]) -> Listed:
        return cls(group.to_bytes(), digests, group.rows, columns)

    @classmethod
    def kept(cls, footer: Footer, number: int) -> Listed:
        """A row group that stays as it is. The footer has digests."""
        assert footer.digests is not None  # noqa: S101 - no file without them is spliced
        return cls(footer.raw_group(number), footer.digests[number], footer.rows[number])

    @cached_property
    def group(self) -> Group:
        return Group.of(thrift.decode(self.raw)[0])


@dataclass(frozen=True)
class Outline:
    """`pieces` make the file up to its footer; `groups` are in key order. `dead` bytes of it no chunk uses."""

    pieces: tuple[Piece, ...]
    groups: tuple[Listed, ...]
    dead: int

    @property
    def size(self) -> int:
        return size(self.pieces)

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)

    @property
    def marks(self) -> Marks:
        lengths = tuple(len(group.raw) for group in self.groups)
        return Marks(lengths, tuple(group.digests for group in self.groups), self.dead)

    def footer(self, old: Footer, metadata: Mapping[str, str]) -> bytes:
        """The bytes that follow its data, in a file with the columns and key-value metadata of the old one, and with
        `metadata`."""
        marks = {GROUPS: self.marks.to_text()}
        return old.with_groups([group.raw for group in self.groups], self.rows, {**metadata, **marks})
