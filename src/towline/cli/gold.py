"""`towline gold`: what SQL makes of silver, brought up to it here and now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import click
from rich.text import Text

from towline import connect, cost
from towline.cli.options import Call, called
from towline.cli.output import emit, progress, show
from towline.errors import NotFound
from towline.pipeline import gold, registry
from towline.pipeline.gold import GoldResult
from towline.pipeline.registry import Package


@click.command("gold")
@click.argument("dataset")
@click.option("--full", is_flag=True, help="Make every partition anew; what comes out the same stays as it is.")
@called
def command(call: Call, dataset: str, full: bool) -> None:
    """Make the gold tables of DATASET anew, for those partitions only whose silver has changed.

    The functions do the same after each load.
    """
    package = registry.package(dataset)
    if package is None:
        known = ", ".join(registry.packages()) or "none"
        raise NotFound(f"no pipeline makes gold of {dataset!r}; those that there are: {known}")
    with progress(f"{dataset}: asking Athena", quiet=call.as_json):
        result = made(call, package, full=full)
    if call.as_json:
        emit(result.to_json())
    else:
        show(*said(result))


def made(call: Call, package: Package, *, full: bool) -> GoldResult:
    """Gold, brought up to silver; and what Athena sees of both."""
    connection = call.connection
    bench = replace(connection.bench, describe=lambda: connect.describe(connection))
    return gold.refresh(bench, package, connection.engine, connection.settings.bucket, full=full)


def shown(call: Call, package: Package) -> None:
    """Have Athena see silver, and leave gold, and the catalog, as they are."""
    gold.show(call.connection.bench, package.dataset, call.connection.settings.bucket)


def said(made: GoldResult) -> Iterator[Text]:
    if not made.load:
        yield Text("gold: as it was")
        return
    changed = f"{len(made.rebuilt):,} written, {len(made.kept):,} as they were, {len(made.removed):,} taken away"
    yield Text(f"gold: {made.rows:,} rows; partitions: {changed}")
    if made.statements:
        asked = f"{made.statements:,} {'statement' if made.statements == 1 else 'statements'}"
        spent = f"{made.scanned_bytes:,} bytes read, {cost.said(cost.usd(made.scanned_bytes))} on AWS"
        yield Text(f"{asked}, {spent}", style="dim")
