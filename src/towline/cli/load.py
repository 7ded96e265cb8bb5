"""`towline load`: what waits in bronze becomes rows, here and now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import click
from rich.text import Text

from towline.cli import gold
from towline.cli.options import Call, called
from towline.cli.output import emit, progress, safe, show
from towline.errors import EXIT_OK, EXIT_VIOLATIONS, NotFound
from towline.pipeline import mastering, registry
from towline.pipeline.load import LoadResult, load

LISTED = 20  # failed files and refused ones that a person is shown


@click.command("load")
@click.argument("dataset")
@click.option("--full", is_flag=True, help="Load all files anew, as if there were no tables yet.")
@click.option("--no-gold", is_flag=True, help="Leave the gold tables as they are.")
@called
def command(call: Call, dataset: str, full: bool, no_gold: bool) -> int:
    """Load the files of DATASET that wait in bronze into its silver tables, and make gold of them.

    The functions do the same by themselves as files come in. A file that is refused is told, and why; the others go on.
    """
    package = registry.package(dataset)
    if package is None:
        known = ", ".join(registry.packages()) or "none"
        raise NotFound(f"no pipeline loads {dataset!r}; those that there are: {known}")
    with progress(f"{dataset}: reading what waits", quiet=call.as_json) as phase:
        result = load(call.connection.bench, package, full=full)
        while result.more:
            phase(f"{dataset}: {len(result.taken):,} files, {result.rows:,} rows, and more wait")
            result = _joined(result, load(call.connection.bench, package))
        phase(f"{dataset}: gold")
        made = None if no_gold else gold.made(call, package, full=full)
        if no_gold:
            gold.shown(call, package)
        masters = mastering.propose(call.connection.bench, package)
    if call.as_json:
        emit({**result.to_json(), "gold": made and made.to_json(), "masters": masters})
    else:
        show(*_said(result), *(gold.said(made) if made else ()), *(Text(safe(said)) for said in masters))
    return EXIT_VIOLATIONS if result.failed else EXIT_OK


def _joined(one: LoadResult, other: LoadResult) -> LoadResult:
    """Two loads, one after the other, as one."""
    written = sorted({*one.written, *other.written})
    kept = sorted({*one.kept, *other.kept} - set(written))
    removed = sorted({*one.removed, *other.removed})
    taken = {**one.taken, **other.taken}
    return replace(other, taken=taken, written=tuple(written), kept=tuple(kept), removed=tuple(removed))


def _said(result: LoadResult) -> Iterator[Text]:
    if not result.taken and not result.load:
        yield Text(f"{result.dataset}: nothing waits")
        return
    files = f"{len(result.taken):,} {'file' if len(result.taken) == 1 else 'files'}"
    changed = f"{len(result.written):,} written, {len(result.kept):,} as they were, {len(result.removed):,} taken away"
    yield Text(f"{result.dataset}: {files}, {result.rows:,} rows; partitions: {changed}")
    if result.refused:
        yield Text(_refused(result.refused), style="yellow")
    for ingest, each in list(result.taken.items())[:LISTED]:
        if each.reasons or each.refused:
            count = _refused(each.refused) if each.refused else ""
            yield Text(safe(f"{ingest} {each.status}: {'; '.join(filter(None, (count, *each.reasons)))}"), style="dim")
    if result.refused or result.failed:
        yield Text("`towline quarantine show INGEST` tells why", style="dim")


def _refused(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'} refused"
