"""XLSX in and out, through openpyxl (imported only when a workbook comes by).

A workbook hides things that a table does not have: formulas without values, merged cells, error values, several
sheets. Each is refused by name rather than read as something it is not.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from towline.errors import UnreadableFile
from towline.files import cells
from towline.files.bounds import MAX_UNZIPPED, MAX_XLSX_CELLS
from towline.files.cells import Cell, Column
from towline.files.header import check_header
from towline.values import shown

if TYPE_CHECKING:
    from towline.contract import Contract

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([^"]{1,50})"')
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")


@dataclass(frozen=True)
class Grid:
    """A sheet's cells, row by row, as far as they hold anything; `rows` are (row number from 1, cells)."""

    name: str
    path: str
    rows: list[tuple[int, list[Cell]]]


def read_xlsx(body: bytes, contract: Contract | None) -> tuple[pa.Table, list[str]]:
    """The table, and notes. Raises UnreadableFile."""
    _check_archive(body)
    sheets = _sheets(body, with_formulas=False)
    sheet, notes = _choose([sheet for sheet in sheets if sheet.rows], contract)
    _check_hidden(body, sheet)
    columns = _columns(sheet)
    table = pa.table({column.name: cells.read(column, contract, notes) for column in columns})
    return table, notes


def _check_archive(body: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:  # zipfile's words for a damaged directory
        raise UnreadableFile(f"this workbook is damaged ({error}); save it again as .xlsx") from None
    names = {entry.filename for entry in entries}
    if "xl/workbook.xml" not in names:
        raise UnreadableFile("this is a ZIP archive, but no .xlsx workbook; unpack it, or save as .xlsx")
    size = sum(entry.file_size for entry in entries)
    if size > MAX_UNZIPPED:
        raise UnreadableFile(f"this workbook unpacks to {size:,} bytes; at most {MAX_UNZIPPED:,} are read: use Parquet")


def _sheets(body: bytes, *, with_formulas: bool) -> list[Grid]:
    import openpyxl  # heavy, and most files are no workbooks

    try:
        book = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=not with_formulas)
        budget = _Budget(MAX_XLSX_CELLS)
        return [Grid(sheet.title, sheet._worksheet_path, _rows(sheet, budget)) for sheet in book.worksheets]
    except UnreadableFile:
        raise
    except Exception as error:  # whatever openpyxl, zipfile and the XML parser raise for a damaged workbook
        raise UnreadableFile(f"this workbook is damaged ({error}); save it again as .xlsx") from None


@dataclass
class _Budget:
    """Cells that may still be read; a workbook can claim millions in a few bytes."""

    left: int

    def spend(self, cells: int) -> None:
        self.left -= cells
        if self.left < 0:
            raise UnreadableFile(f"this workbook has more than {MAX_XLSX_CELLS:,} cells; use CSV or Parquet")


def _rows(sheet: Any, budget: _Budget) -> list[tuple[int, list[Cell]]]:
    sheet.reset_dimensions()  # what the file says of its own size may be anything
    found = []
    for number, row in enumerate(sheet.iter_rows(), start=1):
        budget.spend(len(row) or 1)
        read = [_cell(cell) for cell in row]
        while read and read[-1].value is None:
            read.pop()
        if read:
            found.append((number, read))
    return found


def _cell(cell: Any) -> Cell:
    value = cell.value
    if cell.data_type == "e":
        return Cell(value, "error")
    if cell.data_type == "f":
        return Cell(str(value), "formula")
    if isinstance(value, time):
        return Cell(value.isoformat(), "text")
    for type, kind in _KINDS:
        if isinstance(value, type):
            return Cell(value, kind)
    return Cell(None, "empty") if value is None else Cell(str(value), "duration")


_KINDS = ((bool, "boolean"), (int | float, "number"), (str, "text"), (date, "time"))


def _choose(sheets: Sequence[Grid], contract: Contract | None) -> tuple[Grid, list[str]]:
    """The one sheet with a table; of several, the one named like the dataset."""
    if not sheets:
        raise UnreadableFile("this workbook has no cells with values; send a table with a header line")
    if len(sheets) == 1:
        return sheets[0], []
    named = [sheet for sheet in sheets if contract and sheet.name == contract.dataset]
    if named:
        return named[0], [f"sheet {named[0].name} of {len(sheets)}"]
    found = ", ".join(shown(sheet.name) for sheet in sheets)
    raise UnreadableFile(f"this workbook has several sheets with cells: {found}; send one with the table alone")


def _check_hidden(body: bytes, sheet: Grid) -> None:
    """Refuse merged cells (only the first of them has a value) and formulas whose values were never stored."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        xml = archive.read(sheet.path)
    merged = _MERGED.search(xml)
    if merged:
        where = merged[1].decode(errors="replace")
        raise UnreadableFile(f"cells {where} are merged; unmerge them and fill in every cell")
    if _FORMULA.search(xml):
        _check_formulas(body, sheet)


def _check_formulas(body: bytes, sheet: Grid) -> None:
    values = {(row, column) for row, column, cell in _located(sheet) if cell.value is not None}
    again = next(each for each in _sheets(body, with_formulas=True) if each.path == sheet.path)
    for row, column, cell in _located(again):
        if cell.kind == "formula" and (row, column) not in values:
            place = cells.coordinate(row, column)
            raise UnreadableFile(
                f"cell {place} holds a formula without its value; open and save the workbook in a spreadsheet program"
            )


def _located(sheet: Grid) -> Iterator[tuple[int, int, Cell]]:
    for row, read in sheet.rows:
        for column, cell in enumerate(read, start=1):
            yield row, column, cell


def _columns(sheet: Grid) -> list[Column]:
    """The cells by column, under the names of the first row. Columns without any cell are none."""
    (top, header), *rows = sheet.rows
    width = max(len(read) for _, read in sheet.rows)
    used = [index for index in range(width) if any(_at(read, index).value is not None for _, read in sheet.rows)]
    names = check_header(
        ["" if _at(header, index).value is None else str(_at(header, index).value) for index in used],
        lambda position: f"cell {cells.coordinate(top, used[position - 1] + 1)}",
    )
    numbers = [number for number, _ in rows]
    return [
        Column(name, index + 1, numbers, [_at(read, index) for _, read in rows])
        for name, index in zip(names, used, strict=True)
    ]


def _at(read: list[Cell], index: int) -> Cell:
    return read[index] if index < len(read) else _EMPTY


_EMPTY = Cell(None, "empty")
