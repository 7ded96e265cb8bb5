"""HTML of what others committed since a sheet was loaded. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape

from app import markup
from app.editing.pending import Line
from app.editing.remote import News, number_of
from app.editing.sheet import Sheet
from towline.contract import Contract
from towline.history import Record

NAMED = 3  # commits that the banner names
SPELLED = 20  # rows of theirs that are spelled out


def headline(found: News, sheet: Sheet, now: datetime) -> str:
    """Who committed since the sheet was loaded, when, why, and how much."""
    head = f"<b>Commit {found.sheet.number} is there; you see commit {sheet.number}.</b>"
    said = "".join(f"<div>{_commit(record, now)}</div>" for record in found.records[:NAMED])
    more = len({number_of(record) for record in found.records[NAMED:]}) + found.others
    rest = f'<div class="tl-quiet">… and {markup.count(more, "more commit")}: see History</div>' if more else ""
    return markup.block(head + said + rest)


def _commit(record: Record, now: datetime) -> str:
    at = datetime.fromisoformat(str(record["timestamp"]))
    note = escape(markup.cut(str(record["note"])))
    about = f'<span class="tl-quiet">({amount(record)})</span>'
    return f"{record['number']} · <b>{escape(str(record['user']))}</b>, {markup.age(at, now)}: “{note}” {about}"


def amount(record: Record) -> str:
    """`3 cells in 2 rows, 1 row added`, as an audit record counts."""
    cells, updated = int(str(record["cells_changed"])), int(str(record["rows_updated"]))
    moved = [(int(str(record[name])), word) for name, word in (("rows_inserted", "added"), ("rows_deleted", "deleted"))]
    rows = [f"{markup.count(number, 'row')} {word}" for number, word in moved if number]
    if not updated:
        return ", ".join(rows) or "nothing changed"
    of = "" if rows else f"{markup.count(cells, 'cell')} in "  # else the record counts the cells of those rows, too
    return ", ".join([f"{of}{markup.count(updated, 'row')} changed", *rows])


def touched(found: News, lines: Iterable[Line]) -> str:
    """What of it is in rows that were edited here, where nothing clashes."""
    if not found.is_told:
        return "It changed too many rows to say which; none of them clashes with yours."
    contract = found.sheet.contract
    theirs = {change.key(contract.key) for change in found.changes}
    mine = sum(contract.key_of(line.old if line.kind != "insert" else line.new or {}) in theirs for line in lines)
    if not mine:
        return "Nothing of it is in the rows that you edited."
    were = "was" if mine == 1 else "were"
    return f"{markup.count(mine, 'row')} that you edited {were} changed by others, too, in other cells: both stay."


def changes(found: News, contract: Contract) -> str:
    """The rows that they changed, as far as a glance needs them."""
    rows = "".join(markup.row_change(change, contract) for change in found.changes[:SPELLED])
    more = len(found.changes) - SPELLED
    return rows + (
        f'<div class="tl-quiet">… and {markup.count(more, "more row")}: see History</div>' if more > 0 else ""
    )
