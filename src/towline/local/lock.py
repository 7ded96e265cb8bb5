"""A file lock that says who holds it.

The lock is the kernel's (flock): it lives exactly as long as some process has the file open, so a holder
that was killed leaves nothing to clean up, and a recycled process id is never mistaken for the holder.
The file's content is the holder's note, a JSON object with at least `pid`.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# A probe (`holder`) takes the lock for microseconds; whoever wants it for life tries again after that.
_TRIES, _PAUSE = 10, 0.02


def hold(path: Path, note: Mapping[str, Any] | None = None) -> int | None:
    """Take the lock and return the file descriptor that holds it, or None where someone else does.

    The descriptor is not inherited by child processes unless it is passed to them by name.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if not _try(fd, fcntl.LOCK_EX):
        os.close(fd)
        return None
    write_note(fd, note or {"pid": os.getpid()})
    return fd


def write_note(fd: int, note: Mapping[str, Any]) -> None:
    """Replace the holder's note."""
    body = json.dumps(note).encode()
    os.ftruncate(fd, 0)
    os.pwrite(fd, body, 0)


def holder(path: Path) -> dict[str, Any] | None:
    """The note of whoever holds the lock (empty if there is none to read); None when it is free."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        for _ in range(_TRIES):
            if _try_once(fd, fcntl.LOCK_SH):
                return None
            if note := _note(fd):
                return note
            time.sleep(_PAUSE)  # caught between taking the lock and writing the note
        return {}
    finally:
        os.close(fd)


def wait_until_free(path: Path, seconds: float) -> bool:
    """Wait for the holder to be gone; False when it still holds the lock after `seconds`."""
    deadline = time.monotonic() + seconds
    while holder(path) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _try(fd: int, mode: int) -> bool:
    for _ in range(_TRIES):
        if _try_once(fd, mode):
            return True
        time.sleep(_PAUSE)
    return False


def _try_once(fd: int, mode: int) -> bool:
    try:
        fcntl.flock(fd, mode | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _note(fd: int) -> dict[str, Any]:
    try:
        note = json.loads(os.pread(fd, 65536, 0))
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}
