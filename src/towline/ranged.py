"""An object as a file that is read in pieces: only the spans that a reader touches are fetched."""

from __future__ import annotations

from towline.errors import Unavailable
from towline.parquet.source import AsFile
from towline.store import Entry, ObjectStore

WHOLE = 256 * 1024  # bytes; an object no larger is fetched at once
TAIL = 64 * 1024  # bytes at the end that are fetched first: a Parquet footer is there


class Ranged(AsFile):
    """One object, as it was listed. Unavailable: it was replaced since."""

    def __init__(self, store: ObjectStore, entry: Entry) -> None:
        super().__init__(entry.size, self._fetched)
        self._store, self._entry = store, entry
        self._pieces: dict[int, bytes] = {}  # what was fetched, by where it begins
        self.fetch(0 if entry.size <= WHOLE else max(0, entry.size - TAIL), entry.size)

    def fetch(self, start: int, stop: int) -> None:
        """Have these bytes at hand: at most one request."""
        if start < stop and self._held(start, stop) is None:
            blob = self._store.get(self._entry.key, span=(start, stop))
            if blob.stat.etag != self._entry.etag:
                raise Unavailable(f"{self._entry.key} was replaced while it was read: try again")
            self._pieces[start] = blob.body

    def _held(self, start: int, stop: int) -> bytes | None:
        for begin, piece in self._pieces.items():
            if begin <= start and stop <= begin + len(piece):
                return piece[start - begin : stop - begin]
        return None

    def _fetched(self, start: int, stop: int) -> bytes:
        self.fetch(start, stop)
        return self._held(start, stop) or b""
