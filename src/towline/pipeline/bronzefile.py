"""A bronze file as pipelines read it: by ranges, ahead of who asks, unpacked within bounds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from towline.ahead import ahead
from towline.ingest.entry import Entry
from towline.objects import ObjectSource
from towline.sampling.streams import Unpacked
from towline.store import GIB, MIB, ObjectStore

RANGE = 4 * MIB  # bytes of one request
AHEAD = 2  # requests that are under way
# What a file may have, and a packed one become: what a function has the time and the disk for. Text that packs better
# than so is no honest one.
LARGEST, RATIO_MAX = 4 * GIB, 250


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
        file = io.BufferedReader(Pieces(self._pieces()), MIB)
        if self.kind.split(".")[-1] != "gz":
            return file
        most = min(LARGEST, max(MIB, self.entry.size * RATIO_MAX))
        return io.BufferedReader(Pieces(_unpacked(file, most)), MIB)

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


@dataclass(frozen=True)
class _Packed:
    """A file as a stream that is unpacked (`towline.sampling.streams.Stream`)."""

    file: IO[bytes]

    def read(self, size: int) -> bytes:
        return self.file.read(size)

    def skip(self, size: int) -> None:
        self.file.read(size)


def _unpacked(packed: IO[bytes], most: int) -> Iterator[bytes]:
    stream = Unpacked(_Packed(packed), most)
    while piece := stream.read(MIB):
        yield piece
