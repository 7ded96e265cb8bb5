"""Find and replace, in what the grid shows now. Pure.

Texts are searched as they are shown, so that an empty text is `""`, and what is put in means what it would mean if it
were typed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.editing import patterns
from app.editing.cells import Text, is_storable
from app.editing.now import Now
from app.editing.patterns import BadPattern, Pattern
from app.editing.preview import Cell, Change, Preview, change_of, in_order
from towline.rules.field import TEXT_BOUND


@dataclass(frozen=True)
class Query:
    """What is looked for. No columns: all but the key. `is_null`: cells without a value, whatever `text` is."""

    text: str = ""
    match_case: bool = False
    whole: bool = False
    regex: bool = False
    is_null: bool = False
    columns: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.text and not self.is_null

    def pattern(self) -> Pattern:
        """As a regular expression. Raises BadPattern."""
        bare = patterns.typed(self.text, is_regex=self.regex)
        whole = rf"\A(?:{bare})\z" if self.whole else bare
        return Pattern(whole if self.match_case else f"(?i){whole}")


def searched(now: Now, query: Query) -> tuple[str, ...]:
    """The columns that a query looks at."""
    contract = now.contract
    return query.columns or tuple(name for name in contract.names if name not in contract.key)


@dataclass(frozen=True, eq=False)
class Hits:
    """The cells that were found: places by column."""

    now: Now
    places: Mapping[str, Sequence[int]]

    @property
    def total(self) -> int:
        return sum(map(len, self.places.values()))

    @property
    def rows(self) -> int:
        return len({place for places in self.places.values() for place in places})

    def cells(self, limit: int | None = None) -> list[Cell]:
        """The cells row by row; of each, `new` is what it holds."""
        return [self._cell(place, column) for place, column in in_order(self.places, limit)]

    def _cell(self, place: int, column: str) -> Cell:
        text = self.now.texts(column)[place]
        return Cell(place, self.now.ids[place], column, text, text)


def find(now: Now, query: Query) -> Hits:
    """The cells that are found. Raises BadPattern."""
    return Hits(now, {} if query.is_empty else _places(now, query, None if query.is_null else query.pattern()))


def _places(now: Now, query: Query, pattern: Pattern | None) -> dict[str, list[int]]:
    found = {column: _hits(now.texts(column), pattern) for column in searched(now, query)}
    return {column: places for column, places in found.items() if places}


def _hits(texts: Sequence[Text], pattern: Pattern | None) -> list[int]:
    """Where the pattern is found; without one, where there is no value."""
    if pattern is None:
        return [place for place, text in enumerate(texts) if text is None]
    words = list(dict.fromkeys(text for text in texts if text is not None))
    hits = {word for word, is_hit in zip(words, pattern.found(words), strict=True) if is_hit}
    return [place for place, text in enumerate(texts) if text in hits] if hits else []


def replaced(now: Now, query: Query, new: Text) -> Preview:
    """What replacing would do: the found part of a cell becomes `new`; all of the cell where `new` is None (null), or
    where nulls are looked for. Raises BadPattern."""
    if new is not None and (len(new) > TEXT_BOUND or not is_storable(new)):
        raise BadPattern(f"what is put in has {len(new):,} characters; {TEXT_BOUND:,} are the most, and all whole")
    if query.is_empty:
        return Preview(now)
    pattern = None if query.is_null else query.pattern()
    found = _places(now, query, pattern)
    changes = tuple(_change(now, column, places, query, pattern, new) for column, places in found.items())
    return Preview(now, changes, len({place for places in found.values() for place in places}))


def _change(now: Now, column: str, places: Sequence[int], query: Query, pattern: Pattern | None, new: Text) -> Change:
    if new is None or pattern is None:
        return change_of(now, column, dict.fromkeys(places, new))
    texts = now.texts(column)
    words = list(dict.fromkeys(texts[place] or "" for place in places))
    rewrite = new if query.regex else new.replace("\\", r"\\")
    news = dict(zip(words, pattern.replaced(words, rewrite), strict=True))
    return change_of(now, column, {place: news[texts[place] or ""] for place in places})
