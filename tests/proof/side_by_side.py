"""Cases explored side by side, a process a core: each is by itself, and together they take minutes of one."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from . import cases
from .cases import Case
from .explorer import prove


@dataclass(frozen=True)
class Told:
    """What an exploration found, in a form that comes over from another process."""

    text: str
    holds: bool
    schedules: int
    ends: int


@contextmanager
def explored(chosen: Sequence[Callable[[], Case]]) -> Iterator[dict[str, Future[Told]]]:
    """The explorations of these cases by name, begun."""
    fresh = multiprocessing.get_context("spawn")  # a fork would copy the threads of whoever asks as they stand
    pool = ProcessPoolExecutor(min(len(chosen), os.cpu_count() or 1), fresh)
    try:
        yield {case.__name__: pool.submit(_explore, case.__name__) for case in chosen}
    finally:
        pool.shutdown(cancel_futures=True)


def _explore(name: str) -> Told:
    proof = prove(getattr(cases, name)())
    return Told(str(proof), proof.violation is None, proof.schedules, proof.ends)
