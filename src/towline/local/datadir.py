"""The data directory: everything a local stack keeps, under one roof.

    stack.json      the running stack, for the other commands (settings.py reads it)
    lock            held by the stack's process for its life; editor.lock likewise by the editor
    s3/             the objects: the team's data
    state/          the other services' state, in generations
    logs/  tmp/     tmp is emptied at every start

Deleting the directory, with nothing running, deletes the stack and its data and nothing else.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from towline.errors import LocalStackError
from towline.local import lock
from towline.settings import STACK_FILE

_OTHER_DIRECTORY = "choose another with --data-dir or TOWLINE_DATA_DIR"
_LOG_BYTES = 5_000_000


@dataclass(frozen=True)
class DataDir:
    """A data directory by its root; the paths below need not exist yet."""

    root: Path

    @property
    def stack_file(self) -> Path:
        return self.root / STACK_FILE

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def editor_lock(self) -> Path:
        return self.root / "editor.lock"

    @property
    def objects(self) -> Path:
        return self.root / "s3"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def prepare(self) -> None:
        """Make the directory and what lies in it, private to this user. Raises LocalStackError where it
        cannot be made or written."""
        if self.root.exists() and not self.root.is_dir():
            raise LocalStackError(f"the data directory {self.root} is a file: move it away, or {_OTHER_DIRECTORY}")
        try:
            for directory in (self.root, self.objects, self.state, self.logs, self.tmp):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise LocalStackError(
                f"the data directory {self.root} cannot be written ({error.strerror}): fix its permissions, or "
                f"{_OTHER_DIRECTORY}"
            ) from None

    def empty_tmp(self) -> None:
        """Remove what killed function workers left behind."""
        shutil.rmtree(self.tmp, ignore_errors=True)
        self.tmp.mkdir(mode=0o700, exist_ok=True)

    def log_tail(self, *names: str, lines: int = 12) -> str:
        """The last lines of the named logs, for a message."""
        found: list[str] = []
        for name in names:
            try:
                found += (self.logs / name).read_text(errors="replace").splitlines()[-lines:]
            except OSError:
                continue
        return "\n".join(f"    {line}" for line in found if line.strip())

    def open_log(self, name: str) -> int:
        """A descriptor that appends to a log; one that grew large starts anew, keeping its predecessor."""
        log = self.logs / name
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_name(name + ".1"))
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def in_use(data: DataDir) -> LocalStackError:
    """The error for a data directory that another stack's process holds."""
    pid = (lock.holder(data.lock) or {}).get("pid", "unknown")
    return LocalStackError(
        f"the data directory {data.root} is in use by a local stack (process {pid}): stop it with `towline down "
        f"--data-dir {data.root}`, or {_OTHER_DIRECTORY}"
    )
