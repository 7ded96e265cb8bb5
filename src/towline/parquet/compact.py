"""An outline with fewer dead bytes: tracts of the file that are dead for the most part are left out, and what is alive
in them goes to the end.

To leave out every dead byte would cost what the file weighs: S3 copies no range under 5 MiB, so a file with a hole in
every row group would come down and go up as a whole. So the file is seen as tracts of some MiB, and those with the
least alive in them go first, until half of what may be dead is left, or as much was moved as one save should move. What
stays is copied by the store like all that is kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate

from towline.parquet import indexes
from towline.parquet.footer import MAGIC, Chunk, Group
from towline.parquet.outline import Listed, Outline
from towline.parquet.pieces import Assembled, Piece, joined
from towline.parquet.source import Source, Span
from towline.parquet.thrift import STRUCT
from towline.parquet.verify import check_apart

_META, _BLOOM = 3, (14, 15)  # of ColumnChunk and ColumnMetaData of parquet.thrift


@dataclass(frozen=True)
class Tract:
    """Bytes `start` to `stop` of a file, of which so many are `alive`; no chunk lies across its ends."""

    start: int
    stop: int
    alive: int

    @property
    def dead(self) -> int:
        return self.stop - self.start - self.alive

    @property
    def share(self) -> float:
        """Of it, how much is alive."""
        return self.alive / (self.stop - self.start)


def compact(outline: Outline, old: Source, *, spare: int, most: int, length: int) -> Outline:
    """The same row groups in fewer bytes: until `spare` bytes are dead, or more than `most` that are alive would have
    to move; one tract goes at least. A tract has `length` bytes or a little more. Amiss: chunks overlap."""
    file = Assembled(outline.pieces, old)
    groups = [listed.group for listed in outline.groups]
    check_apart([span for group in groups for span in group.spans], file.size, file.where)
    found = list(tracts(sorted(span for group in groups for span in used(group)), file.size, length))
    gone = set(worst(found, outline.dead - spare, most))
    moving = _Moving(file, [tract for tract in found if tract not in gone])
    listed = moving.listed(outline.groups, [moving.starts(group) for group in groups])
    alive = sum(stop - start for one in listed for start, stop in used(one.group))
    return Outline(tuple(joined(moving.pieces)), tuple(listed), moving.at - len(MAGIC) - alive)


def used(group: Group) -> list[Span]:
    """All spans of a file that a row group uses: its chunks and their page indexes."""
    return [*group.spans, *(span for span in indexes.spans(group) if span[0] < span[1])]


def tracts(alive: Iterable[Span], stop: int, length: int) -> Iterator[Tract]:
    """A file's data, up to `stop`, in tracts; `alive` are the spans that are used, in order."""
    start, count = len(MAGIC), 0
    for begin, end in alive:
        if begin - start >= length:
            yield Tract(start, begin, count)
            start, count = begin, 0
        count += end - begin
    if start < stop:
        yield Tract(start, stop, count)


def worst(found: Iterable[Tract], much: int, most: int) -> Iterator[Tract]:
    """Those to leave out, so that `much` dead bytes are gone, if that can be with `most` bytes moved; one at least."""
    moved = 0
    for tract in sorted(found, key=lambda tract: tract.share):
        if not tract.dead or much <= 0 or (moved and moved + tract.alive > most):
            return
        yield tract
        much, moved = much - tract.dead, moved + tract.alive


@dataclass
class _Moving:
    """`kept` tracts of a file, behind one another from its magic on, and what comes behind them."""

    file: Assembled
    kept: list[Tract]
    pieces: list[Piece] = field(default_factory=list)
    at: int = 0  # where the next byte goes

    def __post_init__(self) -> None:
        is_begun = self.kept and self.kept[0].start == len(MAGIC)  # else the magic is not worth a request
        self._put(self.file.cut(0, len(MAGIC)) if is_begun else [MAGIC])
        for tract in self.kept:
            self._put(self.file.cut(tract.start, tract.stop))

    def _put(self, pieces: Iterable[Piece]) -> int:
        """Add pieces at the end. Where they begin."""
        start = self.at
        for piece in pieces:
            self.pieces.append(piece)
            self.at += len(piece)
        return start

    def starts(self, group: Group) -> list[int]:
        """Where the chunks of a group come to lie. Those of tracts that are left out are put at the end."""
        places = ((self.place(start), start, stop) for start, stop in group.spans)
        return [self._put(self.file.cut(start, stop)) if at is None else at for at, start, stop in places]

    def place(self, at: int) -> int | None:
        """Where a byte of a kept tract comes to lie; None: it lies in none."""
        number = bisect_right(self._begins, at) - 1
        if number < 0 or at >= self.kept[number].stop:
            return None
        return self._lengths[number] + at - self.kept[number].start

    @cached_property
    def _begins(self) -> list[int]:
        return [tract.start for tract in self.kept]

    @cached_property
    def _lengths(self) -> list[int]:
        """Where each kept tract comes to lie."""
        return list(accumulate((tract.stop - tract.start for tract in self.kept), initial=len(MAGIC)))

    def unfit(self, chunk: Chunk, start: int) -> Iterator[Span]:
        """Where page indexes lie that have to be put elsewhere, or written anew, for a chunk that starts there now."""
        if chunk.column_index and self.place(chunk.column_index[0]) is None:
            yield chunk.column_index
        if chunk.offset_index and (start != chunk.start or self.place(chunk.offset_index[0]) is None):
            yield chunk.offset_index

    def listed(self, groups: Sequence[Listed], starts: Sequence[list[int]]) -> list[Listed]:
        """The groups with their chunks where these `starts` are. Page indexes that do not fit any more are put at the
        end; all that has to be read for that is read at once."""
        of_chunks = [zip(one.group.chunks, at, strict=True) for one, at in zip(groups, starts, strict=True)]
        spans = [span for of_group in of_chunks for chunk, at in of_group for span in self.unfit(chunk, at)]
        describing = _Describing(self, dict(zip(spans, self.file.read(spans), strict=True)))
        listed = [describing.listed(one, at) for one, at in zip(groups, starts, strict=True)]
        self._put([bytes(describing.fresh)])
        return listed


@dataclass
class _Describing:
    """Row groups as they come to lie. `unfit` are page indexes that do not fit any more, by where they lay; `fresh` are
    those that take their place, and follow all else."""

    moving: _Moving
    unfit: Mapping[Span, bytes]
    fresh: bytearray = field(default_factory=bytearray)

    def listed(self, listed: Listed, starts: list[int]) -> Listed:
        chunks = [self._chunk(*each) for each in zip(listed.group.chunks, starts, strict=True)]
        if all(one is other for one, other in zip(chunks, listed.group.chunks, strict=True)):
            return listed
        return replace(listed, raw=listed.group.having(chunks).to_bytes())

    def _chunk(self, chunk: Chunk, start: int) -> Chunk:
        """A chunk that starts there now."""
        by = start - chunk.start
        column, offset = self._index(chunk.column_index, 0), self._index(chunk.offset_index, by)
        if not by and (column, offset) == (chunk.column_index, chunk.offset_index):
            return chunk
        return indexes.pointing(_without_filter(chunk.moved(by)), column, offset)

    def _index(self, span: Span | None, by: int) -> Span | None:
        """Where a page index comes to lie, of a chunk that moved `by` so many bytes."""
        if span is None:
            return None
        if span in self.unfit:
            start = self.moving.at + len(self.fresh)
            self.fresh += indexes.shifted(self.unfit[span], by) if by else self.unfit[span]
            return start, self.moving.at + len(self.fresh)
        place = self.moving.place(span[0])
        assert place is not None  # noqa: S101 - else it would not fit
        return place, place + span[1] - span[0]


def _without_filter(chunk: Chunk) -> Chunk:
    """Without a Bloom filter: where it came to lie is not known. Towline writes none."""
    meta = chunk.meta.copy()
    meta.drop(*_BLOOM)
    raw = chunk.raw.copy()
    raw.set(_META, STRUCT, meta)
    return Chunk(raw)
