"""A diff as one HTML file that needs nothing else: for a person who has no Towline, in an e-mail or an archive.

No script, no request to anywhere, light or dark as the reader's system is; every text of the data is escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import islice

from towline.change import RowChange
from towline.contract import Contract
from towline.diff import Diff
from towline.values import Row, Value, encode

Record = Mapping[str, object]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --old: #c0392b22; --new: #1e844922 }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.sides { display: flex; flex-wrap: wrap; gap: 1rem }
.side { border: 1px solid var(--line); border-radius: 6px; flex: 1 1 20rem; padding: .6rem 1rem }
.side p { margin: .3rem 0 } .note { white-space: pre-wrap; overflow-wrap: anywhere }
.quiet { opacity: .7 } .wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: left; vertical-align: top }
th { background: var(--soft) } td { white-space: pre-wrap; overflow-wrap: anywhere } td.number { text-align: right }
td.old { background: var(--old); text-decoration: line-through } td.new { background: var(--new); font-weight: 600 }
.null { font-style: italic; opacity: .6 }
""".strip()


def page(found: Diff, contract: Contract, old: Sequence[Record], new: Sequence[Record], limit: int = 0) -> str:
    """The file. `old` and `new` are the audit records of the two commits, `limit` how many rows of a kind are shown at
    most (0: all); what is cut is said."""
    title = f"{contract.dataset}: {_named(old)} → {_named(new)}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<div class="sides">{_side("From", old)}{_side("To", new)}</div>',
        *_counts(found, contract),
        *_updated(found, contract, limit),
        *_whole(found, contract, "insert", limit),
        *_whole(found, contract, "delete", limit),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>\n{_STYLE}\n</style>'
    width = '<meta name="viewport" content="width=device-width">'
    return (
        f'<!doctype html>\n<html lang="en"><head>{width}{head}</head>\n<body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _named(records: Sequence[Record]) -> str:
    return f"commit {records[-1]['number']}" if records else "an unknown commit"


def _side(word: str, records: Sequence[Record]) -> str:
    """Who made a commit, when and why: each of its proposals."""
    lines = [f"<p><b>{word} {escape(_named(records))}</b></p>"]
    for record in records:
        when = str(record["timestamp"])[:19].replace("T", " ")
        lines.append(f"<p>{escape(str(record['user']))}, {escape(when)} UTC</p>")
        lines.append(f'<p class="note">{escape(str(record["note"]))}</p>')
    if records:
        lines.append(f'<p class="quiet">{escape(str(records[-1]["commit"]))}</p>')
    return f'<div class="side">{"".join(lines)}</div>'


def _counts(found: Diff, contract: Contract) -> Iterator[str]:
    kinds = (("insert", "inserted"), ("update", "updated"), ("delete", "deleted"))
    rows = ", ".join(f"{found.count(kind):,} {word}" for kind, word in kinds)
    yield f"<p>Rows: {rows}. Cells changed: {found.cells:,}.</p>"
    counts = Counter(cell.column for change in found.changes for cell in change.cells())
    if counts:
        lines = ((_header(contract, name), f"{counts[name]:,}") for name in contract.names if counts[name])
        body = "".join(f'<tr><td>{name}</td><td class="number">{count}</td></tr>' for name, count in lines)
        yield f"<h2>Changed cells by column</h2>\n<table><tr><th>column</th><th>cells</th></tr>{body}</table>"


def _updated(found: Diff, contract: Contract, limit: int) -> Iterator[str]:
    """Changed cells old -> new, row by row."""
    changes = [change for change in found.changes if change.kind == "update"]
    if not changes:
        return
    header = "".join(f"<th>{_header(contract, name)}</th>" for name in contract.key)
    yield f"<h2>Updated rows{_cut(len(changes), limit)}</h2>"
    yield f'<div class="wide"><table><tr>{header}<th>column</th><th>old</th><th>new</th></tr>'
    yield from ("".join(_row_of_cells(change, contract)) for change in islice(changes, limit or None))
    yield "</table></div>"


def _row_of_cells(change: RowChange, contract: Contract) -> Iterator[str]:
    cells = list(change.cells())
    span = f' rowspan="{len(cells)}"' if len(cells) > 1 else ""
    lead = "".join(f"<td{span}>{_shown(change.row[name])}</td>" for name in contract.key)
    for number, cell in enumerate(cells):
        old, new = (f'<td class="{side}">{_shown(getattr(cell, side))}</td>' for side in ("old", "new"))
        yield f"<tr>{'' if number else lead}<td>{_header(contract, cell.column)}</td>{old}{new}</tr>"


def _whole(found: Diff, contract: Contract, kind: str, limit: int) -> Iterator[str]:
    """Inserted or deleted rows with all of their cells."""
    word, side = {"insert": ("Inserted", "new"), "delete": ("Deleted", "old")}[kind]
    rows = [getattr(change, side) for change in found.changes if change.kind == kind]
    if rows:
        header = "".join(f"<th>{_header(contract, name)}</th>" for name in contract.names)
        yield f'<h2>{word} rows{_cut(len(rows), limit)}</h2>\n<div class="wide"><table><tr>{header}</tr>'
        yield from _lines(islice(rows, limit or None), contract)
        yield "</table></div>"


def _lines(rows: Iterable[Row], contract: Contract) -> Iterator[str]:
    for row in rows:
        yield f"<tr>{''.join(f'<td>{_shown(row[name])}</td>' for name in contract.names)}</tr>"


def _cut(total: int, limit: int) -> str:
    return f" (the first {limit:,} of {total:,})" if limit and total > limit else f" ({total:,})"


def _header(contract: Contract, column: str) -> str:
    unit = contract.field(column).unit
    return escape(f"{column} [{unit}]" if unit else column)


def _shown(value: Value) -> str:
    """A cell, so that null, the empty text and the word null look different."""
    if value is None:
        return '<span class="null">null</span>'
    if isinstance(value, str):
        return escape(f'"{value}"' if value in ("", "null") or value != value.strip() else value)
    encoded = encode(value)
    if isinstance(encoded, dict):
        return escape(str(encoded["$float"]))
    return escape(str(encoded).lower() if isinstance(encoded, bool) else str(encoded))
