"""The manifest of a dataset: an entry for each ingest, an object each, and the same compacted.

An entry is written once and stays: it is the truth. Under the fingerprint of its bytes alone lies the entry of the
first file that brought them to bronze, which so claims them; all others have their ingest's id in their key. `compact`
gathers entries in lines, for readers that would rather ask for ten thousand at a time, and for SQL. Whoever reads takes
the lines, and the entries that are in none of them yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from towline import keys
from towline.errors import Contended, Corrupt, NotFound, PreconditionFailed
from towline.ingest.entry import Entry, ingest_time
from towline.store import ABSENT, MIB, ObjectStore, folders
from towline.store import Entry as Listed

AT_ONCE = 8  # entries that are read together
LINES_MAX, BYTES_MAX = 10_000, 16 * MIB  # of an object of lines
# Few lines make no object of their own, unless they have waited for so long.
WORTHWHILE, PATIENCE = 1_000, timedelta(minutes=10)
# An object may be seen later than its time says, by as long as writing it took. S3 answers or drops it in minutes.
_LATE = timedelta(hours=1)
# Metadata of lines: the entries that were written before are in these lines, or in older ones.
_COMPLETE = "complete-until"


def key_of(entry: Entry) -> str:
    return keys.entry(entry.dataset, entry.fingerprint, "" if entry.claims else entry.ingest)


def read(store: ObjectStore, key: str) -> Entry | None:
    """The entry under a key; None: there is none. Corrupt: it cannot be read."""
    try:
        return Entry.of_line(store.get(key).body, key)
    except NotFound:
        return None


def record(store: ObjectStore, entry: Entry) -> Entry:
    """Write an entry where there is none. Returns what is there then: it, or what was before."""
    key = key_of(entry)
    try:
        store.put(key, entry.to_line(), when=ABSENT, content_type="application/json")
    except PreconditionFailed as error:
        there = read(store, key)
        if there is None:
            raise Contended(f"another write of {key} interfered, and nothing was written: deliver it again") from error
        return there
    return entry


def entries(store: ObjectStore, dataset: str, since: datetime | None = None) -> list[Entry]:
    """The manifest, one entry an ingest, in their order; `since`: as of `scan`."""
    found: dict[str, Entry] = {}
    for entry in scan(store, dataset, since):
        # Two workers may come to different ends with one file while a pipeline is replaced: what is in bronze counts.
        if entry.ingest not in found or entry.is_new:
            found[entry.ingest] = entry
    return [found[ingest] for ingest in sorted(found)]


def scan(store: ObjectStore, dataset: str, since: datetime | None = None) -> Iterator[Entry]:
    """The manifest in no order, as it is read: with a million entries some 200 MB are held. `since`: at least those
    that were written from then on, by the store's clock, which takes no reading of older lines."""
    seen: set[str] = set()
    for entry in compacted(store, dataset, since):
        if (key := key_of(entry)) not in seen:
            seen.add(key)
            yield entry
    for batch in _batches(waiting(store, dataset, since, seen)):
        yield from _read(store, batch)


def find(store: ObjectStore, dataset: str, ingest: str) -> Entry | None:
    """The entry of an ingest of which nothing else is known. Reads all that was written since its file."""
    written = scan(store, dataset, ingest_time(ingest))
    return next((entry for entry in written if entry.ingest == ingest), None)


def datasets(store: ObjectStore) -> Iterator[str]:
    """The datasets that have a manifest: a request each."""
    return folders(store, keys.MANIFESTS)


def compact(store: ObjectStore, dataset: str, now: datetime, worthwhile: int = WORTHWHILE) -> int:
    """Gather entries that are in no lines yet; how many. `now` is roughly the store's time. Two that compact at once do
    no harm: lines are written where there are none, and who comes second leaves the rest to the next run."""
    number, complete = _newest(store, dataset)
    seen = {key_of(entry) for entry in compacted(store, dataset, complete)}
    todo, gathered = _batches(waiting(store, dataset, complete, seen)), 0
    batch = next(todo, [])
    while _is_due(batch, now, worthwhile):
        following = next(todo, [])
        until = complete if following else now - _LATE
        number += 1
        if not _gather(store, dataset, number, _read(store, batch), until):
            break  # others are at it
        gathered, batch = gathered + len(batch), following
    return gathered


def compacted(store: ObjectStore, dataset: str, since: datetime | None = None) -> Iterator[Entry]:
    """The entries in the lines; at least those that were written since."""
    for listed in store.list(keys.lines(dataset)):
        if since is None or listed.modified >= since:
            for line in store.get(listed.key).body.splitlines():
                yield Entry.of_line(line, listed.key)


def waiting(store: ObjectStore, dataset: str, since: datetime | None, seen: Collection[str]) -> Iterator[Listed]:
    """The entries that are not among those with the keys `seen`."""
    for listed in store.list(keys.entries(dataset)):
        if (since is None or listed.modified >= since) and listed.key not in seen:
            yield listed


def _newest(store: ObjectStore, dataset: str) -> tuple[int, datetime | None]:
    """The number of the last lines, and the time before which all entries are in lines; None: it is not known."""
    lines = list(store.list(keys.lines(dataset)))
    if not lines:
        return 0, None
    last = lines[-1]
    said = store.head(last.key).metadata.get(_COMPLETE)
    try:
        return int(last.key.rsplit("/", 1)[1].removesuffix(".jsonl")), datetime.fromisoformat(said) if said else None
    except ValueError as error:
        raise Corrupt(f"{last.key} is no lines of a manifest ({error}): take it away") from error


def _is_due(batch: list[Listed], now: datetime, worthwhile: int) -> bool:
    if not batch:
        return False
    return len(batch) >= worthwhile or now - min(listed.modified for listed in batch) > PATIENCE


def _gather(store: ObjectStore, dataset: str, number: int, found: Iterable[Entry], until: datetime | None) -> bool:
    """Write lines; False: others have."""
    body = b"".join(entry.to_line() for entry in sorted(found, key=lambda entry: entry.ingest))
    said = {} if until is None else {_COMPLETE: until.isoformat(timespec="seconds")}
    try:
        store.put(keys.lines(dataset, number), body, when=ABSENT, metadata=said, content_type="application/x-ndjson")
    except PreconditionFailed:
        return False
    return True


def _batches(listed: Iterable[Listed]) -> Iterator[list[Listed]]:
    """Entries that are gathered or read together."""
    batch, size = list[Listed](), 0
    for each in listed:
        if batch and (len(batch) == LINES_MAX or size + each.size > BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.size
    if batch:
        yield batch


def _read(store: ObjectStore, batch: list[Listed]) -> list[Entry]:
    with ThreadPoolExecutor(AT_ONCE, "entries") as pool:
        return list(pool.map(lambda listed: Entry.of_line(store.get(listed.key).body, listed.key), batch))
