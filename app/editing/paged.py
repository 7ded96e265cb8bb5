"""A commit of a large table that is open for editing. The grid shows a page of it; what is typed is said by key, as of
any sheet, so that edits of rows on many pages are one list of edits, and one proposal."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from app.editing.cells import Misfit, Text, value_of
from app.editing.sheet import Sheet
from towline.browse import PAGE, Book, Condition, Page, Place, View
from towline.browse.view import CONTAINS, NOT_NULL, NULL
from towline.change import RowChange
from towline.contract import Contract
from towline.diff import Diff
from towline.errors import UsageError
from towline.ranks import rank
from towline.rows import Edited, Rows, edited
from towline.values import Key, Row

LARGE = 50_000  # rows; a table with more is shown page by page
SAMPLED = 50_000  # rows that stand for a large table in pictures
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Leaf:
    """A page of a view: where it `start`s (None: with the first row), how many rows of the view come `before` it, and
    the page before it, which is not known where somebody went to a row by its key."""

    view: View = field(default_factory=View)
    start: Place | None = None
    before: int = 0
    back: Leaf | None = None


class Lookup(Mapping[Key, Row]):
    """The rows of a large table by key: those of the page are gone through; each other one is there for whoever asks
    for it. Whoever only asks for rows does not have the page read."""

    def __init__(self, sheet: PagedSheet) -> None:
        self._sheet = sheet

    def fetch(self, keys: Iterable[Key]) -> None:
        sheet = self._sheet
        wanted = [key for key in dict.fromkeys(keys) if key not in sheet.found]
        sheet.found.update((key, sheet.at_hand[key]) for key in wanted if key in sheet.at_hand)
        if far := [key for key in wanted if key not in sheet.at_hand]:
            there = sheet.source.rows(far)
            sheet.found.update((key, there.get(key)) for key in far)

    def __getitem__(self, key: Key) -> Row:
        if key in self._sheet.at_hand:
            return self._sheet.at_hand[key]
        self.fetch([key])
        row = self._sheet.found[key]
        if row is None:
            raise KeyError(key)
        return row

    def __iter__(self) -> Iterator[Key]:
        return iter(self._sheet.shown)

    def __len__(self) -> int:
        return len(self._sheet.shown)


class PagedSheet(Sheet):
    """`leaf` is the page that the grid shows. Pages of one commit share their `book`, and the rows that were `found` in
    it by their keys (None: there is no such row).

    `source` has the rows to merge with: those of the file, or with changes on top, of which no page can be shown.
    Raises, wherever rows are asked for, what the store and the file raise.
    """

    def __init__(
        self,
        contract: Contract,
        commit: str,
        number: int,
        book: Book,
        source: Rows,
        leaf: Leaf | None = None,
        found: dict[Key, Row | None] | None = None,
    ) -> None:
        mine = {"contract": contract, "commit": commit, "number": number, "book": book, "source": source}
        self.__dict__.update(mine, leaf=leaf or Leaf(), found={} if found is None else found)

    book: Book
    source: Rows
    leaf: Leaf
    found: dict[Key, Row | None]

    @cached_property
    def page(self) -> Page:
        """What the grid shows. UsageError where the view asks for too much."""
        return self.book.page(self.leaf.view, self.leaf.start, PAGE)

    @cached_property
    def table(self) -> pa.Table:  # type: ignore[override] - read when it is asked for
        return self.page.rows.select(self.contract.names)

    @property
    def num_rows(self) -> int:
        return self.book.num_rows

    @cached_property
    def rows(self) -> Lookup:
        return Lookup(self)

    @cached_property
    def shown(self) -> dict[Key, Row]:
        """The rows of the page."""
        rows = [] if isinstance(self.source, Edited) else self.table.to_pylist()
        return {self.contract.key_of(row): row for row in rows}

    @property
    def at_hand(self) -> Mapping[Key, Row]:
        """The rows of the page, if it was read."""
        return self.shown if "page" in self.__dict__ else {}

    @cached_property
    def sample(self) -> pa.Table:
        return self.book.sample(SAMPLED).select(self.contract.names)

    @property
    def origin(self) -> object:
        return self.source

    @property
    def whole(self) -> Rows:
        return self.source

    def fetch(self, keys: Iterable[Key]) -> None:
        self.rows.fetch(keys)

    def in_order(self, keys: Collection[Key]) -> Sequence[Key]:
        self.fetch(keys)
        return sorted((key for key in keys if key in self.rows), key=rank)

    def named(self, ids: Iterable[str]) -> dict[str, Key]:
        read = {row: key for row in ids if (key := read_id(row, self.contract)) is not None}
        self.fetch(read.values())
        return {row: key for row, key in read.items() if key in self.rows}

    def changed(self, changes: Sequence[RowChange]) -> PagedSheet:
        on_top = edited(self.source, Diff(self.contract.key, tuple(changes)))
        return PagedSheet(self.contract, self.commit, self.number, self.book, on_top, self.leaf)

    def turned(self, leaf: Leaf) -> PagedSheet:
        """Another page of the same table."""
        return PagedSheet(self.contract, self.commit, self.number, self.book, self.source, leaf, self.found)

    def next(self) -> PagedSheet:
        """The page after this one, of which there is one (`page.next`)."""
        before = self.leaf.before + len(self.page)
        return self.turned(Leaf(self.leaf.view, self.page.next, before, self.leaf))

    def previous(self) -> PagedSheet | None:
        """The page before this one; None: this is the first one."""
        if not self.leaf.view.is_plain:
            return self.turned(self.leaf.back) if self.leaf.back else None
        return self.at(self.leaf.before - PAGE) if self.leaf.before else None

    def at(self, number: int) -> PagedSheet:
        """The page of the whole table that holds the row with this number, from 0."""
        first = max(0, number - number % PAGE)
        return self.turned(Leaf(View(), Place(first) if first else None, first))

    def find(self, values: Row) -> int | None:
        """The number of the first row that holds these values. UsageError as in `Book.find`."""
        return self.book.find(values)

    def is_shown(self, key: Key) -> bool:
        return key in self.shown

    def showing(self, row: str) -> Sheet:
        key = read_id(row, self.contract)
        if key is None or self.is_shown(key):
            return self
        number = self.find(self.contract.key_dict(key))
        return self if number is None else self.at(number)

    def like(self, before: Sheet) -> Sheet:
        if not isinstance(before, PagedSheet) or before.contract.schema != self.contract.schema:
            return self
        return self.turned(before.leaf)


def read_id(row: str, contract: Contract) -> Key | None:
    """The key that an id says, as `row_id` wrote it; None where it says none, as of an added row."""
    parts = _parts(row)
    if len(parts) != len(contract.key):
        return None
    try:
        fields = map(contract.field, contract.key)
        return tuple(value_of(part, each) for part, each in zip(parts, fields, strict=True))
    except Misfit:
        return None


def _parts(row: str) -> list[Text]:
    parts, chars = [""], iter(row)
    for char in chars:
        if char == "|":
            parts.append("")
        else:
            parts[-1] += char + next(chars, "") if char == "\\" else char
    return [None if part == "\\0" else _ESCAPED.sub(r"\1", part) for part in parts]


def read_condition(contract: Contract, column: str, operator: str, text: str) -> Condition:
    """A filter as somebody wrote it. UsageError: its value does not fit its column, or the operator."""
    field = contract.field(column)
    if operator in (NULL, NOT_NULL):
        return Condition(column, operator)
    if operator == CONTAINS:
        if field.type != "string":
            raise UsageError(f"{column} holds no text to look into ({field.type}); compare it by =, < or >")
        return Condition(column, operator, text)
    try:
        value = value_of(text, field, contract.missing_values)
    except Misfit as misfit:
        raise UsageError(f"{column}: {misfit}") from None
    if value is None and operator not in ("=", "!="):
        raise UsageError(f"{column} {operator} needs a value")
    return Condition(column, operator, value)
