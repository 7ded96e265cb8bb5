"""What is read of a history to tell who set its cells: touches, each a proposal's change of one cell.

They are read out of blocks, and of the changes files of commits that are in none yet, by row or by column.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cached_property
from itertools import groupby, islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline import block, changefile, master
from towline.block import Block
from towline.blocks import Index, Step, first_record
from towline.contract import Contract
from towline.history import READERS
from towline.rows import Rows, pieces
from towline.values import Key, Row, Value, decode, encode
from towline.workbench import Workbench

PART = 4  # steps that are looked through at once: blocks, and commits that are in none yet
IN_BLOCKS = 20  # of many rows that are asked for at once, those that are looked up in blocks, each by itself

_AS_THEY_ARE = ("column", "change", "commit", "number", "proposal", "user", "note", "kind")


@dataclass(frozen=True)
class Touch:
    """One proposal's change of one cell.

    key       values of the row's key columns, in the contract's order; () where a whole first table is meant
    column    None where all columns of a first table are meant
    old, new  the cell's values before and after, by the contract's types; None also where there was no row
    change    insert, update or delete of the row, or `create`: it was in the dataset's first table
    number    of the commit; `note`, `user` and `kind` are the proposal's
    """

    key: Key
    column: str | None
    old: Value
    new: Value
    change: str
    commit: str
    number: int
    proposal: str
    at: datetime
    user: str
    note: str
    kind: str

    def to_json(self, key: Sequence[str]) -> dict[str, object]:
        """The form that `towline blame --json` prints. `key` names the key columns."""
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        values = {side: encode(content[side]) for side in ("old", "new")}
        row = {column: encode(value) for column, value in zip(key, self.key, strict=False)}
        return {**content, **values, "key": row, "at": self.at.isoformat(timespec="milliseconds")}


@dataclass(frozen=True)
class Story:
    """What is read for one question: all of it from the history as it was at one head."""

    contract: Contract
    index: Index

    @staticmethod
    def open(bench: Workbench, dataset: str) -> Story:
        contract = bench.contract(dataset)
        return Story(contract, Index.open(bench, dataset))

    def touches(self, key: Key | None, column: str | None, after: int) -> list[Touch]:
        if column is not None:
            self.contract.field(column)
        if key is not None:
            row = self.row(key, after)
            return row if column is None else self.cell(row, column)
        steps = self.index.steps(after)
        found = self._touches(self.index.rows(steps, column=column), after)
        found = [touch for touch in found if column in (None, touch.column)]
        return found + [self._create((), column, steps[-1])] * (after == 0 and bool(steps))

    def row(self, key: Key, after: int = 0) -> list[Touch]:
        """The touches of a row's cells, newest first, and of a row of the first table the `create` of all of them."""
        key = tuple(value + 0.0 if isinstance(value, float) else value for value in key)  # -0.0 is 0.0 in a key
        text = changefile.key_text(self.contract.key_dict(key), self.contract.key)
        steps = self.index.steps(after)
        found = self._touches(self.index.rows(steps, text), after)
        if not after and steps and (found[-1].change != "insert" if found else self._head_row(key) is not None):
            found.append(self._create(key, None, steps[-1]))
        return found

    def rows(self, rows: Iterable[Key], after: int) -> Iterator[list[Touch]]:
        """The touches of several rows, newest first, in parts."""
        texts = [changefile.key_text(self.contract.key_dict(key), self.contract.key) for key in rows]
        walk = self.index.walk(after)
        # A few at a time, of which little is kept: a commit may have changed more cells than there is memory for.
        while steps := list(islice(walk, PART)):
            yield self._touches(block.together(list(self._in_part(steps, texts))), after)

    def _in_part(self, steps: Sequence[Step], texts: Sequence[str]) -> Iterator[pa.Table]:
        blocks = [step for step in steps if isinstance(step, Block)]
        alone = [step for step in steps if not isinstance(step, Block)]
        if alone:
            yield self._only(alone, texts)
        if blocks:
            with ThreadPoolExecutor(READERS) as pool:
                yield from pool.map(lambda text: self.index.rows(blocks, text), texts[:IN_BLOCKS])

    def _only(self, steps: Sequence[Step], texts: Sequence[str]) -> pa.Table:
        """The rows of some keys in these steps."""
        cells = self.index.rows(steps)
        return cells.filter(pc.is_in(cells["key"], pa.array(texts, pa.string())))

    def cell(self, row: Sequence[Touch], column: str) -> list[Touch]:
        """The touches of one cell, out of those of its row."""
        found = list(_of_cell(row, column))
        if found and found[-1].change == "create":
            first = found[-2].old if len(found) > 1 else (self._head_row(found[-1].key) or {}).get(column)
            found[-1] = replace(found[-1], new=first)
        return found

    def column(self, column: str) -> list[Touch]:
        self.contract.field(column)
        steps = self.index.steps()
        if not steps:
            return []
        last = {row["key"]: row for row in _newest_of_each(self.index.rows(steps, column=column), column).to_pylist()}
        create = self._create((), column, steps[-1])
        parts = pieces(self._head, list(dict.fromkeys((*self.contract.key, column))))
        return [self._of_head(row, column, last, create) for part in parts for row in part.to_pylist()]

    def _of_head(self, row: Row, column: str, last: Mapping[str, Mapping[str, Any]], create: Touch) -> Touch:
        """The last touch of a cell of the head."""
        found = last.get(changefile.key_text(row, self.contract.key))
        if found is None:
            return replace(create, key=self.contract.key_of(row), new=row[column])
        return next(_of_cell([self._touch(found)], column))

    @cached_property
    def _head(self) -> Rows:
        """The rows of the head that was opened."""
        index = self.index
        assert index.head is not None  # noqa: S101 - there are steps
        found = master.read(index.bench.store, index.dataset, version=index.head.version)
        assert found is not None  # noqa: S101 - a version stays
        return found.rows(self.contract.key)

    def _head_row(self, key: Key) -> Row | None:
        return next(iter(self._head.rows([key]).values()), None)

    def _touches(self, rows: pa.Table, after: int) -> list[Touch]:
        """Newest first; the cells of one row in the contract's order."""
        order = {name: place for place, name in enumerate(self.contract.names)}
        found = [row for row in rows.to_pylist() if row["number"] > after]
        found.sort(key=lambda row: (-row["number"], -row["place"], row["key"], order.get(row["column"], 0)))
        return [self._touch(row) for row in found]

    def _touch(self, row: Mapping[str, Any]) -> Touch:
        raw = json.loads(row["key"])
        return Touch(
            key=tuple(decode(raw[name], self._types[name]) for name in self.contract.key),
            old=self._value(row["old"], row["column"]),
            new=self._value(row["new"], row["column"]),
            at=row["timestamp"],
            **{name: row[name] for name in _AS_THEY_ARE},
        )

    @cached_property
    def _types(self) -> Mapping[str, str]:
        return {field.name: field.type for field in self.contract.fields}

    def _value(self, text: str | None, column: str) -> Value:
        """A cell's value; its text where the contract of today says otherwise."""
        try:
            return changefile.from_text(text, self._types[column])
        except (KeyError, ValueError):
            return text

    def _create(self, key: Key, column: str | None, step: Step) -> Touch:
        """The touch of the commit that the dataset began with, which is in the oldest step."""
        record = first_record(step)
        return Touch(
            key,
            column,
            old=None,
            new=None,
            change="create",
            commit=str(record["commit"]),
            number=int(str(record["number"])),
            proposal=str(record["proposal"]),
            at=datetime.fromisoformat(str(record["timestamp"])),
            user=str(record["user"]),
            note=str(record["note"]),
            kind=str(record["kind"]),
        )


def _of_cell(touches: Iterable[Touch], column: str) -> Iterator[Touch]:
    """The touches of one cell out of its row's. Changes files hold no cell that is null in an inserted or deleted row:
    it began, or ended, with its row all the same."""
    for _, group in groupby(touches, key=lambda touch: (touch.number, touch.proposal)):
        found = list(group)
        exact = next((touch for touch in found if touch.column == column), None)
        if exact is not None:
            yield exact
        elif found[0].change != "update":
            yield replace(found[0], column=column, old=None, new=None)


def _newest_of_each(rows: pa.Table, column: str) -> pa.Table:
    """Of each key the newest row that tells of the cell in `column`: its own, or any of its row's insertion."""
    own = pc.equal(rows["column"], column)
    telling = pc.or_(own, pc.equal(rows["change"], "insert"))
    rows = rows.append_column("own", own.cast(pa.int8())).filter(telling)
    rows = rows.sort_by([("number", "descending"), ("place", "descending"), ("own", "descending")])
    rows = rows.append_column("at", pa.array(range(rows.num_rows), pa.int64()))
    first = rows.group_by("key").aggregate([("at", "min")])["at_min"]
    return rows.take(first)
