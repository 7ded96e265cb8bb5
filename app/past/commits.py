"""Commits put together from audit records, and which of them somebody wants to see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import groupby

from towline import keys
from towline.history import Place, Record


@dataclass(frozen=True)
class Commit:
    """One commit: the audit records of its proposals, in their order."""

    records: tuple[Record, ...]

    @property
    def id(self) -> str:
        return str(self.records[-1]["commit"])

    @property
    def number(self) -> int:
        return int(str(self.records[-1]["number"]))

    @property
    def parent(self) -> str | None:
        parent = self.records[0]["parent"]
        return None if parent is None else str(parent)

    @cached_property
    def at(self) -> datetime:
        return datetime.fromisoformat(str(self.records[-1]["timestamp"]))

    @property
    def people(self) -> tuple[str, ...]:
        """The authors, each once."""
        return tuple(dict.fromkeys(str(record["user"]) for record in self.records))

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(record["kind"]) for record in self.records))

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(str(record["note"]) for record in self.records)

    def count(self, field: str) -> int:
        """`rows_inserted`, `rows_updated`, `rows_deleted` or `cells_changed`, over all its proposals."""
        return sum(int(str(record[field])) for record in self.records)


def commits(records: Iterable[Record]) -> list[Commit]:
    """The commits of records that come newest first, newest first."""
    return [Commit(tuple(group)[::-1]) for _, group in groupby(records, key=lambda record: record["commit"])]


@dataclass(frozen=True)
class Wanted:
    """What of a history is looked for; what is not said is all.

    people        as keys spell them (`keys.slug`)
    since, until  days (UTC), both included
    key           of a row: as a changes file writes it, see `key_json`
    column        its name
    """

    people: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None
    key: str = ""
    column: str = ""

    @property
    def looks_inside(self) -> bool:
        """Whether it takes what a commit changed to tell."""
        return bool(self.key or self.column)

    def may_be(self, place: Place) -> bool:
        """Whether a record's key allows it."""
        day = place.at.date()
        is_then = (self.since is None or self.since <= day) and (self.until is None or day <= self.until)
        return is_then and (not self.people or place.user in self.people)

    def is_by(self, commit: Commit) -> bool:
        return not self.people or any(keys.slug(name) in self.people for name in commit.people)


@dataclass(frozen=True)
class Window:
    """The newest part of what is wanted: the records to read, how many of the wanted they hold, and of how many."""

    places: tuple[Place, ...]
    shown: int
    total: int

    @property
    def left(self) -> int:
        return self.total - self.shown


def window(places: Sequence[Place], wanted: Wanted, count: int) -> Window:
    """The newest `count` records that may be wanted (`places` come newest first), together with all of their seconds:
    a commit of several proposals is shown whole."""
    matching = [place for place in places if wanted.may_be(place)]
    if not matching:
        return Window((), 0, 0)
    last = matching[: max(1, count)][-1].at
    shown = [place for place in matching if place.at >= last]
    seconds = {place.at for place in shown}
    return Window(tuple(place for place in places if place.at in seconds), len(shown), len(matching))


def people(places: Iterable[Place], known: Iterable[Commit]) -> dict[str, str]:
    """Who committed: the names as keys spell them, and as people read them where a commit that is known says it."""
    names = {keys.slug(name): name for commit in known for name in commit.people}
    return {slug: names.get(slug, slug) for slug in sorted({place.user for place in places if place.user})}


def find(listed: Iterable[Commit], name: str) -> Commit | None:
    """A commit by its id or number."""
    return next((each for each in listed if name.lstrip("#") in (each.id, str(each.number))), None)
