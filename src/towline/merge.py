"""The three-way merge, by key and by cell.

A proposal says of each row what it was (base) and what it shall be (ours); the head says what it is (theirs).

    base -> ours     base -> theirs      cell (default)                 row        fill
    ---------------  ------------------  -----------------------------  ---------  -----------------------
    updated          unchanged           ours                           ours       as cell
    updated          same update         already there                  as cell    as cell
    updated          other cells         both                           conflict   as cell
    updated          same cells          conflict in those cells        conflict   as cell
    updated          deleted             conflict update/delete         as cell    as cell
    deleted          unchanged           deleted                        as cell    as cell
    deleted          deleted             already there                  as cell    as cell
    deleted          updated             conflict delete/update         as cell    as cell
    inserted         not there           inserted                       as cell    as cell
    inserted         same row inserted   already there                  as cell    as cell
    inserted         other row inserted  conflict insert/insert         as cell    joined where one is null,
                                                                                   else conflict

Mode `table` is stricter than all of them: any commit since the base is a conflict (see plan.py, which knows
the commits). The same table of cases is in docs/merge.md. Values compare as in values.same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from towline.change import RowChange, same_row
from towline.conflict import CellConflict, Conflict
from towline.values import Key, Row, Value, same

MODES = ("cell", "row", "table", "fill")


@dataclass(frozen=True)
class Merge:
    """What a merge found: `changes` turn the head into the merged table; where `conflicts` is not empty
    nothing may be applied. `unchanged` counts the proposed changes that the head already had."""

    changes: tuple[RowChange, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    unchanged: int = 0


def merge(proposed: Iterable[RowChange], head: Mapping[Key, Row], key: tuple[str, ...], mode: str = "cell") -> Merge:
    """Merge `proposed` (base -> ours) onto `head`, which maps the keys of the proposed rows to the head's rows
    (a key that is missing is a row that is not there). Deciding conflicts is somebody else's work."""
    changes: list[RowChange] = []
    conflicts: list[Conflict] = []
    unchanged = 0
    for change in proposed:
        theirs = head.get(change.key(key))
        outcome = _merge_row(change, theirs, key, mode)
        if isinstance(outcome, Conflict):
            conflicts.append(outcome)
        elif same_row(outcome, theirs):
            unchanged += 1
        else:
            changes.append(RowChange(theirs, outcome))
    return Merge(tuple(changes), tuple(conflicts), unchanged)


def _merge_row(change: RowChange, theirs: Row | None, key: tuple[str, ...], mode: str) -> Row | Conflict | None:
    """The merged row (None: deleted), or the conflict. Reads like the table above, top to bottom."""
    base, ours = change.old, change.new
    if same_row(theirs, base) or same_row(theirs, ours):
        return ours
    at = {column: change.row[column] for column in key}
    if base is not None and ours is not None and theirs is not None:
        if mode == "row":
            return Conflict("update/update", at, _differing(base, ours, theirs), base, ours, theirs)
        return _join(base, ours, theirs, "update/update", at)
    if base is None and ours is not None and theirs is not None:
        if mode == "fill":
            return _join(None, ours, theirs, "insert/insert", at)
        return Conflict("insert/insert", at, _differing(None, ours, theirs), None, ours, theirs)
    kind = "delete/update" if ours is None else "update/delete"
    return Conflict(kind, at, (), base, ours, theirs)


def _join(base: Row | None, ours: Row, theirs: Row, kind: str, at: Mapping[str, Value]) -> Row | Conflict:
    """Cell by cell: whoever moved away from base wins; both moving to different values is a conflict.
    Without a base every cell began as null."""
    joined: dict[str, Value] = {}
    clashes: list[CellConflict] = []
    for column in ours:
        was, mine, yours = base[column] if base else None, ours[column], theirs[column]
        if same(mine, yours) or same(mine, was):
            joined[column] = yours
        elif same(yours, was):
            joined[column] = mine
        else:
            clashes.append(CellConflict(column, was, mine, yours))
    return Conflict(kind, at, tuple(clashes), base, ours, theirs) if clashes else joined


def _differing(base: Row | None, ours: Row, theirs: Row) -> tuple[CellConflict, ...]:
    return tuple(
        CellConflict(column, base[column] if base else None, ours[column], theirs[column])
        for column in ours
        if not same(ours[column], theirs[column])
    )
