"""Which versions of the master are commits, in their order, and whether everything about the others is told.

S3 keeps versions as they were put, so they are the ground that the rest is held against: the metadata of each name the
commit, its number and parent, the version that it replaced, and the chain value of the record before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from towline import keys, lineage
from towline.audit import GENESIS
from towline.verify.finding import Finding
from towline.verify.stored import Held, Mark, Stored


@dataclass
class Landed:
    """A commit: the version that it made, and its place in the history.

    number    the one that it must have: one more than the commit before it
    before    the commit before it; None for the first, and where the version that it was made on is gone (`torn`)
    begin     the chain value before its records, and `end` the one after them; None where nothing tells
    finished  whether all that follows from it must be there
    records   its audit records in their order; `whole`: they lead from `begin` to `end`
    others    records that name it and are not among those
    """

    mark: Mark
    commit: str
    at: datetime
    number: int
    before: Landed | None
    begin: str | None
    torn: bool = False
    end: str | None = None
    finished: bool = True
    records: Sequence[Held] = ()
    others: Sequence[Held] = ()
    whole: bool = False

    @property
    def base(self) -> str | None:
        """The version that it replaced; None for the first, and where that was not noted."""
        return self.mark.metadata.get("base") or None

    @property
    def parent(self) -> str | None:
        """The commit before it."""
        return self.mark.metadata.get("parent") if self.torn else self.before.commit if self.before else None

    def finding(self, kind: str, message: str, key: str = "") -> Finding:
        return Finding(kind, message, key, self.commit, self.number, self.mark.version)


def split(stored: Stored) -> tuple[list[Landed], list[Mark]]:
    """The commits, oldest first, and the versions that no commit made in its turn."""
    landed: dict[str, Landed] = {}
    strangers: list[Mark] = []
    newest_first = [mark.at for mark in stored.marks[::-1]]
    recorded = {(held["commit"], held["new_version"]) for held in stored.held if held.is_sealed}
    for place, mark in enumerate(stored.marks):
        at, below = moment(mark.commit), newest_first[len(newest_first) - place :]
        before = next(reversed(landed.values()), None)
        if mark.at.is_delete_marker:
            continue
        if at is None or mark.commit in landed:
            strangers.append(mark)
        elif "base" not in mark.metadata or lineage.rests_on(below, mark.metadata["base"]):
            landed[str(mark.commit)] = _landed(mark, at, before)
        elif (mark.commit, mark.version) in recorded and not _is_there(stored, mark.metadata["base"]):
            landed[str(mark.commit)] = _torn(mark, at, before)
        else:
            strangers.append(mark)
    commits = list(landed.values())
    if commits:
        _close(stored, commits[-1])
    return commits, strangers


def moment(commit: str | None) -> datetime | None:
    """The moment that a commit id carries; None where it is none."""
    try:
        return keys.commit_time(commit) if commit and keys.is_commit(commit) else None
    except (ValueError, OverflowError, OSError):
        return None


def _is_there(stored: Stored, version: str) -> bool:
    return any(mark.version == version for mark in stored.marks)


def _landed(mark: Mark, at: datetime, before: Landed | None) -> Landed:
    begin = mark.metadata.get("prev_chain") or (None if before else GENESIS)
    found = Landed(mark, str(mark.commit), at, before.number + 1 if before else 1, before, begin)
    if before:
        before.end = begin
    return found


def _torn(mark: Mark, at: datetime, before: Landed | None) -> Landed:
    """A commit with a record, whose base was deleted for good: only its own metadata say where it stood."""
    number = mark.metadata.get("number", "")
    told = int(number) if number.isdecimal() else before.number + 1 if before else 1
    return Landed(mark, str(mark.commit), at, told, None, mark.metadata.get("prev_chain"), torn=True)


def _close(stored: Stored, last: Landed) -> None:
    """No version follows the newest commit: a receipt tells whether it is finished, and where its records end."""
    receipt = stored.receipts.get(last.mark.metadata.get("proposal", ""))
    if receipt is None:
        return
    last.finished = receipt.status != "committing"
    if receipt.status == "committed" and receipt.commit == last.commit:
        last.end = receipt.chain


def check(stored: Stored, commits: Sequence[Landed], strangers: Sequence[Mark]) -> Iterator[Finding]:
    """The versions as such, and that each of those that no commit made is accounted for."""
    for landed in commits:
        yield from _metadata(landed)
    if commits and not commits[-1].finished:
        yield _unfinished(stored, commits[-1])
    digest = commits[-1].mark.metadata.get("contract") if commits else None
    if digest not in (None, stored.contract.digest):
        said = other("digest", digest, stored.contract.digest)
        yield commits[-1].finding("contract.altered", said, keys.contract(stored.dataset))
    yield from _markers(stored, commits)
    of_others = ("external", "create")  # kinds of records that account for a version which is not a commit's
    records = [(held, landed) for landed in commits for held in landed.records]
    named = {held["prev_version"]: landed for held, landed in records if held["kind"] in of_others}
    for mark in strangers:
        yield _stranger(stored, commits, mark, named.get(mark.version))


def _metadata(landed: Landed) -> Iterator[Finding]:
    """What a version says of itself must be what its place in the history says."""
    says, before = landed.mark.metadata, landed.before
    if landed.torn:
        said = f"version {landed.base}, which the commit was made on, is not there"
        yield replace(landed.finding("version.missing", said, landed.mark.at.key), version=landed.base)
        return
    expected = {"number": str(landed.number), "parent": before.commit if before else ""}
    if before is None and "prev_chain" in says:
        expected["prev_chain"] = GENESIS
    for name, value in expected.items():
        if says.get(name, "") != value:
            said = other(f"metadata {name}", value, says.get(name))
            yield landed.finding("version.contradicts", said, landed.mark.at.key)


def other(what: str, expected: object, found: object) -> str:
    """What a thing should be, and is not."""
    return f"{what}: expected {expected}, found {found}"


def _unfinished(stored: Stored, last: Landed) -> Finding:
    if last.commit in stored.intents:
        return last.finding("commit.unfinished", "its snapshot, changes, records and receipts are not all written yet")
    key = keys.intent(stored.dataset, last.commit)
    return last.finding("intent.missing", "it is not finished, and its intent, from which it could be, is gone", key)


def _markers(stored: Stored, commits: Sequence[Landed]) -> Iterator[Finding]:
    for mark in stored.marks:
        if mark.at.is_delete_marker:
            kind = "master.deleted" if mark is stored.marks[-1] else "master.was_deleted"
            said = f"the master was deleted at {mark.at.modified:%Y-%m-%d %H:%M:%S} UTC"
            number = _above(stored, commits, mark)[1]
            yield Finding(kind, said, mark.at.key, number=number, version=mark.version)


def _above(stored: Stored, commits: Sequence[Landed], mark: Mark) -> tuple[Landed | None, int]:
    """The commit above a version, and its number; the number that the next commit will have, where there is none."""
    higher = {each.version for each in stored.marks[stored.marks.index(mark) :]}
    above = next((landed for landed in commits if landed.mark.version in higher), None)
    return above, above.number if above else commits[-1].number + 1 if commits else 1


def _stranger(stored: Stored, commits: Sequence[Landed], mark: Mark, recorded: Landed | None) -> Finding:
    """A version that no commit made in its turn: recorded, harmless, or a break."""
    what = f"no commit made it ({mark.at.modified:%Y-%m-%d %H:%M:%S} UTC, {mark.at.size:,} bytes"
    what += f", with the metadata of commit {mark.commit})" if mark.commit else ")"
    above, number = _above(stored, commits, mark)
    found = Finding("version.unrecorded", what, mark.at.key, number=number, version=mark.version)
    if recorded is not None:
        by = f"{what}; commit {recorded.number} recorded it"
        return replace(found, kind="version.external", message=by, commit=recorded.commit, number=recorded.number)
    if above is not None and above is commits[0]:
        return replace(found, kind="version.before")
    if above is not None and _is_repeat(stored, mark, above):
        return replace(found, kind="version.repeated", message=f"{what}; it repeats the version below it")
    later = "and it is not recorded yet" if above is None else "and no audit record names it"
    return replace(found, message=f"{what}, {later}")


def _is_repeat(stored: Stored, mark: Mark, after: Landed) -> bool:
    """Whether it lies between a commit and the version that this was made on, with that one's ETag."""
    base = next((each for each in stored.marks if each.version == after.base), None)
    return base is not None and stored.marks.index(base) < stored.marks.index(mark) and base.at.etag == mark.at.etag
