"""Runs that something is left of: those under way, and those whose execution ended before it had cleared up."""

from __future__ import annotations

from datetime import datetime

from towline import keys, receipts
from towline.workbench import Workbench


def leftovers(bench: Workbench, until: datetime | None = None) -> list[keys.Run]:
    """All runs with copies, parts or a token, and those by hand without a final receipt, that nothing was written for
    since `until` (None: all). Where an execution still has them, it is left alone; else another takes them up."""
    found: dict[keys.Run, datetime] = {}
    for entry in bench.store.list(keys.SQL):
        run = keys.run_of(entry.key)
        if run is not None and _is_left(bench, run, entry.key):
            found[run] = max(entry.modified, found.get(run, entry.modified))
    return [run for run, newest in found.items() if until is None or newest <= until]


def _is_left(bench: Workbench, run: keys.Run, key: str) -> bool:
    if key in (run.state, run.preview):
        return False
    if key != run.proposal:
        return True
    receipt = receipts.load(bench.store, run.dataset, run.id)
    return receipt is not None and not receipt.final
