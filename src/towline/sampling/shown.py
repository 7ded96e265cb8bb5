"""A sample as people see it: a table where it holds one, and text."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from towline.errors import UnreadableFile
from towline.files import encoding, read_table
from towline.parquet.source import BytesSource
from towline.sampling import delimited, jsons
from towline.sampling.bounds import COLUMNS_MAX, MIB, UNPACKED_MAX
from towline.sampling.kinds import CSV, GZ, HEAD, JSON, JSONL, PACKED, PARQUET, TSV, XLSX, ZIP, kind_of, unpacked_name
from towline.sampling.sample import ABOUT
from towline.sampling.streams import Bounded, Plain, Unpacked
from towline.sampling.text import unpaired
from towline.sampling.zips import MANIFEST, directory, opened

WORKBOOK_MAX = 64 * MIB  # bytes of a workbook's parts


@dataclass(frozen=True)
class Shown:
    """`table`: the rows; None: there are none to be seen as a table. `text`: what there is to be read instead, where it
    is meant for people's eyes. `listing`: of an archive. `note`: what is not shown."""

    table: pa.Table | None
    text: str = ""
    listing: pa.Table | None = None
    note: str = ""


def shown(name: str, body: bytes) -> Shown:
    """A sample by its name and bytes. What cannot be read as a table is text, with its mistakes."""
    kind = kind_of(name, body[:HEAD])
    try:
        if kind in PACKED or kind == GZ:
            return _plain(unpacked_name(name), _unpacked(body))
        return _zip(body) if kind == ZIP else _plain(name, body)
    except UnreadableFile:
        return Shown(None, _text(body))


def _plain(name: str, body: bytes) -> Shown:
    """What is not packed, or not any more: what is packed twice stays so."""
    if name.endswith(ABOUT):
        return Shown(None, _text(body))
    kind = kind_of(name, body[:HEAD])
    try:
        return Shown(_table(name, kind, body))
    except UnreadableFile:
        return _workbook(body) if kind == XLSX else Shown(None, _text(body))


def _table(name: str, kind: str, body: bytes) -> pa.Table | None:
    """UnreadableFile: it is none."""
    if kind in (JSON, JSONL):
        return _of_records(_records(kind, body))
    if kind in (CSV, TSV):
        return _delimited(name, body, "\t" if kind == TSV else "")
    if kind in (PARQUET, XLSX):
        return read_table(body, name)[0]
    raise UnreadableFile("no table")


def _delimited(name: str, body: bytes, separator: str) -> pa.Table:
    """With types where every cell has one; else as text, and rows as long as they are."""
    try:
        return read_table(body, name)[0]
    except UnreadableFile:
        return _ragged(body, separator)


def _workbook(body: bytes) -> Shown:
    """The first sheet of one of several, or whose cells do not make columns of one type each, as text."""
    import openpyxl  # heavy, and most files are no workbooks

    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(each.file_size for each in archive.infolist()) > WORKBOOK_MAX:
                return Shown(None, note="This workbook unpacks to more than is shown.")
        (sheet, *others) = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True).worksheets
        sheet.reset_dimensions()  # what the file says of its own size may be anything
        records = [[_said(value) for value in row] for row in sheet.iter_rows(values_only=True, max_col=COLUMNS_MAX)]
    except Exception:  # whatever openpyxl, zipfile and the XML parser raise for a damaged workbook
        return Shown(None)
    width = max((at for row in records for at, text in enumerate(row, start=1) if text is not None), default=0)
    more = f"The workbook has {len(others):,} more sheet{'s' * (len(others) > 1)}." if others else ""
    return Shown(_of_rows(records, width), note=more)


def _said(value: Any) -> str | None:
    return None if value is None else str(value)


def _ragged(body: bytes, separator: str) -> pa.Table:
    text, _ = encoding.decode(body)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator or delimited.separator_of(text))
    try:
        records = [record for record in reader if record]
    except csv.Error as error:
        raise UnreadableFile(str(error)) from None
    return _of_rows(records, min(max(map(len, records), default=0), COLUMNS_MAX))


def _of_rows(records: Sequence[Sequence[str | None]], width: int) -> pa.Table:
    """A table of text; the first row names its columns, of which there are `width`."""
    names = _unique((*(name or "" for row in records[:1] for name in row), *[""] * width)[:width])
    cells = ([row[at] if at < len(row) else None for row in records[1:]] for at in range(width))
    return pa.table([pa.array(column, pa.string()) for column in cells], names=names)


def _unique(names: Iterable[str]) -> list[str]:
    """Names of their own for columns that have none, or another's."""
    found: dict[str, None] = {}
    for position, name in enumerate(names, start=1):
        plain = name.strip() or f"column {position}"
        while plain in found:
            plain += f" ({position})"
        found[plain] = None
    return list(found)


def _records(kind: str, body: bytes) -> list[Any]:
    if kind == JSON:
        found = jsons.parse(body)
        return found if isinstance(found, list) else [found]
    text, _ = encoding.decode(body)
    return [jsons.parse(line.encode()) for line in text.split("\n") if line.strip()]


def _of_records(records: Sequence[Any]) -> pa.Table:
    """A column for each name at the top of the records; what is within them stays JSON."""
    rows = [record if isinstance(record, dict) else {"value": record} for record in records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not rows or len(names) > COLUMNS_MAX:
        raise UnreadableFile("no records, or too many names in them")
    columns = [pa.array([_cell(row.get(name)) for row in rows], pa.string()) for name in names]
    return pa.table(columns, names=_unique(map(unpaired, names)))


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    return unpaired(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _unpacked(body: bytes) -> bytes:
    return Unpacked(Plain(Bounded(BytesSource(body), len(body))), UNPACKED_MAX).read(UNPACKED_MAX)


def _zip(body: bytes) -> Shown:
    """A sample's listing, and the file that lies beside it."""
    source = Bounded(BytesSource(body), len(body))
    files = {entry.filename: opened(source, entry).read(UNPACKED_MAX) for entry in directory(source)[:2]}
    listing = _ragged(files.pop(MANIFEST, b""), "\t")
    beside = next((_plain(name, found) for name, found in files.items()), Shown(None))
    return replace(beside, listing=listing)


def _text(body: bytes) -> str:
    """What people may read, with its mistakes; nothing of what is meant for programs, all of which have a NUL."""
    try:
        return encoding.decode(body)[0]
    except UnreadableFile:
        return "" if b"\0" in body else body[:HEAD].decode("utf-8", "backslashreplace")
