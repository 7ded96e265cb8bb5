"""Reads a history and remembers what can never change: records, changes files, tables of commits, ways between two."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pyarrow as pa

from app.editing.remote import open_sheet
from app.editing.sheet import Sheet
from app.past import touched
from app.past.commits import Commit, Wanted, commits
from app.past.touched import NO_CELLS, Touched
from towline import audit, blame, history, keys
from towline.contract import Contract
from towline.errors import NotFound, TowlineError
from towline.history import READERS, Place, Record
from towline.rows import difference
from towline.shelf import Shelf
from towline.values import Key, decode, shown
from towline.workbench import Workbench

RECORDS, CELLS, SHEETS = 20_000, 64 * 2**20, 4  # kept: records, bytes of changes files, tables
TOUCHED = 200  # kept, too: rows that were looked for, with the moments of the commits that touched them
SETTLED = timedelta(seconds=5)  # after which all records of a commit are there, unless its writer died
LONGEST = 12  # digits of a commit's number
FRESH = timedelta(seconds=60)  # for which a listing is good while the head stays


class Reader:
    """One for a bucket, shared by all tabs."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._records: Shelf[Record] = Shelf(RECORDS)
        self._cells: Shelf[pa.Table] = Shelf(CELLS, lambda cells: int(cells.nbytes))
        self._sheets: Shelf[Sheet] = Shelf(SHEETS)
        self._ways: Shelf[pa.Table] = Shelf(SHEETS)
        self._touched: Shelf[frozenset[datetime]] = Shelf(TOUCHED)
        self._listed: dict[str, tuple[str, datetime, list[Place]]] = {}

    def places(self, dataset: str, head: str) -> list[Place]:
        """Where the records lie, newest first. `head` is the commit that was seen there last: as long as it is the
        same, a listing of a moment ago is good enough."""
        now = self.bench.clock()
        known = self._listed.get(dataset)
        if known is not None and known[0] == head and now - known[1] < FRESH:
            return known[2]
        found = history.places(self.bench, dataset)
        if head and now - keys.commit_time(head) > SETTLED:
            self._listed[dataset] = (head, now, found)
        return found

    def commits(self, places: Iterable[Place]) -> list[Commit]:
        """The commits whose records lie there, newest first."""
        with ThreadPoolExecutor(READERS) as pool:
            return commits(audit.newest_first(pool.map(self._record, places)))

    def _record(self, place: Place) -> Record:
        return self._records.get(place.key, lambda: history.record(self.bench, place))

    def find(self, dataset: str, name: str, places: list[Place]) -> Commit:
        """Any commit by its id or number. NotFound: there is none."""
        bare = name.lstrip("#")
        at = self._moment(dataset, bare, places)
        there = self.commits(place for place in places if place.at == at)
        found = next((each for each in there if bare in (each.id, str(each.number))), None)
        if found is None:
            raise NotFound(f"{dataset} has no commit {shown(name)}; the list shows those that there are")
        return found

    def _moment(self, dataset: str, name: str, places: list[Place]) -> datetime | None:
        """The second of a commit's records."""
        commit = name
        if name.isdecimal() and len(name) < LONGEST:
            record = history.by_number(self.bench, dataset, places, int(name))
            commit = str(record["commit"]) if record else ""
        try:
            return keys.commit_time(commit).replace(microsecond=0) if keys.is_commit(commit) else None
        except (ValueError, OverflowError):  # no moment of this era
            return None

    def touched(self, commit: Commit, contract: Contract) -> Touched:
        """The rows that a commit changed; none of the first one, which is the whole table."""
        return Touched(contract, self._all_cells(commit, contract))

    def _all_cells(self, commit: Commit, contract: Contract) -> pa.Table:
        if commit.parent is None:
            return NO_CELLS
        try:
            tables = [self._cells_of(record) for record in commit.records]
        except NotFound:  # a changes file is gone: the snapshots say what it said, but for whose change it was
            return self.way(contract, commit.parent, commit.id).cells
        return pa.concat_tables(tables)

    def _cells_of(self, record: Record) -> pa.Table:
        return self._cells.get(record["changes_key"], lambda: history.cells(self.bench, record))

    def way(self, contract: Contract, old: str, new: str) -> Touched:
        """What turns one commit's table into another's. UsageError: their columns differ."""

        def make() -> pa.Table:
            one, other = self.sheet(contract.dataset, old), self.sheet(contract.dataset, new)
            return touched.of_diff(difference(one.whole, other.whole, contract.key))

        return Touched(contract, self._ways.get((contract.dataset, old, new), make))

    def sheet(self, dataset: str, commit: str) -> Sheet:
        """The table of a commit, by its id."""
        return self._sheets.get((dataset, commit), lambda: open_sheet(self.bench, dataset, commit))

    def of_row(self, contract: Contract, key: Key, column: str, places: list[Place]) -> list[Place]:
        """The places of commits that touched a row, or its cell in a column: the index knows them (`towline.blame`),
        so that no other is read. Where it cannot be asked, all of them."""

        def make() -> frozenset[datetime]:
            touches = blame.story(self.bench, contract.dataset, key=key, column=column or None)
            return frozenset(keys.commit_time(touch.commit).replace(microsecond=0) for touch in touches)

        try:
            seconds = self._touched.get((contract.dataset, key, column, *places[:1], len(places)), make)
        except TowlineError:
            return places
        return [place for place in places if place.at in seconds]

    def search(self, found: Iterable[Commit], wanted: Wanted, contract: Contract) -> list[Commit]:
        """Those commits that are wanted: read side by side where it takes what they changed to tell."""
        candidates = [commit for commit in found if wanted.is_by(commit)]
        if not wanted.looks_inside:
            return candidates
        with ThreadPoolExecutor(READERS) as pool:
            hits = list(pool.map(lambda commit: self._is_hit(commit, wanted, contract), candidates))
        return [commit for commit, hit in zip(candidates, hits, strict=True) if hit]

    def _is_hit(self, commit: Commit, wanted: Wanted, contract: Contract) -> bool:
        if commit.parent is None:
            return not wanted.key or self._began_with(commit, wanted.key, contract)
        return bool(self.touched(commit, contract).only(wanted.key, wanted.column))

    def _began_with(self, commit: Commit, key: str, contract: Contract) -> bool:
        raw = json.loads(key)
        wanted = tuple(decode(raw[name], contract.field(name).type) for name in contract.key)
        return wanted in self.sheet(contract.dataset, commit.id).rows
