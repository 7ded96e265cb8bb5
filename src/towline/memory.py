"""An object store in memory, with S3's semantics: for tests, dry runs and models."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5, sha256
from threading import RLock
from typing import Any, Literal

from towline.errors import NotFound, OutcomeUnknown, PreconditionFailed, UsageError
from towline.store import (
    ALWAYS,
    Absent,
    Blob,
    CopyRange,
    Entry,
    FileRange,
    Matches,
    Metadata,
    ObjectStore,
    Part,
    Precondition,
    Span,
    Stat,
    TooLarge,
    Unfinished,
    Version,
    check_key,
    check_span,
    checked,
    clip,
    quote_metadata,
)

Fault = Callable[[str, str, Literal["before", "after"]], None]


def fail_once(operation: str, phase: Literal["before", "after"], error: Exception, *, prefix: str = "") -> Fault:
    """A fault that raises `error` the first time `operation` touches a key under `prefix`."""
    pending = [error]

    def fault(at: str, key: str, when: Literal["before", "after"]) -> None:
        if pending and (at, when) == (operation, phase) and key.startswith(prefix):
            raise pending.pop()

    return fault


@dataclass(frozen=True)
class _Stored:
    """One version. No body: a delete marker."""

    stat: Stat
    body: bytes | None

    def as_entry(self) -> Entry:
        return Entry(self.stat.key, self.stat.size, self.stat.etag, self.stat.modified)

    def as_version(self, *, is_latest: bool) -> Version:
        at = self.stat
        return Version(at.key, at.version or "", at.etag, at.size, at.modified, is_latest, self.body is None)


class MemoryStore(ObjectStore):
    """A versioned bucket in memory.

    `clock` gives `modified`; version ids are unique and, like S3's, in no order. `requests` counts what S3
    would be asked, by operation (a page of a listing is one, an assemble its parts and two, which come and go
    together). `faults`, when set, is called with (operation, key, phase) around every request, outside the lock,
    and may raise, or play a rival writer: raising "before" is a failure, raising OutcomeUnknown "after" a write
    is a lost answer.
    """

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), page_size: int = 1000) -> None:
        self.requests: Counter[str] = Counter()
        self.faults: Fault | None = None
        self._clock, self._page_size = clock, page_size
        self._history: dict[str, list[_Stored]] = {}  # oldest first
        self._written = self._begun = 0
        self._unfinished: tuple[Unfinished, ...] = ()
        self._lock = RLock()

    def get(
        self,
        key: str,
        *,
        version: str | None = None,
        span: Span | None = None,
        tail: int | None = None,
        max_bytes: int | None = None,
    ) -> Blob:
        if span:
            check_span(span)
        with self._request("get", key):
            stat, body = self._find(key, version)
            start, stop = clip(span, stat.size, key, tail)
            if max_bytes is not None and stop - start > max_bytes:
                raise TooLarge(key, stop - start, max_bytes)
        return Blob(stat, body[start:stop])

    def head(self, key: str, *, version: str | None = None) -> Stat:
        with self._request("head", key):
            return self._find(key, version)[0]

    def put(
        self,
        key: str,
        body: bytes,
        *,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
        content_type: str = "application/octet-stream",  # S3's to keep; nothing here reads it
    ) -> Stat:
        quote_metadata(metadata)
        with self._request("put", key):
            return self._write(key, bytes(body), when, metadata)

    def copy(
        self,
        source: str,
        target: str,
        *,
        version: str | None = None,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
    ) -> Stat:
        check_key(source)
        quote_metadata(metadata)
        with self._request("copy", target):
            stat, body = self._find(source, version)
            return self._write(target, body, when, stat.metadata if metadata is None else metadata)

    def assemble(
        self,
        key: str,
        parts: Iterable[Part],
        *,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
    ) -> Stat:
        parts = checked(parts)
        quote_metadata(metadata)
        begun = self._begin(key)
        try:
            body, etag, count = self._joined(parts)
            with self._request("assemble", key, count=count + 2):
                stat = self._write(key, body, when, metadata, etag)
                self._end(begun)
        except OutcomeUnknown:
            raise
        except Exception:  # not the death of the process, which leaves its parts behind
            self._end(begun)
            raise
        return stat

    def _joined(self, parts: Iterable[Part]) -> tuple[Any, str, int]:
        """What they are together, its ETag, and how many they are."""
        bodies = [self._part(part) for part in parts]
        return b"".join(bodies), f"{_md5(b''.join(map(_md5, bodies))).hex()}-{len(bodies)}", len(bodies)

    def _begin(self, key: str) -> Unfinished:
        with self._lock:
            self._begun += 1
            begun = Unfinished(key, f"upload-{self._begun}", self._clock())
            self._unfinished = (*self._unfinished, begun)
        return begun

    def _end(self, begun: Unfinished) -> None:
        with self._lock:
            self._unfinished = tuple(each for each in self._unfinished if each != begun)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        with self._request("unfinished", prefix):
            found = [each for each in self._unfinished if each.key.startswith(prefix)]
        yield from found

    def give_up(self, unfinished: Unfinished) -> None:
        with self._request("give_up", unfinished.key):
            self._end(unfinished)

    def list(self, prefix: str, *, after: str | None = None) -> Iterator[Entry]:
        page = self._page(prefix, after or "")
        while len(page) > self._page_size:
            yield from page[:-1]
            page = self._page(prefix, page[-2].key)
        yield from page

    def versions(self, key: str, *, newest: int | None = None) -> Iterator[Version]:
        with self._request("versions", key):
            history = self._history.get(key, [])[::-1][:newest]
        yield from (stored.as_version(is_latest=place == 0) for place, stored in enumerate(history))

    def delete(self, key: str) -> None:
        with self._request("delete", key):
            self._append(key, None, "", {})

    @contextmanager
    def _request(self, operation: str, key: str, *, count: int = 1) -> Iterator[None]:
        if operation not in ("list", "unfinished"):  # a prefix may be empty
            check_key(key)
        with self._lock:
            self.requests[operation] += count
        if self.faults:
            self.faults(operation, key, "before")
        with self._lock:
            yield
        if self.faults:
            self.faults(operation, key, "after")

    def _current(self, key: str) -> _Stored | None:
        history = self._history.get(key)
        return history[-1] if history and history[-1].body is not None else None

    def _find(self, key: str, version: str | None) -> tuple[Stat, bytes]:
        found = self._current(key) if version is None else self._version(key, version)
        if found is None or found.body is None:
            raise NotFound(f"there is no object {key!r}{f' with version {version}' if version else ''}")
        return found.stat, found.body

    def _version(self, key: str, version: str) -> _Stored | None:
        return next((stored for stored in self._history.get(key, []) if stored.stat.version == version), None)

    def _part(self, part: Part) -> bytes:
        if isinstance(part, FileRange):
            return part.read()
        if not isinstance(part, CopyRange):
            return bytes(part)
        with self._lock:
            stat, body = self._find(part.key, part.version)
        if part.stop > stat.size:
            raise UsageError(f"range {part.start}..{part.stop} ends past {part.key!r}, which has {stat.size} bytes")
        return body[part.start : part.stop]

    def _page(self, prefix: str, after: str) -> builtins.list[Entry]:
        """One page and, where more follows, one entry of the next."""
        with self._request("list", prefix):
            current = (self._current(key) for key in sorted(self._history) if key.startswith(prefix) and key > after)
            return [stored.as_entry() for stored in current if stored][: self._page_size + 1]

    def _write(
        self, key: str, body: bytes, when: Precondition, metadata: Metadata | None, etag: str | None = None
    ) -> Stat:
        self._check(key, when)
        return self._append(key, body, etag or _md5(body).hex(), dict(metadata or {}))

    def _check(self, key: str, when: Precondition) -> None:
        current = self._current(key)
        if isinstance(when, Absent) and current:
            raise PreconditionFailed(f"{key!r} exists already (ETag {current.stat.etag}); read it before you write")
        if isinstance(when, Matches) and not current:
            raise NotFound(f"there is no object {key!r}, expected one with ETag {when.etag}; read it before you write")
        if isinstance(when, Matches) and current and current.stat.etag != when.etag:
            raise PreconditionFailed(
                f"{key!r} has ETag {current.stat.etag}, expected {when.etag}; read it again, then write"
            )

    def _append(self, key: str, body: bytes | None, etag: str, metadata: dict[str, str]) -> Stat:
        self._written += 1
        version = sha256(str(self._written).encode()).hexdigest()[:32]
        stat = Stat(key, len(body or b""), etag, version, self._clock(), metadata)
        self._history.setdefault(key, []).append(_Stored(stat, body))
        return stat


def _md5(body: bytes) -> bytes:
    return md5(body, usedforsecurity=False).digest()  # S3's ETag protects nothing
