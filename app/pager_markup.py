"""Words about the page of a large table that is on the screen: where it lies, and what its columns hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from app import markup
from app.editing.cells import text_of
from app.editing.paged import PagedSheet
from towline.browse import Condition, Extent
from towline.contract import Contract

KEPT_ORDER = "Order of the key"


def where(sheet: PagedSheet) -> str:
    """`Rows 1-1,000 of 10,000,000`; of a filter, as far as it is known how many rows match."""
    page, leaf, total = sheet.page, sheet.leaf, sheet.num_rows
    first, last = leaf.before + 1, leaf.before + len(page)
    if not leaf.view.where:
        return f"Rows {first:,}-{last:,} of {total:,}"
    if page.next is None:
        return f"Rows {first:,}-{last:,} of {last:,} that match" if len(page) else _no_more(leaf.before)
    if page.searched < total and page.stopped:
        found = markup.count(last, "row") + (" matches" if last == 1 else " match")
        return f"{found} among the first {page.searched:,} of {total:,}"
    return f"Rows {first:,}-{last:,} of those that match"


def _no_more(before: int) -> str:
    return f"No more than {markup.count(before, 'row')} match" if before else "No row matches"


def order(column: str, *, descending: bool) -> str:
    """A sort, as it is offered."""
    return f"{column} {'↓' if descending else '↑'}"


def condition(each: Condition) -> str:
    """A filter that is set, as the button that takes it away says it."""
    return markup.cut(f"{each} ✕")


def columns(found: Mapping[str, Extent], contract: Contract, rows: int) -> str:
    """What the footer of the table's file tells of each column."""
    head = "".join(f"<th>{name}</th>" for name in ("column", "least", "greatest", "null"))
    lines = "".join(_column(name, found[name], rows) for name in contract.names if name in found)
    return markup.block(f"<table><tr>{head}</tr>{lines}</table>")


def _column(name: str, found: Extent, rows: int) -> str:
    nulls = "?" if found.nulls is None else f"{found.nulls:,}" if found.nulls < rows else "all"
    cells = (name, *(_text(value) for value in (found.least, found.greatest)), nulls)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _text(value: object) -> str:
    if value == 0:
        value = 0  # statistics say -0.0, which stands for both
    text = text_of(value)  # type: ignore[arg-type] - what the statistics hold is a cell's value
    return "" if text is None else markup.cut(text)
