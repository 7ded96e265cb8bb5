"""Processes that die at one request to the store, and others that take up what they left."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Literal

from tests.core.nets import NAME, Nets
from towline import commit, inbox
from towline.memory import MemoryStore
from towline.reconcile import reconcile
from towline.workbench import Workbench


class Crash(BaseException):
    """The process dies: nothing catches this."""


def cut(store: MemoryStore, at: int, phase: Literal["before", "after"]) -> None:
    """The process dies before or after its `at`-th request from now."""
    count = 0

    def fault(operation: str, key: str, when: Literal["before", "after"]) -> None:
        nonlocal count
        count += when == "before"
        if (count, when) == (at, phase):
            store.faults = None
            raise Crash

    store.faults = fault


def cut_at(nets: Nets, at: int, phase: str, act: Callable[[], object] | None = None) -> bool:
    """Deliver what waits, or `act`, and die at request `at`, counted from 0. Whether it came to that."""
    count = Counter[str]()

    def faults(operation: str, key: str, now: str) -> None:
        if now == phase:
            count["requests"] += 1
            if count["requests"] == at + 1:
                raise Crash

    nets.pipeline.store.faults = faults
    with contextlib.suppress(Crash):
        (act or nets.pipeline.pump)()
    nets.pipeline.store.faults = None
    return count["requests"] > at


def deliver_again(nets: Nets) -> Workbench:
    """To a fresh process, what Reconcile finds; twice, as events may come. Returns what that works with."""
    fresh = Workbench(nets.pipeline.store, clock=nets.pipeline.bench.clock, pause=lambda seconds: None)
    for _ in range(2):
        found = reconcile(fresh)
        assert found.problems == ()
        seen = [inbox.receive(fresh, arrival) for arrival in found.unseen]
        commit.commit(fresh, NAME, [*found.undecided, *(r for r in seen if r and not r.final)])
    return fresh
