"""CSV as pipelines read it: a block of lines at a time, as texts; lines that do not fit the header told one by one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import IO

import pyarrow as pa
import pyarrow.csv

from towline.errors import UnreadableFile
from towline.pipeline.definition import BronzeFile
from towline.pipeline.texts import refused
from towline.store import MIB

BLOCK = 8 * MIB  # of text, in which a whole line must fit; Arrow reads some ahead
HEADER_MAX = 4 * MIB
SKIPPED_MAX = 100_000  # lines that do not fit, from one that does to the next
_SHOWN = 200  # characters of one


@dataclass(frozen=True)
class Texts:
    """Some rows of a CSV file. `row`: their numbers in the file, from 1. `columns`: the texts of each column that was
    asked for; null where a cell is empty, and all of one that the file does not have. `refused`: lines that do not fit
    the header, as `Conformed.refused`. `unknown`: the file's other columns."""

    row: pa.Array
    columns: Mapping[str, pa.Array]
    refused: pa.Table
    unknown: Sequence[str] = ()

    def __getitem__(self, column: str) -> pa.Array:
        return self.columns[column]


def texts(file: BronzeFile, columns: Sequence[str], separator: str = ",") -> Iterator[Texts]:
    """The rows of a file, some at a time. UnreadableFile: it is no CSV, a line is longer than a block, or a column that
    was asked for comes twice."""
    names = header(file, separator)
    known, unknown = [name for name in columns if name in names], [name for name in names if name not in columns]
    if twice := [name for name in known if names.count(name) > 1]:
        raise UnreadableFile(f"there are {names.count(twice[0])} columns {twice[0]}; which of them counts?")
    skipped: dict[int, str] = {}
    row = 1
    for batch in batches(file, known, separator, skipped):
        rows = numbers(row, skipped, batch.num_rows)
        row = rows[-1] + 1 if rows else row
        none = pa.nulls(batch.num_rows, pa.string())
        found = {name: batch[name] if name in known else none for name in columns}
        yield Texts(pa.array(rows, pa.int64()), found, ragged(skipped, row, len(names)), unknown)
    if skipped:
        none, last = pa.array([], pa.string()), max(skipped) + 1
        yield Texts(pa.array([], pa.int64()), dict.fromkeys(columns, none), ragged(skipped, last, len(names)), unknown)


def header(file: BronzeFile, separator: str = ",") -> list[str]:
    """The columns' names, as the first line has them."""
    with file.open() as stream:
        head = stream.read(HEADER_MAX)
    text = head.decode("utf-8-sig", errors="replace")
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise UnreadableFile(
            f"{file.source.where}: the header cannot be read ({error}); it must be one line of CSV"
        ) from None
    if len(head) == HEADER_MAX and not re.search(r"[\r\n]", text):
        raise UnreadableFile(f"{file.source.where}: no line ends within {HEADER_MAX:,} bytes; this is no table")
    return names


def batches(
    file: BronzeFile, known: Sequence[str], separator: str, skipped: dict[int, str]
) -> Iterator[pa.RecordBatch]:
    """The known columns as text, a block at a time; lines that do not fit the header are noted in `skipped`, by row.

    Arrow's threads read ahead, and do not count lines: where there is one that does not fit, the file is read again,
    block by block, and goes on where it was."""
    given = 0
    try:
        with file.open() as stream:
            for batch in _opened(stream, known, separator):
                yield batch
                given += 1
            return
    except pa.ArrowInvalid:
        pass  # of which the other way says what it is
    try:
        with file.open() as stream:
            yield from islice(_opened(stream, known, separator, skipped), given, None)
    except pa.ArrowInvalid as error:
        raise UnreadableFile(
            f"{file.source.where} cannot be read as CSV ({error}); a line may have {BLOCK:,} bytes, all text is UTF-8, "
            "and quotation marks open and close whole cells"
        ) from None


def _opened(
    stream: IO[bytes], known: Sequence[str], separator: str, skipped: dict[int, str] | None = None
) -> pyarrow.csv.CSVStreamingReader:
    """ArrowInvalid, also while it is read: it is no CSV, or, without `skipped`, a line does not fit the header."""

    def skip(line: pyarrow.csv.InvalidRow) -> str:
        if skipped is None or len(skipped) >= SKIPPED_MAX:
            return "error"
        skipped[line.number - 1] = f"{line.actual_columns} cells: {line.text[:_SHOWN]}"
        return "skip"

    return pyarrow.csv.open_csv(
        stream,
        pyarrow.csv.ReadOptions(use_threads=skipped is None, block_size=BLOCK),
        pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=skip),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(known, pa.string()),
            include_columns=known,
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def numbers(first: int, skipped: Mapping[int, str], rows: int) -> list[int]:
    """The numbers in the file of so many rows, from `first` on, where those that are skipped have theirs, too."""
    return list(islice((number for number in count(first) if number not in skipped), rows))


def ragged(skipped: dict[int, str], before: int, width: int) -> pa.Table:
    """Take the lines before a row off `skipped`, as refused rows."""
    rows = [row for row in sorted(skipped) if row < before]
    lines = pa.array([skipped.pop(row) for row in rows], pa.string())
    return refused(pa.array(rows, pa.int64()), "", lines, f"the line does not have {width} cells, as the header has")
