"""Workbooks (.xlsx): the first rows of each sheet, as a workbook of values.

A workbook is an archive of XML, and the library that reads it trusts both. So it is handed an archive that was made
here: of the parts that values need, unpacked within bounds, without anything that XML can do beside holding values, and
of each sheet its first rows.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from zipfile import ZipInfo

from towline.errors import UnreadableFile
from towline.sampling import zips
from towline.sampling.bounds import COLUMNS_MAX, SHEETS_MAX, UNPACKED_MAX
from towline.sampling.listing import printable
from towline.sampling.streams import Bounded, Spent, beginnings
from towline.sampling.text import Rows

_BOOK = "xl/workbook.xml"
# Parts that say nothing of values, or too much of other things.
_LEFT_OUT = re.compile(
    r"xl/(charts|chartsheets|comments|ctrlProps|drawings|externalLinks|media|pivot|printer|tables|theme)"
)
_ROW_END = re.compile(rb"</(?:\w+:)?row\s*>|<(?:\w+:)?row(?:\s[^<>]*)?/>")
_SHEETS = re.compile(r"xl/worksheets/[^/]+\.xml")
_SHEET = re.compile(rb"<((?:\w+:)?)worksheet[\s>]")
_FORBIDDEN = re.compile(rb"<!DOCTYPE|<!ENTITY|\x00", re.IGNORECASE)
_ENCODING = re.compile(rb"""\A[^<]{0,3}<\?xml[^>]*encoding\s*=\s*["']([^"']*)""")
_SAVED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def look(source: Bounded, name: str) -> Sequence[str]:
    """Whether it opens as a workbook, and a sheet has a row below its header. Where its columns are is said too late in
    it for a first look. Spent: so are its rows."""
    sheets = [entry for entry in _entries(source) if _SHEETS.fullmatch(entry.filename)]
    if sheets and not any(_has_rows(source, entry) for entry in sheets):
        raise UnreadableFile("no sheet of it has rows below a header")
    return ()


def _has_rows(source: Bounded, sheet: ZipInfo) -> bool:
    """Whether it has two rows, or goes on for longer than is read."""
    for beginning in beginnings(zips.opened(source, sheet)):
        if len(list(islice(_ROW_END.finditer(beginning.body), 2))) == 2 or beginning.spent:
            return True
    return False


def sample(source: Bounded, rows: int) -> Rows:
    """A workbook of the values in the header and the first rows of each sheet. UnreadableFile: it is none, or its parts
    are too large, or no plain XML."""
    plain = zips.written(list(_parts(source, _entries(source), rows + 1).items()))
    try:
        body, count = _copied(plain, rows + 1)
    except UnreadableFile:
        raise
    except Exception as error:  # whatever openpyxl and the XML parser raise for a damaged workbook
        raise UnreadableFile(f"this workbook is damaged: {error}") from None
    return Rows(_settled(body), count, whole=False)


def _entries(source: Bounded) -> list[ZipInfo]:
    entries = zips.directory(source)
    if _BOOK not in {entry.filename for entry in entries}:
        raise UnreadableFile("this is a ZIP archive, but no .xlsx workbook: name it .zip, or save it as .xlsx")
    if shared := zips.overlapping(entries):
        raise UnreadableFile(f"{printable(shared.filename)} shares bytes with another part of this workbook")
    return entries


def _parts(source: Bounded, entries: Sequence[ZipInfo], rows: int) -> Mapping[str, bytes]:
    """The parts that values need, by their names; of sheets, no more rows than these. Sheets behind those for which the
    bounds are large enough are left out."""
    found: dict[str, bytes] = {}
    left, sheets = UNPACKED_MAX, 0
    for entry in sorted(entries, key=lambda entry: "sheet" in entry.filename.lower()):  # what sheets need is first
        name = entry.filename
        if not name.endswith((".xml", ".rels")) or _LEFT_OUT.match(name) or name in found:
            continue
        try:
            body, is_sheet = _part(source, entry, rows, left)
        except Spent:
            if sheets:
                break
            raise
        sheets += is_sheet
        if sheets <= SHEETS_MAX:
            found[name], left = body, left - len(body)
    return found


def _part(source: Bounded, entry: ZipInfo, rows: int, most: int) -> tuple[bytes, bool]:
    """The XML of a part, and whether it is a sheet, which has been cut to its first rows. Spent: it is too large.
    UnreadableFile: it is no plain XML."""
    name = printable(entry.filename)
    for beginning in beginnings(zips.opened(source, entry, most)):
        body, is_sheet = beginning.body, _SHEET.search(beginning.body[:4096])
        if beginning.ended:
            return _plain(body, name), bool(is_sheet)
        if is_sheet and (cut := _cut(body, is_sheet[1], rows, partly=beginning.spent)):
            return _plain(cut, name), True
    raise Spent(f"its part {name} is too large: more than {len(body):,} bytes of it would have to be unpacked")


def _cut(body: bytes, prefix: bytes, rows: int, *, partly: bool) -> bytes | None:
    """A sheet that ends after some rows; None: it has fewer. `partly`: then as many as there are."""
    ends = [found.end() for found in islice(_ROW_END.finditer(body), rows)]
    if not ends or (len(ends) < rows and not partly):
        return None
    return body[: ends[-1]] + b"</%bsheetData></%bworksheet>" % (prefix, prefix)


def _plain(body: bytes, name: str) -> bytes:
    encoding = _ENCODING.match(body)
    if _FORBIDDEN.search(body) or (encoding and encoding[1].lower() not in (b"utf-8", b"us-ascii", b"ascii")):
        raise UnreadableFile(f"its part {name} holds a document type, entities, or text in another encoding than UTF-8")
    return body


def _copied(plain: bytes, rows: int) -> tuple[bytes, int]:
    """A workbook of the values alone, and how many rows its first sheet has below its header."""
    import openpyxl  # heavy, and most files are no workbooks

    book = openpyxl.load_workbook(io.BytesIO(plain), read_only=True, data_only=True, keep_links=False)
    copy = openpyxl.Workbook(write_only=True)
    counts = []
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what the file says of its own size may be anything
        there = copy.create_sheet(sheet.title)
        count = 0
        for row in islice(sheet.iter_rows(), rows):
            there.append([_value(cell, there) for cell in row[:COLUMNS_MAX]])
            count += 1
        counts.append(max(0, count - 1))
    if not counts:
        raise UnreadableFile("this workbook has no sheet that can be read")
    sink = io.BytesIO()
    copy.save(sink)
    return sink.getvalue(), counts[0]


def _value(cell: Any, there: Any) -> Any:
    """A cell of the copy; nothing of an empty one, of which a sheet can have millions in a few bytes."""
    from openpyxl.cell import WriteOnlyCell

    if cell.value is None:
        return None
    copied = WriteOnlyCell(there, cell.value)
    if isinstance(cell.value, str):
        copied.data_type = "s"  # text is never a formula
    else:
        copied.number_format = cell.number_format
    return copied


def _settled(body: bytes) -> bytes:
    """The workbook without the moment at which it was written: the same bytes every time."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return zips.written(
            [(name, _SAVED.sub(rb"\g<1>1980-01-01T00:00:00Z", archive.read(name))) for name in archive.namelist()]
        )
