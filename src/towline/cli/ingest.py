"""`towline ingest`: files of this machine into raw/, from where they are taken in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from towline import reconcile
from towline.cli.manifest import table, to_json
from towline.cli.options import Call, called, table_file, timeout_option
from towline.cli.output import emit, progress, safe, say, show
from towline.errors import EXIT_OK, EXIT_VIOLATIONS, OutcomeUnknown
from towline.ingest import sending
from towline.ingest.entry import QUARANTINED, Entry
from towline.ingest.sending import Sent


@click.command("ingest")
@click.argument("dataset")
@click.argument("files", nargs=-1, required=True, type=table_file, metavar="FILE…")
@click.option("--source", default="", metavar="A/B", help="Where the files come from: folders below raw/DATASET/.")
@click.option("--wait", is_flag=True, help="Wait for what becomes of them, and exit with its code.")
@timeout_option
@called
def command(call: Call, dataset: str, files: Sequence[Path], source: str, wait: bool, timeout: float) -> int:
    """Send files to raw/DATASET/, from where they are copied to bronze, or to quarantine with a reason.

    \b
    towline ingest golf_rounds rounds-*.csv --source exports/2025 --wait
    """
    targets = sending.targets(dataset, source, files)
    store = call.connection.bench.store
    sent: list[Sent] = []
    with progress(f"{len(targets):,} files", quiet=call.as_json) as phase:
        for key, path in targets.items():
            phase(f"{path.name}: {path.stat().st_size:,} bytes")
            sent.append(sending.send(store, path, key))
    return _await(call, sent, timeout) if wait else _tell_sent(call, dataset, sent)


def _tell_sent(call: Call, dataset: str, sent: Sequence[Sent]) -> int:
    if call.as_json:
        emit([_facts(each) for each in sent])
    else:
        show(*(Text(safe(f"{each.stat.key}: ingest {each.ingest}")) for each in sent))
        say(f"`towline manifest {dataset}` tells what becomes of them")
    return EXIT_OK


def _facts(sent: Sent) -> dict[str, Any]:
    stat = sent.stat
    return {"ingest": sent.ingest, "raw": stat.key, "version": stat.version, "size": stat.size}


def _await(call: Call, sent: Sequence[Sent], timeout: float) -> int:
    """Wait for the entries, and tell them in the order of the files. Exits with 10 where one is in quarantine."""
    found: dict[str, Entry] = {}
    late: OutcomeUnknown | None = None
    bench = call.connection.bench
    with progress(f"0 of {len(sent):,} files", quiet=call.as_json) as phase:
        try:
            for entry in sending.outcomes(bench.store, sent, timeout, bench.pause):
                found[entry.ingest] = entry
                phase(f"{len(found):,} of {len(sent):,} files")
        except OutcomeUnknown as error:
            late = error
    entries = [found[each.ingest] for each in sent if each.ingest in found]
    if call.as_json:
        emit([to_json(found[each.ingest]) if each.ingest in found else _facts(each) for each in sent])
    else:
        show(table(entries))
    if late is not None:
        say(f"error: {late}")
        for problem in reconcile.problems(bench.store, sent[0].dataset):
            say(f"what Reconcile found wrong with {sent[0].dataset}: {problem}")
        return late.exit_code
    return EXIT_VIOLATIONS if any(entry.status == QUARANTINED for entry in entries) else EXIT_OK
