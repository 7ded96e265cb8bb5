"""`towline show`: a dataset's table."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from towline import edits, history
from towline.change import row_json
from towline.cli import tables
from towline.cli.export import write
from towline.cli.options import (
    Call,
    at_option,
    called,
    dataset_argument,
    escape_option,
    force_option,
    where_option,
)
from towline.cli.output import emit, show, width

ROWS = 20  # that a person is shown unless they ask for more


@click.command("show")
@dataset_argument
@at_option
@where_option
@click.option("-n", "limit", type=click.IntRange(min=0), help="How many rows; 0 is all [default: 20, with --json all].")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the rows to a .csv, .xlsx or .parquet file instead.",
)
@force_option
@escape_option
@called
def command(
    call: Call,
    dataset: str | None,
    at: str | None,
    where: tuple[str, ...],
    limit: int | None,
    output: Path | None,
    force: bool,
    escape_formulas: bool,
) -> None:
    """Show a dataset's table: its head's, or that of another commit."""
    bench, name = call.connection.bench, call.name(dataset)
    contract = bench.contract(name)
    wanted = edits.read(contract, edits.parse(where, "--where"))
    commit, whole = history.table_at(bench, name, at)
    table = edits.matching(whole, wanted)
    if output is not None:
        write(call, table.slice(0, limit or None), contract, output, commit, force=force, escape=escape_formulas)
        return
    if call.as_json:
        emit([row_json(row) for row in table.slice(0, limit or None).to_pylist()])
        return
    shown = table.slice(0, ROWS if limit is None else limit or None)
    show(*tables.rows(shown.to_pylist(), contract, width()))
    matching = f" that match, of {whole.num_rows:,}" if wanted else ""
    first = f"the first {shown.num_rows:,} of " if shown.num_rows < table.num_rows else ""
    hint = " (-n 0 shows all)" if first else ""
    show(Text(f"{first}{table.num_rows:,} rows{matching}{hint}; {name} at commit {commit}", style="dim"))
