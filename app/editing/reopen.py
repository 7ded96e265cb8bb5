"""A proposal that was sent, turned back into edits of the commit that it was made on. Pure.

Whatever can be put into a cell is put there, as a text where it does not fit, so that the grid marks it and says why: a
proposal is reopened because something was wrong with it. What has no place is said in words, never dropped silently.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa

from app.editing.cells import Misfit, Text, text_of, value_of
from app.editing.edits import Edits, settled
from app.editing.sheet import Sheet
from towline.contract import Contract
from towline.values import Key, Value, decode, same

SAID = 20  # columns that a sentence names
_PYTHON = {"string": str, "integer": int, "number": float, "boolean": bool, "date": date, "datetime": datetime}


@dataclass(frozen=True)
class Reopened:
    """`unplaced`: sentences about what is not, or not as it was, among the edits."""

    edits: Edits
    unplaced: tuple[str, ...] = ()


@dataclass
class _Table:
    """Edits in the making."""

    sheet: Sheet
    cells: dict[Key | int, dict[str, Text]] = field(default_factory=dict)
    deleted: set[Key] = field(default_factory=set)
    added: list[int] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)
    strange: dict[str, None] = field(default_factory=dict)  # columns that the dataset does not have

    def put(self, row: Key | int, texts: Mapping[str, Text]) -> None:
        names = self.sheet.contract.names
        self.strange.update(dict.fromkeys(name for name in texts if name not in names))
        known = {name: text for name, text in texts.items() if name in names}
        self.cells[row] = {**self.cells.get(row, {}), **known}

    def add(self, texts: Mapping[str, Text]) -> None:
        """An added row; what is null is not said."""
        serial = len(self.added) + 1
        self.added.append(serial)
        self.put(serial, {name: text for name, text in texts.items() if text is not None})

    def done(self) -> Reopened:
        if self.strange:
            self.unplaced.append(f"{self.sheet.dataset} has no column {_listed(self.strange)}")
        edits = Edits(self.cells, frozenset(self.deleted), tuple(self.added))
        return Reopened(settled(self.sheet, edits), tuple(self.unplaced))


def of_changes(sheet: Sheet, raw: Mapping[str, object]) -> Reopened:
    """The `changes` of a proposal's JSON, and the texts that its client kept beside them (`client.unfit`)."""
    table = _Table(sheet)
    changes = raw.get("changes")
    for number, item in enumerate(changes if isinstance(changes, list) else ()):
        if isinstance(item, Mapping) and _is_change(item.get("old"), item.get("new")):
            _place(table, item.get("old"), item.get("new"))
        else:
            table.unplaced.append(f"changes[{number}] is not a change of a row")
    for item in _unfit(raw.get("client")):
        _place_text(table, item)
    return table.done()


def _is_change(old: object, new: object) -> bool:
    return (old is None or isinstance(old, Mapping)) and (new is None or isinstance(new, Mapping)) and old is not new


def _place(table: _Table, old: Mapping[str, object] | None, new: Mapping[str, object] | None) -> None:
    """One change: of a row of the sheet by its old key; a row that the sheet lacks becomes an added one."""
    contract, rows = table.sheet.contract, table.sheet.rows
    key = _key(old, contract) if old is not None else None
    is_there = key is not None and key in rows
    if new is None:
        if is_there and key is not None:
            table.deleted.add(key)
        else:
            table.unplaced.append(f"{_row(old, contract)} is to be deleted, and {_not_there(table)}")
    elif old is not None and is_there and key is not None:
        differ = {name: value for name, value in new.items() if name not in old or old[name] != value}
        table.put(key, _texts(differ, contract))
    else:
        if old is not None:
            table.unplaced.append(f"{_row(old, contract)} was changed, and {_not_there(table)}: it stands as a new row")
        table.add(_texts(new, contract))


def _not_there(table: _Table) -> str:
    return f"commit {table.sheet.number} has no such row"


def _unfit(client: object) -> Iterable[Mapping[str, object]]:
    listed = client.get("unfit") if isinstance(client, Mapping) else None
    return (item for item in listed if isinstance(item, Mapping)) if isinstance(listed, list) else ()


def _place_text(table: _Table, item: Mapping[str, object]) -> None:
    """A text that did not fit its column: into the row of its key, be it the sheet's or an added one."""
    contract = table.sheet.contract
    raw, column, text = item.get("key"), item.get("column"), item.get("text")
    if not isinstance(raw, Mapping) or not isinstance(column, str) or not isinstance(text, str):
        return
    key = _key(raw, contract)
    if key is not None and key in table.sheet.rows:
        table.put(key, {column: text})
        return
    keyed = {name: each for name, each in _texts(raw, contract).items() if each is not None}
    there = (row for row in table.added if all(table.cells[row].get(name) == each for name, each in keyed.items()))
    serial = next(there, None) if keyed else None
    if serial is None:
        table.add({**keyed, column: text})
    else:
        table.put(serial, {column: text})


def _key(row: Mapping[str, object], contract: Contract) -> Key | None:
    """The key in a row as it travels; None where it is not whole or not readable."""
    try:
        key = tuple(decode(row.get(name), contract.field(name).type) for name in contract.key)
    except ValueError:
        return None
    return None if None in key else key


def _texts(row: Mapping[str, object], contract: Contract) -> dict[str, Text]:
    return {name: _text(raw, name, contract) for name, raw in row.items()}


def _text(raw: object, column: str, contract: Contract) -> Text:
    """What a person would have typed for a value as it travels; its own text where the column cannot hold it."""
    try:
        return text_of(decode(raw, contract.field(column).type)) if column in contract.names else str(raw)
    except ValueError:
        return raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)


def _row(row: Mapping[str, object] | None, contract: Contract) -> str:
    return "row " + ", ".join(f"{name} {(row or {}).get(name)}" for name in contract.key)


def of_table(sheet: Sheet, table: pa.Table, *, is_whole: bool) -> Reopened:
    """A table file, as far as it differs from the sheet. `is_whole`: rows that it lacks are deleted.

    Its columns need not have the contract's types: texts that do not fit are edits like any other.
    """
    made = _Table(sheet)
    contract = sheet.contract
    lacking = [name for name in contract.names if name not in table.schema.names]
    if lacking:
        made.unplaced.append(f"of {_listed(lacking)} the file says nothing: it stays as it is")
    left = dict.fromkeys(sheet.rows)
    for row in table.to_pylist():
        key = _key_in_file(row, contract)
        if key is None or key not in left:
            made.add({name: _file_text(value, name, contract) for name, value in row.items()})
        else:
            del left[key]
            _differing(made, key, row)
    _gone(made, list(left), is_whole=is_whole)
    return made.done()


def _gone(made: _Table, rows: Sequence[Key], *, is_whole: bool) -> None:
    if is_whole:
        made.deleted.update(rows)
    elif rows:
        made.unplaced.append(f"{len(rows):,} rows that the file lacks stay as they are")


def _differing(made: _Table, key: Key, row: Mapping[str, Value]) -> None:
    contract, held = made.sheet.contract, made.sheet.rows[key]
    differ = {name: value for name, value in row.items() if name not in held or not same(value, held[name])}
    if differ:
        made.put(key, {name: _file_text(value, name, contract) for name, value in differ.items()})


def _key_in_file(row: Mapping[str, Value], contract: Contract) -> Key | None:
    """The key of a file's row; None where it is not whole, or one of its texts does not fit."""
    if all(isinstance(row.get(name), _PYTHON[contract.field(name).type]) for name in contract.key):
        return contract.key_of(row)  # to read each one anew would take its time
    try:
        key = tuple(_meant(row.get(name), name, contract) for name in contract.key)
    except Misfit:
        return None
    return None if None in key else key


def _meant(value: Value, column: str, contract: Contract) -> Value:
    return value_of(_file_text(value, column, contract), contract.field(column), contract.missing_values)


def _file_text(value: Value, column: str, contract: Contract) -> Text:
    """A cell of a file as it would be typed; what was read as text for lack of a better type is that text."""
    if isinstance(value, str) and column in contract.names and contract.field(column).type != "string":
        return value
    return text_of(value)


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - SAID:,} more" if len(every) > SAID else ""
    return ", ".join(every[:SAID]) + more
