"""Partitioned copies of large tables, made on request: the head's rows by cruise or vessel, and their table in Glue.

A copy lies in a directory of its own commit. Only once all its files are there does the catalog turn to it: the
partitions one after the other, the table last. Whoever publishes first claims the table, under Glue's optimistic lock,
and finishes under it; one who finds the lock changed begins again with the head as it is then. The copy that was there
before stays until the next one, because queries that have begun read it to their end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from towline import catalog, keys, lineage, master, partitions
from towline import table as tables
from towline.contract import Contract
from towline.errors import Contended, LostRace, NotFound, PreconditionFailed, Refused, UsageError
from towline.partitions import Part
from towline.store import ABSENT
from towline.trail import Trail
from towline.workbench import Workbench

TRIES = 5  # times that another publisher may get there first
WRITERS = 8  # files that are written side by side
FILE = "part.parquet"
COMMIT, NUMBER, COLUMNS, CLAIM = "towline.commit", "towline.number", "towline.partitioned_by", "towline.publishing"

Places = Mapping[tuple[str, ...], str]  # of partitions: their values, and the URL of the prefix with their files


@dataclass(frozen=True)
class Described:
    """A table as its catalog describes it. `version` changes with every change of it, its partitions aside."""

    version: str
    parameters: Mapping[str, str]
    location: str
    places: Places


class Tables(Protocol):
    """Partitioned tables in one Glue database. Every method may raise Unavailable and Refused; what is sent is sent
    once, and OutcomeUnknown says that it may have happened."""

    @property
    def database(self) -> str: ...

    def look(self, name: str) -> Described | None:
        """The table and all its partitions; None: there is none."""
        ...

    def create(self, table: catalog.Table) -> None:
        """Make a table without partitions. LostRace: there is one by now. NotFound: there is no such database."""
        ...

    def change(self, table: catalog.Table, version: str) -> None:
        """Describe the table anew, if it still has this version. LostRace: it has not."""
        ...

    def move(self, table: catalog.Table, places: Places, there: Places) -> None:
        """Make the table's partitions these, out of those that are there. LostRace: others are there by now."""
        ...


@dataclass(frozen=True)
class Copy:
    """A partitioned copy of a commit, and the table that tells of it. `there` is the table as it was before; `is_new`
    says whether the copy was published by this run (planned: whether it would be)."""

    dataset: str
    columns: tuple[str, ...]
    database: str
    bucket: str
    commit: str
    number: int
    contract: Contract
    parts: tuple[Part, ...]
    there: Described | None
    is_new: bool = True

    @property
    def table(self) -> str:
        """The table's name in its database."""
        return f"{self.dataset}_by_{'_'.join(self.columns)}".lower()

    @property
    def prefix(self) -> str:
        return keys.partitioned(self.dataset, self.columns, self.commit)

    @property
    def location(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def places(self) -> Places:
        return {part.values: self.location + part.folder for part in self.parts}

    def to_json(self) -> dict[str, object]:
        about = {"dataset": self.dataset, "table": f"{self.database}.{self.table}", "columns": list(self.columns)}
        which = {"commit": self.commit, "number": self.number, "location": self.location, "published": self.is_new}
        parts = [{"values": list(part.values), "rows": part.table.num_rows} for part in self.parts]
        return {**about, **which, "partitions": parts}

    def described(self, *, claim: str = "") -> catalog.Table:
        """The table for its catalog. With a `claim` it still tells of the copy that was there."""
        place = catalog.Place(self.bucket, keys.Layout(), keys.commit_time(self.commit).date())
        like = next(each for each in catalog.tables([self.contract], place) if each["Name"] == self.dataset)
        storage, names = like["StorageDescriptor"], [name.lower() for name in self.columns]
        columns = {column["Name"]: column for column in storage["Columns"]}
        by = {COLUMNS: ",".join(self.columns)}
        told = {**by, COMMIT: self.commit, NUMBER: str(self.number)}
        location = self.location
        if claim:
            told = {**(self.there.parameters if self.there else {}), **by, CLAIM: claim}
            location = self.there.location if self.there else self.location
        return {
            **like,
            "Name": self.table,
            "Description": f"{self.dataset} as of a commit, partitioned by {', '.join(self.columns)}",
            "Parameters": {**like["Parameters"], **told},
            "PartitionKeys": [columns.pop(name) for name in names],
            "StorageDescriptor": {**storage, "Location": location, "Columns": [*columns.values()]},
        }


def plan(bench: Workbench, dataset: str, columns: Sequence[str], there: Tables, bucket: str) -> Copy:
    """The copy of the newest commit that `run` would publish.

    NotFound: no such dataset. UsageError: the table cannot be partitioned by these columns. Refused: another table has
    the name of this one.
    """
    contract = bench.contract(dataset)
    chosen = partitions.check(contract, columns)
    if (why := catalog.why_not(contract)) is not None:
        raise UsageError(why)
    commit, number = newest(bench, dataset)
    table = master.snapshot(bench.store, bench.layout, dataset, commit)
    if table is None:
        raise NotFound(f"the snapshot of commit {number} ({commit}) is gone: `towline verify {dataset}` tells more")
    parts = tuple(partitions.split(table, chosen))
    copy = Copy(dataset, chosen, there.database, bucket, commit, number, contract, parts, None)
    found = there.look(copy.table)
    if found is not None and found.parameters.get(COLUMNS) != ",".join(chosen):
        raise Refused(
            f"{there.database} has another table {copy.table}, which is no copy of {dataset} by "
            f"{', '.join(chosen)}: it is left alone. Rename or drop it first"
        )
    return replace(copy, there=found, is_new=not _is_told(copy, found))


def newest(bench: Workbench, dataset: str) -> tuple[str, int]:
    """The id and the number of the newest commit that is finished. NotFound: there is none."""
    head = lineage.newest(bench, dataset)
    commit, number = Trail(bench, dataset).start(head) if head else (None, 0)
    if commit is None:
        raise NotFound(f"the dataset {dataset!r} has no commit yet")
    return commit, number


def _is_told(copy: Copy, found: Described | None) -> bool:
    """Whether the table tells of this very copy, and nobody is at work on it or broke off."""
    if found is None or CLAIM in found.parameters:
        return False
    return found.parameters.get(COMMIT) == copy.commit and found.places == copy.places


def run(bench: Workbench, there: Tables, planned: Copy, seen: Callable[[Part], None] = lambda part: None) -> Copy:
    """Publish the copy, unless it is there; `seen` is told of each part that is written. What broke off is completed by
    the next run. Raises what `plan` and `Tables` do; LostRace: others publish the same copy all the time."""
    copy = planned
    for _ in range(TRIES):
        if not copy.is_new:
            return copy
        _write(bench, copy, seen)
        try:
            _switch(there, copy, bench.new_id())
        except LostRace:
            copy = plan(bench, copy.dataset, copy.columns, there, copy.bucket)
            continue
        _clear(bench, copy)
        return copy
    raise LostRace(f"{copy.database}.{copy.table}: others publish it all the time; try again later")


def _write(bench: Workbench, copy: Copy, seen: Callable[[Part], None]) -> None:
    key = [name for name in copy.contract.key if name not in copy.columns]

    def put(part: Part) -> Part:
        body = tables.to_parquet(part.table, key, commit=copy.commit, number=copy.number)
        file = f"{copy.prefix}{part.folder}{FILE}"
        try:
            bench.store.put(file, body, when=ABSENT)
        except Contended:
            bench.store.put(file, body)  # whoever else writes the same may not come to its end
        except PreconditionFailed:
            pass  # an earlier run wrote it, and broke off later
        return part

    with ThreadPoolExecutor(WRITERS) as pool:
        for part in pool.map(put, copy.parts):
            seen(part)


def _switch(there: Tables, copy: Copy, claim: str) -> None:
    if copy.there is None:
        there.create(copy.described(claim=claim))
    else:
        there.change(copy.described(claim=claim), copy.there.version)
    mine = there.look(copy.table)
    if mine is None or mine.parameters.get(CLAIM) != claim:
        raise LostRace(f"{copy.table}: another publisher has it")
    there.move(copy.described(), copy.places, mine.places)
    there.change(copy.described(), mine.version)


def _clear(bench: Workbench, copy: Copy) -> None:
    """Remove the copies that are older than the one that this one took the place of."""
    before = copy.there.parameters.get(COMMIT, "") if copy.there else ""
    above = keys.partitioned(copy.dataset, copy.columns)
    for entry in bench.store.list(above):
        commit = entry.key.removeprefix(above).split("/")[0]
        if commit < before and commit != copy.commit:
            bench.store.delete(entry.key)
