"""What happened to a dataset, read from its audit records and snapshots. History never expires."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import groupby

import pyarrow as pa

from towline import archive, audit, keys, lineage, master, rows, table
from towline.diff import Diff
from towline.errors import Corrupt, NotFound, UsageError
from towline.master import Head
from towline.store import Blob, Entry
from towline.workbench import Workbench

READERS = 16  # audit records are small objects, read side by side
SKEW = timedelta(seconds=2)  # between the clocks of two machines that commit
SECOND = timedelta(seconds=1)  # which is what a key tells of a moment

Record = audit.Record


@dataclass(frozen=True)
class Place:
    """Where an audit record lies, and what its key tells of it without reading it: the moment of its commit (UTC, to
    the second) and its author as keys spell people (`keys.slug`)."""

    key: str
    at: datetime
    user: str


def log(bench: Workbench, dataset: str) -> list[Record]:
    """The audit records of a dataset, newest first. NotFound: no such dataset."""
    bench.contract(dataset)
    return read(bench, places(bench, dataset))


def log_of(bench: Workbench, dataset: str, user: str) -> list[Record]:
    """The audit records of one person's proposals, newest first; nobody else's are read. NotFound: no such dataset."""
    bench.contract(dataset)
    theirs = (place for place in places(bench, dataset) if place.user == keys.slug(user))
    return [found for found in read(bench, theirs) if found["user"] == user]


def places(bench: Workbench, dataset: str, since: datetime | None = None) -> list[Place]:
    """Where the audit records of a dataset lie (of the day of `since` and later ones; None: all), newest first: one
    request for a thousand of them, and one for the archive."""
    return _places(bench, archive.records(bench, dataset, since.astimezone(UTC) if since else None))


def of_commit(bench: Workbench, dataset: str, commit: str) -> list[Record]:
    """The audit records of one commit, in their order; none where there is no such commit."""
    at = keys.commit_time(commit).replace(microsecond=0)
    near = (place for place in places_of_day(bench, dataset, at) if place.at == at)
    return [found for found in reversed(read(bench, near)) if found["commit"] == commit]


def places_of_day(bench: Workbench, dataset: str, day: datetime) -> list[Place]:
    """Where the audit records of one day (UTC) lie, newest first."""
    return _places(bench, archive.records_of_day(bench, dataset, day.astimezone(UTC)))


def _places(bench: Workbench, entries: Iterable[Entry]) -> list[Place]:
    """What `prune` has copied and not yet deleted counts where it was."""
    found = {entry.key: entry for entry in entries}
    twice = {bench.layout.archived(key) for key in found}
    return newest_places(_place(entry, bench.layout.home(key)) for key, entry in found.items() if key not in twice)


def newest_places(found: Iterable[Place]) -> list[Place]:
    return sorted(found, key=lambda place: (place.at, place.key), reverse=True)


# <YYYY-MM-DD>/<user>_<YYYYMMDDTHHMMSS>_<proposal>.jsonl; a user or a proposal may have such a moment in its name, too.
_MOMENT = re.compile(r"_(\d{8}T\d{6})(?=_)")


def _place(entry: Entry, home: str) -> Place:
    day, _, name = "/".join(home.rsplit("/", 2)[1:]).partition("/")
    for found in _MOMENT.finditer(name):
        if found[1].startswith(day.replace("-", "")):
            return Place(entry.key, _parsed(found[1], entry), name[: found.start()])
    return Place(entry.key, entry.modified, "")  # named otherwise, by hand: still a record


def _parsed(moment: str, entry: Entry) -> datetime:
    try:
        return datetime.strptime(moment, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return entry.modified


def read(bench: Workbench, where: Iterable[Place]) -> list[Record]:
    """The records at these places, newest first."""
    with ThreadPoolExecutor(READERS) as pool:
        return audit.newest_first(pool.map(lambda place: record(bench, place), where))


def record(bench: Workbench, place: Place) -> Record:
    """One audit record. Corrupt: the object is none."""
    return bench.recall(place.key, lambda: _record(bench, place))


def _record(bench: Workbench, place: Place) -> Record:
    try:
        return audit.from_line(archive.get(bench.store, bench.layout, place.key).body)
    except ValueError as error:
        raise Corrupt(f"{place.key} is no audit record: {error}. Put it back from the bucket's versions") from error


def numbered(bench: Workbench, where: Sequence[Place], number: int) -> Record | None:
    """One record of the commit with this number, out of all places (newest first): a dozen requests for a thousand.
    None where there is no such commit."""

    def minus(place: Place) -> int:
        return -int(str(record(bench, place)["number"]))

    near = bisect_left(where, -number, key=minus)
    # Places of one second are in no order, and clocks of different machines differ a little.
    around = {place.at for place in where[max(0, near - 1) : near + 1]}
    few = (place for place in where if any(abs(place.at - at) <= SKEW for at in around))
    return next((found for found in read(bench, few) if found["number"] == number), None)


def cells(bench: Workbench, found: Record) -> pa.Table:
    """The changes file of a record, one row a cell (see `towline.changefile`). NotFound: it is gone. Corrupt: it is not
    the one that the record tells of."""
    key, digest = str(found["changes_key"]), str(found["changes_sha256"])
    return bench.recall(f"{key} {digest}", lambda: _cells(bench, key, digest))


def _cells(bench: Workbench, key: str, digest: str) -> pa.Table:
    body = bench.store.get(key).body
    if sha256(body).hexdigest() != digest:
        raise Corrupt(f"{key} is not what the audit record says it is; `towline verify` looks at all of them")
    return table.from_parquet(body, key)


def resolve(bench: Workbench, dataset: str, at: str | None) -> str:
    """The id of the commit that `at` means: None or `head`, a commit's id, its number, the key of its snapshot, the
    VersionId of the master that it made, or a moment (ISO 8601; without a zone it is UTC): of the commits made by then,
    by their own times, the one with the highest number. NotFound where there is none, UsageError where `at` means
    nothing."""
    if at is None or at == "head":
        head = lineage.newest(bench, dataset)
        if head is None:
            raise NotFound(f"the dataset {dataset!r} has no commit yet")
        return head.metadata["commit"]
    if keys.is_commit(at):
        return at
    bench.contract(dataset)
    at = bench.layout.home(at)  # the key of a snapshot that was archived
    if (named := keys.commit_of_snapshot(at)) is not None:
        return _of_snapshot(bench, dataset, named, at)
    where = places(bench, dataset)
    if at.lstrip("#").isdecimal():
        found = by_number(bench, dataset, where, int(at.lstrip("#")))
    elif (moment := _moment(at)) is not None:
        found = _newest_by(bench, dataset, where, moment)
    else:
        return _of_version(bench, dataset, at)
    if found is None:
        raise NotFound(f"{dataset} has no commit {at}; `towline log {dataset}` lists them")
    return str(found["commit"])


def _of_snapshot(bench: Workbench, dataset: str, commit: str, key: str) -> str:
    if key != bench.layout.snapshot(dataset, commit):
        raise NotFound(f"{key} is no snapshot of {dataset}; `towline log {dataset} --json` has their keys")
    return commit


def _of_version(bench: Workbench, dataset: str, at: str) -> str:
    """The commit that made this version of the master."""
    try:
        head = Head(dataset, Blob(bench.store.head(keys.master(dataset), version=at), b""))
    except (NotFound, UsageError) as error:
        raise UsageError(
            f"{at!r} is no commit id, no commit number, no moment like 2026-03-01T12:00, and no snapshot or version of "
            f"{dataset}'s master; `towline log {dataset}` lists them"
        ) from error
    if head.commit is None or not lineage.stands(bench, head):
        raise NotFound(f"version {at} was written past Towline: the commit after it holds its table")
    return head.commit


def by_number(bench: Workbench, dataset: str, where: Sequence[Place], number: int) -> Record | None:
    """One record of the commit with this number, as `numbered`; also where a clock ran backwards between commits, which
    takes all records to tell."""
    found = numbered(bench, where, number)
    if found is None and 0 < number <= _head_number(bench, dataset):
        return next((each for each in read(bench, where) if each["number"] == number), None)
    return found


def _newest_by(bench: Workbench, dataset: str, where: Sequence[Place], moment: datetime) -> Record | None:
    """A record of the newest commit by then: of those that say they were made by then, the one with the highest number.
    That is the last one by time, if the next one by time is the next one by number. If it is not, a clock ran
    backwards, and it takes all records to tell."""
    last = _last_by(bench, where, moment)
    later = [place for place in where if place.at > moment - SECOND]
    after = [record for record in read(bench, _oldest_seconds(later)) if _made(record) > moment]
    follows = int(str(last["number"])) + 1 if last else 1
    if any(record["number"] == follows for record in after) or (not after and follows > _head_number(bench, dataset)):
        return last
    return next((record for record in read(bench, where) if _made(record) <= moment), None)


def _last_by(bench: Workbench, where: Sequence[Place], moment: datetime) -> Record | None:
    """Keys tell the second only, so those of one second are all asked."""
    for _, second in groupby((place for place in where if place.at <= moment), key=lambda place: place.at):
        for found in read(bench, second):
            if _made(found) <= moment:
                return found
    return None


def _oldest_seconds(where: Sequence[Place]) -> list[Place]:
    """The places of the two oldest seconds: one of them may be that of the moment itself."""
    seconds = sorted({place.at for place in where})[:2]
    return [place for place in where if place.at in seconds]


def _made(record: Record) -> datetime:
    return datetime.fromisoformat(str(record["timestamp"]))


def _head_number(bench: Workbench, dataset: str) -> int:
    """The number of the head's commit; 0 where the head is none's."""
    try:
        return int(bench.store.head(keys.master(dataset)).metadata.get("number", "0"))
    except NotFound:
        return 0


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def table_at(bench: Workbench, dataset: str, at: str | None = None) -> tuple[str, pa.Table]:
    """A commit's id and its table: the head's from the master, any other's from its snapshot. While the head is what
    somebody put past Towline, not recorded yet, it is the commit below it that is meant."""
    found = head_at(bench, dataset, at)
    assert found.commit is not None  # noqa: S101 - a commit's
    return found.commit, found.table


def head_at(bench: Workbench, dataset: str, at: str | None = None) -> Head:
    """The master as a commit left it: of the head the master itself, of any other its snapshot; as `table_at`."""
    if at is None or at == "head":
        bench.contract(dataset)
        head = master.read(bench.store, dataset)
        if head is not None and head.commit is not None:
            return head
    commit = resolve(bench, dataset, at)
    found = master.at_commit(bench.store, bench.layout, dataset, commit)
    if found is None:
        raise NotFound(f"{dataset} has no commit {commit}; `towline log {dataset}` lists them")
    return found


def parent(bench: Workbench, dataset: str, commit: str) -> str:
    """The commit that another one (its id) was made on. NotFound: there is no such commit, or none before it."""
    found = master.at_commit(bench.store, bench.layout, dataset, commit)
    if found is None:
        raise NotFound(f"{dataset} has no commit {commit}; `towline log {dataset}` lists them")
    if found.parent is None:
        raise NotFound(f"commit {found.number} made {dataset}: there is none before it")
    return found.parent


def compare(bench: Workbench, dataset: str, old: str, new: str | None) -> tuple[Diff, str, str]:
    """What turns the table at `old` into the table at `new` (both as in `resolve`), and the ids of the two commits."""
    key = bench.contract(dataset).key
    before, after = head_at(bench, dataset, old), head_at(bench, dataset, new)
    assert before.commit is not None and after.commit is not None  # noqa: S101, PT018 - commits'
    return rows.difference(before.rows(key), after.rows(key), key), before.commit, after.commit


def difference(bench: Workbench, dataset: str, old: str, new: str | None) -> Diff:
    """What turns the table at `old` into the table at `new` (both as in `resolve`)."""
    return compare(bench, dataset, old, new)[0]
