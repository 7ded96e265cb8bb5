"""Which versions of a master a commit made in its turn, and which were put past Towline.

The metadata of a version say whose it is, but metadata can be copied: an old snapshot put over the master carries the
commit id of then. And an ETag can come back: where somebody put the same bytes twice, a put that was meant for the
first passes on the second. So a commit also notes the VersionId that it replaces (`base`), and a version counts as its
commit's only where it lies right on that. In between may lie repeats, which have the ETag of the base: the conditional
write could not tell them from it, and they changed nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from towline import keys
from towline.errors import NotFound
from towline.master import Head
from towline.store import Blob, Stat, Version
from towline.workbench import Workbench


def is_in_turn(bench: Workbench, dataset: str, version: str, base: str | None) -> bool:
    """Whether `version` of the master lies right on the version `base` (None or empty: on nothing)."""
    wanted = [version, base] if base else [version]
    if [each.version for each in bench.store.versions(keys.master(dataset), newest=2)] == wanted:
        return True  # as nearly always: a history is long, and its newest two tell
    return _lies_on(list(bench.store.versions(keys.master(dataset))), version, base or "")


def stands(bench: Workbench, head: Head) -> bool:
    """Whether the commit that the head's metadata name made this very version, in its turn."""
    if head.commit is None:
        return False
    # Versions of before commits noted their base have only their metadata to go by.
    return head.base is None or is_in_turn(bench, head.dataset, head.version, head.base)


def newest(bench: Workbench, dataset: str) -> Stat | None:
    """What is known of the newest version of the master that a commit made in its turn. What was written past Towline
    since is nobody's yet: the next commit, or Reconcile, records it."""
    key = keys.master(dataset)
    with suppress(NotFound):  # deleted, or never there
        if _stands(bench, dataset, current := bench.store.head(key)):
            return current
    there = (version for version in bench.store.versions(key) if not version.is_delete_marker)
    stats = (bench.store.head(key, version=version.version) for version in there)
    return next((stat for stat in stats if _stands(bench, dataset, stat)), None)


def _stands(bench: Workbench, dataset: str, stat: Stat) -> bool:
    return stands(bench, Head(dataset, Blob(stat, b"")))


def _lies_on(versions: Sequence[Version], version: str, base: str) -> bool:
    """`versions` newest first."""
    at = next((place for place, each in enumerate(versions) if each.version == version), None)
    return at is not None and rests_on(versions[at + 1 :], base)


def rests_on(below: Iterable[Version], base: str) -> bool:
    """Whether what comes above these versions (newest first) was put on `base` (empty: on nothing): between the two
    there may be repeats of the base, and nothing else."""
    between: set[str] = set()
    for each in below:
        if each.is_delete_marker:
            break
        if each.version == base:
            return between <= {each.etag}
        between.add(each.etag)
    return not base and not between
