"""A bronze file as pipelines read it: by ranges, ahead of who asks, unpacked within bounds."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from towline.ahead import ahead
from towline.errors import UnreadableFile
from towline.ingest.entry import Entry
from towline.objects import ObjectSource
from towline.store import GIB, MIB, ObjectStore

RANGE = 4 * MIB  # bytes of one request
AHEAD = 2  # requests that are under way
# What a packed file may become: more than any honest one, and less than would fill a disk.
UNPACKED_MAX, RATIO_MAX = 16 * GIB, 250
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class StoredFile:
    """The bronze file of an entry (`towline.pipeline.definition.BronzeFile`)."""

    store: ObjectStore
    entry: Entry

    @property
    def kind(self) -> str:
        return self.entry.kind

    @property
    def source(self) -> ObjectSource:
        return ObjectSource(self.store, self.entry.bronze, self.entry.bronze_version, self.entry.size)

    def open(self) -> IO[bytes]:
        """NotFound, while it is read: the object is gone. UnreadableFile: it unpacks to more than it may, or not."""
        pieces = self._pieces()
        if self.kind.split(".")[-1] == "gz" or self.kind == "gzip":
            pieces = _unpacked(pieces, min(UNPACKED_MAX, max(MIB, self.entry.size * RATIO_MAX)))
        return io.BufferedReader(Pieces(pieces), MIB)

    def _pieces(self) -> Iterator[bytes]:
        size, source = self.entry.size, self.source
        spans = [(start, min(size, start + RANGE)) for start in range(0, size, RANGE)]
        return ahead(lambda span: source.read([span])[0], spans, AHEAD)


class Pieces(io.RawIOBase):
    """Bytes that come piece by piece as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._held = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = memoryview(piece)
        into = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        count = min(len(into), len(self._held))
        into[:count], self._held = self._held[:count], self._held[count:]
        return count


def _unpacked(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """What gzip packed, all members of it, at most so many bytes."""
    unpack, total, is_open = zlib.decompressobj(_GZIP), 0, False
    try:
        for piece in pieces:
            found = b""
            while piece or len(found) == MIB:
                found = unpack.decompress(piece, MIB)
                total, piece, is_open = total + len(found), unpack.unconsumed_tail, True
                if total > most:
                    raise UnreadableFile(f"it unpacks to more than {most:,} bytes: send it in parts, or unpacked")
                yield found
                if unpack.eof:
                    piece, unpack, is_open = unpack.unused_data.lstrip(b"\0"), zlib.decompressobj(_GZIP), False
    except zlib.error as error:
        raise UnreadableFile(f"it is packed, and after {total:,} bytes it cannot be unpacked: {error}") from error
    if is_open:
        raise UnreadableFile(f"it is packed, and ends after {total:,} bytes in the middle: send it again, whole")
