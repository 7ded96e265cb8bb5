"""Every interleaving of a case, each distinct state once.

A state of the world is what the store holds, where each worker stands, which writes are still under way, and how many
faults are left. From it, each worker may make its next call, with every outcome of `hostile.outcomes`, and each write
under way may happen or vanish. States are told by their marks: two orders of calls that lead to the same are explored
on from there once, and counted as two.

**Quiet calls.** Where a worker's next call touches nothing that any other may touch before it, only that worker is
moved on (with all its outcomes, faults included): whatever the others do first could as well be done after, with the
same result for everybody, so every end that the world can come to is come to this way too. (In the literature: a
persistent set of one process. Every worker makes its next call or dies, and no state comes again, so nothing is put off
for ever.) The faults of all workers are counted together, and a schedule that fits the count fits it in any order.
Quiet are

    reads of the inbox, the archive and blame's blocks, of a snapshot or a contract that were there from the start, of a
    named version of the master           nobody changes those
    the listing of intents                none is a day old, so that it decides nothing
    the write of an intent                its id is fresh; others learn it from the claim and the master, both later
    writes of snapshots, changes files and audit records
                                          all write the same there, and no worker of the case reads it
    writes to the quarantine              nobody reads them; all copy the same input

What is said here of others is not trusted: a read that contradicts it, a second body for a key that is written once, or
an ETag that comes again, ends the exploration with BrokenAssumption.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import NamedTuple
from unittest.mock import patch

from tests.large import small_bounds
from towline import keys, theirs
from towline.conflict import Conflict
from towline.contract import Contract
from towline.receipts import FINAL
from towline.theirs import Since
from towline.workbench import Workbench

from .calls import ONCE, Answer, Call
from .cases import Case
from .hostile import Effects
from .judge import Violation
from .memo import remembering
from .recovery import rounds
from .shelf import History, Shelf, status_of
from .stands import ENDED, Stands

Flight = tuple[Call, ...]
# Nobody writes there in a case: the inbox is filled before, no contract asks for reviews, 64 commits make the first
# block, and nothing is archived.
UNCHANGED = (keys.INBOX, keys.REVIEWS, keys.BLAME, keys.ARCHIVE)


TAIL = 1_000  # bytes of a large master that are read at first


class BrokenAssumption(AssertionError):
    """The exploration left something out that it believed not to matter, and it does."""


@dataclass
class State:
    store: Shelf
    stands: tuple[int, ...]
    flying: Flight
    faults: int

    @property
    def mark(self) -> tuple[object, ...]:
        return (self.store.mark, self.stands, self.flying and tuple(call.mark for call in self.flying), self.faults)


class Step(NamedTuple):
    """One line of a trace."""

    who: str
    call: Call
    outcome: str
    answer: Answer | None = None

    def __str__(self) -> str:
        told = f" -> {self.answer}" if self.answer else ""
        return f"{self.who}: {self.call}{f'  [{self.outcome}]' if self.outcome else ''}{told}"


@dataclass
class Proof:
    """What an exploration found. `schedules` is the number of ways from the start to an end through the states."""

    case: Case
    states: int = 0
    ends: int = 0
    schedules: int = 0
    violation: Violation | None = None
    trace: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        found = f"VIOLATION: {self.violation}" if self.violation else "holds"
        return (
            f"{self.case.name}: {found}; {self.states:,} states, {self.ends:,} ends, {self.schedules:,} schedules"
            + "".join(f"\n    {step}" for step in self.trace)
        )


class Explorer:
    """Breadth first, so that the first violation has a shortest trace."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._stands = Stands(case)
        self._effects = Effects(self._watch)
        self._quiet: dict[int, bool] = {}
        self._numbers: dict[object, int] = {}
        self._next: list[list[int]] = []
        self._from: list[tuple[int, Step | None]] = []
        self._todo: deque[tuple[int, State]] = deque()
        self._judged: set[object] = set()
        self._clash: str | None = None
        self._original = set(case.store.names(""))

    def explore(self) -> Proof:
        proof = Proof(self.case)
        case = self.case
        self._reach(State(case.store, self._stands.begin(), (), case.faults), -1, None)
        while self._todo:
            number, state = self._todo.popleft()
            try:
                self._expand(number, state)
            except Violation as violation:
                return self._violated(proof, violation, number)
        if self._clash:
            raise BrokenAssumption(self._clash)
        proof.states = len(self._numbers)
        proof.ends = sum(not following for following in self._next)
        proof.schedules = self._count()
        return proof

    def _expand(self, number: int, state: State) -> None:
        for step, after in self._steps(state):
            self._next[number].append(self._reach(after, number, step))
        if all(stand == ENDED for stand in state.stands):
            self._judge(state)

    def _reach(self, state: State, before: int, step: Step | None) -> int:
        mark = state.mark
        number = self._numbers.get(mark)
        if number is None:
            number = self._numbers[mark] = len(self._numbers)
            self._next.append([])
            self._from.append((before, step))
            self._todo.append((number, state))
        return number

    def _steps(self, state: State) -> Iterator[tuple[Step, State]]:
        workers = [worker for worker, stand in enumerate(state.stands) if stand != ENDED]
        quiet = next((worker for worker in workers if self._is_at_quiet(state.stands[worker])), None)
        for worker in workers if quiet is None else [quiet]:
            yield from self._moves(state, worker)
        if quiet is None:
            yield from self._landings(state)

    def _moves(self, state: State, worker: int) -> Iterator[tuple[Step, State]]:
        case, stand = self.case, state.stands[worker]
        call = self._stands.call(stand)
        actor = case.workers[worker]
        for outcome in self._effects.outcomes(
            call,
            state.store,
            faults=bool(state.faults) and not actor.is_spared,
            flights=not call.is_once or call.key.startswith(keys.CONTRACTS),
            twins=case.etags_recur,
        ):
            following = ENDED
            if outcome.answer is not None:
                following = self._stands.after(stand, outcome.answer, outcome.store)
            stands = (*state.stands[:worker], following, *state.stands[worker + 1 :])
            flying = (*state.flying, call) if outcome.flying else state.flying
            yield (
                Step(actor.name, call, outcome.name, outcome.answer),
                State(outcome.store, stands, self._alive(flying, outcome.store), state.faults - outcome.is_fault),
            )

    def _landings(self, state: State) -> Iterator[tuple[Step, State]]:
        for place, call in enumerate(state.flying):
            rest = (*state.flying[:place], *state.flying[place + 1 :])
            yield Step("the network", call, "is lost"), State(state.store, state.stands, rest, state.faults)
            if call.holds(state.store):
                store = self._land(call, state.store)
                arrived = State(store, state.stands, self._alive(rest, store), state.faults)
                yield Step("the network", call, "arrives late"), arrived

    def _land(self, call: Call, store: Shelf) -> Shelf:
        return self._effects.of(call, store)[1]

    def _alive(self, flying: Flight, store: Shelf) -> Flight:
        """Writes under way that may still happen. One whose precondition fails may not, where no ETag comes again."""
        if self.case.etags_recur or not flying:
            return flying
        return tuple(call for call in flying if call.holds(store))

    def _is_quiet(self, call: Call) -> bool:
        key, case = call.key, self.case
        if not call.is_write:
            if call.operation == "list":
                return key.startswith((*UNCHANGED, keys.INTENTS)) or (
                    key == keys.CONTRACTS and not case.creates_datasets
                )
            if key.startswith("snapshots/"):
                return key in self._original
            if key.startswith(keys.CONTRACTS):
                return not case.creates_datasets
            return key.startswith(UNCHANGED) or bool(call.options.get("version"))
        if call.is_once and not key.startswith(keys.CONTRACTS):
            return not (key.startswith("snapshots/") and case.reads_snapshots)
        return key.startswith(keys.QUARANTINE)

    def _is_at_quiet(self, stand: int) -> bool:
        if stand not in self._quiet:
            call = self._stands.call(stand)
            self._check(call)
            self._quiet[stand] = self._is_quiet(call)
        return self._quiet[stand]

    def _check(self, call: Call) -> None:
        """What `_is_quiet` believes of calls of others."""
        key = call.key
        hidden = ("audit/", keys.CHANGES, keys.QUARANTINE) + (() if self.case.reads_snapshots else ("snapshots/",))
        if not call.is_write and key.startswith(hidden) and key not in self._original:
            raise BrokenAssumption(f"a worker reads what nobody was believed to read: {call}")
        fixed = UNCHANGED if self.case.creates_datasets else (*UNCHANGED, keys.CONTRACTS)
        if call.is_write and key.startswith(fixed):
            raise BrokenAssumption(f"a worker writes what nobody was believed to change: {call}")
        if call.operation == "delete" and key.startswith(ONCE) and not self.case.deletes:
            raise BrokenAssumption(f"a worker deletes what was believed to stay: {call}")

    def _watch(self, call: Call, before: History, after: History) -> None:
        """What must hold at every write, not only in the end."""
        key = call.key
        if key.startswith(keys.RECEIPTS) and before and after is not before:
            was, now = (status_of(history[-1].body or b"") for history in (before, after))
            if was in FINAL:
                raise Violation("final receipts never change", f"{key} said {was}, and now says {now}")
        if call.is_once and call.operation == "put" and before and before[-1].body != call.arguments[1]:
            self._clash = f"{key}, which is written once, was to hold two different bodies"
        if not self.case.etags_recur and after is not before:
            etags = [stored.stat.etag for stored in after]
            if etags.count(etags[-1]) > 1:
                raise BrokenAssumption(f"an ETag of {key} comes again")

    def _judge(self, state: State) -> None:
        mark = (state.store.mark, tuple(call.mark for call in state.flying))
        if mark in self._judged:
            return
        self._judged.add(mark)
        recovered = self.case.recover(state.store)
        self.case.judge(recovered)
        for call in state.flying:  # they happen in the midst of recovery
            if call.holds(recovered):
                self.case.judge(self.case.recover(self._land(call, recovered)))

    def _violated(self, proof: Proof, violation: Violation, number: int) -> Proof:
        proof.violation, proof.states = violation, len(self._numbers)
        while number > 0:
            number, step = self._from[number]
            proof.trace.insert(0, str(step))
        return proof

    def _count(self) -> int:
        """Ways from the start to an end: those from a state are those from each state after it, together."""
        ways: dict[int, int] = {}
        todo = [0]
        while todo:
            number = todo[-1]
            open_ = [following for following in self._next[number] if following not in ways]
            if open_:
                todo += open_
                continue
            todo.pop()
            ways[number] = sum(ways[following] for following in self._next[number]) or 1
        return ways[0]


def _unsigned(bench: Workbench, contract: Contract, conflicts: Sequence[Conflict], since: Since) -> Sequence[Conflict]:
    """Conflicts without whose the other side is. That is looked up side by side, in threads, where a worker cannot
    stand still; it reads, decides nothing, and what cannot be read is left out of the receipt."""
    return conflicts


def prove(case: Case) -> Proof:
    with remembering(), rounds(case.rounds), patch.object(theirs, "sign", _unsigned), _bounds(case):
        return Explorer(case).explore()


def _bounds(case: Case) -> AbstractContextManager[None]:
    """Of a large master all but its footer is read by ranges, and copied by the store."""
    return small_bounds(group=2, small=1, part_min=1, tail=TAIL) if case.is_large else nullcontext()
