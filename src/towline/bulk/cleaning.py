"""What a run leaves behind once its receipt is final: `run.json` and `preview.json`, for some days, and no more."""

from __future__ import annotations

from typing import Protocol

from towline import keys, receipts
from towline.bulk import state as states
from towline.workbench import Workbench


class Tables(Protocol):
    """The tables of the catalog."""

    def drop(self, prefix: str) -> list[str]:
        """Drop the tables whose names begin so; their names. None are there: nothing happens."""
        ...


def clean(bench: Workbench, run: keys.Run, tables: Tables) -> dict[str, object]:
    """Drop a run's tables and delete its copies and parts. A run whose receipt is not final is left alone."""
    receipt = receipts.load(bench.store, run.dataset, run.id)
    if receipt is None or not receipt.final:
        return {"deleted": 0, "dropped": []}
    state = states.load(bench.store, run)
    dropped = tables.drop(states.table_prefix(run))
    kept = {run.state, run.preview, run.proposal}
    deleted = delete_below(bench, run.prefix, kept)
    if state is not None and state.parts:
        deleted += delete_below(bench, state.parts)
    return {"deleted": deleted, "dropped": dropped}


def delete_below(bench: Workbench, prefix: str, kept: set[str] | frozenset[str] = frozenset()) -> int:
    """Delete the objects below a prefix but those in `kept`; how many there were."""
    found = [entry.key for entry in bench.store.list(prefix) if entry.key not in kept]
    for key in found:
        bench.store.delete(key)
    return len(found)
