"""An object as a file that is read in pieces: only the spans that a reader touches are fetched."""

from __future__ import annotations

import io

from towline.errors import Unavailable
from towline.store import Entry, ObjectStore

WHOLE = 256 * 1024  # bytes; an object no larger is fetched at once
TAIL = 64 * 1024  # bytes at the end that are fetched first: a Parquet footer is there


class Ranged(io.RawIOBase):
    """One object, as it was listed. Unavailable: it was replaced since."""

    def __init__(self, store: ObjectStore, entry: Entry) -> None:
        super().__init__()
        self._store, self._entry, self._at = store, entry, 0
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

    def read(self, size: int | None = -1) -> bytes:
        stop = self._entry.size if size is None or size < 0 else min(self._at + size, self._entry.size)
        start, self._at = self._at, max(self._at, stop)
        if start >= stop:
            return b""
        self.fetch(start, stop)
        return self._held(start, stop) or b""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._entry.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
