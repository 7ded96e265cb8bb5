"""One version of an object as the source of a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from towline.errors import Unavailable
from towline.parquet.footer import TAIL
from towline.parquet.source import Span, coalesced, cut
from towline.parquet.tablefile import TableFile
from towline.store import Blob, Entry, ObjectStore

# Bytes between two spans that are fetched along, rather than making a request of its own: at 50 MB/s they take less
# time than S3 needs to answer.
GAP = 64 * 1024
_PART_TAIL = 64 * 1024  # bytes at the end of a part that are read first


@dataclass(frozen=True)
class ObjectSource:
    """A version of an object of `size` bytes, of which `tail`, the last bytes, may be at hand."""

    store: ObjectStore
    key: str
    version: str | None
    size: int
    tail: bytes = b""

    @property
    def where(self) -> str:
        return f"{self.key} (version {self.version})" if self.version else self.key

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        """NotFound: the version is gone. Unavailable: the store does not answer."""
        begins = self.size - len(self.tail)
        wanted = coalesced([span for span in spans if span[0] < begins], GAP)
        bodies = self.store.ranges(self.key, wanted, version=self.version) if wanted else []
        return cut(spans, [*wanted, (begins, self.size)], [*bodies, self.tail])


def open_blob(store: ObjectStore, blob: Blob, *, foreign: bool = False) -> TableFile:
    """The table in an object whose end has been read (`ObjectStore.get` with `tail`); `foreign`: that others wrote.
    Corrupt: it is none."""
    stat = blob.stat
    source = ObjectSource(store, stat.key, stat.version, stat.size, blob.body)
    return TableFile.foreign(source, blob.body) if foreign else TableFile.open(source, blob.body)


def open_part(store: ObjectStore, entry: Entry) -> TableFile:
    """The table in an object that others wrote, as it was listed. Unavailable: it was replaced since. Corrupt: it is
    none."""
    blob = store.get(entry.key, tail=_PART_TAIL)
    if blob.stat.etag != entry.etag:
        raise Unavailable(f"{entry.key} was replaced while it was read: try again")
    return open_blob(store, blob, foreign=True)


def open_table(store: ObjectStore, key: str, version: str | None = None) -> TableFile:
    """The table in an object. NotFound: there is no such object or version. Corrupt: it is no table."""
    return open_blob(store, store.get(key, version=version, tail=TAIL))
