"""A sample as the page shows it: a table of texts, a text, or facts. A sample is small, and made of a stranger's file:
whatever cannot be read is told, and nothing is taken for granted."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from towline.sampling.sample import ABOUT
from towline.sampling.shown import shown

MOST_BYTES = 8 * 2**20  # of a sample that is read
MOST_UNPACKED = 64 * 2**20  # of a workbook's parts
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
        if found.table is None and name.lower().endswith(".xlsx"):
            return [_workbook(body)]
    except Exception as error:  # whatever a reader of a stranger's file comes to
        return [Sheet(note=f"This sample cannot be shown ({type(error).__name__}: {error}).")]
    tables = [of_table(each) for each in (found.listing, found.table) if each is not None]
    if not found.text:
        return tables
    return [*tables, Sheet(text=found.text[:TEXT]) if _is_text(body) else Sheet(note=_NO_TABLE)]


def _workbook(body: bytes) -> Sheet:
    """The first sheet of a workbook whose cells do not make columns of one type each."""
    import openpyxl  # heavy, and most files are no workbooks

    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        if sum(each.file_size for each in archive.infolist()) > MOST_UNPACKED:
            return Sheet(note="This workbook unpacks to more than is shown here.")
    (sheet, *others) = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True).worksheets
    sheet.reset_dimensions()  # what the file says of its own size may be anything
    cells = list(islice(sheet.iter_rows(values_only=True, max_col=COLUMNS), ROWS + 1))
    width = max((at for row in cells for at, value in enumerate(row, start=1) if value is not None), default=0)
    names, *rows = (row[:width] for row in cells)
    note = f"The workbook has {len(others):,} more sheets." if others else ""
    return Sheet([_cell(name) or "" for name in names], [[*map(_cell, row)] for row in rows], note=note)


def _is_text(body: bytes) -> bool:
    """Whether it can be meant for people's eyes: no format of programs has no NUL among its first bytes."""
    return b"\0" not in body[:TEXT]


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
