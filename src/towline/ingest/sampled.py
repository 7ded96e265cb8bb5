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
from towline.errors import NotFound
from towline.inbox import Arrival
from towline.objects import ObjectSource
from towline.sampling.bounds import ROWS
from towline.sampling.sample import ENDINGS, Sample, sample
from towline.store import Entry as Listed
from towline.store import ObjectStore, Stat
from towline.workbench import Workbench

ETAG = "bronze-etag"
_REASON_MAX = 150  # characters of a reason that go into metadata
_WRITTEN = re.compile(r"/ingest_date=(\d{4}-\d\d-\d\d)/(\d\d)(\d\d)(\d\d)[^/]*\Z")


def sampled(bench: Workbench, arrival: Arrival) -> Stat | None:
    """Write the sample of a bronze object; twice does no harm. None: it has one, or is none that has samples (a folder
    marker). NotFound: the version is gone."""
    if not is_bronze(arrival.key):
        return None
    stat = bench.store.head(arrival.key, version=arrival.version)
    if find(bench.store, stat.key, stat.etag):
        return None
    made = make(bench.store, stat)
    return bench.store.put(
        keys.sample(stat.key, made.name), made.body, metadata=_metadata(made, stat), content_type=made.content_type
    )


def make(store: ObjectStore, stat: Stat, rows: int = ROWS) -> Sample:
    """The sample of an object, wherever it lies; nothing is written."""
    source = ObjectSource(store, stat.key, stat.version, stat.size)
    return sample(source, stat.key.rsplit("/", 1)[-1], rows=rows, modified=_written(stat))


def find(store: ObjectStore, bronze: str, etag: str) -> Stat | None:
    """The sample of a bronze object with this ETag; None: there is none yet."""
    for ending in ENDINGS:
        with suppress(NotFound):
            found = store.head(f"{keys.sample(bronze)}{ending}")
            if found.metadata.get(ETAG) == etag:
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
    return any(f"{keys.sample(listed.key)}{ending}" in there for ending in ENDINGS)


def _metadata(made: Sample, stat: Stat) -> dict[str, str]:
    return {ETAG: stat.etag, **{name: value[:_REASON_MAX] for name, value in made.about.items()}}


def _written(stat: Stat) -> str:
    """When the raw file of a bronze object was written: its key says so. Of others, when they were."""
    found = _WRITTEN.search(stat.key)
    return "{}T{}:{}:{}Z".format(*found.groups()) if found else f"{stat.modified:%Y-%m-%dT%H:%M:%SZ}"
