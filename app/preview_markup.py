"""HTML of a preview: what an SQL edit would do, and what to look at before it is promoted. Pure; all is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from app import markup
from app.editing.cells import unit_text
from app.past import html
from towline.contract import Contract
from towline.cost import said
from towline.health.fact import size
from towline.preview import LISTED, CellChange, Preview
from towline.profile import ColumnChange, Profile
from towline.values import Row, Value

_FIGURES = ("min", "max", "mean")
MUCH = 0.5  # share of a column from which on a change of it is pointed out


def before(shown: Preview, number: int) -> str:
    """What to know before it is promoted; the head is the commit of this number."""
    yet = markup.block("Nothing is changed yet. This is what Promote would commit.")
    return head(shown) + yet + moved(shown, number) + dangers(shown) + waits(shown)


def details(shown: Preview, contract: Contract) -> str:
    """All that a preview shows."""
    parts = (violations(shown), columns(shown, contract), cells(shown, contract), rows(shown, contract))
    return "".join(parts) + cost(shown.scanned_bytes, shown.cost_usd, shown.engine_ms)


def head(shown: Preview) -> str:
    """What it would do, and on what it was tried."""
    beside = f"{markup.count(shown.cells_changed, 'cell')} of {shown.dataset} at commit {shown.number}"
    title = f'<div class="tl-title">{escape(shown.sentence)}</div>'
    return markup.block(f'{title}<div class="tl-quiet">{escape(beside)}</div>')


def dangers(shown: Preview) -> str:
    """What is easily done by mistake: rows that go, cells that are emptied, a column most of which changes."""
    found = list(_dangers(shown))
    if not found:
        return ""
    items = "".join(f"<li><span class='tl-sign'>▲</span><span>{escape(each)}</span></li>" for each in found)
    return markup.box("warn", f"<ul>{items}</ul>")


def _dangers(shown: Preview) -> Iterator[str]:
    rows = shown.rows
    if rows.deleted:
        yield f"It deletes {markup.count(rows.deleted, 'row')}: {share(rows.deleted / rows.before)} of {rows.before:,}."
    for column in shown.columns:
        emptied = column.after.nulls - column.before.nulls
        if emptied > 0 and rows.updated:
            yield f"{column.column} has {markup.count(emptied, 'more empty cell')} than before."
    much = [column for column in shown.columns if column.share >= MUCH]
    if much:
        said = ", ".join(f"{column.column} ({share(column.share)})" for column in much)
        yield f"It changes most of {said}."


def share(held: float) -> str:
    """A share in per cent: `0.8%`; what is not nothing never reads as nothing, nor what is not all as all."""
    if 0 < held < 0.001:
        return "under 0.1%"
    if 0.999 < held < 1:
        return "over 99.9%"
    return f"{held:.1%}".replace(".0%", "%")


def columns(shown: Preview, contract: Contract) -> str:
    """A line for each column that changes: how much of it, and what its values come to before and after."""
    changed = [column for column in shown.columns if column.changed]
    if not changed:
        return ""
    figures = "".join(map(_head_of_figures, ("Changed", "Empty", *map(str.capitalize, _FIGURES))))
    heads = f'<th scope="col">Column</th>{figures}'
    rows = "".join(_column(column, contract) for column in changed)
    others = ", ".join(escape(column.column) for column in shown.columns if not column.changed)
    rest = f'<div class="tl-quiet">As they were: {others}</div>' if others else ""
    return _table("Columns that change, before → after", heads, rows) + markup.block(rest)


def _head_of_figures(name: str) -> str:
    return f'<th scope="col" class="tl-figure">{escape(name)}</th>'


def _column(column: ColumnChange, contract: Contract) -> str:
    bar = f'<span class="tl-share" style="--share: {column.share:.3f}" aria-hidden="true"></span>'
    cells = (
        f'<td class="tl-figure">{column.changed:,} <span class="tl-quiet">{share(column.share)}</span>{bar}</td>',
        f'<td class="tl-figure">{_arrow(f"{column.before.nulls:,}", f"{column.after.nulls:,}")}</td>',
        *(f'<td class="tl-figure">{_figures(name, column)}</td>' for name in _FIGURES),
    )
    return f'<tr><th scope="row">{_named(column.column, contract)}</th>{"".join(cells)}</tr>'


def _figures(name: str, column: ColumnChange) -> str:
    return _arrow(*(_figure(name, side) for side in (column.before, column.after)))


def _figure(name: str, profile: Profile) -> str:
    held: Value = getattr(profile, name)
    if held is None:
        return '<span class="tl-quiet">-</span>'
    return f"{held:.6g}" if name == "mean" else markup.value(held)


def _arrow(old: str, new: str) -> str:
    """Two figures in HTML, old -> new; one, where it stays."""
    return old if old == new else f'{old} → <span class="tl-new">{new}</span>'


def _named(column: str, contract: Contract) -> str:
    unit = unit_text(contract.field(column).unit) if column in contract.names else ""
    beside = f' <span class="tl-quiet">{escape(unit)}</span>' if unit else ""
    return f"{escape(column)}{beside}"


def cells(shown: Preview, contract: Contract) -> str:
    """The changed cells, old -> new."""
    if not shown.cells:
        return ""
    heads = "".join(map(_head_of_figures, contract.key))
    heads += "".join(f'<th scope="col">{name}</th>' for name in ("Column", "Before", "After"))
    rows = "".join(_cell(cell, contract) for cell in shown.cells)
    cut = f", the first {LISTED}" if len(shown.cells) == LISTED else ""
    return _table(f"Changed cells{cut}", heads, rows)


def _cell(cell: CellChange, contract: Contract) -> str:
    where = "".join(f'<td class="tl-figure">{markup.value(cell.key.get(name))}</td>' for name in contract.key)
    old, new = (
        f'<td><span class="tl-{side}">{markup.value(getattr(cell, side))}</span></td>' for side in ("old", "new")
    )
    return f"<tr>{where}<td>{_named(cell.column, contract)}</td>{old}{new}</tr>"


def rows(shown: Preview, contract: Contract) -> str:
    """Rows that come and rows that go, whole."""
    return _rows("insert", shown.inserted, shown.rows.inserted, contract) + _rows(
        "delete", shown.deleted, shown.rows.deleted, contract
    )


def _rows(kind: str, found: Sequence[Row], total: int, contract: Contract) -> str:
    if not found:
        return ""
    word = {"insert": "added", "delete": "deleted"}[kind]
    cut = f", the first {len(found):,} of {total:,}" if total > len(found) else ""
    heads = "".join(f'<th scope="col">{_named(name, contract)}</th>' for name in contract.names)
    lines = "".join(
        f"<tr>{''.join(f'<td>{markup.value(row.get(name))}</td>' for name in contract.names)}</tr>" for row in found
    )
    return _table(f"{html.SIGNS[kind]} Rows that are {word}{cut}", heads, lines)


def _table(title: str, heads: str, rows: str) -> str:
    """A table that scrolls in a frame of its own, both ways, also by the keyboard."""
    table = f'<table class="tl-sheet"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    frame = f'<div class="tl-frame" tabindex="0" role="region" aria-label="{escape(title)}">{table}</div>'
    return f'<div class="tl tl-part"><div class="tl-head">{escape(title)}</div>{frame}</div>'


def violations(shown: Preview) -> str:
    if not shown.errors + shown.warnings:
        return ""
    said = "cannot be promoted" if shown.errors else "can be promoted, but look"
    title = markup.subheading(f"Violations: {markup.totals(shown.errors, shown.warnings)}", said)
    return title + markup.scroll(markup.violations(shown.violations, shown.errors, shown.warnings))


def waits(shown: Preview) -> str:
    """Why a promotion would have to wait for stewards."""
    if not shown.review:
        return ""
    return markup.message("info", f"Once you promote it, a steward has to approve it: {'; '.join(shown.review)}.")


def cost(scanned: int, usd: float, milliseconds: int) -> str:
    text = f"Scanned {size(scanned)}, {said(usd)} at Athena's price, {milliseconds / 1000:.1f} s"
    return markup.block(f'<span class="tl-quiet">{escape(text)}</span>')


def moved(shown: Preview, head: int) -> str:
    """What a promotion means where others committed since."""
    if head <= shown.number:
        return ""
    text = (
        f"The table is at commit {head} by now, and this was tried out on commit {shown.number}. Promote puts these "
        f"changes onto commit {head}, cell by cell: what others changed elsewhere stays. Where they changed the same "
        "cells, nothing is written, and you decide on the Conflicts page."
    )
    return markup.message("warn", text)
