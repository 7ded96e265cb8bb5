"""`towline log`: the audit records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from rich.text import Text

from towline import history
from towline.cli import tables
from towline.cli.options import Call, called, dataset_argument
from towline.cli.output import emit, safe, show


@click.command("log")
@dataset_argument
@click.option("-n", "limit", type=click.IntRange(min=0), help="How many; 0 is all [default: 20, with --json all].")
@called
def command(call: Call, dataset: str | None, limit: int | None) -> None:
    """List what happened to a dataset, newest first."""
    records = history.log(call.connection.bench, call.name(dataset))
    if call.as_json:
        emit(records[: limit or None])
        return
    shown = records[: 20 if limit is None else limit or None]
    table = tables.plain_table("#", "time (UTC)", "user", "kind", "rows", "cells", "note")
    table.columns[0].justify = table.columns[5].justify = "right"
    for column in table.columns[:6]:
        column.no_wrap = True
    for record in shown:
        table.add_row(*_line(record))
    show(table)
    if len(shown) < len(records):
        show(Text(f"… {len(records) - len(shown):,} older (-n 0 lists all)", style="dim"))


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
