"""Where the bytes of a Parquet file come from, span by span."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

Span = tuple[int, int]  # bytes from the first up to, not including, the second


class Source(Protocol):
    """A file of `size` bytes that never changes. `where` names it in messages."""

    @property
    def where(self) -> str: ...

    @property
    def size(self) -> int: ...

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        """The bytes of each span, all of them inside the file; those that lie close together in one request."""
        ...


@dataclass(frozen=True)
class BytesSource:
    """A file that is in memory."""

    body: bytes
    where: str = "these bytes"

    @property
    def size(self) -> int:
        return len(self.body)

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        return [self.body[start:stop] for start, stop in spans]


@dataclass(frozen=True)
class FileSource:
    """A file on this machine; `name` is what messages call it, if not by its path."""

    path: Path
    name: str = ""

    @property
    def where(self) -> str:
        return self.name or str(self.path)

    @cached_property
    def size(self) -> int:
        return self.path.stat().st_size

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        with self.path.open("rb") as file:
            return [self._read(file, start, stop) for start, stop in spans]

    @staticmethod
    def _read(file: object, start: int, stop: int) -> bytes:
        file.seek(start)  # type: ignore[attr-defined]
        return bytes(file.read(stop - start))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Held:
    """A file of which some spans have been read, all at once; what else is asked for is read when it is."""

    source: Source
    spans: Sequence[Span]
    bodies: Sequence[bytes]

    @classmethod
    def of(cls, source: Source, spans: Iterable[Span]) -> Held:
        wanted = coalesced(list(spans), 0)
        return cls(source, wanted, source.read(wanted) if wanted else [])

    @property
    def where(self) -> str:
        return self.source.where

    @property
    def size(self) -> int:
        return self.source.size

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        if all(any(begin <= start and stop <= end for begin, end in self.spans) for start, stop in spans):
            return cut(spans, self.spans, self.bodies)
        return self.source.read(spans)

    def as_file(self) -> AsFile:
        return AsFile(self.size, lambda start, stop: self.read([(start, stop)])[0])


class AsFile(io.RawIOBase):
    """Spans of `size` bytes as the file that Arrow reads: `span` gives the bytes from one place to another."""

    def __init__(self, size: int, span: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size, self._span, self._at = size, span, 0

    def read(self, size: int | None = -1) -> bytes:
        stop = self._size if size is None or size < 0 else min(self._at + size, self._size)
        start, self._at = self._at, max(self._at, stop)
        return self._span(start, stop) if start < stop else b""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def coalesced(spans: Sequence[Span], gap: int) -> list[Span]:
    """Spans that cover these, in order: neighbours with at most `gap` bytes between them are one."""
    joined: list[Span] = []
    for start, stop in sorted(spans):
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def cut(spans: Sequence[Span], held: Sequence[Span], bodies: Sequence[bytes]) -> list[bytes]:
    """The bytes of each span out of those of the spans `held`, which are in order and cover them."""
    found = []
    for start, stop in spans:
        at = next(n for n, (begin, end) in enumerate(held) if begin <= start and stop <= end)
        found.append(bodies[at][start - held[at][0] : stop - held[at][0]])
    return found
