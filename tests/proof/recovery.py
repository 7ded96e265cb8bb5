"""What happens after a run, without faults: the reconciler runs, and all that is undecided is delivered again, until
nothing changes any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from towline import commit
from towline.errors import TowlineError

from .actors import bench
from .judge import Violation
from .shelf import Shelf
from .world import put_in_order

RUNS = 6
PROMISE = "recovery comes to rest"


@contextmanager
def rounds(count: int) -> Iterator[None]:
    """Bound the rounds of one commit."""
    with patch.object(commit, "ROUNDS", count):
        yield


def recover(store: Shelf) -> Shelf:
    """The store afterwards. Violation, if something needs a person, or does not end."""
    store = store.fork()
    with rounds(8):
        for run in range(RUNS):
            before = store.mark
            _run(store, run)
            if store.mark == before:
                return store
    raise Violation(PROMISE, f"{RUNS} runs of the reconciler did not get everything decided")


def _run(store: Shelf, run: int) -> None:
    try:
        found = put_in_order(bench(100 + run, store))
    except TowlineError as error:
        raise Violation(PROMISE, f"{type(error).__name__}: {error}") from error
    if found.problems:
        raise Violation(PROMISE, found.problems[0])
