"""The changes file of one proposal: one row a cell, with old and new value. All of them together are the change feed.

    change      insert | update | delete (of the row that the cell is in)
    key         the row's key as JSON, {"tow": 4, "net": 1}
    column      the cell's column
    old, new    the values as text, null where there is none: numbers in their shortest exact form, true, ISO 8601
    commit, number, proposal, timestamp, user      whose change it was

An inserted or deleted row has a row here for each of its cells that is not null. A `create` has none: the first
snapshot is where the history begins, and replaying the files from there reproduces every later snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from towline.change import RowChange, key_json, same_row
from towline.diff import Diff
from towline.errors import Corrupt
from towline.rows import Rows
from towline.values import Key, Row, Value, decode

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("change", "key", "column", "old", "new", "commit")),
        ("number", pa.int64()),
        ("proposal", pa.string()),
        ("timestamp", pa.timestamp("us", tz="UTC")),
        ("user", pa.string()),
    ]
)


def to_parquet(diff: Diff, *, commit: str, number: int, proposal: str, timestamp: datetime, user: str) -> bytes:
    """The file's bytes; the same arguments give the same bytes, so writing it twice is harmless."""
    whose = {"commit": commit, "number": number, "proposal": proposal, "timestamp": timestamp, "user": user}
    rows = [{**cell, **whose} for change in diff.changes for cell in _cells(change, diff.key)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), sink, compression="zstd")
    return bytes(sink.getvalue())


def of_rows(body: bytes, key: tuple[str, ...], types: Mapping[str, str], rows: Rows) -> Diff:
    """Read a changes file back as changes of the rows that it was made on: only those that it tells of are looked up.
    `types` as in `from_parquet`. Corrupt: what it says was there is not what is there."""
    cells = _read(body)
    there = rows.rows(_key(text, key, types) for text in dict.fromkeys(cell["key"] for cell in cells))
    found = _diff(cells, key, types, there)
    for change in found.changes:
        if not same_row(change.old, there.get(change.key(key))):
            raise Corrupt(
                f"the changes file says otherwise of row {key_text(change.row, key)} than the table before it"
            )
    return found


def from_parquet(body: bytes, key: tuple[str, ...], types: Mapping[str, str], rows: Mapping[Key, Row]) -> Diff:
    """Read a changes file back. `types` names the contract type of each column; `rows` holds the rows before the
    change, by key, because an update's file has only the cells that changed."""
    return _diff(_read(body), key, types, rows)


def _read(body: bytes) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = pq.ParquetFile(pa.BufferReader(body)).read().to_pylist()
    return cells


def _diff(cells: list[dict[str, Any]], key: tuple[str, ...], types: Mapping[str, str], rows: Mapping[Key, Row]) -> Diff:
    changes: dict[str, dict[str, Any]] = {}
    for cell in cells:
        entry = changes.setdefault(cell["key"], {"kind": cell["change"], "old": {}, "new": {}})
        for side in ("old", "new"):
            entry[side][cell["column"]] = from_text(cell[side], types[cell["column"]])
    return Diff(key, tuple(_row_change(k, entry, key, types, rows) for k, entry in changes.items()))


def _row_change(
    text: str,
    entry: Mapping[str, Any],
    key: tuple[str, ...],
    types: Mapping[str, str],
    rows: Mapping[Key, Row],
) -> RowChange:
    blank: Row = dict.fromkeys(types)
    if entry["kind"] == "insert":
        return RowChange(None, {**blank, **entry["new"]})
    if entry["kind"] == "delete":
        return RowChange({**blank, **entry["old"]}, None)
    old = rows.get(_key(text, key, types))
    if old is None:
        raise Corrupt(f"the changes file updates row {text}, which is not in the table before it")
    return RowChange(old, {**old, **entry["new"]})


def key_text(row: Row, key: tuple[str, ...]) -> str:
    """The key of a row as these files write it."""
    return json.dumps(key_json(row, key), ensure_ascii=False)


def _key(text: str, key: tuple[str, ...], types: Mapping[str, str]) -> Key:
    raw = json.loads(text)
    return tuple(decode(raw[column], types[column]) for column in key)


def _cells(change: RowChange, key: tuple[str, ...]) -> Iterator[dict[str, str | None]]:
    where = key_text(change.row, key)
    for cell in change.cells():
        yield {
            "change": change.kind,
            "key": where,
            "column": cell.column,
            "old": to_text(cell.old),
            "new": to_text(cell.new),
        }


def to_text(value: Value) -> str | None:
    """A value as the text of a changes file; exact, and read back by `from_text` with the column's type."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else value.isoformat()


def from_text(text: str | None, type_: str) -> Value:
    if text is None:
        return None
    if type_ == "integer":
        return int(text)
    if type_ == "number":
        return float(text)
    return text == "true" if type_ == "boolean" else decode(text, type_)
