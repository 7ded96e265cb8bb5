"""A MemoryStore that can be forked at the price of a dictionary, and whose contents have a mark.

Two stores with the same mark hold the same, in all that a worker or the judge can see. So that different orders of
calls that do not touch each other meet in the same contents, the clock stands still, and a version id follows from its
key and its place in the history of that key (S3's are unique, and nothing else is expected of them).

Under FLAT prefixes only the current version counts: of receipts nobody reads older ones (that a final one never changes
is watched at each write), and of the quarantine it only matters that the input is there.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b, sha256

from towline import keys
from towline.memory import MemoryStore, _Stored
from towline.store import Stat

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FLAT = (keys.RECEIPTS, keys.QUARANTINE)


class History(list[_Stored]):
    """The versions of one key, oldest first, and the mark of them all. Never changed in place."""

    mark: int = 0


class Shelf(MemoryStore):
    def __init__(self) -> None:
        super().__init__(clock=lambda: NOON)
        self._history: dict[str, History] = {}  # type: ignore[assignment]
        self.mark = 0

    def fork(self) -> Shelf:
        """Another store with the same contents."""
        other = Shelf.__new__(Shelf)
        other.__dict__.update(self.__dict__)
        other._history = dict(self._history)
        return other

    def __contains__(self, key: str) -> bool:
        return self._current(key) is not None

    def etag(self, key: str) -> str | None:
        current = self._current(key)
        return current.stat.etag if current else None

    def body(self, key: str) -> bytes:
        """The current body, looked at from outside: no request."""
        current = self._current(key)
        assert current is not None
        assert current.body is not None
        return current.body

    def history(self, key: str) -> History:
        """Every version, oldest first, looked at from outside."""
        return self._history.get(key, NOTHING)

    def with_history(self, key: str, history: History) -> Shelf:
        """Another store that differs in one key."""
        other = self.fork()
        other.mark += history.mark - self.history(key).mark
        other._history[key] = history
        return other

    def names(self, prefix: str) -> list[str]:
        return sorted(key for key in self._history if key.startswith(prefix) and key in self)

    def _append(self, key: str, body: bytes | None, etag: str, metadata: dict[str, str]) -> Stat:
        before = self.history(key)
        below = NOTHING if key.startswith(FLAT) else before
        version = _version(key, etag if key.startswith(FLAT) else str(len(below)))
        stat = Stat(key, len(body or b""), etag, version, NOON, metadata)
        history = self._history[key] = History([*below, _Stored(stat, body)])
        content = "" if key.startswith(keys.QUARANTINE) else etag
        history.mark = _mark(below.mark, key, content, tuple(sorted(metadata.items())), body is None)
        self.mark += history.mark - before.mark
        return stat


NOTHING = History()


@lru_cache(maxsize=100_000)
def _version(key: str, what: str) -> str:
    return sha256(f"{key} {what}".encode()).hexdigest()[:32]


@lru_cache(maxsize=500_000)
def _mark(before: int, key: str, etag: str, metadata: tuple[tuple[str, str], ...], is_gone: bool) -> int:
    content = repr((before, key, etag, metadata, is_gone)).encode()
    return int.from_bytes(blake2b(content, digest_size=16).digest())


@lru_cache(maxsize=100_000)
def status_of(receipt: bytes) -> str:
    return str(json.loads(receipt)["status"])
