"""Pieces of a new object -> the parts that a store joins, most of them copied on the store's own side.

S3 joins parts of at least 5 MiB, the last one excepted, of at most 5 GiB, and at most 10,000 of them; and it copies
ranges only of objects over 5 MiB ("Amazon S3 multipart upload limits", "UploadPartCopy"). So what is new and small
travels with bytes that are borrowed of its neighbours: they come down and go up again. As few are borrowed as can be:

    a Keep is         copied, but for what it lends to the parts on its two sides, where `least` bytes of it are left
    or it is          sent whole, with what is beside it
    what is sent      between two copied ones comes to `least` bytes, if need be with bytes that these lend it
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from towline.errors import UsageError
from towline.parquet.pieces import Keep, Piece, joined, read, size
from towline.parquet.source import Source

MIB = 1024**2


@dataclass(frozen=True)
class Upload:
    """A part that is sent: new bytes, and borrowed ones, which `read` fetches when it is time."""

    pieces: tuple[Piece, ...]

    def __len__(self) -> int:
        return size(self.pieces)

    @property
    def borrowed(self) -> int:
        """Bytes that have to be read for it."""
        return sum(len(piece) for piece in self.pieces if isinstance(piece, Keep))

    def read(self, source: Source) -> bytes:
        return b"".join(read(self.pieces, source))


Part = Keep | Upload


@dataclass(frozen=True)
class Rules:
    """What a store joins: parts of `least` to `most` bytes, at most `count` of them. Larger copies than `copy` are
    divided, so that they can run side by side, and larger uploads than `upload`, so that they fit in memory."""

    least: int
    most: int
    count: int
    copy: int = 512 * MIB
    upload: int = 32 * MIB


def layout(pieces: Sequence[Piece], of: int, rules: Rules) -> list[Part]:
    """The parts that make what `pieces` make, with as few bytes borrowed of the old object, of `of` bytes, as can be.
    UsageError: there is nothing to join, or too much."""
    pieces = list(joined(pieces))
    total = size(pieces)
    if not 0 < total <= rules.most * rules.count:
        raise UsageError(
            f"{total:,} bytes make no object: S3 joins at most {rules.count:,} parts of {rules.most:,} bytes"
        )
    if of <= rules.least:  # S3 copies no range of it
        return list(_divided(Upload(tuple(pieces)), rules.upload))
    # Many small ranges may make too many parts; larger parts are fewer, at the price of more bytes that travel.
    least, even = rules.least, -(-total // max(1, rules.count // 4))
    while len(parts := _parts(pieces, _wider(rules, least, even))) > rules.count:
        least *= 2
    return parts


def _wider(rules: Rules, least: int, even: int) -> Rules:
    """The rules with larger parts, so that there are fewer; what is divided has halves that are large enough."""
    copy, upload = (min(rules.most, max(most, even, 2 * least)) for most in (rules.copy, rules.upload))
    return replace(rules, least=least, copy=copy, upload=upload)


@dataclass(frozen=True)
class _Way:
    """One way to lay out all before a copied Keep, piece `at` (len(pieces): all of them): `cost` bytes are borrowed.
    The Keep lends its first `front` bytes; the one before it, on the way `before`, lends its last `back`."""

    at: int
    cost: int
    front: int = 0
    back: int = 0
    before: _Way | None = None


def _parts(pieces: Sequence[Piece], rules: Rules) -> list[Part]:
    way: _Way | None = _best(pieces, rules.least)
    ways: list[_Way] = []
    while way:
        ways.insert(0, way)
        way = way.before
    return [part for one, following in pairwise(ways) for part in _laid(pieces, one, following, rules)]


def _laid(pieces: Sequence[Piece], one: _Way, following: _Way, rules: Rules) -> Iterator[Part]:
    """The Keep that `one` copies, and what is sent between it and the Keep that `following` copies."""
    sent = list(pieces[one.at + 1 : following.at])
    if one.before:
        keep = pieces[one.at]
        assert isinstance(keep, Keep)  # noqa: S101 - nothing else is copied
        stop = len(keep) - following.back
        yield from _divided(keep[one.front : stop], rules.copy)
        sent.insert(0, keep[stop:])
    if following.front:
        sent.append(pieces[following.at][: following.front])
    yield from _divided(Upload(tuple(filter(len, sent))), rules.upload)


def _best(pieces: Sequence[Piece], least: int) -> _Way:
    """The way to lay out all pieces that borrows the least."""
    sizes = list(accumulate(map(len, pieces), initial=0))
    kept = list(accumulate((len(p) if isinstance(p, Keep) else 0 for p in pieces), initial=0))
    spare = [_spare(pieces, at, least) for at in range(len(pieces))]
    ways = [[_Way(-1, 0)]]

    def step(way: _Way, at: int) -> _Way | None:
        between = sizes[at] - sizes[way.at + 1]
        need = max(0, least - between) if between and at < len(pieces) else 0
        back = min(need, spare[way.at] - way.front) if way.before else 0
        if at < len(pieces) and need - back > spare[at]:
            return None
        return _Way(at, way.cost + kept[at] - kept[way.at + 1] + need, need - back, back, way)

    for at in range(len(pieces) + 1):
        if at == len(pieces) or spare[at] >= 0:
            found = (step(way, at) for way in _earlier(ways, spare, 2 * least))
            ways.append(_worthwhile([way for way in found if way]))
    return min(ways[-1], key=lambda way: way.cost)


def _spare(pieces: Sequence[Piece], at: int, least: int) -> int:
    """How many bytes a piece can lend and still be copied; negative: it cannot be copied at all."""
    if not isinstance(pieces[at], Keep):
        return -1
    return len(pieces[at]) - (1 if at == len(pieces) - 1 else least)


def _earlier(ways: Sequence[Sequence[_Way]], spare: Sequence[int], enough: int) -> Iterator[_Way]:
    """The ways to go on from. Nobody gains by sending a Keep that can lend to both its sides and be copied still."""
    for options in reversed(ways):
        yield from options
        if options and options[0].before and spare[options[0].at] >= enough:
            return


def _worthwhile(ways: list[_Way]) -> list[_Way]:
    """Those that are cheaper than every other one that lends less at the front."""
    found: list[_Way] = []
    for way in sorted(ways, key=lambda way: (way.cost, way.front)):
        if not found or way.front < found[-1].front:
            found.append(way)
    return found


def _divided(part: Part, most: int) -> Iterator[Part]:
    """The part in parts of at most `most` bytes and about one size; nothing of an empty one."""
    count = -(-len(part) // most)
    for number in range(count):
        start, stop = len(part) * number // count, len(part) * (number + 1) // count
        yield part[start:stop] if isinstance(part, Keep) else Upload(tuple(_between(part.pieces, start, stop)))


def _between(pieces: Sequence[Piece], start: int, stop: int) -> Iterator[Piece]:
    """Bytes `start` to `stop` of the pieces joined."""
    for piece in pieces:
        first, last = max(0, start), min(len(piece), stop)
        if first < last:
            yield piece[first:last]
        start, stop = start - len(piece), stop - len(piece)
