"""A preview for people: what an SQL edit would do, and what to say to have it done."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from towline.cli import tables
from towline.cli.outcome import reasons
from towline.cli.output import cell, safe, show, width
from towline.contract import Contract
from towline.cost import said
from towline.health.fact import size
from towline.preview import LISTED, Preview
from towline.profile import ColumnChange

_FIGURES = ("nulls", "min", "max", "mean")


def tell(shown: Preview, contract: Contract) -> None:
    """Print a preview: its sentence, the columns, cells and rows that change, what breaks the contract, the cost."""
    show(*_head(shown), *_body(shown, contract, width()))
    reasons(shown.violations, shown.errors, shown.warnings, ())
    show(*_foot(shown))


def _head(shown: Preview) -> Iterator[Text]:
    yield Text(f"preview: {shown.sentence}", style="bold")
    cells = f"{shown.cells_changed:,} cell{'' if shown.cells_changed == 1 else 's'} changed"
    yield Text(f"{cells}; made on {shown.dataset} #{shown.number}, commit {shown.base}", style="dim")
    yield Text()


def _body(shown: Preview, contract: Contract, width: int) -> Iterator[RenderableType]:
    if any(column.changed for column in shown.columns):
        yield from _columns(shown)
    if shown.cells:
        lines = (tables.changed(one.key, one.column, one.old, one.new, contract) for one in shown.cells)
        first = f" (the first {LISTED} cells)" if len(shown.cells) == LISTED else ""
        yield from tables.changes(f"updated{first}", lines, contract)
    for word, rows in (("inserted", shown.inserted), ("deleted", shown.deleted)):
        if rows:
            yield from tables.whole(word, rows, getattr(shown.rows, word), contract, width)


def _columns(shown: Preview) -> Iterator[RenderableType]:
    """A line for each column that changes; the others by name alone."""
    table = tables.plain_table("column", "changed", "share", *_FIGURES)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in shown.columns:
        if one.changed:
            table.add_row(safe(one.column), f"{one.changed:,}", f"{one.share:.1%}", *_figures(one))
    yield table
    others = [safe(column.column) for column in shown.columns if not column.changed]
    if others:
        yield Text(f"as they were: {', '.join(others)}", style="dim")
    yield Text()


def _figures(column: ColumnChange) -> Iterator[Text]:
    """What a column's values come to, before -> after; once, where it is the same."""
    for name in _FIGURES:
        before, after = (_figure(name, column, side) for side in ("before", "after"))
        yield after if before == after else Text.assemble(before, (" -> ", "dim"), after)


def _figure(name: str, column: ColumnChange, side: str) -> Text:
    value = getattr(getattr(column, side), name)
    if value is None:
        return Text("-", style="dim")
    return Text(f"{value:.6g}") if name == "mean" else cell(value)


def _foot(shown: Preview) -> Iterator[Text]:
    yield Text(
        f"scanned {size(shown.scanned_bytes)}, {said(shown.cost_usd)}; {shown.engine_ms / 1000:.1f} s", style="dim"
    )
    yield from (Text(f"waits for review if promoted: {safe(reason)}", style="yellow") for reason in shown.review)
    if shown.errors:
        yield Text("it breaks the contract and cannot be promoted")
        return
    yield Text(f"`towline sql {shown.dataset} --promote {shown.run}` commits exactly this, once")
    yield Text(f"`towline sql {shown.dataset} --discard {shown.run}` drops it")
