"""`towline blame`: who set a cell, a row or a column, when and why."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.text import Text

from towline import blame, edits
from towline.cli import tables
from towline.cli.options import Call, called, dataset_argument, where_option
from towline.cli.output import cell, emit, safe, show
from towline.contract import Contract
from towline.story import Touch

LINES = 50  # that a person is shown unless they ask for more


@click.command("blame")
@dataset_argument
@where_option
@click.option("--column", metavar="COLUMN", help="Of this column only.")
@click.option("--all", "every", is_flag=True, help="Every change, newest first, instead of each cell's last.")
@click.option("-n", "limit", type=click.IntRange(min=0), help="Lines; 0 is all [default: 50, with --json all].")
@called
def command(
    call: Call, dataset: str | None, where: tuple[str, ...], column: str | None, every: bool, limit: int | None
) -> None:
    """Tell who set a cell (--where and --column), a row (--where) or a column (--column), when and why.

    \b
    towline blame net_tows --where tow=4,net=1 --column volume_filtered --all
    """
    bench, name = call.connection.bench, call.name(dataset)
    contract = bench.contract(name)
    wanted = edits.read(contract, edits.parse(where, "--where"))
    found = blame.ask(bench, name, wanted, column, every=every)
    if call.as_json:
        emit([touch.to_json(contract.key) for touch in found[: limit or None]])
        return
    shown = found[: LINES if limit is None else limit or None]
    _show(shown, contract, has_row=bool(wanted), has_column=column is not None)
    if len(shown) < len(found):
        show(Text(f"… {len(found) - len(shown):,} more (-n 0 lists all)", style="dim"))


def _show(touches: Sequence[Touch], contract: Contract, *, has_row: bool, has_column: bool) -> None:
    """What all lines have in common, as the command named it, has no column of its own."""
    key = () if has_row else contract.key
    table = tables.plain_table(*key, *(() if has_column else ("column",)), "old", "", "new", "#", *_WHOSE)
    for each in table.columns[: -len(_WHOSE)]:
        each.no_wrap = True
    for touch in touches:
        where = [cell(value) if touch.key else Text("all", style="dim") for value in touch.key or key] if key else []
        named = [] if has_column else [Text(touch.column or "all", style="" if touch.column else "dim")]
        table.add_row(*where, *named, *_values(touch), *_whose(touch))
    show(table)


_WHOSE = ("time (UTC)", "user", "change", "note")


def _values(touch: Touch) -> tuple[Text, Text, Text]:
    old = Text("") if touch.change in ("insert", "create") else cell(touch.old)
    new = Text("") if touch.change == "delete" or touch.column is None else cell(touch.new)
    return old, Text("->", style="dim"), new


def _whose(touch: Touch) -> tuple[Text, ...]:
    time = f"{touch.at:%Y-%m-%d %H:%M:%S}"
    return tuple(Text(safe(text)) for text in (str(touch.number), time, touch.user, touch.change, touch.note))
