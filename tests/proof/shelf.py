"""A MemoryStore that can be forked at the price of a dictionary, and whose contents have a mark.

Two stores with the same mark hold the same, in all that a worker or the judge can see. So that different orders of calls
that do not touch each other meet in the same contents, the clock stands still, and a version id follows from its key
and its place in the history of that key (S3's are unique, and nothing else is expected of them).

Under FLAT prefixes only the current version counts: of receipts nobody reads older ones (that a final one never changes
is watched at each write), and of the quarantine it only matters that the input is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b, sha256

from towline import keys
from towline.memory import MemoryStore, _Stored
from towline.store import Stat

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FLAT = (keys.RECEIPTS, keys.QUARANTINE)


class Shelf(MemoryStore):
    def __init__(self) -> None:
        super().__init__(clock=lambda: NOON)
        self.mark = 0
        self._marks: dict[str, int] = {}

    def fork(self) -> Shelf:
        """Another store with the same contents. Histories are shared: nothing changes one in place."""
        other = Shelf.__new__(Shelf)
        other.__dict__.update(self.__dict__)
        other._history, other._marks = dict(self._history), dict(self._marks)
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

    def history(self, key: str) -> list[tuple[Stat, bytes | None]]:
        """Every version, oldest first, looked at from outside; None: a delete marker."""
        return [(stored.stat, stored.body) for stored in self._history.get(key, [])]

    def names(self, prefix: str) -> list[str]:
        return sorted(key for key in self._history if key.startswith(prefix) and key in self)

    def _append(self, key: str, body: bytes | None, etag: str, metadata: dict[str, str]) -> Stat:
        is_flat = key.startswith(FLAT)
        before = [] if is_flat else self._history.get(key, [])
        version = _version(key, etag if is_flat else str(len(before)))
        stat = Stat(key, len(body or b""), etag, version, NOON, metadata)
        self._history[key] = [*before, _Stored(stat, body)]
        old = self._marks.get(key, 0)
        content = "" if key.startswith(keys.QUARANTINE) else etag
        self._marks[key] = _mark(0 if is_flat else old, key, content, tuple(sorted(metadata.items())), body is None)
        self.mark += self._marks[key] - old
        return stat


@lru_cache(maxsize=100_000)
def _version(key: str, what: str) -> str:
    return sha256(f"{key} {what}".encode()).hexdigest()[:32]


@lru_cache(maxsize=500_000)
def _mark(before: int, key: str, etag: str, metadata: tuple[tuple[str, str], ...], is_gone: bool) -> int:
    content = repr((before, key, etag, metadata, is_gone)).encode()
    return int.from_bytes(blake2b(content, digest_size=16).digest())


def status_of(receipt: bytes) -> str:
    return _STATUS.get(receipt) or _STATUS.setdefault(receipt, _read_status(receipt))


_STATUS: dict[bytes, str] = {}


def _read_status(receipt: bytes) -> str:
    import json

    content: Mapping[str, object] = json.loads(receipt)
    return str(content["status"])
