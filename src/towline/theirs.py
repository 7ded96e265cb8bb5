"""Whose theirs is: the commits that made the head's side of a conflict what it is, for the people who have to decide.

It is looked up for what a receipt spells out, and in a bounded number of commits. What cannot be read costs nobody a
receipt: then the conflict says why its author is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from towline import blame, keys, master
from towline.conflict import Author, Conflict
from towline.contract import Contract
from towline.errors import NotFound, TowlineError
from towline.history import Record
from towline.inbox import SHOWN
from towline.story import Touch
from towline.trail import Trail
from towline.values import Key
from towline.workbench import Workbench

LOOKED_AT = 256  # commits below the head that are searched
NAMED = 20  # commits that a conflict of the whole table names


@dataclass(frozen=True)
class Since:
    """The commits between the `base` of a proposal (its commit id) and the head that it was merged onto."""

    base: str | None
    commit: str
    number: int


def sign(bench: Workbench, contract: Contract, conflicts: Sequence[Conflict], since: Since) -> tuple[Conflict, ...]:
    """The conflicts with their authors, as far as these can be told."""
    shown, rest = conflicts[:SHOWN], conflicts[SHOWN:]
    if not shown:
        return ()
    why = f"only for the first {SHOWN:,} conflicts it is looked up who set theirs"
    return (*_signed(bench, contract, shown, since), *(replace(each, unsigned=why) for each in rest))


def _signed(bench: Workbench, contract: Contract, conflicts: Sequence[Conflict], since: Since) -> list[Conflict]:
    try:
        floor = _number(bench, contract.dataset, since)
        rows = [conflict for conflict in conflicts if conflict.key]
        signed = iter(_of_rows(bench, contract, rows, since, max(floor, since.number - LOOKED_AT)))
        is_whole = len(rows) < len(conflicts)
        commits = tuple(_commits(bench, contract.dataset, since, floor)) if is_whole else ()
    except TowlineError as error:
        return [replace(each, unsigned=f"it cannot be read who set theirs: {error}") for each in conflicts]
    return [next(signed) if each.key else replace(each, commits=commits) for each in conflicts]


def _of_rows(
    bench: Workbench, contract: Contract, conflicts: Sequence[Conflict], since: Since, begin: int
) -> list[Conflict]:
    """The conflicts of rows, signed: commits are looked through, newest first, until it is known who set theirs."""
    lost = f"it was not found among the commits after number {begin} who set theirs; `towline blame` tells"
    signed = [replace(each, unsigned=lost) for each in conflicts]
    touches: dict[Key, list[Touch]] = {}
    wanted = [contract.key_of(conflict.key) for conflict in conflicts]
    for part in blame.of_rows(bench, contract.dataset, wanted, begin) if conflicts else ():
        for touch in part:
            if touch.number <= since.number:
                touches.setdefault(touch.key, []).append(touch)
        signed = [_of_row(each, touches.get(key, ()), lost) for each, key in zip(conflicts, wanted, strict=True)]
        if not any(each.unsigned for each in signed):
            break
    return signed


def _number(bench: Workbench, dataset: str, since: Since) -> int:
    """The number of the base, from its snapshot, wherever that lies by now."""
    if since.base is None or since.base == since.commit:
        return since.number
    found = master.at_commit(bench.store, bench.layout, dataset, since.base)
    if found is None:
        raise NotFound(f"the snapshot of the base {since.base} is not there")
    return found.number


def _of_row(conflict: Conflict, touches: Sequence[Touch], lost: str) -> Conflict:
    """A row's conflict, with who set each cell and who touched the row last, out of its `touches`, newest first. `lost`
    is said where one of them is not among these."""
    cells = tuple(replace(cell, theirs_by=_last(touches, cell.column)) for cell in conflict.cells)
    is_whole = bool(touches) and all(cell.theirs_by for cell in cells)
    return replace(conflict, cells=cells, theirs_by=_last(touches), unsigned="" if is_whole else lost)


def _last(touches: Sequence[Touch], column: str | None = None) -> Author | None:
    """Who touched a cell last, or the row where there is no column. A row's insertion set all of its cells."""
    for touch in touches:
        if column in (None, touch.column) or touch.change != "update":
            at = touch.at.isoformat(timespec="milliseconds")
            return Author(touch.user, touch.note, at, touch.commit, touch.number, touch.proposal)
    return None


def _commits(bench: Workbench, dataset: str, since: Since, floor: int) -> Iterator[Author]:
    """What was committed since the base, newest first."""
    trail = Trail(bench, dataset, keys.commit_time(since.base) if since.base else None)
    records = (record for found in trail.down(since.commit, since.number, floor) for record in reversed(found))
    return (_author(record) for record in list(islice(records, NAMED)))


def _author(record: Record) -> Author:
    user, note, at, commit, proposal = (
        str(record[name]) for name in ("user", "note", "timestamp", "commit", "proposal")
    )
    return Author(user, note, at, commit, int(str(record["number"])), proposal)
