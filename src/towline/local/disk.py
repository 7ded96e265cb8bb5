"""How much room the disk must have.

MiniStack answers 200 to a write that the disk had no room for and keeps the object in memory, where a
restart loses it. So room is checked first: before the stack starts, and before every object write.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from towline.errors import LocalStackError, UsageError

MB = 1_000_000
WRITE_FREE_MB = 100
# Starting needs more than writing, so that a stack that starts can also be used.
START_MARGIN_MB = 400


@dataclass(frozen=True)
class Room:
    """The free space (bytes) below which the stack does not start, or refuses object writes."""

    to_start: int
    to_write: int

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Room:
        """TOWLINE_MIN_FREE_MB, in MB (default 100), is what writes leave free; starting needs 400 MB more."""
        given = env.get("TOWLINE_MIN_FREE_MB") or str(WRITE_FREE_MB)
        if not given.isdecimal():
            raise UsageError(f"TOWLINE_MIN_FREE_MB is {given!r}; it must be a number of megabytes, such as 100")
        return cls(to_start=(int(given) + START_MARGIN_MB) * MB, to_write=int(given) * MB)


def free(path: Path) -> int:
    """Bytes that this user can still write on the disk of `path`."""
    return shutil.disk_usage(path).free


def check_start(path: Path, env: Mapping[str, str] | None = None) -> None:
    """Raise LocalStackError when the disk of `path` is too full to start on."""
    room, left = Room.from_environment(os.environ if env is None else env), free(path)
    if left < room.to_start:
        raise LocalStackError(
            f"the disk of {path} has {left // MB} MB left and the local stack needs {room.to_start // MB} MB: free "
            "some space, or choose another disk with --data-dir or TOWLINE_DATA_DIR"
        )
