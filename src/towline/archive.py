"""The archive: snapshots and audit records that `prune` moved, found by the keys that they had before.

Whatever reads history asks for an object where it was written; only where it is not there any more does it ask the
archive, with one request more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from towline import keys
from towline.errors import NotFound
from towline.keys import Layout
from towline.store import Blob, Entry, ObjectStore, Stat
from towline.workbench import Workbench

Found = TypeVar("Found")


def get(store: ObjectStore, layout: Layout, key: str, tail: int | None = None) -> Blob:
    """A snapshot or an audit record, or its last bytes, wherever it is now. NotFound: it is nowhere."""
    return _either(lambda where: store.get(where, tail=tail), layout, key)


def head(store: ObjectStore, layout: Layout, key: str) -> Stat:
    """What is known of a snapshot or an audit record without reading it. NotFound as in `get`."""
    return _either(store.head, layout, key)


def records(bench: Workbench, dataset: str, since: datetime | None = None) -> Iterator[Entry]:
    """Every audit record of a dataset (of the day of `since`, UTC, and later ones), in both places. One that is being
    moved may be in both, and is in neither at no time: the copy is made first, and looked for last."""
    folder, moved = f"{bench.layout.audit}{dataset}/", keys.archive(dataset)
    yield from bench.store.list(folder, after=f"{folder}{since:%Y-%m-%d}" if since else None)
    yield from _records(bench, bench.store.list(moved, after=f"{moved}{since:%Y%m%d}" if since else None))


def records_of_day(bench: Workbench, dataset: str, day: datetime) -> Iterator[Entry]:
    """The audit records of one day (UTC), in both places."""
    yield from bench.store.list(f"{bench.layout.audit}{dataset}/{day:%Y-%m-%d}/")
    yield from _records(bench, bench.store.list(f"{keys.archive(dataset)}{day:%Y%m%d}/"))


def _records(bench: Workbench, archived: Iterable[Entry]) -> Iterator[Entry]:
    return (entry for entry in archived if bench.layout.home(entry.key).startswith(bench.layout.audit))


def is_same(store: ObjectStore, one: Stat, other: Stat) -> bool:
    """Whether two objects hold the same bytes. S3's ETags tell where they are equal; else (of parts, of KMS) a look."""
    if one.size != other.size:
        return False
    return one.etag == other.etag or _body(store, one) == _body(store, other)


def _body(store: ObjectStore, stat: Stat) -> bytes:
    return store.get(stat.key, version=stat.version).body


def _either(read: Callable[[str], Found], layout: Layout, key: str) -> Found:
    try:
        return read(key)
    except NotFound:
        moved = layout.archived(key)
        if moved is None:
            raise
        return read(moved)
