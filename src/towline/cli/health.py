"""`towline health`: how things are, and what to do about what is not fine."""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich.console import RenderableType
from rich.text import Text

from towline.cli import tables
from towline.cli.options import Call, called
from towline.cli.output import emit, progress, safe, say, show
from towline.connect import checkup
from towline.errors import EXIT_OK, EXIT_UNAVAILABLE
from towline.health.fact import GROUPS, Fact, Health, State, count

_SIGNS: dict[State, tuple[str, str]] = {
    "fine": ("✓", "green"),
    "attention": ("▲", "yellow"),
    "red": ("✕", "bold red"),
    "unknown": ("?", "dim"),
}
# A person who calls this once would rather wait a little than read that something is unknown.
PATIENCE = 5.0


@click.command("health")
@click.option("--redrive", is_flag=True, help="Send dead letters back into their queues first.")
@called
def command(call: Call, redrive: bool) -> int:
    """Tell how things are (S3, queues, dead letters, Reconcile, datasets, disk, versions), and what to do about what is
    not fine. Exits with 12 if something is red."""
    if redrive:
        moved = _redrive(call)
        say(f"{count(moved, 'dead letter')} sent again")
    with progress("looking", quiet=call.as_json):
        found = checkup(call.connection, call.data_dir, patience=PATIENCE).look()
    if call.as_json:
        emit(found.to_json())
    else:
        show(*_tables(found))
    return EXIT_UNAVAILABLE if found.state == "red" else EXIT_OK


def _redrive(call: Call) -> int:
    from towline.aws.health import QUEUES, Queues

    queues = Queues(call.connection.settings, call.connection.bench.store)
    return sum(queues.redrive(name) for name in QUEUES)


def _tables(found: Health) -> Iterator[RenderableType]:
    """A table of all facts, in their groups, and the verdict. One way out for several facts is told once."""
    table, told = tables.plain_table("", "what", "found"), set[str]()
    for group in GROUPS:
        for fact in found.of(group):
            sign, style = _SIGNS[fact.state]
            table.add_row(Text(sign, style=style), Text(safe(fact.title)), _said(fact, with_way=fact.do not in told))
            told.add(fact.do)
        if found.of(group) and group != GROUPS[-1]:
            table.add_row()
    yield table
    yield Text(found.verdict(), style=_SIGNS[found.state][1])


def _said(fact: Fact, *, with_way: bool) -> Text:
    text = Text("unknown: " if fact.state == "unknown" else "").append(safe(fact.says))
    if fact.do and with_way:
        text.append(f"\n-> {safe(fact.do)} (docs/runbook.md: {fact.see})", style="bold" if fact.state == "red" else "")
    return text
