"""Between the grid's words and the editor's: a sheet as the grid's table, its state as Edits, a review as marks. Pure.

A row of the sheet is called by its key's texts, so that an id says the same row in every commit. Key columns come
first, as the grid freezes them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import pyarrow as pa

from app.editing.breaches import place
from app.editing.cells import Text, text_of, unit_text
from app.editing.edits import Edits, RowId, settled
from app.editing.gridlog import State
from app.editing.pending import Pending, row_key
from app.editing.sheet import Sheet, row_id
from towline.contract import Contract, Field
from towline.values import Key
from towline.violation import ERROR, WARN, Violation

ROW = ""  # in place of a column: the mark is of the whole row
HINTS = {"boolean": "True or False", "date": "2024-05-04", "datetime": "2024-05-04 18:03:09"}


class Mark(NamedTuple):
    """What is to be said of a cell. `kind` is error, warn or theirs."""

    kind: str
    message: str


Marks = Mapping[str, Mapping[str, Mark]]  # by row id and column


def table_json(sheet: Sheet) -> dict[str, Any]:
    """The table as the grid takes it, once an epoch: ids of rows, columns, and one list of texts a column."""
    contract = sheet.contract
    names = [*contract.key, *(name for name in contract.names if name not in contract.key)]
    return {
        "ids": [row_id(key) for key in sheet.rows],
        "columns": [_column(contract, contract.field(name)) for name in names],
        "texts": [_texts(sheet.table[name]) for name in names],
    }


def _texts(column: pa.ChunkedArray) -> list[Text]:
    """The text of every cell. Each value is put into words once: columns repeat themselves."""
    coded = column.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    words = [text_of(value) for value in coded.dictionary.to_pylist()]
    return [None if code is None else words[code] for code in coded.indices.to_pylist()]


def _column(contract: Contract, field: Field) -> dict[str, Any]:
    is_key = field.name in contract.key
    kind = f"{field.type}{', part of the key' if is_key else ''}{f', in {field.unit}' if field.unit else ''}"
    known = {
        "name": field.name,
        "type": field.type,
        "unit": unit_text(field.unit),
        "help": "\n".join(part for part in (field.title, field.description, kind) if part),
        "key": is_key,
        "hint": HINTS.get(field.type),
        "options": ["True", "False"] if field.type == "boolean" else None,
    }
    return {name: value for name, value in known.items() if value}


def edits_of(state: State, sheet: Sheet) -> Edits:
    """What the grid's state says as Edits: rows by key, added ones by serial number (their place in `state.added`).
    Added rows without any text, and texts that say what the sheet says, are none."""
    rows = _rows(state, sheet)
    cells = {rows[row]: texts for row, texts in state.cells.items() if row in rows and row not in state.deleted}
    added = tuple(rows[row] for row, _ in state.added if row in rows and row not in state.deleted)
    deleted = frozenset(row for row in (rows.get(row) for row in state.deleted) if isinstance(row, tuple))
    return settled(sheet, Edits(cells, deleted, tuple(serial for serial in added if isinstance(serial, int))))


def strays(state: State, sheet: Sheet) -> dict[str, Mapping[str, Text]]:
    """Texts that were typed into rows that the sheet no longer has: nowhere to be put, and not to be forgotten."""
    rows = _rows(state, sheet)
    return {row: texts for row, texts in state.cells.items() if row not in rows}


def state_of(edits: Edits) -> State:
    """Edits as a state to begin an epoch with."""
    deleted = {row_id(key): None for key in sorted(edits.deleted, key=row_id)}
    cells = {_id(row): dict(texts) for row, texts in edits.cells.items()}
    return State(cells, tuple((_id(serial), None) for serial in edits.added), deleted)


def _id(row: RowId) -> str:
    return f"+{row}" if isinstance(row, int) else row_id(row)


def ids_of(state: State, rows: Iterable[RowId]) -> Iterator[str]:
    """The grid's ids of rows that the editor names by key or serial number."""
    return (_id_in(state, row) for row in rows)


def _id_in(state: State, row: RowId) -> str:
    return state.added[row - 1][0] if isinstance(row, int) else row_id(row)


def key_of(sheet: Sheet, row: str) -> Key | None:
    """The key of a row of the sheet by the grid's id; None of one that is not in it."""
    return sheet.named([row]).get(row)


def _rows(state: State, sheet: Sheet) -> dict[str, RowId]:
    """Rows by id: those that the state speaks of."""
    added: dict[str, RowId] = {row: serial for serial, (row, _) in enumerate(state.added, 1)}
    known = sheet.named(row for row in dict.fromkeys((*state.cells, *state.deleted)) if row not in added)
    return {**known, **added}


def marks_of(pending: Pending, state: State, contract: Contract) -> dict[str, dict[str, Mark]]:
    """Every text that does not fit, and everything else that is wrong. What is wrong with a key is on its cells."""
    marks: dict[str, dict[str, Mark]] = defaultdict(dict)
    wrong = {key: found.violations for key, found in pending.found.items() if found.violations}
    for line in pending.lines if wrong else ():
        if line.kind != "delete" and (violations := wrong.get(place(tuple(row_key(contract, line).values())))):
            marks[_id_in(state, line.row)].update(_marks(violations, contract))
    for line in pending.lines:
        if line.misfits:
            marks[_id_in(state, line.row)].update(
                (cell.column, Mark(ERROR, cell.problem or "")) for cell in line.problems
            )
    return dict(marks)


def _marks(violations: Sequence[Violation], contract: Contract) -> Iterator[tuple[str, Mark]]:
    """Marks by column, the most important one of a column last: an error, and the one that was found first."""
    for severity in (WARN, ERROR):
        for each in reversed(violations):
            if each.severity == severity:
                yield from ((name, Mark(severity, each.message)) for name in _places(each, contract))


def _places(violation: Violation, contract: Contract) -> tuple[str, ...]:
    return (violation.column,) if violation.column is not None else (*contract.key, ROW)


def marks_json(marks: Marks) -> dict[str, Any]:
    """Marks as the grid takes them: each message once. The name tells whether a grid shows them already."""
    numbers: dict[str, int] = {}
    cells = {
        row: {name: [mark.kind, numbers.setdefault(mark.message, len(numbers))] for name, mark in columns.items()}
        for row, columns in marks.items()
    }
    body = {"cells": cells, "texts": list(numbers)}
    return {"name": blake2b(json.dumps(body).encode(), digest_size=8).hexdigest(), **body}
