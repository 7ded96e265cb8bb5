"""The manifest of a dataset: an entry for each ingest."""

from __future__ import annotations

from towline import keys
from towline.ingest.entry import Entry
from towline.store import ObjectStore


def entries(store: ObjectStore, dataset: str) -> list[Entry]:
    """The manifest, one entry an ingest, in their order."""
    found = [Entry.of_line(store.get(each.key).body, each.key) for each in store.list(keys.entries(dataset))]
    return sorted(found, key=lambda entry: entry.ingest)
