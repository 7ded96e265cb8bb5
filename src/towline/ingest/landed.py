"""What has landed: which datasets have files, and which raw files nobody has looked at yet."""

from __future__ import annotations

from collections.abc import Iterable

from towline import keys
from towline.errors import UsageError
from towline.ingest.entry import Entry
from towline.store import Entry as Object
from towline.store import ObjectStore, folders


def datasets(store: ObjectStore) -> list[str]:
    """The names under raw/, manifests/ and quarantine/: a request for each, however many files they have."""
    prefixes = (keys.RAW, keys.MANIFESTS, keys.QUARANTINE)
    return sorted({name for prefix in prefixes for name in folders(store, prefix) if _is_name(name)})


def _is_name(name: str) -> bool:
    try:
        return bool(keys.check_dataset(name))
    except UsageError:
        return False


def under_way(store: ObjectStore, dataset: str, entries: Iterable[Entry]) -> list[Object]:
    """The raw files of a dataset that have no entry yet: current versions, without folder markers and what is still
    being written (`temp_…`)."""
    known = {(entry.raw, int(entry.mtime)) for entry in entries}
    listed = store.list(f"{keys.RAW}{dataset}/")
    fresh = (each for each in listed if (each.key, int(each.modified.timestamp())) not in known)
    return [each for each in fresh if (raw := keys.parse_raw(each.key)) is not None and not raw.is_incomplete]
