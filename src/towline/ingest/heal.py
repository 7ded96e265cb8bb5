"""What Reconcile does for files: what an event was lost of is found by listing, and the manifest is compacted.

    raw objects and retries that no entry tells of      sent to the ingest queue again
    bronze objects that no entry names                  the raw version that they are copies of, too: an ingest that
                                                        died between copy and entry, whose raw object is gone since, or
                                                        a copy of a duplicate, which is taken back then

Nothing is asked of an object that is in order: its key, ETag and time are in the listing, and in its entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from towline import keys
from towline.errors import NotFound, TowlineError
from towline.inbox import Arrival
from towline.ingest import manifest, places
from towline.ingest.entry import Entry
from towline.ingest.retrying import request_name
from towline.store import Entry as Listed
from towline.store import ObjectStore
from towline.workbench import Workbench


@dataclass(frozen=True)
class Healed:
    """`unseen` are to be sent to the ingest queue. `gathered`: dataset -> entries that were compacted. `problems` need
    a person."""

    unseen: tuple[Arrival, ...]
    gathered: dict[str, int]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        return {
            "unseen": [arrival.key for arrival in self.unseen],
            "gathered": self.gathered,
            "problems": list(self.problems),
        }


def heal(bench: Workbench, since: datetime | None = None, until: datetime | None = None) -> Healed:
    """Find what fell by the way among what was written from `since` (None: ever) up to `until` (None: now), and compact
    the manifests. Requests: one for each thousand objects below raw/, bronze/ and manifests/, and few more."""
    unseen: list[Arrival] = []
    problems: list[str] = []
    gathered: dict[str, int] = {}
    for dataset, landed in _landed(bench.store, since, until).items():
        try:
            unseen += _unseen(bench.store, landed, manifest.scan(bench.store, dataset, since), problems)
        except TowlineError as error:
            problems.append(f"{dataset}: {error}")
    for dataset in manifest.datasets(bench.store):
        try:
            gathered |= {dataset: count} if (count := manifest.compact(bench.store, dataset, bench.clock())) else {}
        except TowlineError as error:
            problems.append(f"{dataset}: {error}")
    return Healed(tuple(unseen), gathered, tuple(problems))


def _landed(store: ObjectStore, since: datetime | None, until: datetime | None) -> dict[str, list[Listed]]:
    """By dataset: what was written in that time and needs an entry."""
    landed: dict[str, list[Listed]] = defaultdict(list)
    for prefix in (keys.RAW, keys.BRONZE, keys.RETRIES):
        for listed in store.list(prefix):
            if listed.is_between(since, until) and (dataset := _dataset(listed.key)):
                landed[dataset].append(listed)
    return landed


def _dataset(key: str) -> str | None:
    """The dataset of what needs an entry; None for any other key."""
    if key.startswith(keys.RAW):
        raw = keys.parse_raw(key)
        return None if raw is None or raw.is_incomplete else raw.dataset
    if key.startswith(keys.RETRIES):
        asked = keys.parse_retry(key)
        return asked[0] if asked else None
    return key.split("/")[1]


def _unseen(
    store: ObjectStore, landed: Iterable[Listed], known: Iterable[Entry], problems: list[str]
) -> Iterator[Arrival]:
    """What of `landed` the entries do not tell of."""
    told: set[object] = set()
    for entry in known:
        told |= {(entry.raw, entry.etag, int(entry.mtime)), entry.bronze, entry.retry}
    for listed in landed:
        if listed.key.startswith(keys.RAW):
            if (listed.key, listed.etag, int(listed.modified.timestamp())) not in told:
                yield Arrival(listed.key, None, listed.etag, listed.size)
        elif listed.key.startswith(keys.RETRIES):
            arrival = _exact(store, listed)
            if arrival and request_name(arrival) not in told:
                yield arrival
        elif listed.key not in told and (arrival := _origin(store, listed, problems)):
            yield arrival


def _exact(store: ObjectStore, listed: Listed) -> Arrival | None:
    """The listed object with its version; None: it is gone since."""
    try:
        stat = store.head(listed.key)
    except NotFound:
        return None
    return Arrival(stat.key, stat.version, stat.etag, stat.size)


def _origin(store: ObjectStore, listed: Listed, problems: list[str]) -> Arrival | None:
    """The raw version that a bronze object is a copy of; None: it is gone since, or does not tell, which is a
    problem."""
    try:
        stat = store.head(listed.key)
    except NotFound:
        return None
    if places.RAW not in stat.metadata:
        problems.append(f"{listed.key} is named by no entry, and does not say whose copy it is: look, and delete it")
        return None
    return Arrival(stat.metadata[places.RAW], stat.metadata.get(places.RAW_VERSION), stat.etag, stat.size)
