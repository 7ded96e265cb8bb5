"""The tables and changes files against the records: each snapshot is the version that its commit made, each changes
file is the one that was recorded, and the changes lead from one table to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import pyarrow as pa

from towline import archive, changefile, keys
from towline import table as tables
from towline.diff import diff
from towline.errors import Corrupt, NotFound, TowlineError, UsageError
from towline.plan import Plan
from towline.rows import InMemory
from towline.store import Blob, Entry
from towline.values import shown
from towline.verify import intents
from towline.verify.ahead import ahead
from towline.verify.commits import Landed, other
from towline.verify.finding import Finding
from towline.verify.stored import Held, Mark, Stored
from towline.workbench import Workbench


@dataclass(frozen=True)
class _Read:
    """What was read for one commit, and found while it was read. `version` is None where tables are left out; `changes`
    are the recorded files by proposal, None where one is gone or another."""

    landed: Landed
    version: Blob | None
    changes: Mapping[str, bytes | None]
    found: Sequence[Finding]


def check(
    bench: Workbench, stored: Stored, commits: Sequence[Landed], *, quick: bool, seen: Callable[[int], None]
) -> Iterator[Finding]:
    """Go through the commits in order, reading some ahead: only so many tables are in memory at once.

    `quick`: no table is read. Snapshots are then compared by S3's own checksums, and nothing is replayed.
    """
    table: pa.Table | None = None
    for read in ahead(lambda landed: _read(bench, stored, landed, quick=quick), commits):
        seen(read.landed.number)
        yield from read.found
        if read.version is not None:
            found, table = _replayed(stored, read, read.version, table)
            yield from found
    yield from _strays(stored, commits)


def _read(bench: Workbench, stored: Stored, landed: Landed, *, quick: bool) -> _Read:
    found = [] if quick else intents.check(bench, stored, landed)
    version = None if quick else _version(bench, landed, found)
    if version is None and not quick:
        return _Read(landed, None, {}, found)
    _compare_snapshots(bench, stored, landed, version, found)
    changes = {
        held["proposal"]: _changes(bench, stored, landed, held, found) for held in landed.records if held.is_sealed
    }
    return _Read(landed, version, changes, found)


def _version(bench: Workbench, landed: Landed, found: list[Finding]) -> Blob | None:
    try:
        return bench.store.get(landed.mark.at.key, version=landed.mark.version)
    except (NotFound, Corrupt) as error:
        said = f"it was listed, and cannot be read: {error}"
        found.append(landed.finding("version.missing", said, landed.mark.at.key))
        return None


def _compare_snapshots(
    bench: Workbench, stored: Stored, landed: Landed, version: Blob | None, found: list[Finding]
) -> None:
    home = stored.layout.snapshot(stored.dataset, landed.commit)
    there = stored.snapshots.get(home, [])
    if not there and landed.finished:
        found.append(landed.finding("snapshot.missing", "the snapshot of this commit is not there", home))
    for entry in there:
        said = _other_than(bench, stored, entry, landed.mark, version)
        if said:
            found.append(landed.finding("snapshot.altered", said, entry.key))


def _other_than(bench: Workbench, stored: Stored, entry: Entry, mark: Mark, version: Blob | None) -> str | None:
    """How a snapshot is not the version that it must be a copy of; None where it is. Without the version's bytes S3's
    checksums tell, where they are equal."""
    if version is None:
        if (entry.size, entry.etag) == (mark.at.size, mark.at.etag):
            return None
        version = bench.store.get(mark.at.key, version=mark.version)
    try:
        copy = archive.get(bench.store, stored.layout, entry.key)
    except (NotFound, Corrupt) as error:
        return f"it was listed, and cannot be read: {error}"
    if copy.body != version.body:
        sizes = f"its {len(copy.body):,} bytes are not the {len(version.body):,} of the version"
        return f"{sizes}; {_told(copy, version, stored)}"
    if copy.stat.metadata != version.stat.metadata:
        return other("its metadata", dict(version.stat.metadata), dict(copy.stat.metadata))
    return None


def _told(copy: Blob, version: Blob, stored: Stored) -> str:
    """What of the table in a snapshot is another."""
    try:
        ours, theirs = (tables.from_parquet(blob.body, blob.stat.key) for blob in (version, copy))
    except Corrupt as error:
        return str(error)
    return _difference(ours, theirs, stored) or "the table in it is the same"


def _changes(bench: Workbench, stored: Stored, landed: Landed, held: Held, found: list[Finding]) -> bytes | None:
    """The changes file of a record; None, and what was found, where it is not the one that the record tells of."""
    key = keys.changes(stored.dataset, held["proposal"], landed.at)  # a record that names another is found as such
    try:
        body = bench.store.get(key).body
    except (NotFound, UsageError) as error:  # or what the record says makes no key
        if landed.finished:
            said = f"the changes of proposal {held['proposal']} are not there: {error}"
            found.append(landed.finding("changes.missing", said, key))
        return None
    except Corrupt as error:
        found.append(landed.finding("changes.altered", str(error), key))
        return None
    digest = sha256(body).hexdigest()
    if digest == held["changes_sha256"]:
        return body
    found.append(landed.finding("changes.altered", other("SHA-256", held["changes_sha256"], digest), key))
    return None


def _replayed(
    stored: Stored, read: _Read, version: Blob, before: pa.Table | None
) -> tuple[list[Finding], pa.Table | None]:
    """Replay a commit's changes on the table before it, and compare. Goes on from the commit's own table, so that one
    break is not told again with every commit after it."""
    landed, where = read.landed, f"version {read.landed.mark.version}"
    found = []
    try:
        after = tables.from_parquet(version.body, where)
    except Corrupt as error:
        return [landed.finding("table.differs", str(error), version.stat.key)], None
    if (inside := tables.commit_of(version.body)) != landed.commit:
        said = other("the commit id in the file", landed.commit, inside)
        found.append(landed.finding("version.contradicts", said, version.stat.key))
    if landed.whole and len(read.changes) == len(landed.records) and None not in read.changes.values():
        found += _compared(stored, read, None if landed.torn else before, after)
    return found, after


def _compared(stored: Stored, read: _Read, table: pa.Table | None, after: pa.Table) -> Iterator[Finding]:
    """The replay of one commit on `table`: None before the first commit, and where the one before is unknown."""
    landed = read.landed
    for held in landed.records:
        if table is None and held.record["kind"] != "create":
            return
        try:
            table, counts = _step(stored, held, read.changes[held["proposal"]] or b"", table, after)
        except (TowlineError, ValueError, KeyError) as error:
            said = f"the changes of proposal {held['proposal']} do not fit the table before it: {error}"
            yield landed.finding("table.differs", said, held["changes_key"])
            return
        expected = {**tables.summary(after), **counts}
        wrong = [
            other(name, count, held.record[name]) for name, count in expected.items() if held.record[name] != count
        ]
        if wrong:
            said = f"the tables say otherwise than the record: {'; '.join(wrong)}"
            yield landed.finding("record.contradicts", said, held.key)
    if said := _difference(table, after, stored):
        yield landed.finding("table.differs", f"its changes files do not lead to its table: {said}", landed.mark.at.key)


def _step(
    stored: Stored, held: Held, body: bytes, table: pa.Table | None, after: pa.Table
) -> tuple[pa.Table, Mapping[str, int]]:
    """The table after one proposal, and what its record must say of the change. A `create` has no changes: its table is
    where the history begins."""
    if held.record["kind"] == "create" or table is None:
        return after, Plan(InMemory(after, stored.contract.key)).counts()
    types = {each.name: each.type for each in stored.contract.fields}
    change = changefile.of_table(body, stored.contract.key, types, table)
    return tables.apply(table, stored.contract.key, change.changes), Plan(diff=change).counts()


def _difference(expected: pa.Table, found: pa.Table, stored: Stored) -> str:
    """How a table is another than it should be; empty where it is not. NaN equals NaN."""
    if expected.equals(found):
        return ""
    try:
        changes = diff(expected, found, stored.contract.key).changes
    except (UsageError, ValueError, KeyError) as error:
        return str(error)
    if not changes:
        return ""
    first = changes[0]
    key = stored.contract.key_dict(first.key(stored.contract.key))
    what = {"insert": "should not be there", "delete": "should be there"}.get(first.kind)
    cell = next(first.cells())
    what = what or f"should have {cell.column} {shown(cell.old)}, and has {shown(cell.new)}"
    return f"{len(changes):,} of {expected.num_rows:,} rows differ; row {key} {what}"


def _strays(stored: Stored, commits: Sequence[Landed]) -> Iterator[Finding]:
    """Changes files and snapshots that nothing refers to. What a commit that is not finished has written is none."""
    named = {held["changes_key"] for held in stored.held}
    named |= {str(receipt.changes_key) for receipt in stored.receipts.values()}
    if commits and not commits[-1].finished:
        claimed = (each.proposal for each in stored.receipts.values() if each.status == "committing")
        named |= {keys.changes(stored.dataset, proposal, commits[-1].at) for proposal in claimed}
    for key in sorted(stored.changes.keys() - named):
        yield Finding("changes.stray", "no audit record names this changes file", key)
    taken = {stored.layout.snapshot(stored.dataset, landed.commit) for landed in commits}
    for home in sorted(stored.snapshots.keys() - taken):
        for entry in stored.snapshots[home]:
            yield Finding("snapshot.stray", "this is the snapshot of no commit", entry.key)
