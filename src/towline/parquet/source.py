"""Where the bytes of a Parquet file come from, span by span."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Protocol, TypeVar

Span = tuple[int, int]  # bytes from the first up to, not including, the second
AT_ONCE = 32 * 2**20  # bytes that are fetched together; a store answers many requests in the time of one

Item = TypeVar("Item")


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
    """A file of which some spans have been read, all at once; what is in none of them is read when it is asked for."""

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
        others = [span for span in spans if not self._has(span)]
        read = iter(self.source.read(others) if others else ())
        return [cut([span], self.spans, self.bodies)[0] if self._has(span) else next(read) for span in spans]

    def _has(self, span: Span) -> bool:
        at = _holding(span, self.spans)
        return at >= 0 and span[1] <= self.spans[at][1]

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
        at = _holding((start, stop), held)
        found.append(bodies[at][start - held[at][0] : stop - held[at][0]])
    return found


def _holding(span: Span, held: Sequence[Span]) -> int:
    """Which of the spans `held`, in order, is the last that begins no later than this one; -1: none."""
    return bisect_right(held, span[0], key=itemgetter(0)) - 1


def together(items: Iterable[Item], weight: Callable[[Item], int], most: int = AT_ONCE) -> Iterator[list[Item]]:
    """The items, so many at a time as weigh at most so many bytes, or one that alone weighs more."""
    waiting: list[Item] = []
    weighed = 0
    for item in items:
        weighed += weight(item)
        if waiting and weighed > most:
            yield waiting
            waiting, weighed = [], weight(item)
        waiting.append(item)
    if waiting:
        yield waiting


def size(spans: Iterable[Span]) -> int:
    return sum(stop - start for start, stop in spans)
