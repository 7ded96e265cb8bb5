"""`towline log`: the audit records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from rich.text import Text

from towline import history, trail
from towline.cli import tables
from towline.cli.options import Call, called, dataset_argument
from towline.cli.output import emit, safe, show
from towline.workbench import Workbench


@click.command("log")
@dataset_argument
@click.option("-n", "limit", type=click.IntRange(min=0), help="How many; 0 is all [default: 20, with --json all].")
@click.option("--user", metavar="NAME", help="Only what this person proposed.")
@called
def command(call: Call, dataset: str | None, limit: int | None, user: str | None) -> None:
    """List what happened to a dataset, newest first."""
    bench, name = call.connection.bench, call.name(dataset)
    count = limit if limit is not None else 0 if call.as_json else 20
    records = _records(bench, name, count, user)
    shown = records[: count or None]
    if call.as_json:
        emit(shown)
        return
    table = tables.plain_table("#", "time (UTC)", "user", "kind", "rows", "cells", "note")
    table.columns[0].justify = table.columns[5].justify = "right"
    for column in table.columns[:6]:
        column.no_wrap = True
    for record in shown:
        table.add_row(*_line(record))
    show(table)
    is_part = bool(count) and user is None and len(records) >= count
    left = (len(history.places(bench, name)) if is_part else len(records)) - len(shown)
    if left:
        show(Text(f"… {left:,} older (-n 0 lists all)", style="dim"))


def _records(bench: Workbench, name: str, count: int, user: str | None) -> list[history.Record]:
    if user is not None:
        return history.log_of(bench, name, user)
    return trail.newest(bench, name, count) if count else history.log(bench, name)


def _line(record: Mapping[str, Any]) -> tuple[Text, ...]:
    time = str(record["timestamp"])[:19].replace("T", " ")
    plain = [str(record["number"]), time, record["user"], record["kind"]]
    cells = f"{record['cells_changed']:,}"
    return (*(Text(safe(str(value))) for value in plain), _rows(record), Text(cells), Text(safe(str(record["note"]))))


def _rows(record: Mapping[str, Any]) -> Text:
    """`+1 ~2 -3`: inserted, updated, deleted."""
    text = Text()
    for sign, word, style in (("+", "inserted", "green"), ("~", "updated", "yellow"), ("-", "deleted", "red")):
        if record[f"rows_{word}"]:
            text.append(f"{sign}{record[f'rows_{word}']:,} ", style=style)
    text.rstrip()
    return text
