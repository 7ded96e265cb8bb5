"""What a replacement or a rule would do, before it does it: cells by column, and the one event that does it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import merge
from itertools import islice, repeat

import pyarrow as pa

from app.editing.cells import Misfit, Text, is_storable, text_of, value_of
from app.editing.gridlog import Event
from app.editing.now import UNFIT, Meaning, Now, meanings
from towline.contract import Contract, Field
from towline.values import shown
from towline.violation import Report


@dataclass(frozen=True)
class Cell:
    """One cell of a preview, in the row with this id. `problem`: why the new text does not fit, or why there is none
    (then `new` is `old`)."""

    place: int
    row: str
    column: str
    old: Text
    new: Text
    problem: str | None = None


@dataclass(frozen=True)
class Change:
    """What happens to one column.

    news   the new texts, by place; never what is there already
    unfit  those of these places whose new text does not fit the column
    stuck  places that get no new text, with the reason
    """

    column: str
    news: Mapping[int, Text] = field(default_factory=dict)
    unfit: frozenset[int] = frozenset()
    stuck: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def fitting(self) -> Mapping[int, Text]:
        return {p: text for p, text in self.news.items() if p not in self.unfit} if self.unfit else self.news

    @property
    def size(self) -> int:
        """Its cells, those with a problem too."""
        return len(self.news) + len(self.stuck)

    def without(self, places: Collection[int]) -> Change:
        news = {place: text for place, text in self.news.items() if place not in places}
        stuck = {place: why for place, why in self.stuck.items() if place not in places}
        return Change(self.column, news, self.unfit.difference(places), stuck)


def change_of(now: Now, column: str, texts: Mapping[int, Text], stuck: Mapping[int, str] | None = None) -> Change:
    """Texts as somebody would type them, by place, as a Change: in the form in which what they mean is shown."""
    contract = now.contract
    meant = meanings(texts.values(), contract.field(column), contract.missing_values)
    says = {text: text if meaning is UNFIT else text_of(meaning) for text, meaning in meant.items()}
    olds = now.texts(column)
    news = {place: says[text] for place, text in texts.items() if says[text] != olds[place]}
    bad = {text for text, meaning in meant.items() if meaning is UNFIT}
    unfit = frozenset(place for place in news if texts[place] in bad) if bad else frozenset()
    return Change(column, news, unfit, stuck or {})


@dataclass(frozen=True, eq=False)
class Preview:
    """Changes of what the grid shows at one moment. `found`: in how many rows, changed or not, the search found
    something, or the rule's conditions hold."""

    now: Now
    changes: tuple[Change, ...] = ()
    found: int = 0

    @cached_property
    def total(self) -> int:
        """Cells that get another text, which fits."""
        return sum(len(change.fitting) for change in self.changes)

    @cached_property
    def places(self) -> list[int]:
        """Rows with such cells."""
        return sorted({place for change in self.changes for place in change.fitting})

    def size(self, *, with_unfit: bool = False) -> tuple[int, int]:
        """How many cells the event sets, in how many rows."""
        if not with_unfit:
            return self.total, len(self.places)
        return self.total + self.unfit, len({place for change in self.changes for place in change.news})

    @property
    def unfit(self) -> int:
        return sum(len(change.unfit) for change in self.changes)

    @property
    def stuck(self) -> int:
        return sum(len(change.stuck) for change in self.changes)

    @property
    def counts(self) -> dict[str, int]:
        """Cells by column, those with a problem too."""
        return {change.column: change.size for change in self.changes if change.size}

    def cells(self, limit: int | None = None) -> list[Cell]:
        """The cells row by row, those with a problem before all others, so that a cut list does not hide them."""
        bad = in_order({change.column: {*change.unfit, *change.stuck} for change in self.changes}, limit)
        left = None if limit is None else limit - len(bad)
        good = in_order({change.column: change.fitting for change in self.changes}, left)
        by_column = {change.column: change for change in self.changes}
        return [self._cell(place, by_column[column]) for place, column in (*bad, *good)]

    def _cell(self, place: int, change: Change) -> Cell:
        old = self.now.texts(change.column)[place]
        new = change.news.get(place, old)
        fit = self.now.contract.field(change.column)
        problem = problem_of(new, fit, self.now.contract) if place in change.unfit else change.stuck.get(place)
        return Cell(place, self.now.ids[place], change.column, old, new, problem)

    def without(self, columns: Collection[str] = (), cells: Collection[tuple[int, str]] = ()) -> Preview:
        """This, but for whole columns, or for single cells by place and column."""
        out = {change.column: [p for p, column in cells if column == change.column] for change in self.changes}
        kept = (change for change in self.changes if change.column not in columns)
        return replace(self, changes=tuple(c.without(out[c.column]) if out[c.column] else c for c in kept))

    def event(self, *, with_unfit: bool = False) -> Event:
        """The grid event that does it: one block a column. Texts that do not fit are left out, or put in, to be marked
        there."""
        news = ((change.column, change.news if with_unfit else change.fitting) for change in self.changes)
        return {"set": [_block(self.now.ids, column, texts) for column, texts in news if texts]}


def _block(ids: Sequence[str], column: str, texts: Mapping[int, Text]) -> list[object]:
    """[rows, columns, texts]; one text where all cells get the same."""
    is_one = len(set(texts.values())) == 1
    held = next(iter(texts.values())) if is_one else [[text] for text in texts.values()]
    return [[ids[place] for place in texts], [column], held]


def in_order(places: Mapping[str, Iterable[int]], limit: int | None = None) -> list[tuple[int, str]]:
    """Places and columns, row by row, as many as `limit`."""
    names = list(places)
    queues = (zip(sorted(held), repeat(nth)) for nth, held in enumerate(places.values()))
    return [(place, names[nth]) for place, nth in islice(merge(*queues), limit)]


def problem_of(text: Text, field: Field, contract: Contract) -> str:
    """Why a text does not fit; empty where it does."""
    if not is_storable(text or ""):
        return f"{shown(text)} cannot be stored: it holds half a character"
    try:
        value_of(text, field, contract.missing_values)
    except Misfit as misfit:
        return str(misfit)
    return ""


def gained(preview: Preview) -> tuple[int, int]:
    """How many more errors and warnings the contract would find in these rows; fewer than none where some are mended.
    That two rows get one key is found only when the changes are reviewed."""
    before, after = _report(preview, {}), _report(preview, {change.column: change for change in preview.changes})
    return after.errors - before.errors, after.warnings - before.warnings


def _report(preview: Preview, changes: Mapping[str, Change]) -> Report:
    contract = preview.now.contract
    columns = [
        pa.array(_values(preview, name, changes.get(name)), contract.field(name).arrow) for name in contract.names
    ]
    return contract.check(pa.Table.from_arrays(columns, schema=contract.schema))


def _values(preview: Preview, column: str, change: Change | None) -> list[Meaning]:
    """A column of the rows that change, before or after. A text that does not fit counts as no value."""
    now, news = preview.now, change.fitting if change else {}
    meant = meanings(news.values(), now.contract.field(column), now.contract.missing_values)
    held = now.meanings(column)
    values = (meant[news[place]] if place in news else held[place] for place in preview.places)
    return [None if value is UNFIT else value for value in values]
