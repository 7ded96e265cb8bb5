"""Tables for people: rows with units in their headers, and diffs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import pyarrow as pa
from rich import box
from rich.cells import cell_len
from rich.console import JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from towline.change import RowChange
from towline.cli.output import cell, plain
from towline.contract import Contract
from towline.diff import Diff
from towline.rules.field import Field
from towline.values import Row, Value

_TEXT_WIDTH = 40  # characters of a text cell that a table shows
_BETWEEN = 3  # blank columns between two columns of a table
_NUMERIC = ("integer", "number")


def plain_table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header)
    return table


def rows(found: Sequence[Row], contract: Contract, width: int) -> Iterator[RenderableType]:
    """Rows as tables of at most `width` characters. Columns that do not fit beside each other go into further tables,
    each beginning with the key, so that nothing is hidden."""
    return rows_of(found, contract.fields, contract.key, width)


def rows_of(found: Sequence[Row], columns: Sequence[Field], key: Sequence[str], width: int) -> Iterator[RenderableType]:
    """The same for columns that are no contract's; each table begins with those of `key`."""
    cells = {field.name: [cell(row[field.name]) for row in found] for field in columns}
    fields = {field.name: field for field in columns}
    widths = {name: _width(fields[name], cells[name]) for name in fields}
    for number, names in enumerate(_blocks(list(fields), key, widths, width)):
        if number:
            yield ""
        yield _block([fields[name] for name in names], [cells[name] for name in names])


def _block(fields: Sequence[Field], columns: Sequence[Sequence[Text]]) -> Table:
    table = plain_table()
    for field in fields:
        table.add_column(_header(field), justify=_side(field), no_wrap=True, overflow="ellipsis", max_width=_max(field))
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    return table


def _side(field: Field) -> JustifyMethod:
    return "right" if field.type in _NUMERIC else "left"


def _header(field: Field) -> Text:
    header = Text(field.name)
    if field.unit:
        header.append(f"\n[{field.unit}]", style="dim")
    return header


def _max(field: Field) -> int:
    """Numbers are never cut: half a number is another number."""
    return max(_TEXT_WIDTH if field.type == "string" else 400, cell_len(field.name))


def _width(field: Field, cells: Iterable[Text]) -> int:
    header = [cell_len(field.name), cell_len(field.unit or "") + 2]
    return min(max([*header, *(text.cell_len for text in cells)]), _max(field))


def _blocks(names: Sequence[str], key: Sequence[str], widths: dict[str, int], width: int) -> Iterator[list[str]]:
    """The columns of each table, so that it fits in `width` if it can."""
    if sum(widths[name] + _BETWEEN for name in names) - _BETWEEN <= width:
        yield list(names)
        return
    block, lead = list(key), sum(widths[name] + _BETWEEN for name in key)
    room = width - lead + _BETWEEN
    for name in (name for name in names if name not in key):
        room -= widths[name] + _BETWEEN
        if room < 0 and len(block) > len(key):
            yield block
            block, room = list(key), width - lead + _BETWEEN - widths[name] - _BETWEEN
        block.append(name)
    yield block


def diff(found: Diff, contract: Contract, width: int, limit: int) -> Iterator[RenderableType]:
    """A diff: changed cells old -> new, then inserted and deleted rows, at most `limit` lines of each (0: all)."""
    updated = [change for change in found.changes if change.kind == "update"]
    if updated:
        lines = _updated(updated, contract)
        shown = list(islice(lines, limit or None))
        total = len(shown) + sum(1 for _ in lines)
        yield from changes(f"updated{_of(len(shown), total, 'cells')}", shown, contract)
    for kind, word, side in (("insert", "inserted", "new"), ("delete", "deleted", "old")):
        there = [getattr(change, side) for change in found.changes if change.kind == kind]
        if there:
            yield from whole(word, there[: limit or None], len(there), contract, width)


def whole(word: str, shown: Sequence[Row], total: int, contract: Contract, width: int) -> Iterator[RenderableType]:
    """Rows that come or go, of `total`, with their title."""
    yield Text(f"{word}{_of(len(shown), total, 'rows')}", style="bold")
    yield from rows(shown, contract, width)
    yield ""


def _updated(changes: Iterable[RowChange], contract: Contract) -> Iterator[tuple[Text, ...]]:
    for change in changes:
        for one in change.cells():
            yield changed(change.row, one.column, one.old, one.new, contract)


def changed(row: Row, column: str, old: Value, new: Value, contract: Contract) -> tuple[Text, ...]:
    """A line of `changes`: the key of a row (`row` holds at least that), and one of its cells old -> new."""
    key = (cell(row[name]) for name in contract.key)
    before, after = cell(old), cell(new)
    before.stylize("red")
    after.stylize("green")
    return (*key, Text(_named(contract, column)), before, Text("->", style="dim"), after)


def _named(contract: Contract, column: str) -> str:
    unit = contract.field(column).unit
    return f"{column} [{unit}]" if unit else column


def changes(title: str, lines: Iterable[tuple[Text, ...]], contract: Contract) -> Iterator[RenderableType]:
    """Changed cells, old -> new, as a table with its title."""
    table = plain_table(*contract.key, "column", "old", "", "new")
    for name, column in zip(contract.key, table.columns, strict=False):
        column.justify = _side(contract.field(name))
    for line in lines:
        table.add_row(*line)
    yield Text(title, style="bold")
    yield table
    yield ""


def _of(shown: int, total: int, what: str) -> str:
    return "" if shown == total else f" ({shown:,} of {total:,} {what} shown)"


def diff_lines(found: Diff, contract: Contract) -> pa.Table:
    """A diff as a table of text, one line a cell: change, the key's columns, column, old, new. Of inserted and deleted
    rows, the cells that are not null."""
    lines = [(change, one) for change in found.changes for one in change.cells()]
    keys = [pa.array([change.row[name] for change, _ in lines], contract.field(name).arrow) for name in contract.key]
    texts = (
        pa.array(column, pa.string())
        for column in (
            [one.column for _, one in lines],
            [_string(one.old) for _, one in lines],
            [_string(one.new) for _, one in lines],
        )
    )
    kinds = pa.array([change.kind for change, _ in lines], pa.string())
    return pa.Table.from_arrays([kinds, *keys, *texts], names=["change", *contract.key, "column", "old", "new"])


def _string(value: Value) -> str | None:
    return value if value is None or isinstance(value, str) else plain(value)
