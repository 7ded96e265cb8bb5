"""Files that lie, brought to every door in a process of its own, whose memory is limited and measured.

    python -m tests.core.hostile DIRECTORY

prints {"answers": {door: {lie: [error, message, seconds]}}, "grown": bytes}; an error is null where there was none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.core.forged import LIES, ROWS, honest
from tests.core.fuzzing import limit, resident
from tests.core.nets import CONTRACT, NAME, Nets
from towline import concatenation, flatten, history, keys, parts
from towline.errors import Corrupt
from towline.files import read_table
from towline.memory import MemoryStore
from towline.parquet.source import BytesSource
from towline.parquet.tablefile import TableFile
from towline.partfile import PartFile

ROOT = Path(__file__).parents[2]
HONEST = "honest"
GIB = 2**30

Door = Callable[[bytes], object]


def as_file(body: bytes) -> object:
    return TableFile.foreign(BytesSource(body, "x.parquet")).table()


def as_proposal(body: bytes) -> object:
    return read_table(body, "x.parquet", CONTRACT)


def as_part(directory: Path) -> Door:
    def read(body: bytes) -> object:
        path = directory / "part"
        path.write_bytes(body)
        return list(PartFile(path, "next/part").tables(CONTRACT.fields, CONTRACT.names, 2**24))

    return read


def as_joined(body: bytes) -> object:
    """The first of two parts, which the store joins undecoded where it can; then the result is read."""
    bucket = MemoryStore()
    bucket.put("next/part", body)
    bucket.put("next/the other", honest(first=ROWS))
    found = flatten.flatten(bucket, parts.find(bucket, "next/"), "result", CONTRACT.fields, CONTRACT.key)
    assert body != honest() or not found.unfit
    return TableFile.foreign(BytesSource(bucket.get("result").body, "joined of next/part")).table()


def as_master() -> Door:
    """Put over a master; then somebody adds a row. Where it is refused, what the record says of it is raised."""
    nets = Nets()

    def read(body: bytes) -> object:
        table, commit = _table(nets), nets.commit
        draft = nets.insert(1_000 + table.num_rows, 0)
        nets.pipeline.store.put(keys.master(NAME), body)
        (receipt,) = nets.send(draft)
        external = history.log(nets.pipeline.bench, NAME)[1]
        assert (receipt.status, external["kind"], external["parent"]) == ("committed", "external", commit)
        after = _table(nets)
        if "it is no table of" not in external["note"]:
            return after
        assert external["cells_changed"] == 0
        assert after.num_rows == table.num_rows + 1
        assert after.slice(0, table.num_rows).equals(table)
        raise Corrupt(external["note"])

    return read


def _table(nets: Nets) -> pa.Table:
    head = nets.head()
    assert head is not None
    return head.table


def run(directory: Path) -> dict[str, Any]:
    doors: Mapping[str, Door] = {
        "file": as_file,
        "proposal": as_proposal,
        "part": as_part(directory),
        "joined": as_joined,
        "master": as_master(),
    }
    concatenation.LEAST = 0
    sound = honest()
    answers = {name: {HONEST: _answer(door, sound)} for name, door in doors.items()}
    limit(3 * GIB)
    before = resident()
    for lie, (forge, _) in LIES.items():
        body = forge(sound)
        for name, door in doors.items():
            answers[name][lie] = _answer(door, body)
    return {"answers": answers, "grown": resident() - before}


def _answer(door: Door, body: bytes) -> tuple[str | None, str, float]:
    begun = time.monotonic()
    try:
        door(body)
        error, message = None, ""
    except Exception as raised:
        error, message = type(raised).__name__, str(raised)
    return error, message, time.monotonic() - begun


def in_a_process(directory: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.core.hostile", str(directory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3_000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))))
