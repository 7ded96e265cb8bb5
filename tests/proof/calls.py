"""One call to the store as a value, and its answer as a worker sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any

from greenlet import getcurrent

from towline import keys
from towline.errors import TowlineError
from towline.store import ABSENT, Absent, Blob, Entry, Matches, ObjectStore, Precondition, Stat, Unfinished, Version

from .shelf import Shelf

WRITES = frozenset({"put", "copy", "assemble", "delete"})
# Written by whoever finishes a commit, with a key and a body that follow from the intent.
ONCE = (keys.CHANGES, "snapshots/", "audit/", keys.CONTRACTS, keys.INTENTS)


@dataclass(frozen=True, eq=False)
class Call:
    """`key` is what the call reads or writes (of a copy the target, of a listing the prefix)."""

    operation: str
    key: str
    arguments: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def is_write(self) -> bool:
        return self.operation in WRITES

    @property
    def when(self) -> Precondition | None:
        return self.options.get("when")

    @property
    def is_once(self) -> bool:
        """A write that is made only where there is nothing, of what anybody would write there."""
        return self.when == ABSENT and self.key.startswith(ONCE)

    @cached_property
    def mark(self) -> str:
        """Equal for equal calls."""
        return blake2b(
            repr((self.operation, self.arguments, sorted(self.options.items(), key=str))).encode()
        ).hexdigest()

    def __str__(self) -> str:
        version = self.options.get("version")
        when = {Absent: " If-None-Match: *", Matches: " If-Match"}.get(type(self.when), "")
        return f"{self.operation} {self.key}{f' version {version[:6]}' if version else ''}{when}"

    def run(self, store: Shelf) -> Answer:
        """Do it. A write changes `store`."""
        try:
            value = getattr(store, self.operation)(*self.arguments, **self.options)
        except TowlineError as error:
            return failed(type(error))
        return Answer(tuple(value) if isinstance(value, Iterator) else value)

    def holds(self, store: Shelf) -> bool:
        """Whether the precondition holds now."""
        if isinstance(self.when, Absent):
            return self.key not in store
        return not isinstance(self.when, Matches) or store.etag(self.key) == self.when.etag


@dataclass(frozen=True, eq=False)
class Answer:
    """What a call gave: a value, or an error of the store's tree (decided on by its type alone; its words are one)."""

    value: Any = None
    error: type[TowlineError] | None = None

    @cached_property
    def seen(self) -> object:
        """All that a worker can tell answers apart by."""
        return self.error.__name__ if self.error else _seen(self.value)

    def give(self) -> Any:
        if self.error:
            raise self.error(f"the store says {self.error.__name__}")
        return iter(self.value) if isinstance(self.value, tuple) else self.value

    def __str__(self) -> str:
        if self.error:
            return self.error.__name__
        stat = self.value.stat if isinstance(self.value, Blob) else self.value
        if isinstance(stat, Stat):
            return f"etag {stat.etag[:6]}"
        return f"{len(stat)} entries" if isinstance(stat, tuple) else "done"


def failed(error: type[TowlineError]) -> Answer:
    return Answer(error=error)


def _seen(value: Any) -> object:
    if isinstance(value, Blob):
        return _seen(value.stat)
    if isinstance(value, Stat):
        return (value.etag, value.version, *sorted(value.metadata.items()))
    if isinstance(value, Entry):
        return (value.key, value.etag)
    if isinstance(value, Version):
        return (value.version, value.etag, value.is_delete_marker)
    return tuple(_seen(each) for each in value) if isinstance(value, tuple) else value


class Wire(ObjectStore):
    """The store as a worker's code holds it: each call stands still, until the explorer answers it."""

    def get(self, key: str, **options: Any) -> Any:
        return self._ask("get", key, (key,), options)

    def head(self, key: str, **options: Any) -> Any:
        return self._ask("head", key, (key,), options)

    def put(self, key: str, body: bytes, **options: Any) -> Any:
        return self._ask("put", key, (key, body), options)

    def copy(self, source: str, target: str, **options: Any) -> Any:
        return self._ask("copy", target, (source, target), options)

    def assemble(self, key: str, parts: Any, **options: Any) -> Any:
        return self._ask("assemble", key, (key, parts), options)

    def list(self, prefix: str, **options: Any) -> Iterator[Entry]:
        yield from self._ask("list", prefix, (prefix,), options)

    def versions(self, key: str, **options: Any) -> Iterator[Version]:
        yield from self._ask("versions", key, (key,), options)

    def delete(self, key: str) -> None:
        self._ask("delete", key, (key,), {})

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """None: parts that nobody joined are no state of a dataset, and Reconcile alone looks at those of an hour ago,
        which there are none of while clocks stand still."""
        yield from ()

    def _ask(self, operation: str, key: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        answer: Answer = getcurrent().parent.switch(Call(operation, key, arguments, options))
        return answer.give()
