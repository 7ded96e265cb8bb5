"""A file read from its beginning, within bounds: as it lies, or unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from towline.errors import UnreadableFile
from towline.parquet.source import Source, Span, coalesced
from towline.sampling.kinds import HEAD

_GAP = 64 * 1024  # bytes between two spans that a store may fetch along: they count as read (`towline.objects.GAP`)
_PACKED = 128 * 1024  # packed bytes that are read at once
_GZIP = 31  # zlib's number for a stream with a gzip header
RAW_DEFLATE = -15  # and for one without any


class Spent(UnreadableFile):
    """More would have to be read or unpacked than is allowed."""


@dataclass
class Bounded:
    """A source of which at most `most` bytes are read. A small file is read whole, at once; of a larger one the head
    is. Reading raises Spent where it would be more."""

    source: Source
    most: int
    head: bytes = field(init=False)
    read_so_far: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        size = self.source.size
        self.head = self._fetch([(0, size if size <= self.most else HEAD)])[0] if size else b""

    @property
    def where(self) -> str:
        return self.source.where

    @property
    def size(self) -> int:
        return self.source.size

    @property
    def left(self) -> int:
        """Bytes that may still be read."""
        return self.most - self.read_so_far

    @property
    def is_whole(self) -> bool:
        """Whether `head` is all of the file."""
        return len(self.head) == self.size

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        wanted = [span for span in spans if span[1] > len(self.head) and span[0] < span[1]]
        fetched = dict(zip(wanted, self._fetch(wanted), strict=True))
        return [fetched[span] if span in fetched else self.head[span[0] : span[1]] for span in spans]

    def _fetch(self, spans: Sequence[Span]) -> list[bytes]:
        if not spans:
            return []
        size = sum(stop - start for start, stop in coalesced(spans, _GAP))
        if size > self.left:
            raise Spent(
                f"{self.where}: {size:,} bytes more would have to be read; at most {self.most:,} are read in all"
            )
        self.read_so_far += size
        return self.source.read(spans)


class Stream(Protocol):
    """A file from its beginning on."""

    def read(self, size: int) -> bytes:
        """The next bytes: fewer than `size` only where the file ends or a bound is reached. Spent: it is reached, and
        the file goes on."""
        ...

    def skip(self, size: int) -> None:
        """Pass over bytes. Raises as `read` does."""
        ...


@dataclass
class Plain:
    """A file as it lies, from byte `at` up to `stop` (None: its end)."""

    source: Bounded
    at: int = 0
    stop: int | None = None

    def read(self, size: int) -> bytes:
        stop = self.source.size if self.stop is None else min(self.stop, self.source.size)
        wanted = min(size, stop - self.at)
        if wanted <= 0:
            return b""
        allowed = max(len(self.source.head) - self.at, 0) + self.source.left
        if not allowed:
            raise Spent(f"{self.source.where}: more than {self.source.most:,} bytes would have to be read")
        start, self.at = self.at, self.at + min(wanted, allowed)
        return self._between(start, self.at)

    def _between(self, start: int, stop: int) -> bytes:
        held = len(self.source.head)
        if start < held < stop:  # only what is not at hand yet is fetched
            return self.source.head[start:] + self.source.read([(held, stop)])[0]
        return self.source.read([(start, stop)])[0]

    def skip(self, size: int) -> None:
        self.at += size


@dataclass
class Unpacked:
    """A stream of gzip members, or a raw deflate stream, unpacked piece by piece; at most `most` bytes of it.
    UnreadableFile: it is damaged, or ends too early."""

    packed: Stream
    most: int
    wbits: int = _GZIP
    unpacked: int = 0
    _rest: bytes = b""  # packed bytes that are not used yet
    _ended: bool = False

    def __post_init__(self) -> None:
        self._unpacker = zlib.decompressobj(wbits=self.wbits)

    def read(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size and not self._ended:
            if self.unpacked >= self.most:
                if found:
                    break
                raise Spent(f"more than {self.most:,} bytes would have to be unpacked")
            try:
                piece = self._piece(min(size - len(found), self.most - self.unpacked))
            except Spent:
                if found:
                    break
                raise
            self.unpacked += len(piece)
            found += piece
        return bytes(found)

    def skip(self, size: int) -> None:
        while size > 0:
            passed = len(self.read(min(size, HEAD)))
            if not passed:
                return
            size -= passed

    def _piece(self, size: int) -> bytes:
        """Some bytes, at most `size`; perhaps none yet."""
        if self._unpacker.eof:
            self._next_member()
            return b""
        packed = self._rest or self.packed.read(_PACKED)
        try:
            piece = self._unpacker.decompress(packed, size)
        except zlib.error as error:
            raise UnreadableFile(f"what is packed is damaged: {error}") from None
        if not packed and not piece and not self._unpacker.eof:
            raise UnreadableFile("what is packed ends too early: it is cut")
        self._rest = self._unpacker.unconsumed_tail
        return piece

    def _next_member(self) -> None:
        """Go on with the next gzip member, where one follows; zeros may fill up the last block of a tape."""
        if self.wbits == _GZIP:
            self._rest = (self._unpacker.unused_data or self.packed.read(_PACKED)).lstrip(b"\0")
        if not self._rest:
            self._ended = True
            return
        if not self._rest.startswith(b"\x1f"):
            raise UnreadableFile("something follows that is not packed: the file is damaged")
        self._unpacker = zlib.decompressobj(wbits=self.wbits)


@dataclass(frozen=True)
class Beginning:
    """What has been read of a stream. `ended`: that is all of it. `spent`: no more of it may be read."""

    body: bytes
    ended: bool = False
    spent: bool = False


def beginnings(stream: Stream) -> Iterator[Beginning]:
    """More and more of a stream: each time twice as much, until it ends or a bound is reached."""
    body, size = b"", HEAD
    while True:
        try:
            piece = stream.read(size)
        except Spent:
            yield Beginning(body, spent=True)
            return
        body += piece
        if not piece:
            yield Beginning(body, ended=True)
            return
        yield Beginning(body)
        size = len(body)
