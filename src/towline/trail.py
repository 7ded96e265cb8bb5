"""The history of a dataset walked from the head back. Each commit names its parent, and a commit's id tells when it was
made and so where its audit records lie: no clock decides the order, and no record is read that is not asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile

from towline import audit, history, keys, lineage, receipts
from towline.block import Records
from towline.errors import Corrupt
from towline.history import Place, Record
from towline.store import Stat
from towline.workbench import Workbench

BATCH = 64  # records that are read side by side, ahead of the walk


@dataclass
class Trail:
    """`since`: where the listing of audit records begins (None: at the first). What lies before it, because a clock ran
    backwards, is still found, at the cost of a listing a day."""

    bench: Workbench
    dataset: str
    since: datetime | None = None
    _places: list[Place] | None = None
    _read: dict[str, dict[str, Record]] = field(default_factory=dict)  # commit -> chain -> record
    _seen: set[str] = field(default_factory=set)

    def start(self, head: Stat) -> tuple[str | None, int]:
        """Where the walk begins: the head's commit and number; its parent's while it is not finished."""
        told = head.metadata
        commit, number = told["commit"], int(told["number"])
        try:
            self.of(commit, number)
        except Corrupt:
            last = receipts.load(self.bench.store, self.dataset, told.get("proposal", ""))
            if last is not None and last.status == "committed" and last.commit == commit:
                raise
            return told.get("parent") or None, number - 1
        return commit, number

    def down(self, commit: str | None, number: int, floor: int = 0) -> Iterator[Records]:
        """The commits from this one down to, not including, number `floor`. Corrupt: one has no audit record."""
        while commit is not None and number > floor:
            found = self.of(commit, number, number - floor)
            yield found
            commit, number = parent(found), number - 1

    def of(self, commit: str, number: int, ahead: int = 1) -> Records:
        """The records of one commit; the next ones down, up to about `ahead` commits, are read along with it. Corrupt:
        there is none, or it has another number."""
        if commit not in self._read:
            self._fetch(commit, min(ahead, BATCH))
        found = self._read.get(commit)
        if not found or any(record["number"] != number for record in found.values()):
            raise Corrupt(
                f"commit {number} ({commit}) of {self.dataset} has no audit record under "
                f"{self._folder(keys.commit_time(commit))}; `towline verify {self.dataset}` looks at all of them"
            )
        return tuple(reversed(audit.newest_first(found.values())))

    def _fetch(self, commit: str, count: int) -> None:
        second = keys.commit_time(commit).replace(microsecond=0)
        near = self._near(second)
        if not near or near[0].at != second:
            self._list_day(second)
            near = self._near(second)
        last = near[:count][-1].at if near else second
        for record in history.read(self.bench, takewhile(lambda place: place.at >= last, near)):
            self._read.setdefault(str(record["commit"]), {})[str(record["chain"])] = record
        self._seen |= {place.key for place in near if place.at >= last}

    def _near(self, second: datetime) -> list[Place]:
        """The places up to this second that were not read yet, newest first."""
        if self._places is None:
            self._places = history.places(self.bench, self.dataset, self.since)
        return [place for place in self._places if place.at <= second and place.key not in self._seen]

    def _list_day(self, day: datetime) -> None:
        assert self._places is not None  # noqa: S101 - `_near` listed them
        more = history.places_of_day(self.bench, self.dataset, day)
        self._places = history.newest_places({place.key: place for place in (*self._places, *more)}.values())

    def _folder(self, day: datetime) -> str:
        return f"{self.bench.layout.audit}{self.dataset}/{day:%Y-%m-%d}/"


def parent(records: Records) -> str | None:
    """The commit that this one follows; None: it is the first."""
    found = records[0]["parent"]
    return None if found is None else str(found)


def newest(bench: Workbench, dataset: str, count: int) -> list[Record]:
    """The audit records of at least the newest `count` proposals, where there are so many, newest first: no others are
    read. Where the trail breaks, all are, for `towline verify` to judge. NotFound: no such dataset."""
    bench.contract(dataset)
    there = lineage.newest(bench, dataset)
    if there is None:
        return []
    try:
        down = Trail(bench, dataset)
        commit, number = down.start(there)
        walked = list(down.down(commit, number, number - count))
    except Corrupt:
        return history.log(bench, dataset)
    return [record for records in walked for record in reversed(records)]
