"""`towline publish`: copies of a dataset for other engines."""

from __future__ import annotations

from collections.abc import Mapping

import click
from rich.text import Text

from towline import connect, copies, publish
from towline.cli.options import Call, called, dataset_argument
from towline.cli.output import emit, progress, show
from towline.copies import Copy
from towline.errors import UsageError
from towline.publish import Publication

LISTED = 20  # partitions that a dry run shows a person


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
@click.option(
    "--partition-by",
    multiple=True,
    metavar="COLUMN,…",
    help="Copy the newest commit, a Parquet file for each value of these columns, with a table in Glue.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be published, and publish nothing.")
@called
def command(
    call: Call,
    dataset: str | None,
    iceberg: bool,
    begin: str | None,
    head_only: bool,
    rebuild: bool,
    partition_by: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Publish a copy of a dataset for engines that want one.

    The copy is never the source of truth: it is made from the commits, and nothing of it comes back.
    """
    if iceberg == bool(partition_by):
        raise UsageError("say what to publish: either --iceberg or --partition-by COLUMN")
    if begin and head_only:
        raise UsageError("--from and --head-only both say where a table begins: say one of them")
    if partition_by and (begin or head_only or rebuild):
        raise UsageError("--from, --head-only and --rebuild are about an Iceberg table: leave them out")
    name = call.name(dataset)
    if iceberg:
        found = _iceberg(call, name, "head" if head_only else begin, rebuild=rebuild, dry_run=dry_run)
        _tell(call, found.to_json(), _said(found, dry_run=dry_run), dry_run=dry_run)
    else:
        columns = [column.strip() for each in partition_by for column in each.split(",")]
        copy = _partitioned(call, name, columns, dry_run=dry_run)
        _tell(call, copy.to_json(), _said_of_copy(copy, dry_run=dry_run), dry_run=dry_run)


def _tell(call: Call, content: Mapping[str, object], lines: list[str], *, dry_run: bool) -> None:
    if call.as_json:
        emit({"dry_run": dry_run, **content})
    else:
        show(*map(Text, lines))


def _iceberg(call: Call, name: str, begin: str | None, *, rebuild: bool, dry_run: bool) -> Publication:
    bench, lake = call.connection.bench, connect.lake(call.connection, name)
    planned = publish.plan(bench, name, lake, begin=begin, rebuild=rebuild)
    if dry_run:
        return planned
    with progress(f"{name}: {len(planned.commits):,} commits to publish", quiet=call.as_json) as phase:
        return publish.run(bench, lake, planned, lambda made: phase(f"{name}: commit {made.number:,}"))


def _partitioned(call: Call, name: str, columns: list[str], *, dry_run: bool) -> Copy:
    bench, tables = call.connection.bench, connect.copies(call.connection)
    planned = copies.plan(bench, name, columns, tables, call.connection.settings.bucket)
    if dry_run:
        return planned
    with progress(f"{name}: {len(planned.parts):,} partitions to write", quiet=call.as_json) as phase:
        return copies.run(bench, tables, planned, lambda part: phase(f"{name}: {part.folder}"))


def _said(found: Publication, *, dry_run: bool) -> list[str]:
    planned = [int(str(records[-1]["number"])) for records in found.commits]
    numbers = planned if dry_run else [snapshot.number for snapshot in found.published]
    if not numbers:
        return [f"nothing to publish: {found.table} has commit {found.head:,}, the newest of {found.dataset}"]
    span = f"commit {numbers[0]:,}" if len(numbers) == 1 else f"commits {numbers[0]:,} to {numbers[-1]:,}"
    where = f"{found.table}, made anew" if found.rebuild else found.table
    return [f"{'would publish' if dry_run else 'published'} {span} of {found.dataset} to {where}"]


def _said_of_copy(copy: Copy, *, dry_run: bool) -> list[str]:
    table = f"{copy.database}.{copy.table}"
    if not copy.is_new:
        return [f"nothing to publish: {table} has commit {copy.number:,}, the newest of {copy.dataset}"]
    count = f"{len(copy.parts):,} partition{'' if len(copy.parts) == 1 else 's'}"
    total = (
        f"{'would publish' if dry_run else 'published'} commit {copy.number:,} of {copy.dataset} to {table}, {count}"
    )
    if not dry_run:
        return [total]
    listed = [f"{part.folder} ({part.table.num_rows:,} rows)" for part in copy.parts[:LISTED]]
    more = [f"… and {len(copy.parts) - LISTED:,} more (--json lists all)"] if len(copy.parts) > LISTED else []
    return [*listed, *more, total]
