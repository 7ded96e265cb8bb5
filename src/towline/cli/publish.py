"""`towline publish`: copies of a dataset for other engines."""

from __future__ import annotations

import click
from rich.text import Text

from towline import connect, publish
from towline.cli.options import Call, called, dataset_argument
from towline.cli.output import emit, progress, show
from towline.errors import UsageError
from towline.publish import Publication


@click.command("publish")
@dataset_argument
@click.option("--iceberg", is_flag=True, help="Keep an Iceberg table in step: one Iceberg snapshot for each commit.")
@click.option(
    "--from",
    "begin",
    metavar="COMMIT|NUMBER|TIME",
    help="With which commit an Iceberg table begins that is not there yet [default: the first].",
)
@click.option("--head-only", is_flag=True, help="Begin with the newest commit.")
@click.option("--rebuild", is_flag=True, help="Make the Iceberg table anew, whatever it holds.")
@click.option("--dry-run", is_flag=True, help="Say what would be published, and publish nothing.")
@called
def command(
    call: Call, dataset: str | None, iceberg: bool, begin: str | None, head_only: bool, rebuild: bool, dry_run: bool
) -> None:
    """Publish a copy of a dataset for engines that want one.

    The copy is never the source of truth: it is made from the commits, and nothing of it comes back.
    """
    if not iceberg:
        raise UsageError("say what to publish: --iceberg")
    if begin and head_only:
        raise UsageError("--from and --head-only both say where a table begins: say one of them")
    name, bench = call.name(dataset), call.connection.bench
    lake = connect.lake(call.connection, name)
    found = publish.plan(bench, name, lake, begin="head" if head_only else begin, rebuild=rebuild)
    if not dry_run:
        with progress(f"{name}: {len(found.commits):,} commits to publish", quiet=call.as_json) as phase:
            found = publish.run(bench, lake, found, lambda made: phase(f"{name}: commit {made.number:,}"))
    if call.as_json:
        emit({"dry_run": dry_run, **found.to_json()})
    else:
        show(Text(_said(found, dry_run=dry_run)))


def _said(found: Publication, *, dry_run: bool) -> str:
    planned = [int(str(records[-1]["number"])) for records in found.commits]
    numbers = planned if dry_run else [snapshot.number for snapshot in found.published]
    if not numbers:
        return f"nothing to publish: {found.table} has commit {found.head:,}, the newest of {found.dataset}"
    span = f"commit {numbers[0]:,}" if len(numbers) == 1 else f"commits {numbers[0]:,} to {numbers[-1]:,}"
    where = f"{found.table}, made anew" if found.rebuild else found.table
    return f"{'would publish' if dry_run else 'published'} {span} of {found.dataset} to {where}"
