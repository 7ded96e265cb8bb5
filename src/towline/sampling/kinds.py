"""What a raw file is: by its first bytes, and by its name where these leave it open.

    parquet, xlsx, zip, tar     by their magic, whatever the name says
    csv, tsv, json, jsonl       text has no magic: by name; what looks like JSON is none of the others
    tar.gz, csv.gz, tsv.gz, json.gz, jsonl.gz, gz       by what is found when the first bytes are unpacked
    unknown                     everything else, such as images

A name that promises a kind is believed where no magic speaks against it, so that a Parquet file that was overwritten
with zeros is a broken Parquet file rather than one that nobody knows.
"""

from __future__ import annotations

import json
import re
import zlib

HEAD = 256 * 1024  # bytes from the beginning that `kind_of` is to be given; fewer only where the file has no more

CSV, TSV, JSON, JSONL = "csv", "tsv", "json", "jsonl"
PARQUET, XLSX, ZIP, TAR, TAR_GZ, GZ, UNKNOWN = "parquet", "xlsx", "zip", "tar", "tar.gz", "gz", "unknown"
TEXTS = (CSV, TSV, JSON, JSONL)
PACKED = {f"{kind}.gz": kind for kind in TEXTS}
KINDS = (*TEXTS, PARQUET, XLSX, ZIP, TAR, TAR_GZ, GZ, *PACKED, UNKNOWN)

_GZIP, _PK = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_ENDINGS = {
    ".csv": CSV,
    ".tsv": TSV,
    ".tab": TSV,
    ".json": JSON,
    ".geojson": JSON,
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".parquet": PARQUET,
    ".xlsx": XLSX,
    ".xlsm": XLSX,
    ".zip": ZIP,
    ".tar": TAR,
    ".gz": GZ,
    ".tgz": GZ,
}
_TELLS_NOTHING = ("", ".txt", ".dat")  # endings of files that are told by their text alone
_MEDIA = (
    (b"PAR1", "application/vnd.apache.parquet"),
    (_GZIP, "application/gzip"),
    (_PK[0], "application/zip"),
    (_PK[1], "application/zip"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF", "application/pdf"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"PARE", "application/vnd.apache.parquet; encrypted"),
    (b"ARROW1", "application/vnd.apache.arrow.file"),
    (b"ORC", "application/x-orc"),
    (b"Obj\x01", "application/avro"),
    (b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (b"CDF\x01", "application/netcdf"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"\x7fELF", "application/x-elf"),
)
_TAR = (257, b"ustar")  # where a tar's magic lies
_ENTRY_NAME = 30  # where in a ZIP the name of its first entry lies
_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": "utf-8"}
_JSON = re.compile(r'\s*(?:\{\s*"|\[\s*[\[{])')
_DOTTED = re.compile(r"(?<=.)\.[A-Za-z0-9]{1,10}\Z")


def kind_of(name: str, head: bytes) -> str:
    """One of KINDS, by the file's name and its first HEAD bytes."""
    if head.startswith(_GZIP):
        return _packed(name, head)
    if head.startswith(_PK):
        return XLSX if _named(name) == XLSX or _is_workbook(head) else ZIP
    if is_tar(head):
        return TAR
    media = media_type(head)
    if media == "application/vnd.apache.parquet":
        return PARQUET
    return UNKNOWN if media else _text(name, head)


def _is_workbook(head: bytes) -> bool:
    """Whether an archive begins as workbooks do: by their entries, of which some are in a directory of that name."""
    return head[_ENTRY_NAME:].startswith((b"[Content_Types].xml", b"docProps/", b"_rels/")) and b"xl/" in head


def media_type(head: bytes) -> str:
    """The type of a file that its first bytes tell; empty: they tell none."""
    if is_tar(head):
        return "application/x-tar"
    return next((media for magic, media in _MEDIA if head.startswith(magic)), "")


def is_tar(head: bytes) -> bool:
    return head[_TAR[0] :].startswith(_TAR[1])


def promised(name: str) -> str:
    """The kind that a name promises; empty: it promises none."""
    kind = _named(name)
    if kind != GZ:
        return kind
    inner = TAR if name.lower().endswith(".tgz") else _named(_without(name))
    return f"{inner}.gz" if inner in (*TEXTS, TAR) else GZ


def unpacked_name(name: str) -> str:
    """What a file within a gz is called: `rounds.csv.gz` -> `rounds.csv`."""
    if name.lower().endswith(".tgz"):
        return f"{_without(name)}.tar"
    return _without(name) if _named(name) == GZ else name


def _named(name: str) -> str:
    return _ENDINGS.get(_ending(name), "")


def _ending(name: str) -> str:
    found = _DOTTED.search(name)
    return found[0].lower() if found else ""


def _without(name: str) -> str:
    return _DOTTED.sub("", name)


def _packed(name: str, head: bytes) -> str:
    try:
        inner = zlib.decompressobj(wbits=31).decompress(head, HEAD)
    except zlib.error:
        return promised(name) if _named(name) == GZ else GZ
    kind = kind_of(unpacked_name(name), inner)
    return f"{kind}.gz" if kind in (*TEXTS, TAR) else GZ


def _text(name: str, head: bytes) -> str:
    text, named = _decoded(head), _named(name)
    if _JSON.match(text) and (named in TEXTS or _ending(name) in _TELLS_NOTHING):
        return _lines_or_one(text, named)
    if named:
        return promised(name)
    return _separated(text) if _ending(name) in _TELLS_NOTHING else UNKNOWN


def _decoded(head: bytes) -> str:
    """Text whose ASCII is right; the rest does not matter here."""
    bom = next((bom for bom in _BOMS if head.startswith(bom)), b"")
    return head[len(bom) :].decode(_BOMS.get(bom, "latin-1"), "replace")


def _lines_or_one(text: str, named: str) -> str:
    """Whether text that looks like JSON is a record a line, or one document."""
    first, _, rest = text.lstrip().partition("\n")
    if first.strip() in ("[", "{"):
        return JSON
    if not rest.strip():
        return JSONL if named == JSONL else JSON
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return JSONL if named == JSONL else JSON
    return JSONL if rest.lstrip().startswith(("{", "[")) or named == JSONL else JSON


def _separated(text: str) -> str:
    """A table with tabs or commas in its first line; else nobody knows."""
    if "\x00" in text:
        return UNKNOWN
    first = text.lstrip("\r\n").split("\n", 1)[0]
    tabs, others = first.count("\t"), max(first.count(","), first.count(";"))
    return UNKNOWN if not tabs and not others else TSV if tabs > others else CSV
