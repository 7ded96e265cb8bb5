"""The values that were used last, up to a total size: for what can never change, so that it is read once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """`room` is in the unit of `size`, by default a number of values. Safe to share between threads."""

    def __init__(self, room: int, size: Callable[[T], int] = lambda value: 1) -> None:
        self._room, self._size = room, size
        self._held: OrderedDict[Hashable, T] = OrderedDict()
        self._used = 0
        self._lock = Lock()

    def peek(self, name: Hashable) -> T | None:
        """The value of this name, if it is there."""
        with self._lock:
            if name in self._held:
                self._held.move_to_end(name)
            return self._held.get(name)

    def put(self, name: Hashable, value: T) -> T:
        """Keep a value, which is the same for all who make it; the newest stays, however large."""
        with self._lock:
            if name not in self._held:
                self._held[name] = value
                self._used += self._size(value)
            while self._used > self._room and len(self._held) > 1:
                self._used -= self._size(self._held.popitem(last=False)[1])
        return value

    def get(self, name: Hashable, make: Callable[[], T]) -> T:
        """The value of this name, made where it is not there; two who ask at once may both make it."""
        known = self.peek(name)
        return self.put(name, make()) if known is None else known
