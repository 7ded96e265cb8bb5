"""HTML of what stands beside the grid: pending changes and violations, with buttons. Pure.

A button's act is JSON: ["show" or "revert", the grid's id of the row, a column or null].
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from html import escape

from app import markup
from app.editing.drafts import Draft
from app.editing.gridlog import State
from app.editing.gridsheet import ids_of
from app.editing.pending import Cell, Line, Pending, row_key
from app.editing.sheet import Sheet
from towline.contract import Contract
from towline.values import Value
from towline.violation import ERROR, Violation

LISTED = 200  # rows, and violations, that are drawn at once
SHOW, REVERT = "show", "revert"
_BACK = "↶"


def summary(pending: Pending) -> str:
    """`3 cells in 2 rows changed, 1 row added`."""
    changed = pending.count("update", "rekey")
    said = [f"{markup.count(pending.cells, 'cell')} in {markup.count(changed, 'row')} changed"] * bool(changed)
    rows = ((pending.count("insert"), "added"), (pending.count("delete"), "deleted"))
    said += [f"{markup.count(n, 'row')} {word}" for n, word in rows if n]
    return ", ".join(said) or "No changes yet"


def elsewhere(pending: Pending, sheet: Sheet) -> str:
    """`2 rows on other pages`, of a large table."""
    far = sum(isinstance(line.row, tuple) and not sheet.is_shown(line.row) for line in pending.lines)
    return f"{markup.count(far, 'row')} on other pages" if far else ""


def changes(pending: Pending, state: State, contract: Contract) -> str:
    """Old -> new by row: a click on a name goes there, one on the arrow takes it back."""
    shown = pending.lines[:LISTED]
    ids = ids_of(state, (line.row for line in shown))
    rows = "".join(_line(line, row, contract) for line, row in zip(shown, ids, strict=True))
    return markup.scroll(rows + _more(len(pending.lines) - len(shown), "more row"))


def _more(left: int, noun: str) -> str:
    return f'<div class="tl-quiet">… and {markup.count(left, noun)}</div>' if left > 0 else ""


def _line(line: Line, row: str, contract: Contract) -> str:
    key = contract.key_dict(contract.key_of(line.old)) if line.kind == "rekey" else row_key(contract, line)
    is_nameless = line.kind == "insert" and None in key.values()
    name = "A new row" if is_nameless else markup.key_text(key)
    head = markup.sign(line.kind) + _go(row, None, name, "tl-head") + markup.says(line.kind)
    cells = "".join(_cell(line, cell, row, contract) for cell in line.cells)
    return f'<div class="tl-row">{_with_back(head, row, None)}{cells}</div>'


def _cell(line: Line, cell: Cell, row: str, contract: Contract) -> str:
    html = _go(row, cell.column, cell.column, "tl-quiet") + " "
    html += markup.cell_change(cell, contract, is_new=line.kind == "insert")
    return _with_back(html, row, cell.column) if len(line.cells) > 1 else f"<div>{html}</div>"


def _go(row: str, column: str | None, text: str, kind: str) -> str:
    return markup.button(json.dumps([SHOW, row, column]), escape(text), "Go there", kind)


def _with_back(html: str, row: str, column: str | None) -> str:
    what = "cell" if column is not None else "row"
    back = markup.button(json.dumps([REVERT, row, column]), _BACK, f"Take this {what} back", "tl-back")
    return f'<div class="tl-line"><span>{html}</span>{back}</div>'


def violations(pending: Pending, state: State, contract: Contract) -> str:
    """Where, what, and how to mend it. The totals are true where the list is cut."""
    shown = pending.report.violations[:LISTED]
    rows = {tuple(row_key(contract, line).items()): line.row for line in pending.lines if line.kind != "delete"}
    items = "".join(_violation(each, _place(each, rows, state)) for each in shown)
    left = pending.report.errors + pending.report.warnings - len(shown)
    return markup.scroll(items + _more(left, "more"))


def _place(each: Violation, rows: Mapping[tuple[tuple[str, Value], ...], object], state: State) -> str | None:
    row = rows.get(tuple((each.key or {}).items()))
    return next(iter(ids_of(state, [row])), None) if isinstance(row, int | tuple) else None


def _violation(each: Violation, row: str | None) -> str:
    sign, word = ("✕", "error") if each.severity == ERROR else ("▲", "warning")
    names = [markup.key_text(each.key) if each.key else "", each.column or ""]
    place = " · ".join(name for name in names if name)
    where = (
        _go(row, each.column, place, "tl-head") if row is not None else f'<span class="tl-head">{escape(place)}</span>'
    )
    rule = f'<span class="tl-rule">{escape(each.rule)}</span>'
    mark = f'<span class="tl-sign" title="{word}">{sign}</span>'
    return f'<div class="tl-row">{mark}{where} {rule}<div>{escape(each.message)}</div></div>'


def strays(found: Mapping[str, Mapping[str, str | None]]) -> str:
    """Texts whose row is gone, so that they can be put elsewhere."""
    return "".join(_stray(row, texts) for row, texts in found.items())


def _stray(row: str, texts: Mapping[str, str | None]) -> str:
    said = ", ".join(f"{name} {text if text is not None else 'null'}" for name, text in texts.items())
    return f"<div><b>{escape(row)}</b>: {escape(markup.cut(said))}</div>"


def read_act(act: str) -> tuple[str, str, str | None] | None:
    """What a button was for: verb, row, column; None where it is none of these."""
    try:
        found = json.loads(act)
    except ValueError:
        return None
    match found:
        case [("show" | "revert") as verb, str(row), (str() | None) as column]:
            return verb, row, column
    return None


def draft(found: Draft, now: datetime) -> str:
    """What a draft holds, and when something was typed into it last."""
    if found.problem:
        return markup.message("warn", f"A draft cannot be read: {found.problem}. It lies at {found.path}.")
    counts = ((found.cells, "cell"), (found.added, "added row"), (found.deleted, "deleted row"))
    said = ", ".join(markup.count(number, noun) for number, noun in counts if number)
    note = f" “{markup.cut(found.note)}”" if found.note else ""
    where = f"on commit {found.number}, {markup.age(found.at, now)}"
    return markup.message("info", f"You have a draft that was not submitted: {said} {where}.{note}")
