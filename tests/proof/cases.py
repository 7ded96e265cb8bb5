"""Who works on what: the cases that are explored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from towline import receipts

from .actors import Script, bench
from .judge import Evidence, judge
from .recovery import recover
from .shelf import Shelf
from .world import NAME, World, apply, apply_each, deliver, overwrite, put_back, reconciler, row, table_bytes, world

SETTER = 50  # whose ids those are that a case begins with


@dataclass(frozen=True)
class Worker:
    """`is_foreign`: not Towline's. `is_spared`: no faults are played on it."""

    name: str
    script: Script
    is_foreign: bool = False
    is_spared: bool = False


@dataclass(frozen=True)
class Case:
    """`faults`: of one run, at most. `rounds`: of one call of commit (commit.ROUNDS, 8 in earnest): after those it
    gives up, as a worker may at any time, and its proposals are delivered again.

    The rest is what explorer.py may not believe of this case: that nobody reads a snapshot that was written on the way,
    that no ETag of the master comes again, that the dataset and its contract are there, that nothing is deleted.
    `is_large`: the master is read and written as one of gigabytes is."""

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
    is_large: bool = False

    def recover(self, store: Shelf) -> Shelf:
        return recover(store)

    def judge(self, store: Shelf) -> None:
        judge(Evidence(store, NAME, self.proposals, any(worker.is_foreign for worker in self.workers)))

    def but(self, **changes: object) -> Case:
        return replace(self, **changes)  # type: ignore[arg-type]


def _case(name: str, world: World, *workers: Worker, **more: object) -> Case:
    proposals = tuple(key for key in world.store.names(f"inbox/{NAME}/") if key.endswith(".json"))
    return Case(name, world.store, workers, proposals, **more)  # type: ignore[arg-type]


def committers(name: str, *batches: str, here: World | None = None, **more: object) -> Case:
    """Workers that each commit a batch of accepted proposals, "PZ" say."""
    here = here or world()
    receipts = {each: here.accept(each) for each in sorted(set("".join(batches)))}
    workers = [
        Worker(f"{n} ({batch})", apply(*(receipts[each] for each in batch))) for n, batch in enumerate(batches, 1)
    ]
    return _case(name, here, *workers, **more)


def moved_back() -> Case:
    """The head (x: 1) conflicts with Q, which a dead worker claimed on the commit before; R takes x back to 0, and then
    Q merges. Whoever still looks at x: 1 must not deny it."""
    here = world()
    maker = bench(SETTER, here.store)
    first, p, q, r = here.accept("Q"), here.accept("P"), here.accept("Q"), here.accept("R")
    apply(p)(maker)
    claimed = q.moved("committing", maker.clock(), commit=maker.new_id(), number=4, base_number=3)
    q = receipts.swap(here.store, claimed)
    workers = [Worker("1 (Q)", apply(q)), Worker("2 (Q)", apply(first)), Worker("3 (R)", apply(r))]
    return _case("a conflict that goes away", here, *workers, faults=0)


# -- a dataset and its writers -----------------------------------------------------------------------------------------


def single() -> Case:
    return committers("one writer", "P", rounds=2, faults=2)


def single_large() -> Case:
    """The master is joined by the store out of ranges of the version before and of what is new."""
    return single().but(name="one writer of a large master", is_large=True)


def pair_large() -> Case:
    return pair().but(name="two writers of a large master", is_large=True, faults=0)


def pair_large_with_faults() -> Case:
    return pair_large().but(name="two writers of a large master, with faults", faults=1)


def pair() -> Case:
    return committers("two writers", "P", "Z", rounds=2)


def there_and_back(here: World | None = None) -> Case:
    return committers("there and back (A, B, A)", "P", "R", here=here, rounds=2)


def same_proposals() -> Case:
    return committers("the same two proposals, delivered to both", "PZ", "PZ", rounds=2)


def overlapping() -> Case:
    return committers("overlapping batches", "PO", "OZ", rounds=2)


def conflicting() -> Case:
    return committers("batches that conflict in one cell", "PZ", "QO", rounds=2)


def back() -> Case:
    return committers("there and back among others", "PZ", "RO", rounds=2)


def companions() -> Case:
    return committers("companions that conflict", "PQ", "QP", rounds=2)


def three() -> Case:
    return committers("three writers, one of which goes back", "P", "Q", "R", rounds=2, faults=0)


def three_with_faults() -> Case:
    return three().but(name="three writers, with faults", faults=1)


def conflicting_with_two_faults() -> Case:
    return conflicting().but(name="batches that conflict, with two faults", faults=2)


def same_with_more_rounds() -> Case:
    return same_proposals().but(name="the same two proposals, with three rounds", rounds=3)


def twice_and_back() -> Case:
    return committers("one proposal twice, and one that goes back", "P", "P", "R", rounds=2, faults=0)


def living_on() -> Case:
    """A process that remembers what it saw, beside one that starts afresh."""
    here = world()
    p, r, z = (here.accept(each) for each in "PRZ")
    workers = Worker("1 (P, then R)", apply_each(p, r)), Worker("2 (Z)", apply(z), is_spared=True)
    return _case("a process that lives on", here, *workers, rounds=2)


# -- the whole way, and the reconciler ---------------------------------------------------------------------------------


def pipeline() -> Case:
    here = world()
    p = here.put("P")
    workers = Worker("1 (P)", deliver(p)), Worker("2 (P)", deliver(p)), Worker("reconciler", reconciler())
    return _case("an event, delivered twice, and the reconciler", here, *workers, rounds=2, faults=0)


def event_twice() -> Case:
    here = world()
    p = here.put("P")
    workers = Worker("1 (P)", deliver(p)), Worker("2 (P)", deliver(p))
    return _case("an event, delivered twice", here, *workers, rounds=2)


def event_and_reconciler() -> Case:
    here = world()
    workers = Worker("1 (P, V)", deliver(here.put("P"), here.put("V"))), Worker("reconciler", reconciler())
    return _case("events and the reconciler", here, *workers, rounds=2)


def creation() -> Case:
    """Two people create the same dataset."""
    here = World()
    workers = Worker("1 (C)", deliver(here.create("C"))), Worker("2 (D)", deliver(here.create("D")))
    return _case("a dataset created by two", here, *workers, rounds=2, faults=0, creates_datasets=True)


def creation_and_look() -> Case:
    here = World()
    workers = Worker("1 (C)", deliver(here.create("C"))), Worker("reconciler", reconciler(), is_spared=True)
    return _case("a dataset created, and a look at it", here, *workers, rounds=2, creates_datasets=True)


# -- somebody who writes past Towline ----------------------------------------------------------------------------------

FOREIGN_TABLE = table_bytes(row(1, x=7), row(2))


def _foreign(name: str, script: Callable[[World], Script], *others: Worker, **more: object) -> Case:
    """A writer, and somebody who writes the master past Towline."""
    here = world()
    p = here.accept("P")
    foreign = Worker("foreign", script(here), is_foreign=True, is_spared=True)
    return _case(name, here, Worker("1 (P)", apply(p)), foreign, *others, **{"rounds": 2, **more})


def with_reconciler(case: Case) -> Case:
    """The same, while the reconciler runs, without faults."""
    workers = (*case.workers, Worker("reconciler", reconciler()))
    return case.but(name=f"{case.name}, while the reconciler runs", workers=workers, faults=0)


def overwritten() -> Case:
    return _foreign("overwritten with a table", lambda here: overwrite(FOREIGN_TABLE))


def put_back_old() -> Case:
    return _foreign("an old snapshot put back", lambda here: put_back(here.snapshot_key(2)), etags_recur=True)


def put_back_head() -> Case:
    return _foreign("the head's snapshot put back", lambda here: put_back(here.snapshot_key(3)), etags_recur=True)


def no_table() -> Case:
    return _foreign("overwritten with what is no table", lambda here: overwrite(b"\x89PNG"))


def same_bytes_twice() -> Case:
    return _foreign("overwritten twice with the same", lambda here: overwrite(FOREIGN_TABLE, 2), etags_recur=True)


def overwritten_and_reconciler() -> Case:
    return with_reconciler(overwritten())


def put_back_old_and_reconciler() -> Case:
    return with_reconciler(put_back_old())


def put_back_head_and_reconciler() -> Case:
    return with_reconciler(put_back_head())


def no_table_and_reconciler() -> Case:
    return with_reconciler(no_table())


def same_bytes_twice_and_reconciler() -> Case:
    return with_reconciler(same_bytes_twice())


CASES: Sequence[Callable[[], Case]] = (
    *(single, pair, there_and_back, same_proposals, overlapping, conflicting, back, companions, moved_back),
    *(twice_and_back, three, living_on, event_twice, event_and_reconciler, creation, creation_and_look),
    *(overwritten, put_back_old, put_back_head, no_table, same_bytes_twice, overwritten_and_reconciler),
    *(single_large, pair_large),
)
# Minutes and gigabytes each: `python -m tests.proof --large`, or TOWLINE_PROOF=large in the environment of the tests.
LARGE: Sequence[Callable[[], Case]] = (
    *(pipeline, pair_large_with_faults, three_with_faults, conflicting_with_two_faults, same_with_more_rounds),
    *(put_back_old_and_reconciler, put_back_head_and_reconciler, no_table_and_reconciler),
    same_bytes_twice_and_reconciler,
)
