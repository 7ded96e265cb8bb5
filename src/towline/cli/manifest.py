"""`towline manifest`: what became of the raw files of a dataset."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from towline import keys
from towline.cli import tables
from towline.cli.options import Call, called, force_option
from towline.cli.output import check_target, safe, say, show, write_file
from towline.ingest import manifest
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED, STATUSES, Entry

LISTED = 50  # files that a person is shown unless they ask for more
_COLOURS = {BRONZE: "green", DUPLICATE: "dim", QUARANTINED: "red"}


@click.command("manifest")
@click.argument("dataset")
@click.option("--status", type=click.Choice(STATUSES), help="Only these files.")
@click.option("-n", "limit", type=click.IntRange(min=0), default=LISTED, help="How many lines of the table; 0 is all.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.jsonl", help="Write all to a file."
)
@force_option
@called
def command(call: Call, dataset: str, status: str | None, limit: int, output: Path | None, force: bool) -> None:
    """List the raw files of a dataset and what became of each: newest first, with --json one a line, oldest first."""
    if output is not None:
        check_target(output, force=force)
    found = manifest.entries(call.connection.bench.store, keys.check_dataset(dataset))
    entries = [entry for entry in found if status in (None, entry.status)]
    if output is not None:
        write_file(output, b"".join(entry.to_line() for entry in entries), force=force)
        say(f"{output}: {len(entries):,} entries of {dataset}")
    if call.as_json:
        for entry in entries:
            click.echo(entry.to_line().removesuffix(b"\n"))
    elif output is None:
        _show(dataset, entries, limit)


def _show(dataset: str, entries: Sequence[Entry], limit: int) -> None:
    if not entries:
        say(f"there are no such files of {dataset}; `towline ingest {dataset} FILE` sends one")
        return
    shown = entries[::-1][: limit or None]
    show(table(shown))
    if left := len(entries) - len(shown):
        show(Text(f"… {left:,} older (-n 0 lists all)", style="dim"))


def table(entries: Iterable[Entry]) -> Table:
    """A line for each: what it was, what became of it, and where it is or why it was refused."""
    made = tables.plain_table("ingest", "status", "kind", "bytes", "raw", "where, or why not")
    made.columns[3].justify = "right"
    for column in made.columns[:4]:
        column.no_wrap = True
    for entry in entries:
        status = Text(entry.status, style=_COLOURS[entry.status])
        raw = entry.raw.removeprefix(f"{keys.RAW}{entry.dataset}/")
        told = (entry.kind or "-", f"{entry.size:,}", raw, _end(entry))
        made.add_row(Text(entry.ingest), status, *(Text(safe(text)) for text in told))
    return made


def _end(entry: Entry) -> str:
    if entry.status == QUARANTINED:
        return "; ".join(entry.reasons)
    return f"as {entry.duplicate_of}" if entry.status == DUPLICATE else entry.bronze


def to_json(entry: Entry) -> dict[str, Any]:
    """The line of an entry, as a value."""
    line: dict[str, Any] = json.loads(entry.to_line())
    return line
