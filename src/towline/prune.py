"""Moving old snapshots and audit records into the archive, so that the usual prefixes stay short. Never by itself.

A commit's snapshot goes first and its records after it, each in three steps: copy where there is nothing yet, see that
the copy is there and whole, delete the original. So at any moment at least one of the two is there; a run that was cut
off is completed by the next, and two at once do each other no harm. The changes files and the versions of the master
stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from towline import archive, history, keys, lineage
from towline.errors import Corrupt, NotFound, PreconditionFailed, Refused, UsageError
from towline.history import Place
from towline.master import Head
from towline.store import ABSENT, Blob, Entry
from towline.workbench import Workbench


@dataclass(frozen=True)
class Move:
    """One object to move, of the commit with this number. `size` is in bytes."""

    key: str
    to: str
    size: int
    number: int

    def to_json(self) -> dict[str, object]:
        return {"key": self.key, "to": self.to, "bytes": self.size, "number": self.number}


@dataclass(frozen=True)
class Pruning:
    """What there is to move, oldest first; `snapshots` of it are snapshots, the others audit records. `head` is the
    number of the newest commit."""

    dataset: str
    keep: int
    head: int
    moves: tuple[Move, ...]
    snapshots: int

    @property
    def records(self) -> int:
        return len(self.moves) - self.snapshots

    @property
    def size(self) -> int:
        return sum(move.size for move in self.moves)

    def to_json(self) -> dict[str, object]:
        about = {"dataset": self.dataset, "keep": self.keep, "head": self.head}
        totals = {"snapshots": self.snapshots, "records": self.records, "bytes": self.size}
        return {**about, **totals, "moves": [move.to_json() for move in self.moves]}


@dataclass(frozen=True)
class _Held:
    """An audit record that is not archived, and what it says of its commit."""

    entry: Entry
    commit: str
    number: int


def plan(bench: Workbench, dataset: str, keep: int) -> Pruning:
    """What `run` would move: the snapshots and audit records of all commits but the newest `keep`.

    NotFound: no such dataset. UsageError: `keep` is under 1. Corrupt: the history cannot be read, or contradicts
    itself; then nothing should be moved.
    """
    if keep < 1:
        raise UsageError(f"--keep {keep}: at least the newest commit stays where it is, so say 1 or more")
    bench.contract(dataset)
    head = _head(bench, dataset)
    held = _records(bench, dataset)
    old = [each for each in held if each.number <= head.number - keep]
    _check(old, {head.commit} | {each.commit for each in held if each.number > head.number - keep})
    snapshots = {entry.key: entry for entry in bench.store.list(f"{bench.layout.snapshots}{dataset}/")}
    copies = {each.commit: (snapshots.get(bench.layout.snapshot(dataset, each.commit)), each.number) for each in old}
    moves = [_move(bench, entry, number) for entry, number in copies.values() if entry is not None]
    count = len(moves)
    moves += [_move(bench, each.entry, each.number) for each in old]
    return Pruning(dataset, keep, head.number, tuple(sorted(moves, key=lambda move: move.number)), count)


def run(bench: Workbench, pruning: Pruning, seen: Callable[[Move], None] = lambda move: None) -> None:
    """Move everything that was planned; `seen` is told of each object when it has moved.

    Refused: history may only be deleted by the break-glass principal. Corrupt: the archive holds something else under a
    key. Either way that object is still where it was, and a copy of it in the archive is harmless.
    """
    for move in pruning.moves:
        try:
            _move_one(bench, move)
        except Refused as error:
            raise Refused(
                f"{move.key} may not be moved by you: the bucket's policy leaves deleting history to the stack's "
                "BreakGlassPrincipal (docs/prune.md). It is where it was, and a copy of it in the archive is harmless; "
                f"what came before it has moved ({error})"
            ) from error
        seen(move)


def _move_one(bench: Workbench, move: Move) -> None:
    with suppress(PreconditionFailed, NotFound):  # copied by an earlier run, or gone with one at the same time
        bench.store.copy(move.key, move.to, when=ABSENT)
    if _is_whole(bench, move):
        bench.store.delete(move.key)


def _is_whole(bench: Workbench, move: Move) -> bool:
    """Whether the copy is there and is that of an original that is there, too."""
    try:
        copy = bench.store.head(move.to)
    except NotFound as error:
        raise Corrupt(f"{move.key} could not be copied to {move.to}: run it again; if it stays, verify") from error
    try:
        original = bench.store.head(move.key)
    except NotFound:
        return False
    if not archive.is_same(bench.store, original, copy):
        raise Corrupt(
            f"the archive holds something else than {move.key} under {move.to}; both were left alone. `towline verify` "
            "tells which of the two the history means"
        )
    return True


def _head(bench: Workbench, dataset: str) -> Head:
    """The head, without its table. Its number says what is old, so it must be a commit's own."""
    try:
        head = Head(dataset, Blob(bench.store.head(keys.master(dataset)), b""))
    except NotFound as error:
        raise NotFound(f"the master of {dataset} is gone: nothing is moved before it is back") from error
    if not lineage.stands(bench, head):
        raise Corrupt(
            f"the master of {dataset} was written past Towline and is not recorded yet: the next run of Reconcile "
            "records it; prune after that"
        )
    return head


def _records(bench: Workbench, dataset: str) -> list[_Held]:
    entries = list(bench.store.list(f"{bench.layout.audit}{dataset}/"))
    with ThreadPoolExecutor(history.READERS) as pool:
        return list(pool.map(lambda entry: _held(bench, entry), entries))


def _held(bench: Workbench, entry: Entry) -> _Held:
    record = history.record(bench, Place(entry.key, entry.modified, ""))
    commit, number = record.get("commit"), record.get("number")
    if not (isinstance(commit, str) and keys.is_commit(commit) and isinstance(number, int)):
        raise Corrupt(f"{entry.key} names no commit: nothing is moved before `towline verify` finds the history whole")
    return _Held(entry, commit, number)


def _check(old: list[_Held], young: set[str | None]) -> None:
    """Whatever a record says of its number, the snapshots of the commits that stay are not touched."""
    for each in old:
        if each.commit in young:
            raise Corrupt(
                f"{each.entry.key} says that commit {each.commit} has number {each.number}, which is not what others "
                "say: nothing is moved before `towline verify` finds the history whole"
            )


def _move(bench: Workbench, entry: Entry, number: int) -> Move:
    to = bench.layout.archived(entry.key)
    if to is None:
        raise Corrupt(f"{entry.key} is no key of an audit record: put it where it belongs (`towline verify` tells)")
    return Move(entry.key, to, entry.size, number)
