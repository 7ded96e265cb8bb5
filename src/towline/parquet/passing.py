"""Digests of a file's column chunks, taken while its bytes pass by: what they are, and not what its footer claims."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from towline.errors import Corrupt
from towline.parquet import thrift
from towline.parquet.footer import DIGEST, Chunk, Footer


@dataclass(frozen=True)
class Passed:
    """What passed by of a file, for each column of each row group.

    digests  of the bytes of its pages, as footers claim them
    seals    of the same bytes and of all that the footer says of them, but for where they lie: two column chunks with
             one seal are read alike
    """

    digests: tuple[tuple[bytes, ...], ...]
    seals: tuple[tuple[bytes, ...], ...]

    def lie(self, footer: Footer) -> tuple[int, str] | None:
        """The first row group, by its number, and its column, whose digest the footer gives otherwise; None: none."""
        for group, (claimed, digests) in enumerate(zip(footer.digests or (), self.digests, strict=False)):
            for name, one, other in zip(footer.schema.names, claimed, digests, strict=True):
                if one != other:
                    return group, name
        return None


def take(footer: Footer, pieces: Iterable[bytes]) -> Passed:
    """The digests of a file whose bytes are `pieces`, all of them in order. Corrupt: its footer points out of it."""
    taking = _Taking(footer)
    for piece in pieces:
        taking.pass_by(piece)
    return taking.passed()


@dataclass
class _Open:
    """A column chunk of which bytes are passing by."""

    group: int
    column: int
    chunk: Chunk
    hash: Any


class _Taking:
    def __init__(self, footer: Footer) -> None:
        self._footer, self._at = footer, 0
        self._found: list[list[tuple[bytes, bytes]]] = []
        self._ahead: list[_Open] = []
        for number, group in enumerate(footer.groups()):
            self._found.append([(b"", b"")] * len(group.chunks))
            self._ahead += [_Open(number, place, chunk, _hash()) for place, chunk in enumerate(group.chunks)]
        self._ahead.sort(key=lambda each: each.chunk.start, reverse=True)
        self._open: list[_Open] = []

    def pass_by(self, piece: bytes) -> None:
        start, stop, view = self._at, self._at + len(piece), memoryview(piece)
        while self._ahead and self._ahead[-1].chunk.start < stop:
            self._open.append(self._ahead.pop())
        for each in self._open:
            each.hash.update(view[max(0, each.chunk.start - start) : max(0, each.chunk.stop - start)])
            if each.chunk.stop <= stop:
                self._close(each)
        self._open = [each for each in self._open if each.chunk.stop > stop]
        self._at = stop

    def _close(self, each: _Open) -> None:
        digest = each.hash.digest()
        each.hash.update(thrift.encode(each.chunk.plain().moved(-each.chunk.start).raw))
        self._found[each.group][each.column] = digest, each.hash.digest()

    def passed(self) -> Passed:
        if self._ahead or self._open:
            raise Corrupt(f"{self._footer.where}: its footer tells of column chunks beyond its end")
        return Passed(
            tuple(tuple(digest for digest, _ in group) for group in self._found),
            tuple(tuple(seal for _, seal in group) for group in self._found),
        )


def _hash() -> Any:
    return blake2b(digest_size=DIGEST)
