"""Edits of single rows as people write them: `tow=4,net=1` becomes values by the contract's types, and RowChanges.

    COLUMN=VALUE[,COLUMN=VALUE...]

A value is read as in a CSV file of the dataset. `null` is null and `""` the empty text; quotation marks take anything
else as it stands (`note="a, b"`, `note="null"`), a mark inside them is doubled. A column may be quoted too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.change import RowChange, same_row
from towline.contract import Contract
from towline.errors import BadProposal, NotFound, UsageError
from towline.files.columns import EXPECTED, read_as
from towline.rules.field import Field
from towline.values import Row, Value, decode, encode, shown

_QUOTED = r'"(?:[^"]|"")*"'
_ITEM = re.compile(rf'\s*(?P<name>{_QUOTED}|[^=,"]+?)\s*=\s*(?P<value>{_QUOTED}|(?!")[^,]*?)\s*(?P<more>,|\Z)')
_WAY_OUT = 'write COLUMN=VALUE,…, a value that holds a comma in quotation marks ("a, b"), and decimals with a point'


@dataclass(frozen=True)
class Written:
    """A value as somebody wrote it. `quoted`: the text is meant as it stands."""

    text: str
    quoted: bool = False

    @property
    def is_null(self) -> bool:
        return self.text == "null" and not self.quoted


def parse(texts: Iterable[str], option: str = "--where") -> dict[str, Written]:
    """Columns and what was written for them. `option` names the place in messages. Raises UsageError."""
    found: dict[str, Written] = {}
    for text in texts:
        for column, written in _items(text, option):
            if column in found:
                raise UsageError(f"{option} names the column {column} twice; name it once")
            found[column] = written
    return found


def _items(text: str, option: str) -> Iterable[tuple[str, Written]]:
    at, more = 0, True
    while more:
        item = _ITEM.match(text, at)
        if item is None:
            raise UsageError(f"{option}: {shown(text[at:])} is not COLUMN=VALUE; {_WAY_OUT}")
        column, value = _written(item["name"]), _written(item["value"])
        if not value.text and not value.quoted:
            raise UsageError(f'{option}: {column.text}= has no value; write null, or "" for the empty text')
        yield column.text, value
        at, more = item.end(), bool(item["more"])


def _written(text: str) -> Written:
    is_quoted = text.startswith('"')
    return Written(text[1:-1].replace('""', '"') if is_quoted else text, is_quoted)


def read(contract: Contract, written: Mapping[str, Written]) -> dict[str, Value]:
    """The values by their columns' types. UsageError: no such column; BadProposal: a value does not fit."""
    return {column: _read(contract.field(column), value) for column, value in written.items()}


def _read(field: Field, written: Written) -> Value:
    if written.is_null:
        return None
    if field.type == "string":
        return written.text
    cells, _ = read_as(pa.chunked_array([[written.text.strip()]], pa.string()), field)
    value: Value = cells[0].as_py()
    if value is None:
        expected = EXPECTED[field.type] + (f" like {_example(field)}" if field.type in ("date", "datetime") else "")
        raise _misfit(field, f"{shown(written.text)} is not {expected}; null is written null")
    return value


def _example(field: Field) -> str:
    zone = "Z" if field.utc else ""
    default = "2024-05-04" if field.type == "date" else f"2024-05-04T18:03:09{zone}"
    return default if field.format == "default" else field.format


def _misfit(field: Field, why: str) -> BadProposal:
    unit = f", {field.unit}" if field.unit else ""
    return BadProposal(f"column {field.name} ({field.type}{unit}): {why}", rule=f"type.{field.type}")


def convert(contract: Contract, values: Mapping[str, object]) -> dict[str, Value]:
    """Python values as cells of their columns' types: 4 is a number, "4" is not. Errors as in `read`."""
    return {column: _convert(contract.field(column), value) for column, value in values.items()}


def _convert(field: Field, value: Any) -> Value:
    try:
        return decode(encode(value), field.type)
    except ValueError as error:
        raise _misfit(field, str(error)) from None


def matching(table: pa.Table, where: Mapping[str, Value]) -> pa.Table:
    """The rows that hold all of these values, compared as in `values.same`; all rows where there are none."""
    if not where:
        return table
    masks = (_equal(table[column], value) for column, value in where.items())
    return table.filter(reduce(pc.and_, masks))


def _equal(cells: pa.ChunkedArray, value: Value) -> pa.ChunkedArray:
    if value is None:
        return pc.is_null(cells)
    if value != value:
        return pc.fill_null(pc.is_nan(cells), False)
    return pc.fill_null(pc.equal(cells, pa.scalar(value, cells.type)), False)


def rows(contract: Contract, table: pa.Table, where: Mapping[str, Value]) -> list[Row]:
    """The matching rows, at least one. NotFound otherwise."""
    if not where:
        raise UsageError(f"say which rows: {', '.join(f'{name}=…' for name in contract.key)}")
    found: list[Row] = matching(table, where).to_pylist()
    if not found:
        raise NotFound(
            f"no row of {contract.dataset} has {spell(where)}; `towline show {contract.dataset} -n 0` lists them all"
        )
    return found


def spell(values: Mapping[str, Value]) -> str:
    """`tow=4, net=1`, as messages name rows."""
    return ", ".join(f"{name}={'null' if value is None else encode(value)}" for name, value in values.items())


def updates(contract: Contract, found: Sequence[Row], values: Mapping[str, Value]) -> list[RowChange]:
    """The changes that set `values` in these rows; rows that hold them already are left out.

    Raises BadProposal where a key column would change, or nothing would.
    """
    keys = [column for column in values if column in contract.key]
    if keys:
        raise BadProposal(
            f"{keys[0]} is part of the key, which tells rows apart and cannot be edited: delete the row and insert it "
            "again under its new key",
            rule="key.changed",
        )
    changes = [RowChange(row, {**row, **values}) for row in found if not same_row(row, {**row, **values})]
    if not changes:
        raise BadProposal(f"nothing to change: {spell(values)} is what is there already", rule="change.nothing")
    return changes


def deletes(contract: Contract, found: Sequence[Row], *, all_matching: bool = False) -> list[RowChange]:
    """The changes that delete these rows. Raises UsageError for more than one, unless that is meant."""
    if len(found) > 1 and not all_matching:
        raise UsageError(
            f"{len(found):,} rows match: name the one row by its key ({', '.join(contract.key)}), or say that all of "
            "them are meant (--all-matching)"
        )
    return [RowChange(row, None) for row in found]


def insert(contract: Contract, values: Mapping[str, Value]) -> list[RowChange]:
    """The change that inserts a row with these values; columns that are not given are null.

    Raises BadProposal where the key is not whole.
    """
    lacking = [column for column in contract.key if values.get(column) is None]
    if lacking:
        raise BadProposal(f"a new row needs its whole key; {', '.join(lacking)} is missing", rule="key.null")
    return [RowChange(None, {column: values.get(column) for column in contract.names})]


def json_row(contract: Contract, text: str) -> dict[str, Value]:
    """The values of a row written as a JSON object; columns that it lacks are null.

    UsageError: this is no JSON object; BadProposal: it does not fit the contract.
    """
    try:
        raw = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the row is not valid JSON: {error}") from None
    if not isinstance(raw, dict):
        raise UsageError(f'the row must be a JSON object like {{"tow": 4}}, this is {shown(raw)}')
    row, violations = contract.decode_row({**dict.fromkeys(contract.names), **raw})
    if row is None or violations:
        first = violations[0]
        raise BadProposal(first.message, rule=first.rule)
    return dict(row)


def once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """For `json.loads`: what a person wrote twice in one object is refused with a ValueError."""
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return row
