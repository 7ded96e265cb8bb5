"""HTML of values, changes and messages. Pure; everything that comes from data is escaped here.

Nothing is said by colour alone: every mark has a sign or a word too. Colours are blue and orange, which no common
colour blindness confuses, laid thinly over whatever the theme's background is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape

from app.editing.cells import text_of, unit_text
from app.editing.pending import Cell
from app.editing.sheet import Sheet
from towline.change import RowChange
from towline.contract import Contract
from towline.values import Value, decode

LONGEST = 60  # characters of a value that a line shows
NOTE = 40  # characters of a note beside a value

STEPS = ("received", "accepted", "committing", "committed")


def block(inner: str) -> str:
    return f'<div class="tl">{inner}</div>'


def scroll(inner: str) -> str:
    """A block that scrolls where it grows long."""
    return f'<div class="tl tl-scroll" tabindex="0">{inner}</div>'


def box(kind: str, inner: str) -> str:
    """A message: `info`, `done`, `warn` or `stop`. `inner` is HTML."""
    role = "alert" if kind in ("warn", "stop") else "status"
    return f'<div class="tl tl-box tl-{kind}" role="{role}">{inner}</div>'


def button(act: str, inner: str, help: str, kind: str = "") -> str:
    """A button for a list that `clickable` draws; `inner` is HTML."""
    name = f"tl-act {kind}".strip()
    return f'<button type="button" class="{name}" data-act="{escape(act)}" title="{escape(help)}">{inner}</button>'


def message(kind: str, text: str) -> str:
    """A message of plain text, with a sign for its kind; what stands between backticks is code."""
    sign = {"info": "•", "done": "✓", "warn": "▲", "stop": "✕"}[kind]
    return box(kind, f'<span class="tl-sign">{sign}</span>{prose(text)}')


def prose(text: str) -> str:
    """Text as HTML; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def value(held: Value) -> str:
    """A value, so that null, the empty text and the text `null` cannot be confused."""
    text = text_of(held)
    if text is None:
        return '<span class="tl-null">null</span>'
    if isinstance(held, str) and (held == "null" or held != held.strip()):
        text = f"“{held}”"
    return escape(cut(text))


def statement(text: str) -> str:
    """An SQL statement, as it was written."""
    return f'<pre class="tl tl-statement" tabindex="0" role="region" aria-label="SQL statement">{escape(text)}</pre>'


def cut(text: str) -> str:
    """A text short enough for a line, with its true length where it was cut."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def who(commit: Mapping[str, object]) -> str:
    """Whose a value is, to stand beside it: an audit record, or the author in a conflict."""
    user, note = str(commit["user"]), str(commit["note"])
    at = f", {str(commit['at'])[:16].replace('T', ' ')} UTC" if "at" in commit else ""
    about = f"commit {commit['number']}{at}: {note}"
    said = f"{escape(user)}: “{escape(note if len(note) <= NOTE else note[:NOTE] + '…')}”"
    return f' <span class="tl-quiet" title="{escape(about)}">{said}</span>'


def key_text(key: Mapping[str, object] | None) -> str:
    """`tow 4, net 1`; a key that is not complete says so."""
    if not key:
        return "the whole table"
    return ", ".join(f"{name} {'?' if held is None else held}" for name, held in key.items())


def title(sheet: Sheet) -> str:
    rows, columns = count(sheet.num_rows, "row"), count(len(sheet.contract.names), "column")
    return heading(sheet.dataset, f"commit {sheet.number} · {rows} · {columns}")


def heading(text: str, beside: str) -> str:
    return block(f'<span class="tl-title">{escape(text)}</span> &nbsp;<span class="tl-quiet">{escape(beside)}</span>')


def subheading(text: str, beside: str = "") -> str:
    return block(f'<span class="tl-head">{escape(text)}</span> <span class="tl-quiet">{escape(beside)}</span>')


_SIGNS = {"update": "✎", "rekey": "✎", "insert": "+", "delete": "\N{MINUS SIGN}"}
_SAYS = {"update": "", "rekey": " gets another key", "insert": " is added", "delete": " is deleted"}


def sign(kind: str) -> str:
    """The sign of a kind of change."""
    return f'<span class="tl-sign">{_SIGNS[kind]}</span>'


def says(kind: str) -> str:
    """What happens to a row, to be put behind its name."""
    return f'<span class="tl-quiet">{_SAYS[kind]}</span>'


def _head(kind: str, name: str) -> str:
    return block(f'{sign(kind)}<span class="tl-head">{escape(name)}</span>{says(kind)}')


def cell_change(cell: Cell, contract: Contract, *, is_new: bool = False) -> str:
    """Old -> new of one cell. A text that does not fit is shown as it was typed, and marked."""
    if cell.problem is None:
        return _arrow(contract, cell.column, cell.old, cell.new, is_new=is_new)
    return f'{_old(cell.old, is_new)}<span class="tl-bad">✕ {escape(cut(cell.text or ""))}</span>'


def _arrow(contract: Contract, column: str, old: Value, new: Value, *, is_new: bool = False) -> str:
    unit = unit_text(contract.field(column).unit)
    beside = f' <span class="tl-quiet">{escape(unit)}</span>' if unit else ""
    return f'{_old(old, is_new)}<span class="tl-new">{value(new)}</span>{beside}'


def _old(old: Value, is_new: bool) -> str:
    return "" if is_new else f'<span class="tl-old">{value(old)}</span> → '


def row_change(change: RowChange, contract: Contract) -> str:
    """A row of a commit: what it was -> what it is."""
    head = _head(change.kind, key_text(contract.key_dict(change.key(contract.key))))
    if change.kind == "delete":
        return head
    is_new = change.kind == "insert"
    cells = ((c.column, _arrow(contract, c.column, c.old, c.new, is_new=is_new)) for c in change.cells())
    return head + "".join(block(f'<span class="tl-quiet">{escape(name)}</span> {arrow}') for name, arrow in cells)


def violations(found: Iterable[Mapping[str, object]], errors: int, warnings: int) -> str:
    """Violations in their JSON form as a list; the totals are true where the list is cut."""
    listed = list(found)
    items = "".join(_violation(each) for each in listed)
    more = errors + warnings - len(listed)
    rest = f"<li>… and {more:,} more</li>" if more > 0 else ""
    return f"<ul>{items}{rest}</ul>"


def _violation(each: Mapping[str, object]) -> str:
    sign, word = ("✕", "error") if each.get("severity") == "error" else ("▲", "warning")
    key, column = each.get("key"), each.get("column")
    where = key_text(key) if isinstance(key, Mapping) else ""
    place = " · ".join(part for part in (where, str(column or "")) if part)
    said = f"<b>{escape(place)}</b><br>" if place else ""
    text = f"{said}{escape(str(each.get('message', '')))}"
    return f'<li><span class="tl-sign" title="{word}">{sign}</span><span>{text}</span></li>'


def totals(errors: int, warnings: int) -> str:
    """`2 errors, 1 warning`."""
    said = [count(errors, "error")] * bool(errors) + [count(warnings, "warning")] * bool(warnings)
    return ", ".join(said)


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def conflicts(found: Sequence[Mapping[str, object]], contract: Contract) -> str:
    """Conflicts in their JSON form: where, what it was, what they made of it, what you did."""
    rows = "".join(_conflict(each, contract) for each in found)
    return f"<table><tr><th>Where</th><th>It was</th><th>Theirs</th><th>Yours</th></tr>{rows}</table>"


def _conflict(each: Mapping[str, object], contract: Contract) -> str:
    key, cells = each.get("key"), each.get("cells")
    where = escape(key_text(key if isinstance(key, Mapping) else None))
    if not isinstance(cells, Sequence) or not cells:
        text = f"{escape(str(each.get('message', '')))}{_theirs(each)}"
        return f"<tr><td>{where}</td><td colspan='3'>{text}</td></tr>"
    return "".join(_clash(where, cell, contract) for cell in cells)


def _clash(where: str, cell: Mapping[str, object], contract: Contract) -> str:
    column = str(cell["column"])
    field = contract.field(column)
    base, theirs, ours = (value(decode(cell[side], field.type)) for side in ("base", "theirs", "ours"))
    sides = f"<td>{base}</td><td>{theirs}{_theirs(cell)}</td><td>{ours}</td>"
    return f"<tr><td>{where}<br><b>{escape(column)}</b></td>{sides}</tr>"


def _theirs(each: Mapping[str, object]) -> str:
    """Whose theirs is, where that is known."""
    author = each.get("theirs_by")
    return who(author) if isinstance(author, Mapping) else ""


def age(at: datetime, now: datetime) -> str:
    """How long ago, in words: `just now`, `3 minutes ago`, or the day."""
    seconds = max(0.0, (now - at).total_seconds())
    for size, limit, noun in ((60, 3600, "minute"), (3600, 86_400, "hour"), (86_400, 30 * 86_400, "day")):
        if seconds < limit:
            return "just now" if seconds < 60 else f"{count(int(seconds // size), noun)} ago"
    return f"on {at:%Y-%m-%d}"
