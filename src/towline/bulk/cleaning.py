"""What a run leaves behind once its receipt is final: `run.json` and `preview.json`, for some days, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from towline import keys, receipts
from towline.bulk import state as states
from towline.errors import NotFound
from towline.parts import MANIFEST_MAX
from towline.store import Entry
from towline.workbench import Workbench

# An object's time of writing has whole seconds.
_SECOND = timedelta(seconds=1)


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
        deleted += delete_parts(bench, state.parts, state.query)
    return {"deleted": deleted, "dropped": dropped}


def delete_below(bench: Workbench, prefix: str, kept: set[str]) -> int:
    """Delete the objects below a prefix but those in `kept`; how many there were."""
    return _delete(bench, [entry.key for entry in bench.store.list(prefix) if entry.key not in kept])


def delete_parts(bench: Workbench, prefix: str, query: Mapping[str, Any]) -> int:
    """Delete what one query by hand wrote below a prefix, where another may have written as well: what its `manifest`
    names; without one, what was written since it was `submitted`. How many objects that were."""
    named = _named(bench, query.get("manifest"))
    since = datetime.fromisoformat(query["submitted"]) if query.get("submitted") else None

    def is_its_own(entry: Entry) -> bool:
        if named is not None:
            return entry.key in named
        return since is None or entry.modified + _SECOND > since

    return _delete(bench, [entry.key for entry in bench.store.list(prefix) if is_its_own(entry)])


def _named(bench: Workbench, manifest: str | None) -> set[str] | None:
    """The keys that a data manifest names; None where there is none."""
    try:
        body = bench.store.get(_key(manifest), max_bytes=MANIFEST_MAX).body if manifest else None
    except NotFound:
        return None
    return None if body is None else {_key(line.strip().strip('"')) for line in body.decode().splitlines()}


def _key(uri: str) -> str:
    return uri.removeprefix("s3://").partition("/")[2]


def _delete(bench: Workbench, keys: list[str]) -> int:
    for key in keys:
        bench.store.delete(key)
    return len(keys)
