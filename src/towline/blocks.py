"""The blocks of a dataset (`towline.block`): which there are, the walk down a history through them, and making more.

A block is made of each 64 consecutive commits, and a larger one of 64 of those. They are derived data: the answer is
the same with all of them, with some, and with none; it only takes longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import pyarrow as pa

from towline import block, history, keys, lineage, trail
from towline.block import Block, Records
from towline.errors import Contended, PreconditionFailed
from towline.history import READERS, Record
from towline.store import ABSENT, Entry, Stat
from towline.trail import Trail
from towline.workbench import Workbench

SMALL = 64  # commits of a small block, and small blocks of a large one
LARGE = SMALL * SMALL
LARGE_BYTES = 48 * 2**20  # that small blocks have together at most, to be joined: they are in memory at once
RUN = 16  # small blocks that one run makes at most

Step = Block | Records


@dataclass(frozen=True)
class Index:
    """The history of a dataset as its blocks and audit records tell it. `head` is the newest version of the master that
    a commit made, when this was opened; None: there is no commit yet."""

    bench: Workbench
    dataset: str
    head: Stat | None
    entries: tuple[tuple[int, int, Entry], ...]  # first, last, block; in the order of their keys

    @staticmethod
    def open(bench: Workbench, dataset: str) -> Index:
        head = lineage.newest(bench, dataset)
        listed = bench.store.list(f"{keys.BLAME}{dataset}/")
        named = ((keys.parse_block(entry.key), entry) for entry in listed)
        return Index(bench, dataset, head, tuple((*span, entry) for span, entry in named if span and _is_whole(*span)))

    @property
    def number(self) -> int:
        """Of the head's commit; 0: there is none."""
        return int(self.head.metadata["number"]) if self.head else 0

    def steps(self, floor: int = 0) -> list[Step]:
        """What there is to read of the commits with a higher number than `floor`, newest first: blocks, and the audit
        records of each commit that no block covers. Corrupt: a block and what lies beside it contradict each other."""
        return list(self.walk(floor))

    def walk(self, floor: int = 0) -> Iterator[Step]:
        """The same steps, one by one: those that nobody asks for are not read."""
        later: Step | None = None
        for step in self._walk(floor):
            if later is not None:
                _hold_together(later, step)
            yield step
            later = step

    def rows(self, steps: Sequence[Step], key: str | None = None, column: str | None = None) -> pa.Table:
        """The changed cells in these steps, as a block has them and in no order: of one row (its key as changes files
        write it), of one column (see `block.only`), of both, or all."""
        blocks = [step for step in steps if isinstance(step, Block)]
        alone = [step for step in steps if not isinstance(step, Block)]
        placed = [*block.placed(alone), *(each for one in blocks for each in one.about.apart)]
        with ThreadPoolExecutor(READERS) as pool:
            read = list(pool.map(lambda each: block.only(self.cells(*each), key, column), placed))
            read += pool.map(lambda each: each.rows(key, column), blocks)
        return block.together(read)

    def cells(self, place: int, record: Record) -> pa.Table:
        """The rows of one audit record, from its changes file. A first table has none there."""
        if block.is_first(record):
            return block.SCHEMA.empty_table()
        return block.widened(history.cells(self.bench, record), place, record)

    def _walk(self, floor: int) -> Iterator[Step]:
        if self.head is None or self.number <= floor:
            return
        blocks = self._cover(floor)
        down = Trail(self.bench, self.dataset, _known_until(blocks, floor))
        commit, number = down.start(self.head)
        for below in (*blocks, None):
            for records in down.down(commit, number, max(floor, below.about.last if below else 0)):
                yield records
                commit, number = trail.parent(records), number - 1
            if below is not None:
                yield below
                commit, number = below.about.parent, below.about.first - 1

    def _cover(self, floor: int) -> list[Block]:
        """The largest blocks that reach above `floor`, newest first, each commit in one of them at most. The head is in
        none: it may not be finished."""
        chosen: list[Entry] = []
        reached = 0
        for first, last, entry in sorted(self.entries, key=lambda each: (each[0], -each[1])):
            if reached < first and last < self.number:
                reached = last
                chosen += [entry] * (last > floor)
        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(lambda entry: Block.open(self.bench.store, entry), reversed(chosen)))


def _is_whole(first: int, last: int) -> bool:
    """Whether these numbers are those of a block; what else lies there is none of ours."""
    size = last - first + 1
    return size in (SMALL, LARGE) and last % size == 0


def _known_until(blocks: Sequence[Block], floor: int) -> datetime | None:
    """The moment of the commit up to which no audit record is needed; None: the first is."""
    reached, found = floor, None
    for each in reversed(blocks):
        if each.about.first > reached + 1:
            break
        reached, found = each.about.last, keys.commit_time(each.about.commit)
    return found


def _hold_together(later: Step, earlier: Step) -> None:
    """The chain of audit records goes through the blocks. (Where it breaks between two records is for `towline verify`
    to say.)"""
    before = later.about.prev_chain if isinstance(later, Block) else later[0]["prev_chain"]
    chain = earlier.about.chain if isinstance(earlier, Block) else earlier[-1]["chain"]
    wrong = later if isinstance(later, Block) else earlier
    if before != chain and isinstance(wrong, Block):
        raise block.contradiction(
            wrong.key, f"and the audit records beside it are not of one chain ({before} follows {chain})"
        )


def first_record(step: Step) -> Record:
    """The audit record of the dataset's first table, which the oldest step has."""
    records = step if isinstance(step, tuple) else [record for _, record in step.about.apart]
    return next(record for record in records if block.is_first(record))


def extend(bench: Workbench, dataset: str, most: int = RUN) -> list[str]:
    """Make blocks that are missing: `most` small ones, the newest first, and one large one. Returns their keys. Anybody
    may do it, again and at once: a block follows from its commits, and is written only where there is none."""
    index = Index.open(bench, dataset)
    made = [_put(index, first, SMALL, body) for first, body in _small(index, most)]
    large = _large(Index.open(bench, dataset) if made else index)
    return made + [_put(index, first, LARGE, body) for first, body in large]


def _due(index: Index, size: int) -> list[int]:
    """The first numbers of the blocks of this size that are missing, newest first. The head is in none of them."""
    there = [(first, last) for first, last, _ in index.entries]
    firsts = range(1, max(1, index.number - size + 1), size)
    return [at for at in reversed(firsts) if not any(one <= at and at + size - 1 <= last for one, last in there)]


def _small(index: Index, most: int) -> Iterator[tuple[int, bytes]]:
    """First numbers and bytes of missing small blocks."""
    missing = _due(index, SMALL)[:most]
    if not missing:
        return
    commits = {records[0]["number"]: records for records in index.steps(missing[-1] - 1) if isinstance(records, tuple)}
    for first in missing:
        yield first, block.make(index.dataset, [commits[first + at] for at in range(SMALL)], index.cells)


def _large(index: Index) -> Iterator[tuple[int, bytes]]:
    """First number and bytes of one large block whose small ones are all there, and not too large together."""
    sizes = {first: entry for first, last, entry in index.entries if last - first == SMALL - 1}
    for first in _due(index, LARGE):
        parts = [sizes[at] for at in range(first, first + LARGE, SMALL) if at in sizes]
        if len(parts) == SMALL and sum(part.size for part in parts) <= LARGE_BYTES:
            with ThreadPoolExecutor(READERS) as pool:
                blocks = list(pool.map(lambda entry: Block.open(index.bench.store, entry), parts))
            for earlier, later in pairwise(blocks):
                _hold_together(later, earlier)
            yield first, block.join(blocks)
            return


def _put(index: Index, first: int, size: int, body: bytes) -> str:
    key = keys.block(index.dataset, first, first + size - 1)
    try:
        index.bench.store.put(key, body, when=ABSENT)
    except Contended:
        raise  # 409 does not say that it is there
    except PreconditionFailed:
        pass  # somebody else made it
    return key
