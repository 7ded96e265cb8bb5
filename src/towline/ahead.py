"""Reading side by side, or while what was read before is worked on, with the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Any, TypeVar

_END: Any = object()

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


def drawn(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, each drawn by a thread while the one before it is worked on."""
    rest = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, rest, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, rest, _END)
            yield item


def begun(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, the first of them drawn at once. What goes wrong with that is raised when it is asked for."""
    rest, first = iter(items), Future[Item]()
    try:
        first.set_result(next(rest, _END))
    except BaseException as error:
        first.set_exception(error)
    return _from(first, rest)


def _from(first: Future[Item], rest: Iterator[Item]) -> Iterator[Item]:
    if (item := first.result()) is not _END:
        yield item
        yield from rest
