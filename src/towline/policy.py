"""Why a proposal needs a review, by the policy of its dataset's contract; and the effect that a review is bound to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256

from towline.change import RowChange, key_json, row_json
from towline.diff import Diff
from towline.rules.read_review import ALWAYS, NONE, ReviewPolicy
from towline.values import encode


def reasons(policy: ReviewPolicy, author: frozenset[str], diff: Diff, cells: int) -> tuple[str, ...]:
    """Everything for which this change has to wait, in words for people; empty: it need not.

    `author` is the author's name and principal, `cells` how many cells the table has that `diff` changes.
    """
    if policy.policy == NONE:
        return ()
    if policy.policy == ALWAYS:
        return ("every proposal is reviewed",)
    return tuple(_conditions(policy, author, diff, cells))


def _conditions(policy: ReviewPolicy, author: frozenset[str], diff: Diff, cells: int) -> Iterator[str]:
    when = policy.when
    deleted, touched = diff.count("delete"), diff.cells
    if when.rows_deleted is not None and deleted > when.rows_deleted:
        yield f"{deleted:,} {_rows(deleted)} deleted; more than {when.rows_deleted:,} are reviewed"
    if when.cells_changed is not None and touched > when.cells_changed * cells:
        share = touched / cells if cells else 1.0
        yield f"{share:.2%} of the cells changed; more than {when.cells_changed:.2%} are reviewed"
    found = sorted({cell.column for change in diff.changes for cell in change.cells()} & when.columns)
    if found:
        yield f"{', '.join(found)} changed; changes of {'it' if len(found) == 1 else 'them'} are reviewed"
    if when.authors is not None and not author & when.authors:
        yield "the author is not among those whose changes need no review"


def _rows(count: int) -> str:
    return "row is" if count == 1 else "rows are"


def effect(diff: Diff) -> str:
    """SHA-256, in hex, of what a change does: of an update the key and the touched cells, old and new; of an insert or
    a delete the whole row. Two changes have the same effect when a reviewer could see no difference between them: other
    rows, and the untouched cells of a row that is updated, are no part of it."""
    # One encoder for all: json.dumps would make a new one for each change.
    encoded = json.JSONEncoder(ensure_ascii=False).encode
    lines = sorted(encoded(_change(change, diff.key)) for change in diff.changes)
    return sha256("\n".join(lines).encode()).hexdigest()


def _change(change: RowChange, key: tuple[str, ...]) -> list[object]:
    if change.kind != "update":
        return [change.kind, row_json(change.row)]
    cells = [[cell.column, encode(cell.old), encode(cell.new)] for cell in change.cells()]
    return [change.kind, key_json(change.row, key), cells]
