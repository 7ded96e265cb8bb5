"""An answer to conflicts: which it is about, what shall be there, and why it cannot be meant, if so.

What shall be there is a side (`Take`), a third value of a cell (`Put`), a third row or none (`PutRow`), or ours under
another key beside theirs (`InsertAs`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from towline.change import same_row
from towline.conflict import Conflict
from towline.edits import spell
from towline.errors import UsageError
from towline.values import Row, Value, same

_LISTED = 5  # conflicts that a message names

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


def check(answer: Answer, near: Sequence[Conflict], conflicts: Sequence[Conflict]) -> None:
    """Raise UsageError for an answer that decides nothing, was given to other values than those that are there now, or
    cannot be meant. `near` are those of the conflicts that it can be about. An answer about everything is never wrong,
    as it says what to do if there is something."""
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
