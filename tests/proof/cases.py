"""Who works on what: the cases that are explored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .actors import Script
from .judge import Evidence, judge
from .recovery import recover
from .shelf import Shelf
from .world import NAME, World, apply, deliver, reconciler, world


@dataclass(frozen=True)
class Worker:
    """`is_foreign`: not Towline's, and no faults are played on it."""

    name: str
    script: Script
    is_foreign: bool = False


@dataclass(frozen=True)
class Case:
    """`faults`: of one run, at most. `rounds`: of one call of commit (commit.ROUNDS, 8 in earnest): after those it gives
    up, as a worker may at any time, and its proposals are delivered again.

    The rest is what explorer.py may not believe of this case: that nobody reads a snapshot that was written on the way,
    that no ETag of the master comes again, that the dataset and its contract are there, that nothing is deleted."""

    name: str
    store: Shelf
    workers: tuple[Worker, ...]
    proposals: tuple[str, ...]
    faults: int = 1
    rounds: int = 3
    reads_snapshots: bool = False
    etags_recur: bool = False
    creates_datasets: bool = False
    deletes: bool = False

    def recover(self, store: Shelf) -> Shelf:
        return recover(store)

    def judge(self, store: Shelf) -> None:
        judge(Evidence(store, NAME, self.proposals))

    def but(self, **changes: object) -> Case:
        return replace(self, **changes)  # type: ignore[arg-type]


def _case(name: str, world: World, *workers: Worker, **more: object) -> Case:
    proposals = tuple(key for key in world.store.names(f"inbox/{NAME}/") if key.endswith(".json"))
    return Case(name, world.store, workers, proposals, **more)  # type: ignore[arg-type]


def committers(name: str, *batches: str, **more: object) -> Case:
    """Workers that each commit a batch of accepted proposals, "PZ" say."""
    here = world()
    receipts = {each: here.accept(each) for each in sorted(set("".join(batches)))}
    workers = [Worker(f"{n} ({batch})", apply(*(receipts[each] for each in batch))) for n, batch in enumerate(batches, 1)]
    return _case(name, here, *workers, **more)


def same_proposals() -> Case:
    return committers("the same two proposals, delivered to both", "PZ", "PZ")


CASES: Sequence[Callable[[], Case]] = (same_proposals,)
