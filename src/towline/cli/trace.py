"""`towline trace`: where a file's rows went, and where a table's came from."""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich.text import Text

from towline.cli.options import Call, called
from towline.cli.output import emit, safe, show
from towline.ingest.entry import Entry
from towline.pipeline.trace import Named, Trace, trace

LISTED = 20  # files of a layer that a person is shown


@click.command("trace")
@click.argument("key")
@called
def command(call: Call, key: str) -> None:
    """Tell what KEY hangs together with: a file as it came, in bronze or in quarantine, or a file of silver or gold."""
    found = trace(call.connection.bench, key)
    if call.as_json:
        emit(found.to_json())
    else:
        show(*_said(found))


def _said(found: Trace) -> Iterator[Text]:
    yield from _listed("files", [_file(found, entry) for entry in found.files])
    yield from _listed("silver", [_named(each) for each in found.silver])
    yield from _listed("gold", [_named(each) for each in found.gold])


def _listed(title: str, lines: list[str]) -> Iterator[Text]:
    yield Text(f"{title}: {len(lines):,}", style="bold")
    yield from (Text(safe(f"  {line}")) for line in lines[:LISTED])
    if len(lines) > LISTED:
        yield Text(f"  … {len(lines) - LISTED:,} more (--json lists all)", style="dim")


def _file(found: Trace, entry: Entry) -> str:
    came = found.loaded.get(entry.ingest) or found.loaded.get(entry.duplicate_of or "")
    rows = f"{sum(came.rows.values()):,} rows, {came.refused:,} refused" if came else "not loaded"
    state = f"{came.status}, {rows}" if came else rows
    return f"{entry.raw} -> {entry.bronze or entry.quarantine} ({entry.ingest}, {entry.status}; {state})"


def _named(each: Named) -> str:
    return f"{each.file.key} ({each.file.rows:,} rows)"
