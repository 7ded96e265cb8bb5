"""What a commit, or the way from one commit to another, did to the rows: from tables of one row a cell (changefile)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline import changefile, table
from towline.change import Cell, key_json
from towline.contract import Contract
from towline.diff import Diff
from towline.files import write_table
from towline.values import Key, Value, decode, encode

NO_CELLS = changefile.SCHEMA.empty_table()
_NEVER = datetime.fromtimestamp(0, UTC)  # the moment in a table of cells that are no commit's


@dataclass(frozen=True)
class Row:
    """What happened to one row. `kind` is insert, update or delete. `cells` of an inserted or deleted row are those
    that are not null. `proposal` is the one that did it."""

    kind: str
    key: Mapping[str, Value]
    cells: tuple[Cell, ...]
    proposal: str = ""


@dataclass(frozen=True)
class Touched:
    """The rows that changed, taken out of `cells` where they are asked for: a large commit is never made into Python
    values as a whole. Each proposal's cells lie together, and in them each row's."""

    contract: Contract
    cells: pa.Table

    def __len__(self) -> int:
        return len(self._bounds) - 1

    @cached_property
    def _bounds(self) -> list[int]:
        """Where each row's cells begin, and where the last one's end."""
        if not self.cells.num_rows:
            return [0]
        named = (self.cells[name].combine_chunks() for name in ("proposal", "key"))
        begins = reduce(pc.or_, (pc.not_equal(column[1:], column[:-1]) for column in named))
        return [0, *(at + 1 for at in pc.indices_nonzero(begins).to_pylist()), self.cells.num_rows]

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[Row]:
        """The rows from number `start` up to, not including, `stop`."""
        bounds = self._bounds
        for at in range(*slice(start, stop).indices(len(self))):
            part = self.cells.slice(bounds[at], bounds[at + 1] - bounds[at])
            yield _row(part.to_pylist(), self.contract)

    def only(self, key: str = "", column: str = "") -> Touched:
        """Those of one row (its key as the file writes it, see `key_text`), of one column, or of both."""
        masks = [pc.equal(self.cells[name], text) for name, text in (("key", key), ("column", column)) if text]
        return Touched(self.contract, self.cells.filter(reduce(pc.and_, masks))) if masks else self

    def count(self, kind: str) -> int:
        """How many rows are of this kind."""
        return int(
            pc.sum(pc.equal(self.cells["change"].take(pa.array(self._bounds[:-1], pa.int64())), kind)).as_py() or 0
        )

    def to_csv(self) -> bytes:
        """One line a cell: change, the key's columns, column, old, new."""
        contract = self.contract
        parsed = [json.loads(text) for text in self.cells["key"].to_pylist()]
        columns = {
            "change": self.cells["change"],
            **{name: _column(parsed, name, contract) for name in contract.key},
            **{name: self.cells[name] for name in ("column", "old", "new")},
        }
        return write_table(pa.Table.from_arrays(list(columns.values()), names=list(columns)), "csv")

    def to_json(self) -> bytes:
        """In the form of `towline diff --json`."""
        found: dict[str, list[object]] = {"inserted": [], "deleted": [], "updated": []}
        for row in self.rows():
            if row.kind == "update":
                cells = [{"column": c.column, "old": encode(c.old), "new": encode(c.new)} for c in row.cells]
                found["updated"].append({"key": key_json(row.key, tuple(row.key)), "cells": cells})
            else:
                found[f"{row.kind.removesuffix('e')}ed"].append(_whole(row, self.contract))
        return json.dumps(found, ensure_ascii=False, indent=1).encode()


def _row(cells: list[dict[str, Any]], contract: Contract) -> Row:
    first = cells[0]
    key = {name: _decoded(raw, name, contract) for name, raw in json.loads(first["key"]).items()}
    read = (Cell(c["column"], *(_value(c[side], c["column"], contract) for side in ("old", "new"))) for c in cells)
    return Row(first["change"], key, tuple(read), first["proposal"] or "")


def _decoded(raw: object, column: str, contract: Contract) -> Value:
    """A key's value; as the file has it where the contract of today says otherwise."""
    try:
        return decode(raw, contract.field(column).type) if column in contract.names else str(raw)
    except ValueError:
        return str(raw)


def _value(text: str | None, column: str, contract: Contract) -> Value:
    """A cell's value; its text where the contract of today says otherwise."""
    try:
        return changefile.from_text(text, contract.field(column).type) if column in contract.names else text
    except ValueError:
        return text


def _column(parsed: Iterable[Mapping[str, object]], name: str, contract: Contract) -> pa.Array:
    values = [_decoded(each.get(name), name, contract) for each in parsed]
    try:
        return pa.array(values, contract.field(name).arrow)
    except (pa.ArrowException, TypeError, ValueError):  # the column had another type then
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def _whole(row: Row, contract: Contract) -> Mapping[str, object]:
    """An inserted or deleted row with its nulls."""
    held = {cell.column: encode(cell.new if row.kind == "insert" else cell.old) for cell in row.cells}
    return {**dict.fromkeys(contract.names), **held}


def key_text(key: Key, contract: Contract) -> str:
    """A key as changes files write it."""
    return json.dumps(key_json(contract.key_dict(key), contract.key), ensure_ascii=False)


def of_diff(diff: Diff) -> pa.Table:
    """A diff as a table of cells."""
    body = changefile.to_parquet(diff, commit="", number=0, proposal="", timestamp=_NEVER, user="")
    return table.from_parquet(body, "a diff")
