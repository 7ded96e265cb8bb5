"""CSV in: the separator is found, every line must fit it, and columns get their types."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from towline.errors import UnreadableFile
from towline.files import columns, decimals, encoding
from towline.files.bounds import MAX_CELLS
from towline.files.header import check_header
from towline.rules.field import Field
from towline.values import shown

if TYPE_CHECKING:
    from towline.contract import Contract

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_SHOWN = 5  # unreadable cells that a message lists


@dataclass(frozen=True)
class Sheet:
    """A CSV file as text, taken apart: separator, header, and the cells as text (null: an unquoted missing value)."""

    text: str
    separator: str
    names: list[str]
    cells: dict[str, pa.ChunkedArray]

    def place(self, name: str, row: int) -> str:
        """Where a person finds a cell. Counts lines anew, since it serves messages only."""
        for number, (line, _) in enumerate(_records(self.text, self.separator, len(self.names))):
            if number == row + 1:
                return f"line {line}, column {name}"
        return f"row {row + 1}, column {name}"


def read_csv(body: bytes, contract: Contract | None) -> tuple[pa.Table, list[str]]:
    """The table, and notes. Raises UnreadableFile."""
    text, notes = encoding.decode(body)
    missing = contract.missing_values if contract else ("",)
    sheet = _sheet(text, missing)
    if sheet.separator != ",":
        notes.append(f"{_SEPARATORS[sheet.separator]}-separated")
    fields = _fields(sheet, contract, missing)
    trimmed = {name: columns.blank_as_null(cells, missing) for name, cells in sheet.cells.items()}
    numeric = {name: trimmed[name] for name, field in fields.items() if field.type in ("integer", "number")}
    if decimals.has_decimal_comma(numeric, sheet.separator, sheet.place):
        notes.append("decimal comma")
        trimmed |= {name: decimals.with_point(cells) for name, cells in numeric.items()}
    return _typed(sheet, fields, trimmed), notes


def _sheet(text: str, missing: tuple[str, ...]) -> Sheet:
    separator, header = _dialect(text)
    names = check_header(header, lambda position: f"column {position} of the header")
    _check_lines(text, separator, names)
    return Sheet(text, separator, names, _cells(text, separator, names, missing))


def _dialect(text: str) -> tuple[str, list[str]]:
    """The separator that the header has, and the header; where it has several, the one that fits every line."""
    headers = {separator: _header(text, separator) for separator in _SEPARATORS}
    candidates = [separator for separator, header in headers.items() if len(header) > 1]
    if len(candidates) > 1:
        candidates = [each for each in candidates if _fits(text, each, len(headers[each]))] or candidates[:1]
    if len(candidates) > 1:
        found = " and ".join(_SEPARATORS[each] for each in candidates)
        raise UnreadableFile(
            f"the header can be split by {found}, and so can every line; use commas and quote the rest"
        )
    separator = candidates[0] if candidates else ","
    if not candidates and "|" in headers[","][0]:
        raise UnreadableFile("the header is separated by |; use a comma, a semicolon or a tab")
    return separator, headers[separator]


def _header(text: str, separator: str) -> list[str]:
    for _, record in _records(text, separator, 2):
        return record
    raise UnreadableFile("the file has no lines; send a table with a header line")


def _fits(text: str, separator: str, width: int) -> bool:
    try:
        return all(len(record) == width for _, record in _records(text, separator, width))
    except UnreadableFile:
        return False


def _records(text: str, separator: str, width: int) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its first line. Blank lines are none, unless there is only one column."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line, is_first = 1, True
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFile(
                f"line {line}: {error}; check the quotation marks of this line, which must open and close whole cells"
            ) from None
        if record or (width == 1 and not is_first):
            yield line, record or [""]
            is_first = False
        line = reader.line_num + 1


def _check_lines(text: str, separator: str, names: list[str]) -> None:
    width, rows = len(names), 0
    for line, record in _records(text, separator, width):
        rows += 1
        if len(record) != width:
            raise UnreadableFile(
                f"line {line} has {len(record)} cells; the header has {width}. "
                f"Cells that hold a {_SEPARATORS[separator]} must be quoted"
            )
    if rows * width > MAX_CELLS:
        raise UnreadableFile(f"{rows:,} rows of {width:,} cells; at most {MAX_CELLS:,} cells are read")


def _cells(text: str, separator: str, names: list[str], missing: tuple[str, ...]) -> dict[str, pa.ChunkedArray]:
    """All cells as text. Arrow reads them, for it tells a quoted empty cell from one that is not there."""
    body = (text if text.endswith(("\n", "\r")) else text + "\n").encode()
    numbered = {f"f{index}": pa.string() for index in range(len(names))}
    table = pyarrow.csv.read_csv(
        pa.BufferReader(body),
        # One block: a cell may be larger than any block size chosen here.
        pyarrow.csv.ReadOptions(use_threads=False, block_size=len(body) + 1, autogenerate_column_names=True),
        pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True, ignore_empty_lines=len(names) > 1),
        pyarrow.csv.ConvertOptions(
            column_types=numbered, null_values=missing, strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    ).slice(1)
    return {name: table.column(index) for index, name in enumerate(names)}


def _fields(sheet: Sheet, contract: Contract | None, missing: tuple[str, ...]) -> dict[str, Field]:
    """What each column is to be read as: by the contract, or by what all its cells allow."""
    known = {field.name: field for field in contract.fields} if contract else {}
    return {
        name: known.get(name) or Field(name, _inferred(columns.blank_as_null(cells, missing), sheet.separator))
        for name, cells in sheet.cells.items()
    }


def _inferred(cells: pa.ChunkedArray, separator: str) -> str:
    if separator != "," and decimals.fits_comma(cells):
        return "number"
    return columns.infer_type(cells)


def _typed(sheet: Sheet, fields: Mapping[str, Field], trimmed: Mapping[str, pa.ChunkedArray]) -> pa.Table:
    typed: dict[str, pa.ChunkedArray] = {}
    failures: list[str] = []
    total = 0
    for name, field in fields.items():
        if field.type == "string":
            typed[name] = sheet.cells[name]
            continue
        typed[name], bad = columns.read_as(trimmed[name], field)
        rows = pc.indices_nonzero(bad)
        total += len(rows)
        failures += [_failure(sheet, field, row) for row in rows.slice(0, _SHOWN).to_pylist()]
    if total:
        more = f"; and {total - _SHOWN:,} more" if total > _SHOWN else ""
        raise UnreadableFile("; ".join(failures[:_SHOWN]) + more)
    return pa.table(typed)


def _failure(sheet: Sheet, field: Field, row: int) -> str:
    value = shown(sheet.cells[field.name][row].as_py())
    how = f" written as {field.format}" if field.format != "default" else ""
    return f"{sheet.place(field.name, row)}: {value} is not {columns.EXPECTED[field.type]}{how}"
