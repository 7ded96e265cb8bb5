"""An object's body and its metadata reach the disk together, or neither does.

MiniStack keeps an object as two files, `<key>` and `<key>.meta.json`, and replaces one after the other. Killed
in between, it comes back with a new body under the old ETag, version and commit id. So both are written
beside their places first, and the first of two renames is the commit point:

    <key>.body.next.tmp | <key>.meta.next.tmp | what happened               | recovery
    --------------------+---------------------+-----------------------------+-------------------------------
    there               | absent or there     | the put was not committed   | drop both, the metadata first
    absent              | there               | the body is in its place    | finish: the metadata follows
    absent              | absent              | done, or never begun        | nothing

A put that is dropped was never acknowledged; one that is finished may not have been either, which S3
allows of any write whose answer was lost. The displaced version's body is copied to `.versions/` before any
of this, so neither way loses it. Names end in `.tmp` because MiniStack's loader passes those over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

BODY_NEXT, META_NEXT, META = ".body.next.tmp", ".meta.next.tmp", ".meta.json"


def write(path: str, body: bytes, meta: str) -> None:
    """Put `body` and its sidecar `meta` (JSON text) in place of whatever `path` holds.

    Raises OSError; then, and when killed, `recover` makes the pair whole at the next start.
    """
    _write(path + BODY_NEXT, body)
    _write(path + META_NEXT, meta.encode())
    os.replace(path + BODY_NEXT, path)
    os.replace(path + META_NEXT, path + META)


def recover(objects: Path) -> list[str]:
    """Make every pair below `objects` whole; return one line for each that was not."""
    return [_recover(left) for left in _leftovers(objects)]


def _recover(left: Path) -> str:
    """Undo or finish what `left` belongs to. Idempotent, so it may itself be killed at any point."""
    path = _object_of(left)
    body, meta = Path(path + BODY_NEXT), Path(path + META_NEXT)
    if left.name.endswith(META_NEXT) and not body.exists():
        meta.replace(path + META)
        return f"finished a put of {path}"
    if left in (body, meta):
        # In this order: a sidecar left alone would read as the second row of the table.
        meta.unlink(missing_ok=True)
        body.unlink(missing_ok=True)
        return f"dropped a put of {path} that was never answered"
    left.unlink()  # MiniStack's own half-written file; the file it was to replace is whole
    return f"dropped the half-written {left}"


def _leftovers(objects: Path) -> Iterator[Path]:
    """Every unfinished file, one of each pair. (MiniStack encodes keys that end in .tmp, so none is an object.)"""
    for directory, _, names in os.walk(objects):
        unfinished = {name for name in names if name.endswith(".tmp")}
        for name in sorted(unfinished):
            pair = _object_of(Path(name)) + BODY_NEXT
            if not (name.endswith(META_NEXT) and pair in unfinished):
                yield Path(directory, name)


def _object_of(left: Path) -> str:
    return str(left).removesuffix(BODY_NEXT).removesuffix(META_NEXT)


def _write(path: str, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
