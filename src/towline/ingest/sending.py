"""Sending files of this machine to raw/, and waiting for what becomes of them.

A put appears whole or not at all, so a file gets its own name at once: `temp_…` is for those who write piece by piece.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from towline import keys
from towline.errors import OutcomeUnknown, UsageError
from towline.ingest import fingerprint, receive
from towline.ingest.entry import Entry, ingest_id
from towline.store import MIB, ObjectStore, Stat, check_key, file_parts

ONE_PUT = 16 * MIB  # files up to this size go in one request, larger ones by parts of this size
_FIRST_LOOK, _LONGEST_PAUSE = 0.2, 2.0  # seconds


@dataclass(frozen=True)
class Sent:
    """A file that was sent, and the ingest that it will have."""

    stat: Stat
    fingerprint: str
    ingest: str

    @property
    def dataset(self) -> str:
        return self.stat.key.split("/")[1]


def targets(dataset: str, source: str, paths: Sequence[Path]) -> dict[str, Path]:
    """The files by their raw keys. UsageError: one would not be taken in, or two have the same."""
    found: dict[str, Path] = {}
    for path in paths:
        key = _target(keys.check_dataset(dataset), source, path.name)
        if key in found:
            raise UsageError(f"{found[key]} and {path} would both be {key}; send each with a source of its own")
        found[key] = path
    return found


def _target(dataset: str, source: str, name: str) -> str:
    segments = source.strip("/").split("/") if source else []
    if wrong := [segment for segment in segments if segment in ("", ".", "..") or not segment.isprintable()]:
        raise UsageError(f"{source!r} is no source: {wrong[0]!r} is not the name of a folder (for example range/north)")
    if keys.RawKey(dataset, (), name).is_incomplete:
        raise UsageError(f"{name!r} begins with temp_, and would be taken for a file that is still written: rename it")
    return check_key(keys.raw(dataset, segments, name))


def send(store: ObjectStore, path: Path, key: str) -> Sent:
    """Put a file, at any size. UsageError: it became shorter meanwhile."""
    whole = path.stat().st_size <= ONE_PUT
    put = store.put(key, path.read_bytes()) if whole else store.assemble(key, file_parts(path, ONE_PUT))
    stat = store.head(key, version=put.version)  # its time is the one that the ingest is named by
    known_by = fingerprint.of_file(path, stat.etag)
    return Sent(stat, known_by, ingest_id(stat, known_by))


def outcomes(
    store: ObjectStore, sent: Sequence[Sent], timeout: float, pause: Callable[[float], None]
) -> Iterator[Entry]:
    """The entries of files as they are made, whichever comes first. OutcomeUnknown: after `timeout` seconds there are
    none of some; they are safe in raw/, and will be taken in."""
    waiting, deadline, seconds = list(sent), time.monotonic() + timeout, _FIRST_LOOK
    while waiting:
        found = [(each, receive.find(store, each.dataset, each.fingerprint, each.ingest)) for each in waiting]
        yield from (entry for _, entry in found if entry)
        waiting = [each for each, entry in found if entry is None]
        if waiting and time.monotonic() >= deadline:
            raise OutcomeUnknown(
                f"after {timeout:g} s {len(waiting):,} of {len(sent):,} files have no entry yet, such as "
                f"{waiting[0].stat.key}: they are safe there, and `towline manifest {waiting[0].dataset}` tells"
            )
        if waiting:
            pause(seconds)
            seconds = min(seconds * 1.5, _LONGEST_PAUSE)
