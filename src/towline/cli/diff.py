"""`towline diff`: what turned one commit's table into another's."""

from __future__ import annotations

import click
from rich.text import Text

from towline import history
from towline.cli import tables
from towline.cli.options import Call, called
from towline.cli.output import emit, show, width
from towline.files import write_table


@click.command("diff")
@click.argument("dataset")
@click.argument("old", metavar="FROM")
@click.argument("new", metavar="[TO]", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="Of output.",
)
@click.option("-n", "limit", type=click.IntRange(min=0), default=50, show_default=True, help="Lines a table; 0 is all.")
@called
def command(call: Call, dataset: str, old: str, new: str | None, form: str, limit: int) -> None:
    """Compare two commits of a dataset: what turns FROM into TO (default: the head).

    Commits are named by id, by number, or by a moment such as 2026-03-01T12:00.
    """
    bench = call.connection.bench
    found = history.difference(bench, dataset, old, new)
    if call.as_json or form == "json":
        emit(found.to_json())
        return
    contract = bench.contract(dataset)
    if form == "csv":
        click.echo(write_table(tables.diff_lines(found, contract), "csv"), nl=False)
        return
    show(*tables.diff(found, contract, width(), limit))
    counts = ", ".join(f"{found.count(kind):,} {kind}{'d' if kind.endswith('e') else 'ed'}" for kind in KINDS)
    show(Text(f"rows: {counts}; cells changed: {found.cells:,}"))


KINDS = ("insert", "update", "delete")
