"""A raw file that is taken in: one version of an object, what it is known by, and its bytes as far as they are asked
for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from towline import keys
from towline.errors import UsageError
from towline.inbox import Arrival
from towline.ingest.entry import Entry, ingest_id
from towline.ingest.fingerprint import fingerprint
from towline.keys import RawKey
from towline.objects import ObjectSource
from towline.parquet.source import BytesSource, Source
from towline.store import MIB, ObjectStore, Stat, TooLarge

WHOLE = 1 * MIB  # files up to this size are read whole, so that their SHA-256 is known, too


@dataclass(frozen=True)
class RawFile:
    """`stat` is the raw version's; `held` of the version whose bytes are read and copied: the raw one, or what the
    quarantine kept of it; `body` its bytes, where they came along. `retry_of` and `retry` as of an Entry."""

    store: ObjectStore
    stat: Stat
    held: Stat
    fingerprint: str
    ingest: str
    retry_of: str | None = None
    retry: str | None = None
    body: bytes | None = field(default=None, repr=False)

    @classmethod
    def open(cls, store: ObjectStore, arrival: Arrival) -> RawFile:
        """The version that arrived, by one request; of a small file it brings the bytes, too. NotFound: there is no
        such version."""
        stat, body = _opened(store, arrival)
        known_by = fingerprint(store, stat)
        return cls(store, stat, stat, known_by, ingest_id(stat, known_by), body=body)

    @cached_property
    def key(self) -> RawKey:
        found = keys.parse_raw(self.stat.key)
        if found is None:
            raise UsageError(f"{self.stat.key!r} is no raw key: it is raw/<dataset>/.../<file>")
        return found

    @cached_property
    def source(self) -> Source:
        """Its bytes; of a small file all of them are read at once."""
        held, body = self.held, self.body
        if held.size > WHOLE:
            return ObjectSource(self.store, held.key, held.version, held.size)
        if body is None:
            body = self.store.get(held.key, version=held.version, max_bytes=WHOLE).body
        return BytesSource(body, self.key.name)

    @cached_property
    def sha256(self) -> str | None:
        """Of a small file's bytes; None: they were not all read."""
        return sha256(self.source.body).hexdigest() if isinstance(self.source, BytesSource) else None

    def entry(self, status: str, at: datetime, **known: Any) -> Entry:
        """What became of it."""
        stat = self.stat
        own = {"fingerprint": self.fingerprint, "sha256": self.sha256} | known
        return Entry(
            ingest=self.ingest,
            dataset=self.key.dataset,
            raw=stat.key,
            status=status,
            mtime=stat.modified.timestamp(),
            size=stat.size,
            etag=stat.etag,
            version=stat.version,
            retry_of=self.retry_of,
            retry=self.retry,
            ingested=at.isoformat(timespec="milliseconds"),
            **own,
        )


def _opened(store: ObjectStore, arrival: Arrival) -> tuple[Stat, bytes | None]:
    """What is known of a version, and its bytes where they are few. An event that names no version may be of another
    size than what is there by now."""
    if arrival.size <= WHOLE:
        with suppress(TooLarge):
            blob = store.get(arrival.key, version=arrival.version, max_bytes=WHOLE)
            return blob.stat, blob.body
    return store.head(arrival.key, version=arrival.version), None
