"""Raw files of every kind, small and sound; and sources that count what is read of them.

FILES: name -> bytes
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from towline.files import write_table
from towline.parquet.source import Span

SHEETS = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
TABLE = pa.table({"id": list(range(300)), "name": [f"név {n}" if n % 3 else None for n in range(300)]})
RECORDS = [{"id": n, "name": f"név {n}", "fixes": [[n, n / 2]] * 3} for n in range(300)]


def delimited(separator: str = ",", rows: int = 300, encoding: str = "utf-8") -> bytes:
    lines = [f'{n}{separator}"név{separator} ""{n}""\nsecond line"' for n in range(rows)]
    return "".join(f"{line}\r\n" for line in [f"id{separator}name", *lines]).encode(encoding)


def lines(records: Sequence[object] = RECORDS) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def parquet(table: pa.Table = TABLE, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return sink.getvalue()


def rezipped(archive: bytes, files: Mapping[str, bytes]) -> bytes:
    """An archive with other files in place of those of the same name, or beside them."""
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        return zipped({name: found.read(name) for name in found.namelist()} | dict(files))


def tarred(files: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    """Files by their bytes; anything else by its header."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, what in files.items():
            header = what if isinstance(what, tarfile.TarInfo) else tarfile.TarInfo(name)
            header.name = name
            if isinstance(what, bytes):
                header.size = len(what)
            archive.addfile(header, io.BytesIO(what) if isinstance(what, bytes) else None)
    return sink.getvalue()


FILES: Mapping[str, bytes] = {
    "rounds.csv": delimited(),
    "rounds.tsv": delimited("\t"),
    "rounds.json": json.dumps(RECORDS, ensure_ascii=False, indent=1).encode(),
    "rounds.jsonl": lines(),
    "rounds.parquet": parquet(),
    "rounds.xlsx": write_table(TABLE, "xlsx"),
    "rounds.zip": zipped({"folder/rounds.csv": delimited(), "readme.txt": b"read me"}),
    "rounds.tar": tarred({"rounds.csv": delimited(), "readme.txt": b"read me"}),
    "rounds.tar.gz": gzip.compress(tarred({"rounds.csv": delimited()})),
    "rounds.csv.gz": gzip.compress(delimited()),
    "rounds.tsv.gz": gzip.compress(delimited("\t")),
    "rounds.json.gz": gzip.compress(json.dumps(RECORDS).encode()),
    "rounds.jsonl.gz": gzip.compress(lines()),
    "rounds.gz": gzip.compress(b"\x00\x01\x02" * 1000),
    "photo.png": b"\x89PNG\r\n\x1a\n" + bytes(1000),
}
KINDS = {name: name.partition(".")[2] for name in FILES} | {"photo.png": "unknown"}


@dataclass
class Made:
    """A file of `size` bytes that are made when they are read, by `make` from their place; `read_so_far` counts."""

    size: int
    make: Callable[[int, int], bytes]
    where: str = "a large file"
    read_so_far: int = field(default=0)

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        self.read_so_far += sum(stop - start for start, stop in spans)
        return [self.make(start, stop) for start, stop in spans]


def repeated(head: bytes, unit: bytes, size: int) -> Made:
    """`head`, and after it `unit` again and again."""

    def make(start: int, stop: int) -> bytes:
        if start < len(head):
            return (head + unit * (max(0, stop - len(head)) // len(unit) + 1))[start:stop]
        begin = (start - len(head)) % len(unit)
        return (unit * ((stop - start + begin) // len(unit) + 1))[begin : begin + stop - start]

    return Made(size, make)
