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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from towline.change import RowChange, same_row
from towline.conflict import CellConflict, Conflict
from towline.edits import spell
from towline.errors import UsageError
from towline.merge import Merge
from towline.values import Key, Row, Value, same

Side: TypeAlias = Literal["base", "ours", "theirs"]
SIDES: Final[tuple[Side, ...]] = ("base", "ours", "theirs")


@dataclass(frozen=True)
class Take:
    side: Side


@dataclass(frozen=True)
class Put:
    value: Value


@dataclass(frozen=True)
class PutRow:
    """None: there shall be no such row."""

    row: Row | None


@dataclass(frozen=True)
class InsertAs:
    """Theirs stays; ours is inserted with these key columns changed."""

    key: Mapping[str, Value]


Decision: TypeAlias = Take | Put | PutRow | InsertAs


@dataclass(frozen=True)
class Seen:
    """Theirs as it was when somebody answered: a cell's value or a row."""

    theirs: Value | Row


@dataclass(frozen=True)
class Answer:
    """One answer. `where` is empty where any row is meant, `column` where the whole row is, `kind` where any kind of
    conflict is. `place` names it in messages. Where `seen` is not what theirs is now, the answer does not
    count any more, and that is said."""

    decision: Decision
    where: Mapping[str, Value] = field(default_factory=dict)
    column: str = ""
    kind: str = ""
    place: str = "--take"
    seen: Seen | None = None

    def is_about(self, conflict: Conflict) -> bool:
        """Whether it can decide something of this conflict."""
        if not _is_among(conflict, self.where) or self.kind not in ("", conflict.kind):
            return False
        if not self.column:
            return True
        if conflict.cells:
            return any(cell.column == self.column for cell in conflict.cells)
        return isinstance(self.decision, Put) and self.names_row(conflict)

    def names_row(self, conflict: Conflict) -> bool:
        return bool(conflict.key) and all(column in self.where for column in conflict.key)

    def rank(self, conflict: Conflict) -> int:
        """How specific it is: the first table, from below."""
        rows = 2 if self.names_row(conflict) else bool(self.where or self.kind)
        return 2 * rows + bool(self.column)


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


def decide(merged: Merge, resolution: Resolution) -> Decided:
    """Decide the conflicts of a merge. Raises UsageError for an answer that decides nothing or cannot be meant."""
    answers = _Answers.of(merged.conflicts, resolution)
    _check(merged.conflicts, answers)
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


def _check(conflicts: Sequence[Conflict], answers: _Answers) -> None:
    """Raise UsageError for an answer that decides nothing, was given to other values than those that are there now, or
    cannot be meant. An answer about everything is never wrong, as it says what to do if there is something."""
    rows = {tuple(conflict.key.values()): conflict for conflict in conflicts}
    pairs = [(answer, [rows[key]] if key in rows else []) for key, of in answers.named.items() for answer in of]
    for answer, near in [*pairs, *((answer, conflicts) for answer in answers.others)]:
        about = [conflict for conflict in near if answer.is_about(conflict)]
        if not about and (answer.where or answer.column or answer.kind):
            raise UsageError(f"{answer.place}: {_named(answer)} is not in conflict; {_listed(conflicts)}")
        for conflict in about:
            wrong = _wrong(answer, conflict)
            if wrong:
                raise UsageError(f"{answer.place}: {wrong}")


def _wrong(answer: Answer, conflict: Conflict) -> str:
    """Why an answer cannot be meant for a conflict; empty where it can."""
    decision, where = answer.decision, spell(conflict.key)
    if answer.seen is not None and not _is_seen(answer, conflict):
        return (
            f"theirs in {_named(answer)} is not what it was when this was answered: list the conflicts and look again"
        )
    if isinstance(decision, Take) and conflict.kind == "table" and decision.side == "base":
        return "others committed since the base, and this would take it back; take ours (to go on top) or theirs"
    if isinstance(decision, PutRow) and not _keeps_key(decision.row, conflict):
        return f"the row has another key than {where}; a row is put under another key with `insert`, beside theirs"
    if isinstance(decision, InsertAs):
        return _wrong_key(decision.key, conflict)
    return ""


def _wrong_key(key: Mapping[str, Value], conflict: Conflict) -> str:
    where = spell(conflict.key)
    if conflict.kind != "insert/insert":
        return f"row {where} is {conflict.kind}; ours can be inserted under another key only where both inserted a row"
    others = [column for column in key if column not in conflict.key]
    if others:
        return f"{others[0]} is no part of the key ({', '.join(conflict.key)})"
    if None in key.values() or all(same(conflict.key[column], value) for column, value in key.items()):
        return f"{spell(key)} is not another key than {where}; say one that no row has"
    return ""


def _keeps_key(row: Row | None, conflict: Conflict) -> bool:
    return row is None or all(same(row[column], value) for column, value in conflict.key.items())


def _is_seen(answer: Answer, conflict: Conflict) -> bool:
    assert answer.seen is not None  # noqa: S101 - asked of answers that saw something
    seen = answer.seen.theirs
    if not answer.column:
        return same_row(conflict.theirs, seen if isinstance(seen, Mapping) else None)
    held = (conflict.theirs or {}).get(answer.column)
    return not isinstance(seen, Mapping) and same(held, seen)


def _is_among(conflict: Conflict, where: Mapping[str, Value]) -> bool:
    """Whether the row holds these values: theirs, or the one that was there where they deleted it."""
    row = conflict.theirs or conflict.base or conflict.ours or {}
    return all(column in row and same(row[column], value) for column, value in where.items())


def _named(answer: Answer) -> str:
    row = f"row {spell(answer.where)}" if answer.where else ""
    column = f"column {answer.column}" if answer.column else ""
    return ", ".join(part for part in (row, column) if part) or answer.kind or "all of it"


_LISTED = 5  # conflicts that a message names


def _listed(conflicts: Sequence[Conflict]) -> str:
    if not conflicts:
        return "nothing is in conflict any more"
    places = list(_places(conflicts))
    more = f" and {len(places) - _LISTED:,} more" if len(places) > _LISTED else ""
    return f"in conflict is {'; '.join(places[:_LISTED])}{more}"


def _places(conflicts: Sequence[Conflict]) -> Iterator[str]:
    for conflict in conflicts:
        where = spell(conflict.key) or "the table as a whole"
        if not conflict.cells:
            yield f"{where} ({conflict.kind})"
        for cell in conflict.cells:
            yield f"{where}: {cell.column}"
