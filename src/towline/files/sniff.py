"""What a file is, by its first bytes; its name only serves to notice a contradiction."""

from __future__ import annotations

import re

from towline.errors import UnreadableFile

_PARQUET = b"PAR1"
_ZIP = b"PK\x03\x04"

# First bytes of what people drop by mistake, and what to do about it.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old .xls workbook or an encrypted one; save it as plain .xlsx"),
    (b"PARE", "an encrypted Parquet file; write it without encryption"),
    (b"ARROW1", "an Arrow or Feather file; write it as Parquet"),
    (b"\x89HDF", "an HDF5 or netCDF file; write its table as Parquet or CSV"),
    (b"CDF\x01", "a netCDF file; write its table as Parquet or CSV"),
    (b"SQLite format 3\x00", "an SQLite database; export its table as CSV"),
    (b"PK\x05\x06", "an empty ZIP archive"),
)
_HTML = re.compile(rb"\A\s*<(?:!doctype|html|\?xml|table)", re.IGNORECASE)
_JSON = re.compile(rb'\A\s*(?:\{\s*"|\[\s*[\[{])')
_EXPECTED = {".parquet": "parquet", ".xlsx": "xlsx", ".xlsm": "xlsx", ".csv": "csv", ".tsv": "csv", ".txt": "csv"}
_CALLED = {"parquet": "a Parquet file", "xlsx": "a workbook", "csv": "text"}


def kind_of(body: bytes, name: str) -> tuple[str, list[str]]:
    """`csv`, `xlsx` or `parquet`, and a note where the name says otherwise. Raises UnreadableFile."""
    kind = _kind(body, name)
    dot = name.rfind(".")
    expected = _EXPECTED.get(name[dot:].lower()) if dot >= 0 else None
    if expected in (None, kind):
        return kind, []
    if kind == "csv":  # text proves nothing: it may be anything but what the name says
        raise UnreadableFile(
            f"{name} is not {_CALLED[expected or '']}: it begins with {body[:8]!r}; if it is a CSV file, name it .csv"
        )
    return kind, [f"{_CALLED[kind]}, although the name says {name[dot:]}"]


def _kind(body: bytes, name: str) -> str:
    if not body.strip(b"\x00\t\r\n "):
        raise UnreadableFile(f"{name} is empty ({len(body):,} bytes); send a table with a header line")
    if body.startswith(_PARQUET):
        return "parquet"
    if body.startswith(_ZIP):
        return "xlsx"
    for magic, meaning in _OTHERS:
        if body.startswith(magic):
            raise UnreadableFile(f"{name} is {meaning}; a table file is CSV, XLSX or Parquet")
    if _HTML.match(body[:200]) or _JSON.match(body[:200]):
        what = "HTML or XML" if _HTML.match(body[:200]) else "JSON"
        raise UnreadableFile(f"{name} is {what}; a table file is CSV, XLSX or Parquet")
    return "csv"
