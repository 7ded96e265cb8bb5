"""HTML of a history: the list of commits, what a commit did, its audit record. Everything from data is escaped here.

A button's act is JSON: ["commit", number] or ["row", key as `links.write_key` writes it].
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from html import escape
from itertools import groupby

from app import markup
from app.editing.cells import unit_text
from app.editing.links import write_key
from app.past.commits import Commit
from app.past.touched import Row
from towline import audit
from towline.change import Cell
from towline.contract import Contract
from towline.history import Record
from towline.values import Value

COMMIT, ROW = "commit", "row"
LINE, WHOLE = 110, 300  # characters of a note in the list; and beside it, before the rest is folded away
LINES = 6  # of a note, likewise
HITS = 3  # cells of a row that the list shows
NOTHING: Mapping[str, str] = {}
_COUNTS = (("rows_updated", "update"), ("rows_inserted", "insert"), ("rows_deleted", "delete"))
_KINDS = {
    "file": "table file",
    "external": "written past Towline",
    "create": "first table",
    "restore": "restored",
    "sql": "SQL",
}


def commit_list(listed: Sequence[Commit], chosen: str, today: date, hits: Mapping[str, str] = NOTHING) -> str:
    """The commits by day, each a button; `chosen` is the id of the one that is open. `hits` is HTML by commit id: what
    of a commit was looked for."""
    days = groupby(listed, key=lambda commit: commit.at.date())
    parts = (
        _day(day, today) + "".join(_entry(each, each.id == chosen, hits.get(each.id, "")) for each in group)
        for day, group in days
    )
    return f'<div class="tl tl-commits">{"".join(parts)}</div>'


def _day(day: date, today: date) -> str:
    near = {today: "Today, ", today - timedelta(1): "Yesterday, "}.get(day, "")
    return f'<div class="tl-day">{near}{day:%A} {day.isoformat()}</div>'


def _entry(commit: Commit, is_chosen: bool, hit: str) -> str:
    name = "tl-act tl-commit tl-chosen" if is_chosen else "tl-act tl-commit"
    note = " · ".join(_line(note) for note in commit.notes)
    beside = " · ".join([", ".join(commit.people), f"{commit.at:%H:%M}", *_kinds(commit), *_sizes(commit)])
    return (
        f'<button type="button" class="{name}" data-act="{_act(COMMIT, str(commit.number))}"'
        f"{' aria-current=true' if is_chosen else ''}>"
        f'<span class="tl-number">{commit.number}</span><span class="tl-about">'
        f'<span class="tl-note">{escape(cut(note, LINE))}</span>'
        f'<span class="tl-quiet">{escape(beside)}</span>{hit}</span></button>'
    )


def hit(found: Sequence[Row], contract: Contract) -> str:
    """The first of the rows that were looked for, and what became of it."""
    if not found:
        return ""
    row = found[0]
    cells = " ".join(f"<span>{_name(cell)} {_arrow(cell, contract)}</span>" for cell in row.cells[:HITS])
    said = cells if row.kind == "update" else f"<span>{markup.sign(row.kind)}{markup.says(row.kind)}</span>"
    more = '<span class="tl-quiet">…</span>' if len(found) > 1 or len(row.cells) > HITS else ""
    return f'<span class="tl-flow">{said}{more if row.kind == "update" else ""}</span>'


def _act(verb: str, what: str) -> str:
    return escape(json.dumps([verb, what]))


def read_act(act: str) -> tuple[str, str] | None:
    """What a button was for; None where it is none of these."""
    try:
        verb, what = json.loads(act)
    except (ValueError, TypeError):
        return None
    return (verb, what) if verb in (COMMIT, ROW) and isinstance(what, str) else None


def _line(note: str) -> str:
    return " ".join(note.split())


def _kinds(commit: Commit) -> Iterator[str]:
    """The kinds of its proposals where they are not plain edits, and how many they are."""
    yield from (_KINDS.get(kind, kind) for kind in commit.kinds if kind != "edit")
    if len(commit.records) > 1:
        yield f"{len(commit.records)} proposals together"


def _sizes(commit: Commit) -> Iterator[str]:
    """What happened to how many rows, by sign; `14 cells`."""
    rows = " ".join(f"{SIGNS[kind]}{commit.count(field):,}" for field, kind in _COUNTS if commit.count(field))
    if rows:
        yield rows
    yield markup.count(commit.count("cells_changed"), "cell")


SIGNS = {"update": "✎", "insert": "+", "delete": "\N{MINUS SIGN}"}


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()}…"


def note(text: str) -> str:
    """A note with its lines; a long one is folded away behind its beginning."""
    lines = text.splitlines()
    if len(text) <= WHOLE and len(lines) <= LINES:
        return f'<div class="tl-text">“{escape(text)}”</div>'
    begin = cut("\n".join(lines[:LINES]), WHOLE).removesuffix("…")
    said = f"{len(text):,} characters: show all"
    return (
        f'<div class="tl-text">“{escape(begin)}…</div>'
        f'<details><summary class="tl-quiet">{said}</summary><div class="tl-text">{escape(text)}</div></details>'
    )


def option(commit: Commit) -> str:
    """A commit in one line of plain text."""
    note = cut(_line(" · ".join(commit.notes)), 60)
    return f"{commit.number} · {commit.at:%Y-%m-%d %H:%M} · {', '.join(commit.people)} · {note}"


def head(commit: Commit, now: datetime) -> str:
    """Who made a commit, when, and why; of several proposals each."""
    when = f"{commit.at:%Y-%m-%d %H:%M:%S} UTC"
    title = f'<span class="tl-title">Commit {commit.number}</span> &nbsp;'
    beside = f'<span class="tl-quiet" title="{when}">{when}, {escape(markup.age(commit.at, now))}</span>'
    return markup.block(f"{title} {beside}{''.join(_said(record) for record in commit.records)}")


def _said(record: Record) -> str:
    kind = str(record["kind"])
    by = f'<span class="tl-head">{escape(str(record["user"]))}</span>'
    how = f' <span class="tl-quiet">{escape(_KINDS.get(kind, kind))}</span>'
    return f'<div class="tl-said">{by}{how}{note(str(record["note"]))}{_query(record)}</div>'


def _query(record: Record) -> str:
    """The statement of an edit by SQL."""
    return markup.statement(str(record[audit.QUERY])) if audit.QUERY in record else ""


def sizes(updated: int, inserted: int, deleted: int, cells: int) -> str:
    """`✎ 2 rows changed, + 1 row added, 14 cells`."""
    words = ((updated, "update", "changed"), (inserted, "insert", "added"), (deleted, "delete", "deleted"))
    said = [f"{SIGNS[kind]} {markup.count(number, 'row')} {word}" for number, kind, word in words if number]
    return ", ".join([*said, markup.count(cells, "cell")])


def rows(found: Iterable[Row], contract: Contract, records: Mapping[str, Record], *, has_story: bool = True) -> str:
    """Old -> new by row. Where several proposals did it (`records` has them by id), each has its own heading. Without a
    story (nothing happened yet) a row's name is no button."""
    parts = []
    for proposal, group in groupby(found, key=lambda row: row.proposal):
        if len(records) > 1 and proposal in records:
            parts.append(_proposal(records[proposal]))
        parts += [_row(row, contract, has_story) for row in group]
    return f'<div class="tl tl-diff">{"".join(parts)}</div>'


def _proposal(record: Record) -> str:
    said = escape(cut(_line(str(record["note"])), LINE))
    return f'<div class="tl-day">{escape(str(record["user"]))}: “{said}”</div>'


def _row(row: Row, contract: Contract, has_story: bool) -> str:
    name = escape(markup.key_text(row.key))
    if has_story:
        act = f'data-act="{_act(ROW, write_key(row.key.values()))}" title="Only what happened to this row"'
        said = f'<button type="button" class="tl-act tl-head" {act}>{name}</button>'
    else:
        said = f'<span class="tl-head">{name}</span>'
    top = f"{markup.sign(row.kind)}{said}{markup.says(row.kind)}"
    if row.kind == "update":
        cells = "".join(f"<div>{_name(cell)} {_arrow(cell, contract)}</div>" for cell in row.cells)
        return f'<div class="tl-row">{top}<div class="tl-cells">{cells}</div></div>'
    whole = "".join(_held(cell, row.kind, contract) for cell in row.cells if cell.column not in row.key)
    return f'<div class="tl-row">{top}<div class="tl-cells tl-flow">{whole}</div></div>'


def _name(cell: Cell) -> str:
    return f'<span class="tl-quiet">{escape(cell.column)}</span>'


def _arrow(cell: Cell, contract: Contract) -> str:
    return f"{_side('old', cell.old)} → {_side('new', cell.new)}{_unit(cell, contract)}"


def _side(side: str, value: Value) -> str:
    return f'<span class="tl-{side}">{markup.value(value)}</span>'


def _held(cell: Cell, kind: str, contract: Contract) -> str:
    """A cell of a row that came or went."""
    held = _side("new", cell.new) if kind == "insert" else _side("old", cell.old)
    return f"<span>{_name(cell)} {held}{_unit(cell, contract)}</span>"


def _unit(cell: Cell, contract: Contract) -> str:
    unit = unit_text(contract.field(cell.column).unit) if cell.column in contract.names else ""
    return f' <span class="tl-quiet">{escape(unit)}</span>' if unit else ""


def facts(commit: Commit) -> str:
    """What the audit says of a commit, and of each of its proposals."""
    first = commit.records[0]
    common = {
        "commit": commit.id,
        "number": f"{commit.number}",
        "parent": commit.parent or "none: it is the first",
        "committed": str(first["timestamp"]),
        "table": f"{_number(first['row_count'])} rows, {_number(first['column_count'])} columns",
        "version of the master": f"{first['new_version']}, before it {first['prev_version'] or 'none'}",
        "snapshot": str(first["snapshot_key"]),
    }
    return _table(common) + "".join(_facts(record) for record in commit.records)


def _facts(record: Record) -> str:
    holds = audit.link(record) == record["chain"]
    updated, inserted, deleted, cells = (int(str(record[name])) for name in (*(f for f, _ in _COUNTS), "cells_changed"))
    sealed = "✓ the record is as it was written" if holds else "✕ the record is not what was written: towline verify"
    about = {
        "proposal": str(record["proposal"]),
        "author": f"{record['user']} ({record['principal']})",
        "kind": str(record["kind"]),
        "rows": sizes(updated, inserted, deleted, cells),
        "changes file": str(record["changes_key"]),
        "its SHA-256": str(record["changes_sha256"]),
        "chain before": str(record["prev_chain"]),
        "chain": f"{record['chain']} {sealed}",
        "note": str(record["note"]),
    }
    return _table(about)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _table(held: Mapping[str, str]) -> str:
    lines = "".join(f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>" for name, text in held.items())
    return f'<div class="tl tl-facts"><table>{lines}</table></div>'
