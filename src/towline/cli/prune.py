"""`towline prune`: move old snapshots and audit records into the archive."""

from __future__ import annotations

import click
from rich.text import Text

from towline import prune
from towline.cli.options import Call, called, dataset_argument
from towline.cli.output import emit, progress, say, show
from towline.prune import Pruning

LISTED = 20  # objects that a dry run shows a person


@click.command("prune")
@dataset_argument
@click.option("--keep", type=int, required=True, metavar="N", help="How many commits stay where they are, at least 1.")
@click.option("--dry-run", is_flag=True, help="List what would move, and move nothing.")
@called
def command(call: Call, dataset: str | None, keep: int, dry_run: bool) -> None:
    """Move the snapshots and audit records of all but the newest N commits into the archive.

    Nothing is lost: log, diff, show, verify and the rest find them there.
    """
    bench, name = call.connection.bench, call.name(dataset)
    found = prune.plan(bench, name, keep)
    _hint(bench.contract(name).retention.snapshots, keep)
    if not dry_run:
        with progress(f"{name}: {len(found.moves):,} objects to move", quiet=call.as_json) as phase:
            prune.run(bench, found, lambda move: phase(f"{name}: commit {move.number:,} of {found.head:,}"))
    if call.as_json:
        emit({"dry_run": dry_run, **found.to_json()})
        return
    if dry_run:
        show(*(Text(f"{move.key}\n  -> {move.to}") for move in found.moves[:LISTED]))
        if len(found.moves) > LISTED:
            show(Text(f"… and {len(found.moves) - LISTED:,} more (--json lists all)", style="dim"))
    show(Text(_said(found, dry_run=dry_run)))


def _hint(retention: int | None, keep: int) -> None:
    """What the contract says is a wish of the team's, which nobody enforces."""
    if retention is not None and retention != keep:
        say(f"note: the contract's retention is {retention:,} snapshots, and {keep:,} are kept here")


def _said(found: Pruning, *, dry_run: bool) -> str:
    if not found.moves:
        return f"nothing to move: {found.dataset} has {found.head:,} commits, and the newest {found.keep:,} stay"
    verb = "would move" if dry_run else "moved"
    return (
        f"{verb} {found.snapshots:,} snapshots and {found.records:,} audit records ({found.size:,} bytes) to archive/; "
        f"the newest {min(found.keep, found.head):,} of {found.head:,} commits stay"
    )
