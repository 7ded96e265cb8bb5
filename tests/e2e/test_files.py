"""Mixed files dropped into raw/ of a real local stack, which is killed in the middle: not one of them is lost.

TOWLINE_FILES=1000 drops a thousand.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import mixed
from bench.mixed import File
from datasets.golf_rounds import generate
from tests.local_stack import PROJECT, again, client, eventually, kill, outputs, running
from towline import keys
from towline.aws.s3 import S3Store
from towline.errors import TowlineError
from towline.ingest import manifest, places
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED, Entry
from towline.ingest.sampled import find, missing
from towline.local import stack as stacks
from towline.local.stack import StackInfo
from towline.pipeline import inventory, registry
from towline.store import ObjectStore

GOLF = "golf_rounds"
COUNT = int(os.environ.get("TOWLINE_FILES", "60"))
PATIENCE, PAUSE = 30 + COUNT / 5, 0.2  # seconds
DATASETS = (mixed.DATASET, GOLF)


def rounds() -> Iterator[File]:
    """Files of a dataset that has a pipeline; of the last, a header is not what it wants."""
    for number in range(4):
        course, table = generate.file(number, 3)
        kind = generate.KINDS[number % 2]
        yield Round(f"{course.name}/{number}.{kind}", generate.body(table, kind))
    yield Round("cedarhollow/no id.csv", generate.broken()["no-id.csv"], QUARANTINED)


class Round(File):
    @property
    def key(self) -> str:
        return f"{keys.RAW}{GOLF}/{self.name}"


def store_of(info: StackInfo) -> S3Store:
    return S3Store(client(info, "s3"), info.bucket)


def drop(store: ObjectStore, file: File) -> bool:
    """Send a file; whether the stack said that it has it."""
    try:
        store.put(file.key, file.body)
    except TowlineError:
        return False
    return True


def count(store: ObjectStore) -> int:
    """How many entries there are, which is quickly told."""
    return sum(1 for dataset in DATASETS for _ in store.list(keys.entries(dataset)))


def told(store: ObjectStore) -> list[Entry]:
    return [entry for dataset in DATASETS for entry in manifest.scan(store, dataset)]


def is_sampled(store: ObjectStore) -> bool:
    """Whether there is a sample for each bronze file, which is quickly told, too."""
    return not any(True for dataset in DATASETS for _ in missing(store, dataset))


def test_every_file_is_accounted_for_though_the_stack_is_killed_in_the_middle(tmp_path: Path) -> None:
    files = [*rounds(), *mixed.files(COUNT)]
    half = len(files) // 2
    with running(tmp_path, PROJECT) as info, ThreadPoolExecutor(8) as senders:
        store = store_of(info)
        assert all(senders.map(lambda file: drop(store, file), files[:half]))
        eventually(lambda: count(store) > half // 4, PATIENCE)
        sending = [senders.submit(drop, store, file) for file in files[half:]]
        eventually(lambda: any(each.done() for each in sending))
        kill(info)
        sent = [each.result() for each in sending]
        up = stacks.start(tmp_path, again(info, PROJECT))
        lost = [file for file, is_there in zip(files[half:], sent, strict=True) if not is_there]
        assert all(senders.map(lambda file: drop(store_of(up), file), lost))
        judge(up, files)


def judge(info: StackInfo, files: list[File]) -> None:
    store = store_of(info)
    eventually(lambda: count(store) >= len(files), PATIENCE, PAUSE)
    eventually(lambda: {entry.raw for entry in told(store)} == {file.key for file in files}, PATIENCE, PAUSE)
    eventually(lambda: is_sampled(store), PATIENCE, PAUSE)
    entries = told(store)
    # A put that was never answered may have happened, and was sent again: that is a version more, and an ingest more
    # where a second passed between the two.
    versions = {(entry.raw, entry.version) for entry in entries}
    assert len(versions) == len(entries), Counter(entry.raw for entry in entries).most_common(3)
    bodies = {file.key: file.body for file in files}
    refused = {file.key for file in files if file.expected == QUARANTINED}
    assert {entry.raw for entry in entries if entry.status == QUARANTINED} == refused
    # Which of two equal files is the duplicate is up to which came first.
    first = [entry for entry in entries if entry.status == BRONZE]
    sound = {(file.key.split("/")[1], file.body) for file in files if file.key not in refused}
    assert Counter((entry.dataset, bodies[entry.raw]) for entry in first) == Counter(sound)
    kept = {entry.bronze for entry in first}
    assert kept == {listed.key for listed in store.list(keys.BRONZE)}, "a bronze file for each entry, and no other"
    with ThreadPoolExecutor(8) as readers:
        assert all(readers.map(lambda entry: is_whole(store, entry, bodies[entry.raw], kept), entries))
    loaded(store)
    nothing_failed(info)


def is_whole(store: ObjectStore, entry: Entry, body: bytes, kept: set[str]) -> bool:
    """Bronze, byte for byte, and a sample; or the same in quarantine, with the reasons."""
    if entry.status == QUARANTINED:
        report = json.loads(store.get(places.report(entry.dataset, entry.ingest)).body)
        return store.get(entry.quarantine).body == body and tuple(report["reasons"]) == entry.reasons != ()
    if entry.status == DUPLICATE:
        return entry.bronze in kept
    blob = store.get(entry.bronze)
    return blob.body == body and find(store, entry.bronze, blob.stat.etag) is not None


def loaded(store: ObjectStore) -> None:
    """What has a pipeline is in silver, all of it."""
    package = registry.package(GOLF)
    assert package is not None
    wanted = {entry.ingest for entry in manifest.scan(store, GOLF) if entry.status == BRONZE}
    assert len(wanted) == 4
    eventually(lambda: inventory.read(store, keys.SILVER, GOLF).loaded.keys() == wanted, PATIENCE, PAUSE)


def nothing_failed(info: StackInfo) -> None:
    """No message ended among the dead letters."""
    found = outputs(info)
    for name in ("Ingest", "Sample", "Load"):
        asked = {"QueueUrl": found[f"{name}DeadLettersUrl"], "AttributeNames": ["ApproximateNumberOfMessages"]}
        attributes = client(info, "sqs").get_queue_attributes(**asked)["Attributes"]
        assert attributes["ApproximateNumberOfMessages"] == "0", name
