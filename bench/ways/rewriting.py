"""What the ways that write the whole table anew have in common: a master that is a file, replaced by the next one."""

from __future__ import annotations

import os

import pyarrow.parquet as pq

from bench.ways.place import COLUMN, Edit, Place


class Master:
    """A file that begins as one more name of the place's table."""

    name = ""

    def __init__(self, place: Place) -> None:
        self.place = place
        names = ("master", "next", "flat")
        self.master, self.next, self.flat = (place.of(self.name) / f"{name}.parquet" for name in names)

    def prepare(self) -> None:
        self.master.unlink(missing_ok=True)
        self.master.hardlink_to(self.place.table)

    def swap(self) -> None:
        """Have the next version for the master."""
        os.replace(self.next, self.master)

    def found(self, edit: Edit) -> list[float | None]:
        """What the table holds in an edit's cell: one value, or none where there is no such row."""
        where = [("tow", "=", edit.tow), ("net", "=", edit.net)]
        return list(pq.read_table(self.master, columns=[COLUMN], filters=where)[COLUMN].to_pylist())
