"""Files on the local stack: how long from a file that is sent to its line in the manifest, and to its sample.

    uv run python bench/files.py [--files 1000] [--alone 50]

`--files` mixed files (bench/mixed.py) are sent as fast as eight senders can, and wait for each other; `--alone` more
come one at a time, with a second between them, and wait for nobody.

Beside it, in the same run and on the same S3, what a script would do: boto3 in a loop that copies each object to where
it is kept, and appends a line to a list in memory. It looks into no file, knows no duplicate, forgets everything when
it is killed, and is told of each file at once by the sender; it is here because it is the least that keeping a file can
cost.

Times are those of the stack's own log of requests: from the answer to the sender's PUT to the answer to the PUT of the
entry, or of the sample.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from bench import mixed
from bench.mixed import File
from towline import keys
from towline.aws.s3 import S3Store
from towline.ingest import manifest
from towline.ingest.entry import BRONZE, Entry
from towline.ingest.sampled import missing
from towline.local import stack
from towline.local.deploy import Clients
from towline.local.stack import StackInfo, Start
from towline.sampling.sample import ENDINGS

SENDERS, PATIENCE = 8, 900.0
PLAIN, KEPT = "plain/raw/", "plain/kept/"
RAW, ENTRIES = f"{keys.RAW}{mixed.DATASET}/", keys.entries(mixed.DATASET)
_PUT = re.compile(r"(\S+) PUT /[^/]+/(\S+) 200 ")

Moments = Mapping[str, float]  # key -> seconds since 1970 at which its first PUT was answered


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--alone", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="towline-bench-") as folder:
        log = Path(folder) / "requests.log"
        os.environ["TOWLINE_REQUEST_LOG"] = str(log)
        info = stack.start(Path(folder) / "data", Start(port=0, app=False))
        try:
            measure(info, log, options.files, options.alone)
        finally:
            stack.stop(Path(folder) / "data")


def measure(info: StackInfo, log: Path, count: int, alone: int) -> None:
    s3 = Clients(info.endpoint)("s3")
    store = S3Store(s3, info.bucket)
    many = list(mixed.files(count))
    few = list(mixed.files(alone, first=count))
    plain = script(s3, info.bucket, many)
    send(s3, info.bucket, many)
    entries = accounted(store, many)
    for file in few:
        s3.put_object(Bucket=info.bucket, Key=file.key, Body=file.body)
        time.sleep(1)
    entries |= accounted(store, few)
    print(f"{count:,} files, {sum(len(file.body) for file in many) / 1e6:.1f} MB, {os.cpu_count()} cores")
    print(", ".join(f"{n:,} {status}" for status, n in Counter(entries[file.key].status for file in many).items()))
    report(moments(log), entries, many, few, plain)


def report(
    put: Moments, entries: Mapping[str, Entry], many: Sequence[File], few: Sequence[File], plain: Moments
) -> None:
    print("\n| | files a second | median, s | p99, s |\n|---|---|---|---|")
    sent = {file.key: put[PLAIN + file.name] for file in many}
    row("a loop of boto3: copied, a line in memory", sent, {file.key: plain[file.name] for file in many})
    for label, files in (("at once", many), ("one a second", few)):
        sent = {file.key: put[file.key] for file in files}
        row(f"{label}: in the manifest", sent, {key: put[manifest.key_of(entries[key])] for key in sent})
        shown = {key: put[sample_of(entries[key], put)] for key in sent if entries[key].status == BRONZE}
        row(f"{label}: sampled", {key: sent[key] for key in shown}, shown)


def row(label: str, sent: Moments, done: Moments) -> None:
    took = sorted(done[key] - sent[key] for key in sent)
    pace = len(took) / (max(done.values()) - min(sent.values()))
    print(f"| {label} | {pace:.1f} | {statistics.median(took):.2f} | {took[int(len(took) * 0.99)]:.2f} |")


def send(
    s3: Any, bucket: str, files: Iterable[File], place: str = "", then: Callable[[File], None] = lambda file: None
) -> None:
    """Send files, eight at a time. `place`: a prefix instead of the file's own."""

    def one(file: File) -> None:
        s3.put_object(Bucket=bucket, Key=place + file.name if place else file.key, Body=file.body)
        then(file)

    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(one, files))


def script(s3: Any, bucket: str, files: Sequence[File]) -> Moments:
    """What a script would do, told of each file by its sender: when each was kept, by name."""
    arrived: queue.Queue[File | None] = queue.Queue()
    lines: list[str] = []
    kept: dict[str, float] = {}

    def keep() -> None:
        while (file := arrived.get()) is not None:
            source = {"Bucket": bucket, "Key": PLAIN + file.name}
            s3.copy_object(Bucket=bucket, Key=KEPT + file.name, CopySource=source)
            lines.append(json.dumps({"raw": source["Key"], "kept": KEPT + file.name, "size": len(file.body)}))
            kept[file.name] = time.time()

    keeper = threading.Thread(target=keep)
    keeper.start()
    send(s3, bucket, files, PLAIN, arrived.put)
    arrived.put(None)
    keeper.join()
    assert len(lines) == len(files)
    return kept


def accounted(store: S3Store, files: Sequence[File]) -> dict[str, Entry]:
    """The entry of each file, by its raw key, when all that landed have one, and all in bronze a sample. Until then
    that is seen from listings: reading the entries would take from those that are at work."""
    wanted, deadline = {file.key for file in files}, time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(1)
        landed, told = (sum(1 for _ in store.list(prefix)) for prefix in (RAW, ENTRIES))
        if told >= landed and not list(missing(store, mixed.DATASET)):
            return {entry.raw: entry for entry in manifest.scan(store, mixed.DATASET) if entry.raw in wanted}
    raise SystemExit(f"after {PATIENCE:.0f} s {landed - told:,} files are not in the manifest")


def sample_of(entry: Entry, put: Moments) -> str:
    return next(key for ending in ENDINGS if (key := keys.sample(entry.bronze) + ending) in put)


def moments(log: Path) -> Moments:
    """When each key was first put, by the stack's log of requests."""
    found: dict[str, float] = {}
    for line in log.read_text().splitlines():
        if put := _PUT.match(line):
            found.setdefault(unquote(put[2]), datetime.fromisoformat(put[1]).timestamp())
    return found


if __name__ == "__main__":
    main()
