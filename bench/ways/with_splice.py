"""Towline's splice alone: read the end of the master, find the rows, splice, and have the store join the new version.
No proposal, no contract, and no record of who did it."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow.parquet as pq

from bench.diskstore import DiskStore, Traffic
from bench.ways.place import COLUMN, KEY, Edit, Place
from towline import keys, master
from towline.change import RowChange
from towline.master import Head
from towline.parquet.layout import Rules, layout
from towline.parquet.pieces import Keep
from towline.parquet.splice import splice
from towline.store import PART_MAX, PART_MIN, PARTS_MAX, CopyRange, Matches, Stat
from towline.values import Key

NAME = "net_tows"
MASTER = keys.master(NAME)
COMMIT = "01J00000000000000000000000"


class Bucket:
    """The bucket that both of Towline's ways begin with."""

    name = ""

    def __init__(self, place: Place) -> None:
        self.place, self.root = place, place.of(self.name) / "bucket"
        self.store = DiskStore(self.root)

    def prepare(self) -> None:
        from bench.ways.bucket import furnish  # which imports what no measurement needs

        furnish(self.place, self.root)

    def head(self) -> Head:
        found = master.read(self.store, NAME)
        assert found is not None, "the bucket has no master"
        return found

    def found(self, edit: Edit) -> list[float | None]:
        rows = self.head().rows(KEY).rows([(edit.tow, edit.net)])
        return [row[COLUMN] for row in rows.values()]  # type: ignore[misc]

    def traffic(self) -> tuple[Traffic, int]:
        """What moved so far, and how many requests that took."""
        return self.store.traffic, sum(self.store.requests.values())

    def tidy(self) -> None:
        """Free the room of all versions but the last two, and of their snapshots, which are names of the same files."""
        for version in list(self.store.versions(MASTER))[2:]:
            self.forget(self.store.head(MASTER, version=version.version))

    def forget(self, stat: Stat) -> None:
        self.store.forget(stat)


def changes(head: Head, task: str, edits: list[Edit]) -> list[RowChange]:
    """What the edits of a task make of the rows that are there."""
    if task == "insert":
        return [RowChange(None, row) for edit in edits for row in pq.read_table(edit.row).to_pylist()]
    wanted: Iterable[Key] = [(edit.tow, edit.net) for edit in edits]
    there = head.rows(KEY).rows(wanted)
    if task == "delete":
        return [RowChange(row, None) for row in there.values()]
    old = [(there[edit.tow, edit.net], edit.volume) for edit in edits]
    return [RowChange(row, {**row, COLUMN: volume}) for row, volume in old]


class Way(Bucket):
    name = "splice"

    def one_cell(self, edits: list[Edit]) -> None:
        self.edit("one_cell", edits)

    def thousand(self, edits: list[Edit]) -> None:
        self.edit("thousand", edits)

    def insert(self, edits: list[Edit]) -> None:
        self.edit("insert", edits)

    def delete(self, edits: list[Edit]) -> None:
        self.edit("delete", edits)

    def edit(self, task: str, edits: list[Edit]) -> None:
        head = self.head()
        spliced = splice(head.file, KEY, changes(head, task, edits), commit=COMMIT, number=head.number + 1)
        source = head.file.source
        parts = [
            CopyRange(MASTER, head.version, part.start, part.stop) if isinstance(part, Keep) else part.read(source)
            for part in layout(spliced.pieces, source.size, Rules(PART_MIN, PART_MAX, PARTS_MAX))
        ]
        stamp = {**head.blob.stat.metadata, "number": str(head.number + 1), "base": head.version}
        self.store.assemble(MASTER, parts, when=Matches(head.etag), metadata=stamp)


def start(place: Place) -> Way:
    return Way(place)
