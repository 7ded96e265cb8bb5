"""The master: the authoritative object of a dataset, and the state of the dataset that its metadata carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from towline import archive, keys, objects, table
from towline.errors import NotFound
from towline.parquet.footer import TAIL
from towline.parquet.source import BytesSource
from towline.parquet.tablefile import TableFile
from towline.rows import Filed, InMemory, Rows
from towline.store import Blob, ObjectStore


@dataclass(frozen=True)
class Head:
    """The current version of a master.

    commit     the commit that made it; None when somebody wrote the object past Towline
    number     1, 2, 3, ... of that commit; never repeats
    proposal   the last proposal of that commit: its receipt is written last, so it tells whether all is finished
    contract   digest of the contract that the table was checked against

    `blob` has the object's last bytes (`towline.parquet.footer.TAIL`), which of a small one are all of it; what else is
    asked of the table is read from `store`. `vouched`: Towline wrote the object, although no commit is said to have.
    """

    dataset: str
    blob: Blob
    store: ObjectStore | None = None
    vouched: bool = False

    @property
    def etag(self) -> str:
        return self.blob.stat.etag

    @property
    def version(self) -> str:
        """The object's VersionId."""
        return self.blob.stat.version or ""

    @property
    def commit(self) -> str | None:
        return self.blob.stat.metadata.get("commit")

    @property
    def number(self) -> int:
        return int(self.blob.stat.metadata.get("number", "0"))

    @property
    def parent(self) -> str | None:
        return self.blob.stat.metadata.get("parent") or None

    @property
    def base(self) -> str | None:
        """VersionId of the object that this one replaced, empty for the first; None where that was not noted."""
        return self.blob.stat.metadata.get("base")

    @property
    def proposal(self) -> str:
        return self.blob.stat.metadata.get("proposal", "")

    @property
    def contract(self) -> str | None:
        return self.blob.stat.metadata.get("contract")

    @cached_property
    def table(self) -> pa.Table:
        """The table as a whole; Corrupt when the object is none."""
        is_small = self.is_whole and self.commit is not None
        return table.from_parquet(self.blob.body, self._where) if is_small else self.file.table()

    @property
    def is_whole(self) -> bool:
        """Whether all of the object was read with its end."""
        return len(self.blob.body) == self.blob.stat.size

    @cached_property
    def file(self) -> TableFile:
        """The table as a file, of which only what is asked for is read. Corrupt as of `table`. What Towline did not
        write, or joined of what others did, is `foreign`."""
        if self.commit is None and not self.vouched:
            return self.foreign()
        found = self._believed()
        return found if self.commit is not None or found.footer.marks else self.foreign()

    def _believed(self) -> TableFile:
        if self.is_whole:
            return TableFile.of_bytes(self.blob.body, self._where)
        return objects.open_blob(self._store, self.blob)

    def foreign(self) -> TableFile:
        """The table as a file that others wrote, whatever the object's metadata say: where it lies, that is a Corrupt,
        and its digests and statistics are not used."""
        if self.is_whole:
            return TableFile.foreign(BytesSource(self.blob.body, self._where))
        return objects.open_blob(self._store, self.blob, foreign=True)

    @property
    def _store(self) -> ObjectStore:
        assert self.store is not None  # noqa: S101 - who reads an object's end has its store
        return self.store

    @property
    def _where(self) -> str:
        return f"{self.blob.stat.key} (version {self.version})"

    def rows(self, key: tuple[str, ...]) -> Rows:
        """The table's rows by this key: the same object at each call, so that one can ask whether something was made
        on this very head."""
        if key not in self._rows:
            self._rows[key] = InMemory(self.table, key) if self.is_whole else Filed(self.file, key)
        return self._rows[key]

    @cached_property
    def _rows(self) -> dict[tuple[str, ...], Rows]:
        return {}


def metadata(
    *,
    commit: str,
    number: int,
    parent: str | None,
    base: str | None,
    proposal: str,
    contract: str,
    prev_chain: str,
) -> Mapping[str, str]:
    """The object metadata of a master that `commit` makes. `prev_chain`, the chain value of the audit record before it,
    anchors the records in the versions: who rewrote all of them would have to rewrite those, too."""
    return {
        "commit": commit,
        "number": str(number),
        "parent": parent or "",
        "base": base or "",
        "proposal": proposal,
        "contract": contract,
        "prev_chain": prev_chain,
    }


def read(store: ObjectStore, dataset: str, *, version: str | None = None) -> Head | None:
    """The current master, or one version of it, in one request: its end is read, and the rest when it is asked for.
    None when there is none."""
    try:
        return Head(dataset, store.get(keys.master(dataset), version=version, tail=TAIL), store)
    except NotFound:
        return None


def at_commit(store: ObjectStore, layout: keys.Layout, dataset: str, commit: str) -> Head | None:
    """The master as a commit left it, from its snapshot (a copy, metadata included), archived or not; None when
    there is none."""
    if not keys.is_commit(commit):
        return None
    try:
        return Head(dataset, archive.get(store, layout, layout.snapshot(dataset, commit), tail=TAIL), store)
    except NotFound:
        return None


def snapshot(store: ObjectStore, layout: keys.Layout, dataset: str, commit: str) -> pa.Table | None:
    """The table of a commit, from its snapshot; None when there is no such commit."""
    found = at_commit(store, layout, dataset, commit)
    return found.table if found else None
