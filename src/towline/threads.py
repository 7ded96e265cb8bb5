"""Work side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def each(do: Callable[[T], R], items: Iterable[T], count: int) -> list[R]:
    """What `do` makes of each item, in their order, on `count` threads. The first failure, in that order, is raised,
    and what has not begun by then never does."""
    workers = ThreadPoolExecutor(count)
    try:
        found = [workers.submit(do, item) for item in items]
        return [done.result() for done in found]
    finally:
        workers.shutdown(cancel_futures=True)
