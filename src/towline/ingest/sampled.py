"""Samples of bronze files: made once a version, found again, and missed where one is not there.

A sample lies under the key of its bronze file, with an ending behind it where it is a listing, or words on a file that
cannot be shown. Its metadata has the ETag of what it was made of: of an object that has not changed there is nothing to
do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from towline import keys
from towline.errors import PreconditionFailed
from towline.inbox import Arrival
from towline.objects import ObjectSource
from towline.sampling.bounds import ROWS
from towline.sampling.sample import ENDINGS, Sample, ending, sample
from towline.store import ABSENT, ALWAYS, ObjectStore, Precondition, Stat, stat_of
from towline.store import Entry as Listed
from towline.workbench import Workbench

ETAG = "bronze-etag"
_REASON_MAX = 150  # characters of a reason that go into metadata
_WRITTEN = re.compile(r"/ingest_date=(\d{4}-\d\d-\d\d)/(\d\d)(\d\d)(\d\d)[^/]*\Z")


def sampled(bench: Workbench, arrival: Arrival) -> Stat | None:
    """Write the sample of a bronze object; twice does no harm. None: it has one, or is none that has samples (a folder
    marker). NotFound: the version is gone.

    It is looked for where the file's name promises it, so that a second delivery costs a request. Another place, of a
    file that is not what its name says, is known when the sample is made, and written to only where nothing is."""
    if not is_bronze(arrival.key):
        return None
    stat = _told(bench.store, arrival)
    if _is_of(stat_of(bench.store, f"{keys.sample(stat.key)}{ending(stat.key)}"), stat):
        return None
    made = make(bench.store, stat)
    key = keys.sample(stat.key, made.name)
    try:
        return _put(bench.store, key, made, stat, ABSENT)
    except PreconditionFailed:
        return None if _is_of(stat_of(bench.store, key), stat) else _put(bench.store, key, made, stat, ALWAYS)


def make(store: ObjectStore, stat: Stat, rows: int = ROWS) -> Sample:
    """The sample of an object, wherever it lies; nothing is written."""
    source = ObjectSource(store, stat.key, stat.version, stat.size)
    return sample(source, stat.key.rsplit("/", 1)[-1], rows=rows, modified=_written(stat))


def find(store: ObjectStore, bronze: str, etag: str) -> Stat | None:
    """The sample of a bronze object with this ETag; None: there is none yet."""
    for behind in ENDINGS:
        found = stat_of(store, f"{keys.sample(bronze)}{behind}")
        if found is not None and found.metadata.get(ETAG) == etag:
            return found
    return None


def missing(
    store: ObjectStore, dataset: str, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Arrival]:
    """The bronze objects of a dataset, written from `since` (None: ever) up to `until` (None: now), that have no sample
    at all: of each thousand objects below bronze/ and samples/ a request. The keys of all samples are held."""
    there = {listed.key for listed in store.list(f"{keys.SAMPLES}{dataset}/")}
    for listed in store.list(f"{keys.BRONZE}{dataset}/"):
        if listed.is_between(since, until) and is_bronze(listed.key) and not _has_sample(listed, there):
            yield Arrival(listed.key, None, listed.etag, listed.size)


def is_bronze(key: str) -> bool:
    """Whether a key is a bronze file's."""
    return key.startswith(keys.BRONZE) and key.count("/") > 1 and not key.endswith("/")


def _has_sample(listed: Listed, there: set[str]) -> bool:
    return any(f"{keys.sample(listed.key)}{behind}" in there for behind in ENDINGS)


def _told(store: ObjectStore, arrival: Arrival) -> Stat:
    """What is known of a bronze object: its event and its key tell all that matters here, as a rule."""
    named = _named(arrival.key)
    if named and arrival.version and arrival.etag and arrival.size:
        return Stat(arrival.key, arrival.size, arrival.etag, arrival.version, named, {})
    return store.head(arrival.key, version=arrival.version)


def _is_of(sample: Stat | None, bronze: Stat) -> bool:
    """Whether a sample was made of this object."""
    return sample is not None and sample.metadata.get(ETAG) == bronze.etag


def _put(store: ObjectStore, key: str, made: Sample, bronze: Stat, when: Precondition) -> Stat:
    about = {ETAG: bronze.etag, **{name: value[:_REASON_MAX] for name, value in made.about.items()}}
    return store.put(key, made.body, when=when, metadata=about, content_type=made.content_type)


def _written(stat: Stat) -> str:
    """When the raw file of a bronze object was written: its key says so. Of others, when they were."""
    return f"{_named(stat.key) or stat.modified:%Y-%m-%dT%H:%M:%SZ}"


def _named(key: str) -> datetime | None:
    """The time (UTC) that a bronze key says."""
    with suppress(ValueError):  # of a key that somebody else made up
        if found := _WRITTEN.search(key):
            return datetime.fromisoformat("{}T{}:{}:{}+00:00".format(*found.groups()))
    return None
