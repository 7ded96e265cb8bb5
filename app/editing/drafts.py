"""Drafts: what was typed and not submitted, kept on this machine's disk. A draft is never a queued write.

Each desk writes a journal of its own, one JSON value a line:

    {"format", "dataset", "commit", "number", "start"}   the commit that is edited, and the grid's state to begin with
    {"event": ...}                                       what was done since, in order: see gridlog
    {"note": ...}                                        the note, as far as it was written

A journal is only appended to, so that an edit costs its own size, and a process that is killed leaves at worst half a
line, which is left out. Events are what the grid's log consists of: reading them back gives the state with all its
steps of undo. A journal goes when what it holds was committed, continued elsewhere, or given up by the person.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from typing import Any

from app.editing.gridlog import Event, State
from towline import keys

FORMAT = "towline.draft/v1"
_ENDING = ".jsonl"


@dataclass(frozen=True)
class Draft:
    """A journal, read back. `problem` says why it cannot be read; then the rest is not known."""

    path: Path
    at: datetime
    dataset: str
    commit: str = ""
    number: int = 0
    state: State = field(default_factory=State)
    note: str = ""
    problem: str = ""

    @property
    def cells(self) -> int:
        return sum(len(texts) for row, texts in self.state.cells.items() if row not in self.state.deleted)

    @property
    def added(self) -> int:
        return sum(row not in self.state.deleted for row, _ in self.state.added)

    @property
    def deleted(self) -> int:
        fresh = {row for row, _ in self.state.added}
        return sum(row not in fresh for row in self.state.deleted)

    def __bool__(self) -> bool:
        """Whether there is anything in it that could be lost."""
        return bool(self.problem or self.cells or self.added or self.deleted)

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)


@dataclass
class Journal:
    """The draft that a desk writes. Nothing is on disk before the first event. Raises OSError where there is no room or
    no right to write."""

    folder: Path
    dataset: str
    commit: str
    number: int
    path: Path = field(init=False)
    begun: bool = False

    def __post_init__(self) -> None:
        self.path = self.folder / f"{self.commit}-{token_hex(4)}{_ENDING}"

    def record(self, start: State, events: Iterable[Event], note: str = "") -> None:
        """Append events. `start` is the state before them, and `note` the note by then: both are kept where the journal
        begins."""
        lines: list[Mapping[str, Any]] = [{"event": dict(event)} for event in events]
        if not self.begun:
            about = {"format": FORMAT, "dataset": self.dataset, "commit": self.commit, "number": self.number}
            lines = [{**about, "start": start.to_json()}, *([{"note": note}] if note else []), *lines]
        self._append(lines)
        self.begun = True

    def write_note(self, note: str) -> None:
        """Keep the note beside the edits. Without edits there is nothing to keep it with."""
        if self.begun:
            self._append([{"note": note}])

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)

    def _append(self, lines: Iterable[Mapping[str, Any]]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        body = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True)
class Shelf:
    """Where the drafts of one bucket lie: a folder a dataset."""

    root: Path

    def journal(self, dataset: str, commit: str, number: int) -> Journal:
        """A journal for a new desk. Two desks never share one."""
        return Journal(self.root / keys.check_dataset(dataset), dataset, commit, number)

    def drafts(self, dataset: str, leave: Callable[[Path], bool] = lambda path: False) -> tuple[Draft, ...]:
        """The drafts with something in them, the last written first, but for the journals to `leave`."""
        paths = (self.root / keys.check_dataset(dataset)).glob(f"*{_ENDING}")
        found = (draft for path in paths if not leave(path) and (draft := _draft(path, dataset)))
        return tuple(sorted(found, key=lambda draft: draft.at, reverse=True))


def _draft(path: Path, dataset: str) -> Draft | None:
    """The draft, where there is one with something in it."""
    try:
        stat = path.stat()
        draft = _read(path, dataset, stat.st_mtime_ns, stat.st_size)
    except FileNotFoundError:  # another desk has just let go of it
        return None
    return draft or None


@lru_cache(maxsize=16)
def _read(path: Path, dataset: str, modified: int, size: int) -> Draft:
    """The draft as it was when it had this size and was last modified then, in nanoseconds."""
    draft = Draft(path, datetime.fromtimestamp(modified / 1e9, UTC), dataset)
    try:
        about, *lines = _lines(path.read_bytes())
        if about.get("format") != FORMAT:
            return replace(draft, problem=f"its format is {about.get('format')!r}, not {FORMAT!r}")
        state, note = _played(about["start"], lines)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return replace(draft, problem=f"{type(error).__name__}: {error}")
    return replace(draft, commit=about["commit"], number=int(about["number"]), state=state, note=note)


def _lines(body: bytes) -> Iterator[Any]:
    """The lines that were written whole: the last one ends without a line break where the process was killed."""
    return (json.loads(line) for line in body.split(b"\n")[:-1])


def _played(start: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> tuple[State, str]:
    state, note = State.from_json(start), ""
    for line in lines:
        if "event" in line:
            state = state.after(line["event"])
        else:
            note = str(line["note"])
    return state, note
