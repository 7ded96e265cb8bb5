"""The sample of a raw file: a real file in the same format that holds its first rows (docs/samples.md).

    csv, tsv, json, jsonl       the header and the first rows, in the file's own bytes
    the same, packed by gzip    unpacked as far as that takes, cut, and packed again
    parquet                     the first rows, with all columns and their types
    xlsx                        the values in the first rows of each sheet
    zip                         a listing of what is in it, and the first rows of the first file that has some
    tar, tar.gz                 a listing, as text
    anything else               what is known of the file, as JSON; and why, where no sample can be made

No more than SAMPLE_MAX bytes of the file are read (of Parquet PAGES_MAX), and bounded many unpacked. Nothing is
executed, and no name in a file is used as a path. The same file has the same sample, byte for byte.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from towline.errors import Corrupt, UnreadableFile
from towline.parquet.source import Source
from towline.sampling import rows as rows_of
from towline.sampling import tables, tars, workbook, zips
from towline.sampling.bounds import ROWS, SAMPLE_MAX, SMALL, UNPACKED_MAX
from towline.sampling.kinds import (
    GZ,
    HEAD,
    PACKED,
    PARQUET,
    TAR,
    TAR_GZ,
    TEXTS,
    UNKNOWN,
    XLSX,
    ZIP,
    kind_of,
    media_type,
    promised,
)
from towline.sampling.streams import Bounded, Plain, Unpacked
from towline.sampling.text import Rows

ABOUT = ".meta.json"  # the ending of a sample that tells of a file instead of showing it
LISTING = ".txt"
ENDINGS = ("", LISTING, ABOUT)  # what a sample's name may have behind its file's
_SHOWN = 64  # bytes of a file that nobody can read which are shown
_TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    PARQUET: "application/vnd.apache.parquet",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ZIP: "application/zip",
}


@dataclass(frozen=True)
class Sample:
    """A sample: what it is called, its bytes and their type. `about`: `kind` of the file; `rows` that it holds, where
    it holds rows; `members` of an archive; `whole`, where the file has no others; `reason`, why it shows nothing."""

    name: str
    body: bytes
    content_type: str
    about: Mapping[str, str]


def sample(source: Source, name: str, kind: str = "", rows: int = ROWS, modified: str = "") -> Sample:
    """The sample of a file. `kind`: as `kind_of` tells; else that is found out. `modified`: when it was written, as far
    as that is known. Raises only what `source` does."""
    bounded = Bounded(source, SAMPLE_MAX)
    kind = kind or kind_of(name, bounded.head[:HEAD])
    if kind == UNKNOWN:
        return _told(bounded, name, kind, modified, "its kind is not one that is sampled")
    try:
        return _shown(bounded, name, kind, rows)
    except (UnreadableFile, Corrupt) as error:
        return _told(bounded, name, kind, modified, str(error))


def ending(name: str) -> str:
    """Which of ENDINGS the sample has of a file that is what its name promises."""
    kind = promised(name)
    return LISTING if kind in (TAR, TAR_GZ) else "" if kind else ABOUT


def _shown(source: Bounded, name: str, kind: str, rows: int) -> Sample:
    if kind in (TAR, TAR_GZ):
        body, count = tars.sample(source, packed=kind == TAR_GZ)
        return Sample(name + LISTING, body, "text/plain", {"kind": kind, "members": str(count)})
    if kind == ZIP:
        body, count = zips.sample(source, rows)
        return Sample(name, body, _TYPES[kind], {"kind": kind, "members": str(count)})
    found = _MAKERS[kind](source, kind, rows)
    about = {"kind": kind, "rows": str(found.count)} | ({"whole": "true"} if found.whole else {})
    return Sample(name, found.body, _TYPES.get(kind, "application/gzip"), about)


def _text(source: Bounded, kind: str, rows: int) -> Rows:
    return rows_of.first(Plain(source), kind, rows)


def _packed(source: Bounded, kind: str, rows: int) -> Rows:
    found = rows_of.first(Unpacked(Plain(source), UNPACKED_MAX), PACKED[kind], rows)
    return _again(source, found)


def _gz(source: Bounded, kind: str, rows: int) -> Rows:
    """Lines, where there are some; else the first bytes."""
    head = Unpacked(Plain(source), UNPACKED_MAX).read(SMALL)
    if b"\0" in head or b"\n" not in head:
        return _again(source, Rows(head, 0, whole=False))
    return _again(source, rows_of.first(Unpacked(Plain(source), UNPACKED_MAX), "jsonl", rows))


def _again(source: Bounded, found: Rows) -> Rows:
    """Packed again; of a file that has no others, as it is."""
    if found.whole and source.is_whole:
        return Rows(source.head, found.count, whole=True)
    return Rows(gzip.compress(found.body, mtime=0), found.count, found.whole)


_MAKERS: dict[str, Callable[[Bounded, str, int], Rows]] = {
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(PACKED, _packed),
    GZ: _gz,
    PARQUET: lambda source, kind, rows: tables.sample(source, rows),
    XLSX: lambda source, kind, rows: workbook.sample(source, rows),
}


def _told(source: Bounded, name: str, kind: str, modified: str, reason: str) -> Sample:
    """What is known of a file of which no rows can be shown."""
    known = {
        "name": name,
        "size": source.size,
        "modified": modified or None,
        "kind": kind,
        "type": media_type(source.head) or None,
        "begins": source.head[:_SHOWN].hex(" "),
        "reason": reason,
    }
    text = json.dumps({key: value for key, value in known.items() if value is not None}, indent=2)
    return Sample(name + ABOUT, text.encode() + b"\n", "application/json", {"kind": kind, "reason": reason})
