"""An Iceberg table in step with the commits of a dataset: one Iceberg snapshot a commit, for engines that want it.

The table is a copy, and never the source of truth. What was published is read from the table itself: each snapshot
carries its commit in its summary, so a run goes on where the last one ended, however that ended. Nothing of the commit
path knows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import pyarrow as pa

from towline import history, lineage, master
from towline.block import Records
from towline.contract import Contract
from towline.errors import Corrupt, LostRace, NotFound, Refused, UsageError
from towline.trail import Trail
from towline.workbench import Workbench

# Properties of a snapshot's summary; each begins with this.
PREFIX = "towline."
COMMIT, NUMBER, CHAIN = f"{PREFIX}commit", f"{PREFIX}number", f"{PREFIX}chain"
WHOLE = 1_000  # commits that a first run publishes unless it is told where to begin
TRIES = 5  # times that another publisher may get there first


@dataclass(frozen=True)
class Snapshot:
    """One snapshot of the Iceberg table: its id, and the properties of its summary that are Towline's."""

    id: int
    summary: Mapping[str, str]

    @property
    def number(self) -> int:
        """Of its commit."""
        return int(self.summary[NUMBER])

    def to_json(self) -> dict[str, object]:
        return {"commit": self.summary[COMMIT], "number": self.number, "snapshot": self.id}


class Lake(Protocol):
    """The Iceberg table of one dataset, in some catalog. Every method may raise Unavailable and Refused."""

    @property
    def name(self) -> str:
        """The table's name in its catalog: `<database>.<dataset>_iceberg`."""
        ...

    def snapshots(self) -> Sequence[Snapshot] | None:
        """The current snapshot and those that it follows, oldest first. None: there is no such table."""
        ...

    def create(self, contract: Contract) -> None:
        """Make the table, without a snapshot; another one may have been there, whose files are removed. Nothing
        happens where there is one. NotFound: the catalog has no such database."""
        ...

    def append(self, table: pa.Table, summary: Mapping[str, str], after: int | None) -> int:
        """Make `table` the table's content, as one snapshot on top of the snapshot `after`; its id.

        LostRace: another snapshot is the current one by now. OutcomeUnknown: look again. UsageError: the Iceberg table
        has other columns.
        """
        ...

    def drop(self) -> None:
        """Take the table out of its catalog, if it is there. Its files stay until `create` makes another one."""
        ...


@dataclass(frozen=True)
class Publication:
    """What there is to publish, or was: `last` is the newest commit that the table had before (None: it had none), and
    `head` the number of the dataset's. `rebuild`: the table is made anew."""

    dataset: str
    table: str
    head: int
    last: Snapshot | None
    rebuild: bool
    commits: tuple[Records, ...]
    published: tuple[Snapshot, ...] = ()

    def to_json(self) -> dict[str, object]:
        last = self.last.to_json() if self.last else None
        todo = [{"commit": each[-1]["commit"], "number": each[-1]["number"]} for each in self.commits]
        done = [each.to_json() for each in self.published]
        about = {"dataset": self.dataset, "table": self.table, "head": self.head, "rebuild": self.rebuild}
        return {**about, "last": last, "commits": todo, "published": done}


def plan(bench: Workbench, dataset: str, lake: Lake, *, begin: str | None = None, rebuild: bool = False) -> Publication:
    """What `run` would publish: all commits since the newest one that the table has. `begin` (as in
    `history.resolve`) says with which commit a table begins that is made now; without it that is the first.

    NotFound: no such dataset or commit. Refused: the table is not a copy of this history; only `rebuild` helps.
    UsageError: the history is long, and nobody said where to begin. Corrupt: the history has a gap.
    """
    bench.contract(dataset)
    head = lineage.newest(bench, dataset)
    if head is None:
        raise NotFound(f"the dataset {dataset!r} has no commit yet")
    trail = Trail(bench, dataset)
    commit, number = trail.start(head)
    there = None if rebuild else lake.snapshots()
    if there:
        last = _own(lake.name, there)
        walked = list(trail.down(commit, number, last.number - 1))
        _check_same(lake.name, last, walked[-1] if walked else ())
        return Publication(dataset, lake.name, number, last, False, tuple(reversed(walked[:-1])))
    first = _first(bench, dataset, begin, number)
    walked = list(trail.down(commit, number, first - 1))
    return Publication(dataset, lake.name, number, None, rebuild, tuple(reversed(walked)))


def run(
    bench: Workbench,
    lake: Lake,
    planned: Publication,
    seen: Callable[[Snapshot], None] = lambda snapshot: None,
) -> Publication:
    """Publish what was planned, commit by commit; `seen` is told of each. Where somebody else publishes meanwhile, what
    is left for this one is looked at again. Whatever ends it, each commit that was published stays so.

    Raises what `Lake.append` does, and NotFound where a commit's snapshot is gone.
    """
    if planned.rebuild:
        lake.drop()
    if planned.last is None:
        lake.create(bench.contract(planned.dataset))
    done: list[Snapshot] = []
    left = planned
    for _ in range(TRIES):
        try:
            for snapshot in _append(bench, lake, left):
                done.append(snapshot)
                seen(snapshot)
            return replace(planned, published=tuple(done))
        except LostRace:
            begin = str(left.commits[0][-1]["commit"])
            left = plan(bench, planned.dataset, lake, begin=begin)
    raise LostRace(f"{lake.name}: others publish to it all the time; what is missing comes with the next run")


def _append(bench: Workbench, lake: Lake, left: Publication) -> Iterable[Snapshot]:
    after = left.last.id if left.last else None
    for records in left.commits:
        commit, about = str(records[-1]["commit"]), summary(records)
        table = master.snapshot(bench.store, bench.layout, left.dataset, commit)
        if table is None:
            raise NotFound(
                f"the snapshot of commit {records[-1]['number']} ({commit}) is gone: `towline verify {left.dataset}` "
                "says how to get it back"
            )
        after = lake.append(table, about, after)
        yield Snapshot(after, about)


def summary(records: Records) -> dict[str, str]:
    """What the summary of a commit's Iceberg snapshot says of it. A commit of several proposals has all their authors
    and notes; `chain` is that of its last audit record, which stands for all the history up to here."""
    last = records[-1]
    named = {
        "dataset": last["dataset"],
        "commit": last["commit"],
        "number": last["number"],
        "parent": last["parent"] or "",
        "timestamp": last["timestamp"],
        "author": _joined(records, "user", ", "),
        "note": _joined(records, "note", "\n"),
        "kind": _joined(records, "kind", ", "),
        "proposals": ", ".join(str(each["proposal"]) for each in records),
        "chain": last["chain"],
    }
    return {f"{PREFIX}{name}": str(value) for name, value in named.items()}


def _joined(records: Records, field: str, between: str) -> str:
    return between.join(dict.fromkeys(str(each[field]) for each in records))


def _own(table: str, there: Sequence[Snapshot]) -> Snapshot:
    """The newest snapshot, where all of them are ours, one for each commit. Refused: they are not."""
    for each in there:
        if COMMIT not in each.summary or NUMBER not in each.summary:
            raise Refused(
                f"snapshot {each.id} of {table} was not published by Towline: somebody wrote to the table, and what "
                "it holds is no commit's. The dataset is not touched by this. Publish the table anew with --rebuild"
            )
    for below, above in pairwise(there):
        if above.number != below.number + 1:
            raise Refused(
                f"{table} has commit {above.number} right on top of commit {below.number}, and not every commit once: "
                "publish it anew with --rebuild"
            )
    return there[-1]


def _check_same(table: str, last: Snapshot, records: Records) -> None:
    """Refused where the commit that was published last is not the one that the history has under its number."""
    known = records[-1] if records else {}
    if (known.get("commit"), known.get("chain")) != (last.summary[COMMIT], last.summary.get(CHAIN)):
        raise Refused(
            f"{table} holds commit {last.number} as {last.summary[COMMIT]}, which is not in this dataset's history "
            f"({known.get('commit', 'it is shorter')}): it is the copy of another one. Publish it anew with --rebuild"
        )


def _first(bench: Workbench, dataset: str, begin: str | None, head: int) -> int:
    """The number of the commit with which a new table begins."""
    if begin is None:
        if head > WHOLE:
            raise UsageError(
                f"{dataset} has {head:,} commits, and each becomes a snapshot with a file of its own: say --from 1 to "
                "publish them all, --from COMMIT to begin later, or --head-only to begin with the newest"
            )
        return 1
    found = history.of_commit(bench, dataset, history.resolve(bench, dataset, begin))
    if not found:
        raise NotFound(f"{dataset} has no commit {begin}; `towline log {dataset}` lists them")
    number = int(str(found[0]["number"]))
    if number > head:
        raise Corrupt(f"commit {begin} has number {number}, and the newest one {head}: `towline verify {dataset}`")
    return number
