"""Table files, in and out: CSV, XLSX and Parquet.

Reading decides by content and takes only what can be read in one way. Whatever leaves a doubt (an encoding, a
separator, a decimal comma) is refused with the place and the way out, because a guess would be a silent change of
the data.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from towline.errors import Corrupt, UnreadableFile, UsageError
from towline.files import delimited, parquet, printed, sheets, workbook
from towline.files.bounds import MAX_BYTES, MAX_CELLS, MAX_COLUMNS
from towline.files.sniff import kind_of
from towline.parquet.source import FileSource
from towline.parquet.tablefile import TableFile
from towline.values import shown

if TYPE_CHECKING:
    from towline.contract import Contract

__all__ = ["FORMATS", "MAX_BYTES", "MAX_CELLS", "MAX_COLUMNS", "open_file", "read_table", "write_table"]

FORMATS = ("csv", "xlsx", "parquet")

_READERS: dict[str, Callable[[bytes, Contract | None], tuple[pa.Table, list[str]]]] = {
    "csv": delimited.read_csv,
    "xlsx": workbook.read_xlsx,
    "parquet": parquet.read_parquet,
}


def read_table(body: bytes, name: str, contract: Contract | None = None) -> tuple[pa.Table, list[str]]:
    """The table in a file, and notes on what was recognised beyond the plain case.

    With a contract, columns are read as its types; columns that it does not know come along, for
    `Contract.conform` to report. Without one, types are inferred from all rows. Raises UnreadableFile.
    """
    if len(body) > MAX_BYTES:
        raise UnreadableFile(f"{name} has {len(body):,} bytes; at most {MAX_BYTES:,} are read: split it")
    kind, notes = kind_of(body, name)
    try:
        table, more = _READERS[kind](body, contract)
    except UnreadableFile as error:
        raise UnreadableFile(f"{name}: {error}") from error
    return table, notes + more


def open_file(path: Path) -> TableFile:
    """A Parquet file that is not read at once. Raises UnreadableFile."""
    try:
        return TableFile.foreign(FileSource(path))
    except Corrupt as error:
        raise UnreadableFile(str(error)) from error


def write_table(
    table: pa.Table, format: str, *, contract: Contract | None = None, escape_formulas: bool = False
) -> bytes:
    """The table as a file, such that `read_table` with the contract gives it back.

    `escape_formulas` puts an apostrophe before text that a spreadsheet would run as a formula (it begins with
    = + - @ tab or CR); it changes the data, so it is for export only. Raises UsageError for what the format cannot
    hold.
    """
    if format == "csv":
        return printed.write_csv(table, contract, escape_formulas)
    if format == "xlsx":
        return sheets.write_xlsx(table, contract, escape_formulas)
    if format == "parquet":
        return parquet.write_parquet(table)
    raise UsageError(f"{shown(format)} is not a format that is written; use {', '.join(FORMATS)}")
