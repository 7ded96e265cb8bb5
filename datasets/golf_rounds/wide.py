"""Rounds as wide CSV: one line a round, one column for each value of each slot.

    _id,course,startTime,...,locations[0].startTime,locations[0].fixCoordinates[0],...,locations[116].isProblem

How many slots there are follows from the header. A block of lines is read at a time, and turned from columns of slots
to rows by Arrow's kernels: the columns of one kind, slot after slot, are one long array, and rows are taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import UnreadableFile
from towline.pipeline import csvfile
from towline.pipeline.definition import BronzeFile

from .pieces import ROUND, SLOT, SLOTS_MAX, Piece

PLACES_MAX = 2**20  # slots of a piece, filled or not
_SLOT = re.compile(r"locations\[(0|[1-9]\d{0,8})\]\.(.+)")


def read(file: BronzeFile, separator: str = ",") -> Iterator[Piece]:
    """UnreadableFile: it is no CSV, or a line is longer than a block."""
    header = csvfile.header(file, separator)
    known = [name for name in header if is_known(name)]
    slots, unknown = _slots(header), _unknown(header)
    skipped: dict[int, str] = {}
    row = 1
    for batch in _cut(csvfile.batches(file, known, separator, skipped), PLACES_MAX // slots):
        numbers = csvfile.numbers(row, skipped, batch.num_rows)
        row = numbers[-1] + 1 if numbers else row
        yield Piece(
            _rounds(batch, numbers), _unpivoted(batch, slots), csvfile.ragged(skipped, row, len(header)), unknown
        )
        unknown = ()
    if skipped:
        last = max(skipped) + 1
        yield Piece(_rounds(None, []), _no_slots(), csvfile.ragged(skipped, last, len(header)), unknown)


@lru_cache(maxsize=50_000)  # names of columns come again, file after file
def slot_of(column: str) -> tuple[int, str] | None:
    """`locations[3].pace` -> (3, "pace"); None for a column of the round."""
    found = _SLOT.fullmatch(column)
    return (int(found[1]), found[2]) if found else None


def _slots(header: Sequence[str]) -> int:
    """How many slots the file has: one more than its last one's number. UnreadableFile: too many, or none."""
    slots = 1 + max((found[0] for name in header if (found := slot_of(name))), default=-1)
    if not slots:
        begins = [name[:60] for name in header[:3]]  # of UTF-16, semicolons or an empty line nothing else tells
        raise UnreadableFile(
            "there is no column of a slot, such as locations[0].startTime: the first line, read as UTF-8, has the "
            f"cells {begins}…"
        )
    if slots > SLOTS_MAX:
        raise UnreadableFile(f"a column is of locations[{slots - 1}]; rounds with up to {SLOTS_MAX:,} slots are read")
    return slots


def is_known(name: str) -> bool:
    """Whether a column is one of the round's or of a slot's."""
    found = slot_of(name)
    return found[1] in SLOT if found else name in ROUND


def _unknown(header: Sequence[str]) -> tuple[str, ...]:
    """Names that are neither a round's nor a slot's; those of slots once for all slots."""
    names = (name for name in header if not is_known(name))
    return tuple(dict.fromkeys(f"locations[i].{found[1]}" if (found := slot_of(name)) else name for name in names))


def _cut(batches: Iterator[pa.RecordBatch], rounds: int) -> Iterator[pa.RecordBatch]:
    """The same in pieces of at most so many rounds: lines may be short where a file has many slots that are empty."""
    for batch in batches:
        yield from (batch.slice(start, rounds) for start in range(0, batch.num_rows, rounds))


def _rounds(batch: pa.RecordBatch | None, numbers: Sequence[int]) -> pa.Table:
    return pa.table({"row": pa.array(numbers, pa.int64())} | {name: _column(batch, name) for name in ROUND})


def _column(batch: pa.RecordBatch | None, name: str) -> pa.Array:
    if batch is None or (at := batch.schema.get_field_index(name)) < 0:
        return pa.nulls(batch.num_rows if batch else 0, pa.string())
    return batch.column(at)


def _unpivoted(batch: pa.RecordBatch, slots: int) -> pa.Table:
    """One row for each slot that is no trailing empty one."""
    long = {kind: _end_to_end(batch, kind, slots) for kind in SLOT}
    taken = _taken(reduce(pc.or_, (column.is_valid() for column in long.values())), slots, batch.num_rows)
    round_, index = _position(taken, batch.num_rows)
    return pa.table({"round": round_, "index": index, **{kind: column.take(taken) for kind, column in long.items()}})


def _end_to_end(batch: pa.RecordBatch, kind: str, slots: int) -> pa.Array:
    """The columns of one kind, slot after slot; nulls for a slot that has none."""
    at = [batch.schema.get_field_index(f"locations[{slot}].{kind}") for slot in range(slots)]
    if max(at) < 0:
        return pa.nulls(slots * batch.num_rows, pa.string())
    none = pa.nulls(batch.num_rows, pa.string())
    return pa.concat_arrays([none if column < 0 else batch.column(column) for column in at])


def _taken(filled: pa.Array, slots: int, rounds: int) -> pa.Array:
    """Where the slots that count lie in columns laid end to end (slot after slot, all rounds in each), by round.
    `filled`: which hold anything."""
    kept = [pa.repeat(False, rounds)] * (slots + 1)
    for slot in reversed(range(slots)):
        kept[slot] = pc.or_(kept[slot + 1], filled.slice(slot * rounds, rounds))
    by_round = pa.arange(0, slots * rounds)
    round_ = pc.divide(by_round, slots)
    at = pc.add(pc.multiply(pc.subtract(by_round, pc.multiply(round_, slots)), rounds), round_)
    return at.filter(pa.concat_arrays(kept[:slots]).take(at))


def _position(taken: pa.Array, rounds: int) -> tuple[pa.Array, pa.Array]:
    index = pc.divide(taken, rounds)
    return pc.subtract(taken, pc.multiply(index, rounds)), index


def _no_slots() -> pa.Table:
    numbers = {name: pa.array([], pa.int64()) for name in ("round", "index")}
    return pa.table(numbers | {kind: pa.array([], pa.string()) for kind in SLOT})
