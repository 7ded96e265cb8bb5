"""The tables and changes files against the records: each snapshot is the version that its commit made, each changes
file is the one that was recorded, and the changes lead from one table to the next (`towline.verify.replay`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from towline import archive, keys
from towline.ahead import ahead
from towline.errors import Corrupt, NotFound, UsageError
from towline.history import READERS
from towline.parquet import compare
from towline.parquet.footer import TAIL
from towline.parquet.writer import COMMIT
from towline.store import Blob, Entry
from towline.verify import intents, versions
from towline.verify.commits import Landed, other
from towline.verify.finding import Finding
from towline.verify.replay import Replay, difference
from towline.verify.stored import Held, Stored
from towline.verify.versions import Table
from towline.workbench import Workbench


@dataclass(frozen=True)
class _Read:
    """What was read for one commit, and found while it was read. `version` is the end of its version's object (None
    where tables are left out), `copies` those of its snapshots, with their keys; `changes` are the recorded files by
    proposal, None where one is gone or another."""

    landed: Landed
    version: Blob | None
    copies: Sequence[tuple[str, Blob]]
    changes: Mapping[str, bytes | None]
    found: Sequence[Finding]


def check(
    bench: Workbench, stored: Stored, commits: Sequence[Landed], *, quick: bool, seen: Callable[[int], None]
) -> Iterator[Finding]:
    """Go through the commits in order, reading some ahead; the bulk of a large table is read when its turn comes, piece
    by piece.

    `quick`: no table is read. Snapshots are then compared by S3's own checksums, and nothing is replayed.
    """
    before: Table | None = None
    for read in ahead(lambda landed: _read(bench, stored, landed, quick=quick), commits, READERS):
        seen(read.landed.number)
        yield from read.found
        if read.version is not None:
            table, same = versions.look(bench.store, read.version, [copy for _, copy in read.copies])
            yield from _copies(bench, stored, read, read.version, table, same)
            found, before = _replayed(stored, read, table, before)
            yield from found
    yield from _strays(stored, commits)


def _read(bench: Workbench, stored: Stored, landed: Landed, *, quick: bool) -> _Read:
    found = [] if quick else intents.check(bench, stored, landed)
    version = None if quick else _version(bench, landed, found)
    if version is None and not quick:
        return _Read(landed, None, (), {}, found)
    copies = list(_snapshots(bench, stored, landed, found, quick=quick))
    changes = {
        held["proposal"]: _changes(bench, stored, landed, held, found) for held in landed.records if held.is_sealed
    }
    return _Read(landed, version, copies, changes, found)


def _version(bench: Workbench, landed: Landed, found: list[Finding]) -> Blob | None:
    try:
        return bench.store.get(landed.mark.at.key, version=landed.mark.version, tail=TAIL)
    except (NotFound, Corrupt) as error:
        said = f"it was listed, and cannot be read: {error}"
        found.append(landed.finding("version.missing", said, landed.mark.at.key))
        return None


def _snapshots(
    bench: Workbench, stored: Stored, landed: Landed, found: list[Finding], *, quick: bool
) -> Iterator[tuple[str, Blob]]:
    """The ends of what there is of a commit's snapshot, with their keys."""
    home = stored.layout.snapshot(stored.dataset, landed.commit)
    there = stored.snapshots.get(home, [])
    if not there and landed.finished:
        found.append(landed.finding("snapshot.missing", "the snapshot of this commit is not there", home))
    for entry in there:
        try:
            if quick:
                _compare_quickly(bench, stored, landed, entry, found)
            else:
                yield entry.key, archive.get(bench.store, stored.layout, entry.key, tail=TAIL)
        except (NotFound, Corrupt) as error:
            said = f"it was listed, and cannot be read: {error}"
            found.append(landed.finding("snapshot.altered", said, entry.key))


def _compare_quickly(bench: Workbench, stored: Stored, landed: Landed, entry: Entry, found: list[Finding]) -> None:
    """S3's checksums tell, where they are equal; else the bytes."""
    mark = landed.mark
    if (entry.size, entry.etag) != (mark.at.size, mark.at.etag):
        version = bench.store.get(mark.at.key, version=mark.version, tail=TAIL)
        copy = archive.get(bench.store, stored.layout, entry.key, tail=TAIL)
        table, same = versions.look(bench.store, version, [copy])
        if said := _other_than(bench, stored, copy, version, table, is_same=same[0]):
            found.append(landed.finding("snapshot.altered", said, entry.key))


def _copies(
    bench: Workbench, stored: Stored, read: _Read, version: Blob, table: Table | Corrupt, same: Sequence[bool]
) -> Iterator[Finding]:
    for (key, copy), is_same in zip(read.copies, same, strict=True):
        if said := _other_than(bench, stored, copy, version, table, is_same=is_same):
            yield read.landed.finding("snapshot.altered", said, key)


def _other_than(
    bench: Workbench, stored: Stored, copy: Blob, version: Blob, table: Table | Corrupt, *, is_same: bool
) -> str | None:
    """How a snapshot is not the version that it must be a copy of; None where it is."""
    if not is_same:
        sizes = f"its {copy.stat.size:,} bytes are not the {version.stat.size:,} of the version"
        return f"{sizes}; {_told(bench, stored, copy, table)}"
    if copy.stat.metadata != version.stat.metadata:
        return other("its metadata", dict(version.stat.metadata), dict(copy.stat.metadata))
    return None


def _told(bench: Workbench, stored: Stored, copy: Blob, ours: Table | Corrupt) -> str:
    """What of the table in a snapshot is another."""
    theirs, _ = versions.look(bench.store, copy, [])
    for each in (ours, theirs):
        if isinstance(each, Corrupt):
            return str(each)
    assert isinstance(ours, Table) and isinstance(theirs, Table)  # noqa: S101, PT018 - as was seen just now
    try:
        changes = compare.changes(ours.grouped, theirs.grouped, stored.contract.key)
        found = difference(changes, ours.file.num_rows, stored)
    except Corrupt as error:
        return str(error)
    return found or "the table in it is the same"


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
    stored: Stored, read: _Read, after: Table | Corrupt, before: Table | None
) -> tuple[list[Finding], Table | None]:
    """Replay a commit's changes on the table before it, and compare. Goes on from the commit's own table, so that one
    break is not told again with every commit after it."""
    landed, key = read.landed, read.landed.mark.at.key
    if isinstance(after, Corrupt):
        return [landed.finding("table.differs", str(after), key)], None
    found = []
    if (inside := after.file.footer.metadata.get(COMMIT)) != landed.commit:
        said = other("the commit id in the file", landed.commit, inside)
        found.append(landed.finding("version.contradicts", said, key))
    if lie := after.passed.lie(after.file.footer):
        said = f"its footer gives a digest of column {lie[1]} of row group {lie[0]} that is not that of its bytes"
        found.append(landed.finding("version.contradicts", said, key))
    replay = Replay(stored, landed, read.changes, None if landed.torn else before, after)
    try:
        return [*found, *replay.findings()], after
    except Corrupt as error:
        return [*found, landed.finding("table.differs", str(error), key)], None


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
