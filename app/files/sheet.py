"""A sample as the page shows it: a table of texts, a text, or facts. A sample is small, and made of a stranger's file:
whatever cannot be read is told, and nothing is taken for granted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from towline.sampling.sample import ABOUT
from towline.sampling.shown import shown

MOST_BYTES = 8 * 2**20  # of a sample that is read
ROWS, COLUMNS, CELL = 100, 60, 200  # that are shown; characters of a cell
TEXT = 64 * 2**10  # characters of a text
_NO_TABLE = "It is neither a text nor a table of plain values: `towline sample KEY -o FILE` gets it."


@dataclass(frozen=True)
class Sheet:
    """`names` and `rows`: a table; `text`, instead or beside it; or `facts`. `note` says what is not shown, or why
    nothing is. A cell that is None is null, or is not there."""

    names: Sequence[str] = ()
    rows: Sequence[Sequence[str | None]] = ()
    text: str = ""
    facts: Mapping[str, str] | None = None
    note: str = ""


def read(name: str, body: bytes) -> list[Sheet]:
    """What a sample of this name shows: of an archive its listing, and maybe the rows of a file in it."""
    try:
        if name.endswith(ABOUT):
            return [Sheet(facts=_facts(json.loads(body)))]
        found = shown(name, body)
    except Exception as error:  # whatever a reader of a stranger's file comes to
        return [Sheet(note=f"This sample cannot be shown ({type(error).__name__}: {error}).")]
    sheets = [of_table(each) for each in (found.listing, found.table) if each is not None]
    if found.text:
        sheets.append(Sheet(text=found.text[:TEXT]))
    if found.note or not sheets:
        sheets.append(Sheet(note=found.note or _NO_TABLE))
    return sheets


def of_table(table: pa.Table) -> Sheet:
    """The sheet of a table, cut to what is shown."""
    names = [_short(name) for name in table.column_names[:COLUMNS]]
    few = table.slice(0, ROWS).select(range(len(names)))
    rows = [
        [_cell(value) for value in row] for row in zip(*(column.to_pylist() for column in few.columns), strict=True)
    ]
    more = table.num_columns - len(names)
    return Sheet(names, rows, note=f"{more:,} more columns" if more else "")


def _facts(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        return {"It says": _cell(raw) or ""}
    return {str(name): _cell(value) or "" for name, value in raw.items()}


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= CELL else f"{text[:CELL]}…"
