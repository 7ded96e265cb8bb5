"""Parquet files that were tampered with, read in a process of its own: one that ends badly ends alone.

    python -m tests.core.fuzzing SEED SECONDS PLACE

reads `tampered(SEED, n)` for n = 0, 1, 2, ... and writes each n to the file PLACE before it does. At the end it prints
{"cases", "read", "slowest", "grown"}: how many, of how many of them a table came, seconds, bytes of memory.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from tests.core.foreign import FORMS, KEY, towed
from towline.errors import Corrupt
from towline.parquet import thrift, writer
from towline.parquet.footer import MAGIC, Footer, of_bytes
from towline.parquet.source import BytesSource
from towline.parquet.tablefile import TableFile
from towline.parquet.thrift import BINARY, I32, I64, LIST, STRUCT, Many, Struct

ROOT = Path(__file__).parents[2]
ROWS = 40
COLUMNS = ["tow", "net", "vessel", "volume_filtered"]
CLAIMS = (1, 4, 5, 6, 7, 9, 11)  # fields of ColumnMetaData: type, codec, values, sizes and offsets
MOST = 2**26  # bytes that a table may come to here
NUMBERS = (0, 1, -1, 2, 4, 7, 8, 255, 2**15, 2**31 - 1, -(2**31), 2**31, 2**32, 2**40, 2**63 - 1, -(2**63))
HUGE = (b"\xff" * 8, b"\0" * 8, b"\x80" * 9 + b"\x01", b"\xff" * 9 + b"\x7f", b"\xff" * 4 + b"\x0f", b"\x00\x19\xfc")
_LAYOUTS = {"page index", "bloom filters", "tiny pages of version 2", "delta", "byte stream split", "empty groups"}
_WRITERS = {
    "duckdb zstd",
    "duckdb snappy",
    "duckdb version 2",
    "polars zstd",
    "polars snappy",
    "pyarrow gzip, pages 2.0",
}
_FILLED = {
    "zero rows",
    "zero rows of duckdb",
    "nothing but nulls",
    "unusual numbers of polars",
    "decimals",
    "no statistics",
}


@cache
def originals() -> list[bytes]:
    """Sound files, small ones, of every writer and of Towline."""
    chosen = [form for form in FORMS if form.name in _LAYOUTS | _WRITERS | _FILLED]
    bodies = [form.writer(form.shape(towed(min(form.rows, ROWS))).select(COLUMNS)) for form in chosen]
    ours = towed(ROWS).select(COLUMNS)
    return [*bodies, writer.to_parquet(ours, KEY, writer.commit_metadata("c", 1), group=10)]


# --- tampering -------------------------------------------------------------------------------------------------------


def tampered(seed: int, number: int) -> bytes:
    """A file with a few changes, the same for the same numbers."""
    random = Random(f"{seed} {number}")  # noqa: S311 - which input is tried is no secret
    body = random.choice(originals())
    return random.choice(_WAYS)(random, body)


def _bytes_of_footer(random: Random, body: bytes) -> bytes:
    footer = of_bytes(body)
    return _closed(body[: footer.start], _scratched(random, footer.raw))


def _bytes_of_data(random: Random, body: bytes) -> bytes:
    start = of_bytes(body).start
    return _scratched(random, body[:start]) + body[start:]


def _structure(random: Random, body: bytes) -> bytes:
    footer = of_bytes(body)
    whole, _ = thrift.decode(footer.raw)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        _change(random, whole, len(body))
    return _closed(body[: footer.start], thrift.encode(whole))


def _claim(random: Random, body: bytes) -> bytes:
    """Another number in what is said of a column chunk, or another histogram."""
    footer = of_bytes(body)
    whole, _ = thrift.decode(footer.raw)
    chunks = [chunk for group in whole.get(4) for chunk in group.get(1)]
    if not chunks:
        return body[:-1]
    meta = random.choice(chunks).get(3)
    field = random.choice(CLAIMS)
    meta.set(field, I32 if field in (1, 4) else I64, random.choice((*NUMBERS, random.randrange(len(body)))))
    if random.random() < 0.2:
        meta.set(16, STRUCT, Struct({random.choice((2, 3)): (LIST, Many(I64, [1] * random.randrange(4)))}))
    return _closed(body[: footer.start], thrift.encode(whole))


def _page_header(random: Random, body: bytes) -> bytes:
    footer = of_bytes(body)
    chunks = [chunk for group in footer.groups() for chunk in group.chunks if chunk.start < chunk.stop]
    if not chunks:
        return body[:-1]
    at = random.choice(chunks).start
    header, end = thrift.decode(body, at)
    _change(random, header, len(body))
    changed = thrift.encode(header)
    return body[:at] + changed + body[max(end, at + len(changed)) if random.random() < 0.5 else end :]


def _ending(random: Random, body: bytes) -> bytes:
    """Cut, or with another length of its footer, or with two of them."""
    cut = body[: random.randrange(len(body))]
    length = random.choice((0, 1, len(body), 2**31, 2**32 - 1, random.randrange(len(body))))
    return random.choice((cut, cut + body[-8:], body[:-8] + length.to_bytes(4, "little") + MAGIC, body + body[-60:]))


def _scratched(random: Random, body: bytes) -> bytes:
    out = bytearray(body)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        at, other = random.randrange(len(out) + 1), random.randrange(len(out) + 1)
        piece = out[other : other + random.randrange(1, 40)]
        huge = random.choice(HUGE)
        way = random.randrange(6)
        if way == 0 and at < len(out):
            out[at] ^= 1 << random.randrange(8)
        elif way == 1:
            out[at : at + 1] = random.randbytes(1)
        elif way == 2:
            del out[at : at + random.randrange(1, 9)]
        elif way == 3:
            out[at:at] = piece
        elif way == 4:
            out[at : at + len(piece)] = piece
        else:
            out[at : at + len(huge)] = huge
    return bytes(out)


def _closed(data: bytes, raw: bytes) -> bytes:
    return b"".join((data, raw, len(raw).to_bytes(4, "little"), MAGIC))


_WAYS: tuple[Callable[[Random, bytes], bytes], ...] = (
    _bytes_of_footer,
    _bytes_of_footer,
    _structure,
    _structure,
    _claim,
    _claim,
    _page_header,
    _page_header,
    _bytes_of_data,
    _ending,
)


def _change(random: Random, struct: Struct, size: int) -> None:
    """Change one field, list or number somewhere in a struct."""
    holder, number = random.choice(list(_places(struct)))
    kind, value = holder.fields[number]
    if random.random() < 0.15:
        holder.drop(number)
    elif kind in (thrift.I16, I32, I64):
        near = (value + 1, value - 1, value * 2, size, size - 8, random.randrange(size))
        holder.fields[number] = (kind if random.random() < 0.9 else I32, _as_long(random.choice((*NUMBERS, *near))))
    elif kind == BINARY:
        texts = (b"", b"\xff\xfe", value * 2, value[1:], b"x" * 5_000, b"\0", random.randbytes(8))
        holder.fields[number] = (kind, random.choice(texts))
    elif isinstance(value, Many):
        holder.fields[number] = (kind, _relisted(random, value))
    else:
        holder.fields[number] = random.choice(((I32, 3), (BINARY, b"x"), (LIST, Many(I32, [1, 2])), (STRUCT, Struct())))


def _as_long(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


def _relisted(random: Random, value: Many) -> Many:
    members = list(value.members)
    way = random.randrange(4)
    if way == 0 and members:
        members.pop(random.randrange(len(members)))
    elif way == 1 and members:
        members.insert(random.randrange(len(members)), random.choice(members))
    elif way == 2:
        random.shuffle(members)
    else:
        members = members * random.randrange(3)
    return Many(value.of, members)


def _places(struct: Struct) -> Iterator[tuple[Struct, int]]:
    """Every field of a struct and of those within it."""
    for number, (_, value) in struct.fields.items():
        yield struct, number
        for each in [value, *value] if isinstance(value, Many) else [value]:
            if isinstance(each, Struct):
                yield from _places(each)


# --- what has to hold ------------------------------------------------------------------------------------------------


def check(body: bytes) -> bool:
    """Whatever the file: it is refused as Corrupt, or holds together. Whether a table came of it."""
    source = BytesSource(body, "tampered")
    try:
        footer = Footer.located(source)
        whole, end = thrift.decode(footer.raw)
    except Corrupt:
        return _read(source)
    again, stop = thrift.decode(thrift.encode(whole))
    assert (again, stop) == (whole, len(thrift.encode(whole)))
    assert end <= len(footer.raw)
    _look(source)
    return _read(source)


def _read(source: BytesSource) -> bool:
    """As a file of others."""
    try:
        file = TableFile.foreign(source)
    except Corrupt:
        return False
    assert file.footer.marks is None
    assert all(len(file.claimed(column)) == file.num_groups for column in file.schema.names)
    table, refusal = _table(file)
    if table is None:
        assert "alloc" not in refusal, refusal  # more was asked for than there is
        return False
    table.validate()
    assert table.num_rows == file.num_rows == sum(file.footer.rows)
    assert table.schema.equals(file.schema)
    for group in file.footer.groups():
        assert thrift.decode(group.to_bytes())[0].get(3) == group.rows
    return True


def _table(file: TableFile) -> tuple[pa.Table | None, str]:
    try:
        groups = [file.read([number], most=MOST) for number in range(file.num_groups)]
    except Corrupt as error:
        return None, str(error)
    return pa.concat_tables([file.schema.empty_table(), *groups]), ""


def _look(source: BytesSource) -> None:
    """As one of Towline's own: its footer is taken apart, and put together again."""
    try:
        footer = Footer.read(source)
        _ = footer.marks, footer.rows, footer.metadata, footer.elements
        raws = [footer.raw_group(number) for number in range(len(footer.spans))]
        groups = footer.groups()
        made = of_bytes(MAGIC + footer.with_groups(raws, footer.num_rows, {"towline.number": "2"}))
    except Corrupt:
        return
    assert made.num_rows == footer.num_rows
    assert [made.raw_group(number) for number in range(len(groups))] == raws
    assert made.metadata["towline.number"] == "2"


# --- the process -----------------------------------------------------------------------------------------------------


def run(seed: int, seconds: float, place: Path) -> dict[str, Any]:
    originals()
    check(originals()[0])
    limit(2**30)
    before, deadline = resident(), time.monotonic() + seconds
    number, read, slowest = 0, 0, 0.0
    with place.open("wb", buffering=0) as file:
        while time.monotonic() < deadline:
            os.pwrite(file.fileno(), str(number).encode(), 0)
            begun = time.monotonic()
            read += check(tampered(seed, number))
            slowest = max(slowest, time.monotonic() - begun)
            number += 1
    return {"cases": number, "read": read, "slowest": slowest, "grown": resident() - before}


def limit(more: int) -> None:
    """No more address space than there is, and `more` bytes: a claim of terabytes fails at once."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def start(seed: int, seconds: float, place: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.core.fuzzing", str(seed), str(seconds), str(place)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=seconds + 120)


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))))
