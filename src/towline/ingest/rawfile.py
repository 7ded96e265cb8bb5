"""A raw file that is taken in: one version of an object, what it is known by, and its bytes as far as they are asked
for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from towline import keys
from towline.errors import UsageError
from towline.ingest.entry import Entry, ingest_id
from towline.ingest.fingerprint import fingerprint
from towline.keys import RawKey
from towline.objects import ObjectSource
from towline.parquet.source import BytesSource, Source
from towline.store import MIB, ObjectStore, Stat

WHOLE = 1 * MIB  # files up to this size are read whole, so that their SHA-256 is known, too


@dataclass(frozen=True)
class RawFile:
    """`stat` is the raw version's; `held` of the version whose bytes are read and copied: the raw one, or what the
    quarantine kept of it. `retry_of` and `retry` as of an Entry."""

    store: ObjectStore
    stat: Stat
    held: Stat
    fingerprint: str
    ingest: str
    retry_of: str | None = None
    retry: str | None = None

    @classmethod
    def open(cls, store: ObjectStore, key: str, version: str | None) -> RawFile:
        """A version of a raw object. NotFound: there is none."""
        stat = store.head(key, version=version)
        known_by = fingerprint(store, stat)
        return cls(store, stat, stat, known_by, ingest_id(stat, known_by))

    @cached_property
    def key(self) -> RawKey:
        found = keys.parse_raw(self.stat.key)
        if found is None:
            raise UsageError(f"{self.stat.key!r} is no raw key: it is raw/<dataset>/.../<file>")
        return found

    @cached_property
    def source(self) -> Source:
        """Its bytes; of a small file all of them are read at once."""
        held = self.held
        if held.size > WHOLE:
            return ObjectSource(self.store, held.key, held.version, held.size)
        return BytesSource(self.store.get(held.key, version=held.version, max_bytes=WHOLE).body, self.key.name)

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
