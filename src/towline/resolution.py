"""Deciding conflicts: what a person answers, and the rows that follow from it. What is in conflict, merge.py finds.

A Resolution is a list of answers. An answer says which conflicts it is about (rows by values of theirs, cells by their
column), and what shall be there: a side (`take`), a third value of a cell (`value`), a third row or none (`row`), or
ours under another key beside theirs (`insert`). Of several answers to one cell the most specific decides, and of
equally specific ones the last:

    the answer names                       it decides
    -------------------------------------  -------------------------------
    a row by its key, a column             before all others
    a row by its key                       before those below
    some rows, or a kind, and a column
    some rows, or a kind of conflict
    a column
    nothing                                what no other answer decides

    conflict                    an answer with a column                an answer without one
    --------------------------  -------------------------------------  -----------------------------------------------
    update/update               that cell                              its cells; `row`: the row
    insert/insert               that cell                              its cells; `row`: the row; `insert`: both rows
    update/delete               `value`: that cell, and the row stays  the row
    delete/update               `value`: that cell, and the row stays  the row
    table                                                              `take`: ours goes on top, or nothing does

Cells that are not in conflict merge as they would without it. Where all cells of an insert/insert take base there is no
row, as there was none. A cell put into a row that one side deleted says that the row stays. What no answer decides
stays a Conflict. The same table is in docs/conflicts.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from towline.answer import Answer, Decision, InsertAs, Put, PutRow, Take, check
from towline.change import RowChange, same_row
from towline.conflict import CellConflict, Conflict
from towline.merge import Merge
from towline.values import Key, Row, Value, same

Resolution: TypeAlias = Sequence[Answer]


@dataclass(frozen=True)
class Decided:
    """`changes` turn the head into what was decided, as far as it is; `open` is what nobody decided: of a row that is
    decided in parts, the cells that are left."""

    changes: tuple[RowChange, ...] = ()
    open: tuple[Conflict, ...] = ()


@dataclass(frozen=True)
class _Answers:
    """Answers found by the row that they name, so that answering each of many rows takes no longer than there are
    rows. Answers to one row outrank all others, so what is lost of their order decides nothing."""

    key: tuple[str, ...]  # columns; () where no row is in conflict
    named: Mapping[Key, Sequence[Answer]]
    others: Sequence[Answer]

    @staticmethod
    def of(conflicts: Sequence[Conflict], resolution: Resolution) -> _Answers:
        key = next((tuple(conflict.key) for conflict in conflicts if conflict.key), ())
        named: dict[Key, list[Answer]] = {}
        others = []
        for answer in resolution:
            if key and all(column in answer.where for column in key):
                named.setdefault(tuple(answer.where[column] for column in key), []).append(answer)
            else:
                others.append(answer)
        return _Answers(key, named, others)

    def about(self, conflict: Conflict) -> list[Answer]:
        """Those that can decide something of this conflict."""
        named = self.named.get(tuple(conflict.key.values()), ()) if conflict.key else ()
        return [answer for answer in (*self.others, *named) if answer.is_about(conflict)]

    def check(self, conflicts: Sequence[Conflict]) -> None:
        """UsageError: one of them decides nothing, or cannot be meant."""
        rows = {tuple(conflict.key.values()): conflict for conflict in conflicts}
        for key, answers in self.named.items():
            for each in answers:
                check(each, [rows[key]] if key in rows else [], conflicts)
        for each in self.others:
            check(each, conflicts, conflicts)


def decide(merged: Merge, resolution: Resolution) -> Decided:
    """Decide the conflicts of a merge. Raises UsageError for an answer that decides nothing or cannot be meant."""
    answers = _Answers.of(merged.conflicts, resolution)
    answers.check(merged.conflicts)
    changes, left = list(merged.changes), []
    for conflict in merged.conflicts:
        of_it = answers.about(conflict)
        if conflict.kind == "table":
            if not of_it:
                left.append(conflict)
            elif _best(of_it, conflict).decision != Take("ours"):
                return Decided()
            continue
        outcome = _decide_row(conflict, of_it)
        if isinstance(outcome, Conflict):
            left.append(outcome)
        else:
            changes += (change for change in outcome if not same_row(change.old, change.new))
    return Decided(tuple(changes), tuple(left))


def _best(answers: Sequence[Answer], conflict: Conflict) -> Answer:
    return max(enumerate(answers), key=lambda each: (each[1].rank(conflict), each[0]))[1]


def _decide_row(conflict: Conflict, answers: Sequence[Answer]) -> tuple[RowChange, ...] | Conflict:
    """What becomes of one row, or what of it is left open."""
    of_row = [answer for answer in answers if not answer.column]
    best = _best(of_row, conflict).decision if of_row else None
    if isinstance(best, InsertAs) and conflict.ours is not None:
        return (RowChange(None, {**conflict.ours, **_put(conflict, answers), **best.key}),)
    if isinstance(best, PutRow):
        row = best.row
    elif conflict.cells:
        return _decide_cells(conflict, answers)
    elif isinstance(best, Take):
        row = getattr(conflict, best.side)
    else:
        row = conflict.ours or conflict.theirs if answers else None
        if row is None:
            return conflict
    return _changed(conflict, row and {**row, **_put(conflict, answers)})


def _put(conflict: Conflict, answers: Sequence[Answer]) -> dict[str, Value]:
    """The cells of a row that is decided as a whole which are decided apart from it: by answers that name it."""
    cells = {cell.column: cell for cell in conflict.cells}
    named = (answer for answer in answers if answer.column and answer.names_row(conflict))
    return {answer.column: _value(cells.get(answer.column), answer.decision) for answer in named}


def _decide_cells(conflict: Conflict, answers: Sequence[Answer]) -> tuple[RowChange, ...] | Conflict:
    decisions = {cell.column: _decision(cell, conflict, answers) for cell in conflict.cells}
    left = tuple(cell for cell in conflict.cells if decisions[cell.column] is None)
    if left:
        return replace(conflict, cells=left)
    if conflict.base is None and all(decision == Take("base") for decision in decisions.values()):
        return _changed(conflict, None)
    cells = {cell.column: _value(cell, decisions[cell.column]) for cell in conflict.cells}
    return _changed(conflict, {**_peaceful(conflict), **cells})


def _decision(cell: CellConflict, conflict: Conflict, answers: Sequence[Answer]) -> Decision | None:
    about = [answer for answer in answers if answer.column in ("", cell.column)]
    return _best(about, conflict).decision if about else None


def _value(cell: CellConflict | None, decision: Decision | None) -> Value:
    if isinstance(decision, Put):
        return decision.value
    assert isinstance(decision, Take)  # noqa: S101 - nothing is left open here, and rows are not put into cells
    value: Value = getattr(cell, decision.side)
    return value


def _peaceful(conflict: Conflict) -> dict[str, Value]:
    """The row as it merges, cell by cell; in cells that are in conflict it is theirs."""
    base, ours, theirs = conflict.base, conflict.ours or {}, conflict.theirs or {}
    clashing = {cell.column for cell in conflict.cells}
    return {
        column: theirs[column]
        if column in clashing or same(ours[column], base[column] if base else None)
        else ours[column]
        for column in ours
    }


def _changed(conflict: Conflict, row: Row | None) -> tuple[RowChange, ...]:
    return () if same_row(conflict.theirs, row) else (RowChange(conflict.theirs, row),)
