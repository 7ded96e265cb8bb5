"""`towline diff`: what turned one commit's table into another's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.text import Text

from towline import diffpage, history
from towline.cli import tables
from towline.cli.options import Call, called, force_option
from towline.cli.output import check_target, emit, show, width, write_file
from towline.contract import Contract
from towline.diff import Diff
from towline.errors import UsageError
from towline.files import write_table
from towline.workbench import Workbench

FORMS = ("table", "json", "csv", "html")
LINES = 50  # of a table that a person is shown unless they ask for more


@click.command("diff")
@click.argument("dataset")
@click.argument("old", metavar="FROM")
@click.argument("new", metavar="[TO]", required=False)
@click.option(
    "--format", "form", type=click.Choice(FORMS), help="Of output [default: as FILE's name ends, else table]."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a .html, .csv or .json file instead.",
)
@force_option
@click.option(
    "-n", "limit", type=click.IntRange(min=0), help="Lines a table; 0 is all [default: 50; in html and files all]."
)
@called
def command(
    call: Call,
    dataset: str,
    old: str,
    new: str | None,
    form: str | None,
    output: Path | None,
    force: bool,
    limit: int | None,
) -> None:
    """Compare two commits of a dataset: what turns FROM into TO (default: the head).

    Commits are named by id, by number, or by a moment such as 2026-03-01T12:00.
    """
    bench, form = call.connection.bench, _form(form, output)
    if output is not None:
        check_target(output, force=force)
    contract = bench.contract(dataset)
    found, *sides = history.compare(bench, dataset, old, new)
    if call.as_json and output is None:
        emit(found.to_json())
    elif form != "table":
        body = _body(bench, found, contract, sides, form, limit or 0)
        if output is None:
            click.echo(body, nl=False)
            return
        write_file(output, body, force=force)
        if call.as_json:
            emit({"file": str(output), "bytes": len(body)})
    else:
        show(*tables.diff(found, contract, width(), LINES if limit is None else limit))
        counts = ", ".join(f"{found.count(kind):,} {kind}{'d' if kind.endswith('e') else 'ed'}" for kind in KINDS)
        show(Text(f"rows: {counts}; cells changed: {found.cells:,}"))


KINDS = ("insert", "update", "delete")


def _form(form: str | None, output: Path | None) -> str:
    """The form of output; that of a file follows from its name where it is not said."""
    found = form or (output.suffix.lower().removeprefix(".") if output else "table")
    if output is not None and found not in FORMS[1:]:
        raise UsageError(f"{output} names no form: let it end in .html, .csv or .json, or say --format")
    return found


def _body(bench: Workbench, found: Diff, contract: Contract, sides: Sequence[str], form: str, limit: int) -> bytes:
    if form == "json":
        return json.dumps(found.to_json(), ensure_ascii=False, indent=2, allow_nan=False).encode() + b"\n"
    if form == "csv":
        return write_table(tables.diff_lines(found, contract), "csv")
    one, other = (history.of_commit(bench, contract.dataset, commit) for commit in sides)
    return diffpage.page(found, contract, one, other, limit).encode()
