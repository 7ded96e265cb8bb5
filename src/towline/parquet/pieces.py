"""A new file as pieces: ranges that are kept of the old one, and new bytes between and behind them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from towline.parquet.source import Source, Span


@dataclass(frozen=True)
class Keep:
    """Bytes `start` up to, not including, `stop` of the file as it was."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, span: slice) -> Keep:
        start, stop, _ = span.indices(len(self))
        return Keep(self.start + start, self.start + stop)


Piece = Keep | bytes


def size(pieces: Sequence[Piece]) -> int:
    return sum(map(len, pieces))


def read(pieces: Sequence[Piece], source: Source) -> list[bytes]:
    """The bytes of pieces; all that is kept is asked for at once."""
    spans = [(piece.start, piece.stop) for piece in pieces if isinstance(piece, Keep)]
    kept = iter(source.read(spans) if spans else ())
    return [next(kept) if isinstance(piece, Keep) else piece for piece in pieces]


def joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces without empty ones; Keeps that follow each other are one."""
    last: Keep | None = None
    for piece in filter(len, pieces):
        if last and isinstance(piece, Keep) and piece.start == last.stop:
            last = Keep(last.start, piece.stop)
            continue
        if last:
            yield last
        last = piece if isinstance(piece, Keep) else None
        if not isinstance(piece, Keep):
            yield piece
    if last:
        yield last


@dataclass(frozen=True)
class Assembled:
    """The new file, before anybody has joined its pieces: a `Source`."""

    pieces: tuple[Piece, ...]
    old: Source

    @property
    def where(self) -> str:
        return f"what becomes of {self.old.where}"

    @property
    def size(self) -> int:
        return self._ends[-1]

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        cuts = [list(self.cut(*span)) for span in spans]
        found = iter(read([piece for cut in cuts for piece in cut], self.old))
        return [b"".join(next(found) for _ in cut) for cut in cuts]

    def cut(self, start: int, stop: int) -> Iterator[Piece]:
        """The pieces that make bytes `start` to `stop`."""
        at = max(0, bisect_right(self._ends, start) - 1)
        while start < stop and at < len(self.pieces):
            begin, end = self._ends[at], min(stop, self._ends[at + 1])
            if start < end:
                yield self.pieces[at][start - begin : end - begin]
                start = end
            at += 1

    @cached_property
    def _ends(self) -> list[int]:
        """Where each piece begins, and where the last one ends."""
        return list(accumulate(map(len, self.pieces), initial=0))
