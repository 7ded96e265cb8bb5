"""A dataset's files as the page lists them: the manifest, what is under way, and what the last load made of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from towline.ingest import quarantined
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED, Entry
from towline.pipeline.inventory import FAILED, Loaded
from towline.store import Entry as Object

UNDER_WAY, TROUBLED = "under way", "refused"
# What the page can be asked to show, in its words; `All` comes first.
ALL = "All"
SHOWN: Mapping[str, frozenset[str]] = {
    ALL: frozenset(),
    "Under way": frozenset({UNDER_WAY}),
    "In bronze": frozenset({BRONZE, TROUBLED, FAILED}),
    "Refused": frozenset({QUARANTINED, TROUBLED, FAILED}),
    "Duplicates": frozenset({DUPLICATE}),
}
PAGE = 50  # lines that are drawn at once


@dataclass(frozen=True)
class Line:
    """One raw file. `state` is its entry's status; `under way` while it has none; of one in bronze
    `refused` where the load refused some of its rows, and `failed` where it took none of it."""

    raw: str
    size: int
    at: datetime
    state: str
    entry: Entry | None = None
    loaded: Loaded | None = None

    @property
    def id(self) -> str:
        return self.entry.ingest if self.entry else ""

    @property
    def file(self) -> str:
        return self.raw.rsplit("/", 1)[-1]

    @property
    def source(self) -> str:
        """The segments between the dataset and the file."""
        return "/".join(self.raw.split("/")[2:-1])

    @property
    def kind(self) -> str:
        return self.entry.kind if self.entry else ""


def line_of(entry: Entry, loaded: Loaded | None = None) -> Line:
    at = datetime.fromtimestamp(entry.mtime, UTC)
    state = entry.status
    if state == BRONZE and loaded is not None:
        state = FAILED if loaded.status == FAILED else TROUBLED if loaded.refused else BRONZE
    return Line(entry.raw, entry.size, at, state, entry, loaded)


@dataclass(frozen=True)
class Ledger:
    """All lines, newest first, what is under way before all others."""

    lines: Sequence[Line]

    @staticmethod
    def of(entries: Iterable[Entry], loaded: Mapping[str, Loaded], waiting: Iterable[Object] = ()) -> Ledger:
        known = sorted((line_of(each, loaded.get(each.ingest)) for each in entries), key=_order, reverse=True)
        coming = [Line(each.key, each.size, each.modified, UNDER_WAY) for each in waiting]
        return Ledger([*sorted(coming, key=_order, reverse=True), *known])

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many lines each choice of `SHOWN` has."""
        states = Counter(line.state for line in self.lines)
        return {name: sum(states[each] for each in of) if of else len(self.lines) for name, of in SHOWN.items()}

    def find(self, ingest: str) -> Line | None:
        return next((line for line in self.lines if line.id == ingest), None) if ingest else None

    def matching(self, shown: str, text: str) -> Sequence[Line]:
        """The lines of a choice whose key, kind or id has `text` in it, whatever its case."""
        states, wanted = SHOWN[shown], text.strip().casefold()
        if not states and not wanted:
            return self.lines
        return [line for line in self.lines if (not states or line.state in states) and _has(line, wanted)]

    def attempts(self, ingest: str) -> list[Line]:
        """What came of trying a file again since, in the order of the tries."""
        lines = {line.id: line for line in self.lines if line.entry is not None}
        entries = (line.entry for line in lines.values() if line.entry is not None)
        return [lines[entry.ingest] for entry in quarantined.attempts(entries, ingest)]


def _order(line: Line) -> tuple[datetime, str]:
    return line.at, line.id


def _has(line: Line, wanted: str) -> bool:
    return wanted in line.raw.casefold() or wanted in line.kind.casefold() or wanted in line.id
