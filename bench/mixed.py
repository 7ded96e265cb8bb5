"""Raw files of every kind, small, invented and always the same: what a thousand files of a team look like.

Two in a hundred come a second time under another name, and eight cannot be read: they are `BROKEN`.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from towline.files import write_table

DATASET = "soundings"  # which has no pipeline: it is taken in as it comes


@dataclass(frozen=True)
class File:
    """`expected` is what is to become of it: a status of `towline.ingest.entry`."""

    name: str
    body: bytes
    expected: str = "bronze"

    @property
    def key(self) -> str:
        return f"raw/{DATASET}/{self.name}"


def files(count: int, first: int = 0) -> Iterator[File]:
    """So many files, of all kinds in turn, from the one with this number on."""
    makers, broken, before = list(SOUND.items()), list(BROKEN.items()), None
    for number in range(first, first + count):
        source = f"vessel {number % 7}"
        if number % 50 == 49 and before is not None:
            yield File(f"{source}/{number:04} again.{before.name.partition('.')[2]}", before.body, "duplicate")
        elif number % 12 == 11:
            ending, make = broken[number // 12 % len(broken)]
            yield File(f"{source}/{number:04}{ending}", make(number), "quarantined")
        else:
            ending, make = makers[number % len(makers)]
            before = File(f"{source}/{number:04}.{ending}", make(number))
            yield before


def _rows(number: int) -> pa.Table:
    rows = range(20 + number % 5)
    depths = [round(5 + (number * 31 + row * 17) % 900 / 7, 2) for row in rows]
    return pa.table(
        {"cast": [number] * len(rows), "row": list(rows), "depth": depths, "crew": [f"név {n}" for n in rows]}
    )


def _csv(number: int, separator: str = ",") -> bytes:
    table = _rows(number)
    lines = [separator.join(table.column_names)]
    lines += [separator.join(map(str, row.values())) for row in table.to_pylist()]
    return "\n".join([*lines, ""]).encode()


def _jsonl(number: int) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in _rows(number).to_pylist())


def _parquet(number: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(_rows(number), sink)
    return sink.getvalue()


def _zip(number: int) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("casts/cast.csv"), _csv(number))
    return sink.getvalue()


def _tar(number: int) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        body, header = _csv(number), tarfile.TarInfo("casts/cast.csv")
        header.size = len(body)
        archive.addfile(header, io.BytesIO(body))
    return sink.getvalue()


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


SOUND: dict[str, Callable[[int], bytes]] = {
    "csv": _csv,
    "json": lambda number: json.dumps(_rows(number).to_pylist()).encode(),
    "parquet": _parquet,
    "xlsx": lambda number: write_table(_rows(number), "xlsx"),
    "csv.gz": lambda number: _packed(_csv(number)),
    "zip": _zip,
    "tar": _tar,
    "tsv": lambda number: _csv(number, "\t"),
    "jsonl": _jsonl,
    "tar.gz": lambda number: _packed(_tar(number)),
    "png": lambda number: b"\x89PNG\r\n\x1a\n" + number.to_bytes(4, "big") * 200,
}
BROKEN: dict[str, Callable[[int], bytes]] = {
    ", a header.csv": lambda number: f"cast_{number},row,depth\n".encode(),
    ", cut.parquet": lambda number: _parquet(number)[:-90],
    ", cut.json": lambda number: json.dumps(_rows(number).to_pylist()).encode()[:40],
    ", cut.csv.gz": lambda number: _packed(_csv(number))[:25],
    ", no workbook.xlsx": lambda number: b"PK\x03\x04" + number.to_bytes(4, "big") * 100,
    ", bytes.csv": lambda number: number.to_bytes(4, "big") + bytes(range(256)) * 4,
    ", cut.zip": lambda number: _zip(number)[:-40],
}
