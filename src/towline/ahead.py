"""Reading side by side, with the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(read: Callable[[Item], Result], items: Iterable[Item], readers: int) -> Iterator[Result]:
    """`map`, but so many items are read at once, and no more results than that wait for whoever takes them. Of a single
    item nothing is gained by that, and it is read by the caller's own thread."""
    rest = iter(items)
    first = list(islice(rest, 2))
    if len(first) < 2:
        yield from map(read, first)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(readers) as pool:
        for item in chain(first, rest):
            waiting.append(pool.submit(read, item))
            if len(waiting) > readers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
