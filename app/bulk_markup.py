"""HTML of the dialogs that change many cells: what would change, what is wrong, what is left out. Pure.

A button's or tick's act is JSON: ["show" or "cell", the row's place, its column], or ["column", a column].
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from html import escape

from app import markup
from app.editing.cells import Text, unit_text
from app.editing.find import Hits
from app.editing.now import Now
from app.editing.preview import Cell, Preview

LISTED = 100  # cells that are drawn at once
SHOW, CELL, COLUMN = "show", "cell", "column"


def read_act(act: str) -> tuple[str, int, str] | None:
    """What was clicked: kind, place (0 for a column) and column; None where it is no act of these lists."""
    try:
        kind, *rest = json.loads(act)
        place, column = (int(rest[0]), str(rest[1])) if kind in (SHOW, CELL) else (0, str(rest[0]))
    except (ValueError, TypeError, IndexError):
        return None
    return (str(kind), place, column) if kind in (SHOW, CELL, COLUMN) else None


def text(held: Text) -> str:
    """A cell's text, so that null, the empty text and the text `null` cannot be confused."""
    if held is None:
        return '<span class="tl-null">null</span>'
    return escape(markup.cut(f"“{held}”" if held == "null" or held != held.strip() else held))


def found(hits: Hits) -> str:
    """`12 cells in 9 rows`."""
    if not hits.total:
        return markup.message("info", "Nothing is found.")
    return markup.subheading(f"{markup.count(hits.total, 'cell')} in {markup.count(hits.rows, 'row')}", _CLICK)


_CLICK = "click on a row to go there"


def summary(preview: Preview, finds: tuple[str, str]) -> str:
    """How many cells change, and of the others why they do not. `finds` says of one row, and of several, that it is
    one of those that are meant."""
    rows = f"{markup.count(preview.found, 'row')} {finds[preview.found != 1]}"
    if not preview.counts:
        return markup.message("info", f"{rows}; nothing changes there." if preview.found else f"No row {finds[0]}.")
    head = f"{markup.count(preview.total, 'cell')} in {markup.count(len(preview.places), 'row')} would change"
    return markup.subheading(head, rows)


def problems(preview: Preview) -> str:
    """Why some cells get no new text."""
    said = []
    if preview.unfit:
        said.append(f"{markup.count(preview.unfit, 'cell')}: the new text does not fit")
    if preview.stuck:
        said.append(f"{markup.count(preview.stuck, 'cell')}: there is no result")
    return (
        markup.message("warn", f"{'; '.join(said)}. They stay as they are; see the head of the list.") if said else ""
    )


def unfit(cells: int) -> str:
    """The tick that puts texts into the grid which do not fit."""
    return f"Put {markup.count(cells, 'text')} in that do{'es' * (cells == 1)} not fit"


def gained(errors: int, warnings: int) -> str:
    """What the contract would say of the changes."""
    more = markup.totals(max(errors, 0), max(warnings, 0))
    fewer = markup.totals(max(-errors, 0), max(-warnings, 0))
    said = [f"{more} more than now"] * bool(more) + [f"{fewer} fewer than now"] * bool(fewer)
    return markup.message("warn" if more else "done", f"In these rows: {', '.join(said)}.") if said else ""


def columns(counts: Mapping[str, int], off: Collection[str]) -> str:
    """A tick for each column, with its cells."""
    ticks = "".join(
        f"<label>{_tick([COLUMN, name], name not in off, f'all of {name}')} {escape(name)} "
        f'<span class="tl-quiet">{number:,}</span></label>'
        for name, number in counts.items()
    )
    return f'<div class="tl tl-bulk-columns">{ticks}</div>'


def cells(listed: Sequence[Cell], preview: Preview, off_columns: Collection[str], off: Collection[object]) -> str:
    """The first cells, with a tick each, and how many more there are."""
    now = preview.now
    rows = "".join(_change(c, now, c.column not in off_columns and (c.place, c.column) not in off) for c in listed)
    head = "<tr><th class='tl-tick'></th><th>Row</th><th>Column</th><th>Now</th><th>Becomes</th></tr>"
    return _table(head + rows, sum(preview.counts.values()) - len(listed), "they change, too")


def hits(found: Hits) -> str:
    """The first cells that were found."""
    listed = found.cells(LISTED)
    rows = "".join(
        f"<tr><td>{_go(c, found.now)}</td><td>{escape(c.column)}</td><td>{text(c.old)}</td></tr>" for c in listed
    )
    head = "<tr><th>Row</th><th>Column</th><th>Holds</th></tr>"
    return _table(head + rows, found.total - len(listed), "write more to find fewer")


def _table(rows: str, left: int, says: str) -> str:
    more = f'<div class="tl-quiet">… and {markup.count(left, "more cell")}: {says}</div>' if left > 0 else ""
    return f'<div class="tl tl-bulk"><table>{rows}</table>{more}</div>'


def _change(cell: Cell, now: Now, is_on: bool) -> str:
    name = f"{markup.key_text(now.key(cell.place))}, {cell.column}"
    is_settable = cell.problem is None
    tick = _tick([CELL, cell.place, cell.column], is_on, name) if is_settable else '<span class="tl-sign">✕</span>'
    new = f'<span class="tl-new">{text(cell.new)}</span>' if is_settable else _problem(cell)
    old = f'<span class="{"tl-old" if is_settable else ""}">{text(cell.old)}</span>'
    unit = unit_text(now.contract.field(cell.column).unit)
    column = f'{escape(cell.column)} <span class="tl-quiet">{escape(unit)}</span>'
    row = f"<td>{tick}</td><td>{_go(cell, now)}</td><td>{column}</td><td>{old}</td><td>{new}</td>"
    return f"<tr>{row}</tr>" if is_on or not is_settable else f'<tr class="tl-off">{row}</tr>'


def _problem(cell: Cell) -> str:
    new = f'<span class="tl-bad">{text(cell.new)}</span><br>' if cell.new != cell.old else ""
    return f'{new}<span class="tl-quiet">{escape(cell.problem or "")}</span>'


def _go(cell: Cell, now: Now) -> str:
    act = json.dumps([SHOW, cell.place, cell.column])
    return markup.button(act, escape(markup.key_text(now.key(cell.place))), "Go there")


def _tick(act: Sequence[object], is_on: bool, name: str) -> str:
    checked = " checked" if is_on else ""
    return f'<input type="checkbox" data-act="{escape(json.dumps(act))}" aria-label="{escape(name)}"{checked}>'


def problem(said: str, *, is_unfinished: bool = False) -> str:
    """What is to be mended at a field; what was only not written yet is said quietly."""
    sentence = f"{said[:1].upper()}{said[1:]}."
    return (
        markup.block(f'<span class="tl-quiet">{escape(sentence)}</span>')
        if is_unfinished
        else markup.message("stop", sentence)
    )
