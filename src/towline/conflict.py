"""A disagreement between a proposal and the head, as a value: it is stored in receipts and shown to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from towline.change import row_json
from towline.values import Row, Value, encode


@dataclass(frozen=True)
class Author:
    """Whose theirs is: the commit that made it so. `at` is the commit's moment in ISO 8601."""

    user: str
    note: str
    at: str
    commit: str
    number: int
    proposal: str

    def to_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class CellConflict:
    """One cell that the proposal (`ours`) and the head (`theirs`) changed from `base` to different values.
    `theirs_by` is who set theirs; None where that is not known."""

    column: str
    base: Value
    ours: Value
    theirs: Value
    theirs_by: Author | None = None

    def to_json(self) -> dict[str, object]:
        return {
            "column": self.column,
            "base": encode(self.base),
            "ours": encode(self.ours),
            "theirs": encode(self.theirs),
            "theirs_by": self.theirs_by and self.theirs_by.to_json(),
        }


KINDS = ("update/update", "update/delete", "delete/update", "insert/insert", "table")


@dataclass(frozen=True)
class Conflict:
    """One row's disagreement.

    kind     `update/update`, `update/delete` (we changed what they deleted), `delete/update`, `insert/insert`, or
             `table` (mode `table`: somebody committed since the base; then there is no key)
    cells    the cells that disagree; empty where a whole row does
    base, ours, theirs   the three rows, None where there is none
    theirs_by            who changed the row last since the base
    commits              of a `table` conflict: those since the base, newest first
    unsigned             why it is not known whose theirs is; empty where it is
    """

    kind: str
    key: Mapping[str, Value]
    cells: tuple[CellConflict, ...] = ()
    base: Row | None = None
    ours: Row | None = None
    theirs: Row | None = None
    theirs_by: Author | None = None
    commits: tuple[Author, ...] = ()
    unsigned: str = ""

    @property
    def message(self) -> str:
        if self.kind == "table":
            return "somebody committed since this proposal's base, and its mode is `table`"
        where = ", ".join(f"{column}={value}" for column, value in self.key.items())
        if not self.cells:
            first, second = self.kind.split("/")
            return f"row {where}: this proposal says {first}, the current table says {second}"
        cells = "; ".join(
            f"{c.column} was {_text(c.base)}, is now {_text(c.theirs)}, proposed {_text(c.ours)}" for c in self.cells
        )
        return f"row {where}: {cells}"

    def to_json(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "key": {column: encode(value) for column, value in self.key.items()},
            "cells": [cell.to_json() for cell in self.cells],
            "base": row_json(self.base),
            "ours": row_json(self.ours),
            "theirs": row_json(self.theirs),
            "theirs_by": self.theirs_by and self.theirs_by.to_json(),
            "commits": [commit.to_json() for commit in self.commits],
            "unsigned": self.unsigned,
            "message": self.message,
        }


def _text(value: Value) -> str:
    return "null" if value is None else repr(value)
