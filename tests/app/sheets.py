"""A small sheet that tests edit: a few nets, with every type of column, and shorthands to say edits of it."""

from __future__ import annotations

import pyarrow as pa

from app.editing.edits import Edits
from app.editing.gridlog import Event
from app.editing.sheet import Sheet, row_id
from towline import table as tables
from towline.contract import Contract
from towline.values import Row, Value

CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "tow", "type": "integer"},
            {"name": "net", "type": "integer"},
            {"name": "volume", "type": "number", "unit": "m^3", "constraints": {"minimum": 0}},
            {"name": "vessel", "type": "string"},
            {"name": "is_day", "type": "boolean"},
            {"name": "day", "type": "date"},
            {"name": "start", "type": "datetime"},
        ],
        "primaryKey": ["tow", "net"],
        "missingValues": ["", "NA"],
        "towline": {"version": 1, "dataset": "nets"},
    }
)


def row(tow: int, net: int, **cells: Value) -> Row:
    blank: dict[str, Value] = dict.fromkeys(CONTRACT.names)
    return {**blank, "volume": 10.5, "vessel": "Meridian", "is_day": True, "tow": tow, "net": net, **cells}


def sheet(*rows: Row, number: int = 1) -> Sheet:
    """A commit with these rows; without any, of four nets."""
    held = rows or (row(1, 0), row(1, 1, volume=0.0), row(2, 0, vessel=None), row(2, 1, is_day=None))
    table: pa.Table = tables.sort(tables.from_rows(held, CONTRACT.schema), CONTRACT.key)
    return Sheet(CONTRACT, f"{number:026d}", number, table)


def typed(place: int, **cells: str | None) -> Event:
    """Somebody typed into a row of the default sheet, told by its place."""
    return at(*list(sheet().rows)[place], **cells)


def at(*key: Value, **cells: str | None) -> Event:
    """Somebody typed into the row with this key."""
    return {"set": [[[row_id(key)], list(cells), [list(cells.values())]]]}


def added(name: str, **cells: str | None) -> Event:
    """Somebody added a row below all others, and typed into it."""
    return {"add": [[name, None]], "set": [[[name], list(cells), [list(cells.values())]]]}


def gone(*key: Value) -> Event:
    """Somebody deleted a row."""
    return {"del": [row_id(key)]}


def edits(**rows: dict[str, str | None]) -> Edits:
    """Edits by key: `edits(r10={"volume": "3"})` is of tow 1, net 0."""
    return Edits(cells={(int(name[1]), int(name[2])): cells for name, cells in rows.items()})
