"""What was typed into the grid, as a function of its events in their order. Pure, and the twin of grid/src/model.js.

The browser and Python apply the same events in the same order and so hold the same state. Here is the one list of all
events of an epoch: an epoch begins with a table and some state, and its version is the length of the list since.

    event    {"set": [[rows, columns, texts]], "add": [[row, after]], "del": [row], "rest": [row]}, each part where it
             is needed; or {"undo": 1}; or {"redo": 1}. `texts` is one list a row, or one text (or null) for all cells
    delta    what an event did: {"set": [[row, column, old, new]], "add", "unadd", "del", "rest"}; turned around, undo
    text     a string, None, or UNTOUCHED where nobody has typed yet
    row      an id: of a row of the table, whatever stands for its key; of an added one, a new name. `after` is the row
             below which it was added: None for the end, "" for the top

An instance of the grid in a browser numbers its events 1, 2, 3, ... over its whole life and sends all that it has not
seen in the list: each number is taken once and in order, so nothing is lost, doubled or out of order, however often
and late a message comes. Deleted rows keep what was typed into them, and come back with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

Text: TypeAlias = str | None
Event: TypeAlias = Mapping[str, Any]
Delta: TypeAlias = Mapping[str, list[Any]]

UNTOUCHED = 0
PARTS = ("set", "add", "unadd", "del", "rest")
UNDO: Event = {"undo": 1}
REDO: Event = {"redo": 1}
PAGE = ""  # the source of events that happened in the page, not in a grid


@dataclass(frozen=True)
class State:
    """What was typed, and the way back. The twin of the class Model."""

    cells: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    added: tuple[tuple[str, str | None], ...] = ()
    deleted: Mapping[str, None] = field(default_factory=dict)  # a set that keeps its order
    past: tuple[Delta, ...] = ()
    future: tuple[Delta, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "cells": {row: dict(texts) for row, texts in self.cells.items()},
            "added": [list(each) for each in self.added],
            "deleted": list(self.deleted),
            "past": list(self.past),
            "future": list(self.future),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> State:
        added = tuple((row, after) for row, after in raw["added"])
        return cls(raw["cells"], added, dict.fromkeys(raw["deleted"]), tuple(raw["past"]), tuple(raw["future"]))

    def text(self, row: str, column: str) -> Text | int:
        return self.cells.get(row, {}).get(column, UNTOUCHED)

    def after(self, event: Event) -> State:
        """The state after an event; the same one where it changes nothing."""
        if event.get("undo"):
            return self._undone()
        if event.get("redo"):
            return self._redone()
        delta = self._plan(event)
        if not any(delta.values()):
            return self
        return replace(self._patched(delta), past=(*self.past, delta), future=())

    def _undone(self) -> State:
        if not self.past:
            return self
        delta = self.past[-1]
        return replace(self._patched(inverted(delta)), past=self.past[:-1], future=(*self.future, delta))

    def _redone(self) -> State:
        if not self.future:
            return self
        delta = self.future[-1]
        return replace(self._patched(delta), past=(*self.past, delta), future=self.future[:-1])

    def _plan(self, event: Event) -> Delta:
        known = {row for row, _ in self.added}
        restored = [row for row in dict.fromkeys(event.get("rest", ())) if row in self.deleted]
        gone = (row for row in dict.fromkeys(event.get("del", ())) if row not in self.deleted or row in restored)
        fresh = {row: after for row, after in reversed(event.get("add", ())) if row not in known}
        return {
            "set": self._edits(event.get("set", ())),
            "add": [[row, after] for row, after in reversed(fresh.items())],
            "unadd": [],
            "del": list(gone),
            "rest": restored,
        }

    def _edits(self, blocks: Iterable[Sequence[Any]]) -> list[Any]:
        texts = {(row, column): text for row, column, text in cells_of(blocks)}
        olds = {place: self.text(*place) for place in texts}
        return [[*place, olds[place], text] for place, text in texts.items() if not _is_same(olds[place], text)]

    def _patched(self, delta: Delta) -> State:
        unadded = {row for row, _ in delta["unadd"]}
        added = [each for each in self.added if each[0] not in unadded] if unadded else self.added
        deleted = {row: None for row in self.deleted if row not in delta["rest"]} if delta["rest"] else self.deleted
        return replace(
            self,
            cells=_put(self.cells, delta["set"]),
            added=(*added, *((row, after) for row, after in delta["add"])),
            deleted={**deleted, **dict.fromkeys(delta["del"])},
        )


def _put(cells: Mapping[str, Mapping[str, Text]], edits: Iterable[Sequence[Any]]) -> Mapping[str, Mapping[str, Text]]:
    """The cells with edits, [row, column, old, new], on top. Rows that nobody touches are shared, not copied."""
    changed: dict[str, dict[str, Text]] = {}
    for row, column, _, text in edits:
        texts = changed.setdefault(row, dict(cells.get(row, {})))
        if _is_same(text, UNTOUCHED):
            texts.pop(column, None)
        else:
            texts[column] = text
    merged = {**cells, **changed}
    return {row: texts for row, texts in merged.items() if texts} if not all(changed.values()) else merged


def _is_same(one: Text | int, other: Text | int) -> bool:
    return one == other and (one is None) == (other is None)


def inverted(delta: Delta) -> Delta:
    return {
        "set": [[row, column, text, old] for row, column, old, text in delta["set"]],
        "add": delta["unadd"],
        "unadd": delta["add"],
        "del": delta["rest"],
        "rest": delta["del"],
    }


def cells_of(blocks: Iterable[Sequence[Any]]) -> Iterator[tuple[str, str, Text | int]]:
    """Every cell of the blocks of a `set`."""
    for rows, columns, texts in blocks:
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                yield row, column, texts[i][j] if isinstance(texts, list) else texts


@dataclass(frozen=True)
class Message:
    """What an instance of the grid says: all its events that it has not seen in the list, with their numbers.

    epoch  what its events are meant for; None: it has not begun yet
    seen   how much of the list it holds; `have`: whether it holds the epoch's table
    marks  the name of the marks that it shows
    """

    instance: str
    epoch: int | None = None
    seen: int = 0
    have: bool = False
    marks: str | None = None
    events: tuple[tuple[int, Event], ...] = ()

    @staticmethod
    def read(raw: Mapping[str, Any] | None) -> Message | None:
        if not raw:
            return None
        events = tuple((int(number), event) for number, event in raw["events"])
        return Message(raw["instance"], raw["epoch"], raw["seen"], raw["have"], raw["marks"], events)


@dataclass(frozen=True)
class GridLog:
    """The list of an epoch: `start` and the events since, each with its source (an instance, or PAGE) and number.

    state   after all of them
    acked   the highest number that was taken from each instance, in this epoch or before
    """

    epoch: int = 0
    start: State = field(default_factory=State)
    entries: tuple[tuple[str, int, Event], ...] = ()
    state: State = field(default_factory=State)
    acked: Mapping[str, int] = field(default_factory=dict)

    @property
    def version(self) -> int:
        return len(self.entries)

    def apply(self, events: Iterable[tuple[int, Event]], epoch: int | None, source: str = PAGE) -> GridLog:
        """Take numbered events: those of another epoch, those that were taken before and those after a gap are left.
        A grid sends them again where they are still to be taken."""
        if epoch != self.epoch:
            return self
        log = self
        for number, event in events:
            if number == log.acked.get(source, 0) + 1:
                log = log._with(source, number, event)
        return log

    def hear(self, message: Message | None) -> GridLog:
        """Take what an instance of the grid says."""
        return self if message is None else self.apply(message.events, message.epoch, message.instance)

    def do(self, event: Event) -> GridLog:
        """Something that happened in the page: a button, a rule, a replacement."""
        return self._with(PAGE, self.acked.get(PAGE, 0) + 1, event)

    def restart(self, state: State | None = None) -> GridLog:
        """A new epoch: another table, with this state on top. What grids have not said yet is taken in it."""
        begun = state or State()
        return GridLog(self.epoch + 1, begun, (), begun, self.acked)

    def answer(self, message: Message | None) -> dict[str, Any]:
        """What an instance needs to hold the same state: the rest of the list, or the state where it holds none."""
        common = {
            "to": message.instance if message else None,
            "epoch": self.epoch,
            "version": self.version,
            "acked": self.acked.get(message.instance, 0) if message else 0,
        }
        if message is None or message.epoch != self.epoch or not message.have:
            return {**common, "since": self.version, "entries": [], "state": self.state.to_json()}
        return {**common, "since": message.seen, "entries": list(self._since(message))}

    def _since(self, message: Message) -> Iterator[Any]:
        """The events after those that an instance has seen. Its own are known to it: [number, how many]."""
        own = 0
        for at in range(message.seen, self.version):
            source, number, event = self.entries[at]
            is_last = at + 1 == self.version or self.entries[at + 1][0] != source
            if source != message.instance:
                yield dict(event)
            elif is_last:
                yield [number, own + 1]
                own = 0
            else:
                own += 1

    def _with(self, source: str, number: int, event: Event) -> GridLog:
        return replace(
            self,
            entries=(*self.entries, (source, number, event)),
            state=self.state.after(event),
            acked={**self.acked, source: number},
        )
