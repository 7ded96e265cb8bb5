"""Random long runs beyond what can be explored: many proposals over the whole pipeline, and everything goes wrong.

Hypothesis chooses what people send, what is delivered, again or to a new process, which request fails and how, who
writes the master past Towline, and how the clock jumps. After each run the reconciler puts things in order, and the
judge looks.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.core.crashing import Crash
from tests.core.nets import NAME, Nets
from tests.pipeline import Pipeline
from towline import commit, inbox, keys
from towline.change import RowChange
from towline.dataset import Draft
from towline.errors import Contended, LostRace, OutcomeUnknown, PreconditionFailed, TowlineError, Unavailable
from towline.inbox import Arrival
from towline.memory import Fault
from towline.receipts import FINAL
from towline.values import Row

from .actors import Bench, bench
from .calls import WRITES
from .judge import Evidence, judge
from .recovery import recover
from .shelf import NOON, Shelf, status_of
from .world import put_in_order, table_bytes

MASTER = keys.master(NAME)


def broken(at: int, how: str) -> Fault:
    """The fault `how` at request number `at`, or at the next one to which that can happen."""
    left = [at]

    def fault(operation: str, key: str, phase: str) -> None:
        if phase != PHASES[how]:
            return
        left[0] -= 1
        if left[0] < 0 and _can_happen(how, operation, key):
            left[0] = 10**6  # once is enough
            raise _raised(how, operation)

    return fault


def _can_happen(how: str, operation: str, key: str) -> bool:
    """412 and 409 answer conditional writes; only what goes to the quarantine is written without a condition."""
    return how not in ("409", "retried") or (operation in WRITES and not key.startswith(keys.QUARANTINE))


def _raised(how: str, operation: str) -> BaseException:
    if how.startswith("crash"):
        return Crash()
    if how == "409":
        return Contended("somebody interfered")
    if how == "retried":
        return PreconditionFailed("the answer to our own first try was lost")
    return OutcomeUnknown("no answer") if operation in WRITES else Unavailable("no answer")


PHASES = {
    "crash before": "before",
    "crash after": "after",
    "no answer": "before",
    "lost answer": "after",
    "retried": "after",
    "409": "before",
}
faults = st.none() | st.builds(broken, st.integers(0, 24), st.sampled_from(sorted(PHASES)))
places = st.sampled_from([(1, 0), (1, 1), (2, 0), (2, 1), (3, 0)])
volumes = st.sampled_from([0.0, 1.0, 2.0, -1.0])  # the last one breaks the contract


class LongRun(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.processes = 0
        self.now = NOON
        self.store = Shelf()
        self.nets = Nets(Pipeline(self.process()))
        self.commits = [self.nets.commit]
        self.events: list[Arrival] = []
        self.finals: dict[str, bytes] = {}
        self.foreign: list[bytes] = []
        self.living = self.process()

    def process(self) -> Bench:
        self.processes += 1
        made = bench(self.processes, self.store)
        made.clock = self.clock
        return made

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    # -- people ---------------------------------------------------------------------------------------------------

    @rule(place=places, volume=volumes, back=st.integers(0, 3))
    def change(self, place: tuple[int, int], volume: float, back: int) -> None:
        """Somebody who looked at one of the last commits changes a row, or inserts one that is not there."""
        at, rows = self.seen(back)
        old = rows.get(place)
        blank = {"tow": place[0], "net": place[1], "volume": None, "vessel": None, "is_day": None}
        if old is None or old["volume"] != volume:
            self.send(RowChange(old, {**(old or blank), "volume": volume}), at)

    @rule(place=places, back=st.integers(0, 3))
    def delete(self, place: tuple[int, int], back: int) -> None:
        at, rows = self.seen(back)
        if place in rows and len(rows) > 1:
            self.send(RowChange(rows[place], None), at)

    def seen(self, back: int) -> tuple[str, dict[tuple[int, int], Row]]:
        at = self.commits[-1 - back % len(self.commits)]
        table = self.nets.dataset.table(at)[1]
        return at, {(row["tow"], row["net"]): row for row in table.to_pylist()}

    def send(self, change: RowChange, base: str) -> None:
        draft: Draft = self.nets.dataset.rows([change], "because", base)
        self.nets.dataset.send(draft)
        self.events += self.nets.pipeline.arrivals()

    # -- functions ------------------------------------------------------------------------------------------------

    @rule(which=st.lists(st.integers(0, 30), min_size=1, max_size=4), is_new=st.booleans(), fault=faults)
    def deliver(self, which: list[int], is_new: bool, fault: Fault | None) -> None:
        """Some events, old ones among them, come to a process that is new or lives on."""
        events = [self.events[number % len(self.events)] for number in which if self.events]
        if is_new:
            self.living = self.process()

        def work() -> None:
            received = [inbox.receive(self.living, event) for event in dict.fromkeys(events)]
            waiting = [receipt for receipt in received if receipt and not receipt.final]
            if waiting:
                commit.commit(self.living, NAME, waiting)

        self.attempt(work, fault)

    @rule(fault=faults)
    def reconcile(self, fault: Fault | None) -> None:
        self.attempt(lambda: put_in_order(self.process()), fault)

    def attempt(self, work: Callable[[], object], fault: Fault | None) -> None:
        self.store.faults = fault
        try:
            with suppress(LostRace, Unavailable, Contended):
                work()
        except Crash:
            self.living = self.process()
        finally:
            self.store.faults = None
        head = self.nets.head()
        if head is not None and head.commit and self.layout.snapshot(NAME, head.commit) in self.store:
            self.commits = [*(each for each in self.commits if each != head.commit), head.commit]

    @property
    def layout(self) -> keys.Layout:
        return self.living.layout

    # -- the world ------------------------------------------------------------------------------------------------

    @rule(volume=volumes)
    def overwrite(self, volume: float) -> None:
        """Somebody who never heard of Towline saves the table with other values."""
        head = self.nets.head()
        with suppress(TowlineError):  # what lies there may be no table
            assert head is not None
            rows = [{**row, "volume": volume} for row in head.table.to_pylist()]
            self.foreign.append(table_bytes(*rows))
            self.store.put(MASTER, self.foreign[-1])

    @rule()
    def overwrite_with_the_same(self) -> None:
        if self.foreign:
            self.store.put(MASTER, self.foreign[-1])

    @rule()
    def overwrite_with_no_table(self) -> None:
        self.foreign.append(b"\x89PNG")
        self.store.put(MASTER, self.foreign[-1])

    @rule(back=st.integers(0, 3))
    def put_back_a_snapshot(self, back: int) -> None:
        at = self.commits[-1 - back % len(self.commits)]
        self.store.copy(self.layout.snapshot(NAME, at), MASTER)
        self.foreign.append(self.store.body(MASTER))

    @rule(seconds=st.sampled_from([-7_200, -30, 30, 3_600]))
    def set_the_clock(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # -- what holds -----------------------------------------------------------------------------------------------

    @invariant()
    def final_receipts_never_change(self) -> None:
        now = {key: self.store.body(key) for key in self.store.names(keys.RECEIPTS)}
        assert all(now.get(key) == body for key, body in self.finals.items())
        self.finals |= {key: body for key, body in now.items() if status_of(body) in FINAL}

    def teardown(self) -> None:
        proposals = [key for key in self.store.names(f"{keys.INBOX}{NAME}/") if key.endswith(".json")]
        judge(Evidence(recover(self.store), NAME, proposals, is_touched=bool(self.foreign)))


TestLongRuns = LongRun.TestCase
TestLongRuns.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
