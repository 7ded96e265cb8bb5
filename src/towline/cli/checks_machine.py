"""What `towline doctor` looks at on this machine."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from towline import __version__
from towline.cli.check import FAIL, OK, WARN, Check
from towline.errors import LocalStackError, TowlineError
from towline.local import adapters, disk, editor, stack
from towline.local.ports import listen
from towline.local.stack import DEFAULT_PORT, StackInfo
from towline.settings import stack_dir

OLDEST = (3, 11)
_PACKAGES = ("boto3", "click", "openpyxl", "pandas", "pyarrow", "rich")


def everywhere() -> list[Check]:
    return [_python(), _packages(), _editor_package()]


def local(data_dir: Path | None) -> list[Check]:
    """The local stack: what it needs, and whether it runs."""
    directory = stack_dir(os.environ, data_dir)
    info = stack.status(directory)
    return [_ministack(), _directory(directory), _disk(directory), _stack(directory, info), _port(info), _editor(info)]


def _python() -> Check:
    found = f"Python {sys.version.split()[0]}, Towline {__version__}"
    if sys.version_info[:2] < OLDEST:
        return Check("python", FAIL, found, "install Python 3.11 or newer")
    return Check("python", OK, found)


def _packages() -> Check:
    found = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, there in found.items() if there is None]
    if missing:
        return Check("packages", FAIL, f"missing: {', '.join(missing)}", "run `uv sync`")
    return Check("packages", OK, ", ".join(f"{name} {there}" for name, there in found.items()))


def _editor_package() -> Check:
    there = _version("streamlit")
    if there is None:
        return Check("streamlit", WARN, "not installed", "the editor needs it: run `uv sync --group app`")
    return Check("streamlit", OK, there)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _ministack() -> Check:
    try:
        adapters.check_version()
    except LocalStackError as error:
        return Check("ministack", FAIL, str(error), "run `uv sync --group local`")
    return Check("ministack", OK, adapters.MINISTACK_VERSION)


def _directory(directory: Path) -> Check:
    existing = next(each for each in (directory, *directory.parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        fix = "mend its permissions, or choose another directory with --data-dir"
        return Check("data directory", FAIL, f"{existing} cannot be written", fix)
    new = "" if existing == directory else " (not there yet; `towline up` makes it)"
    return Check("data directory", OK, f"{directory}{new}")


def _disk(directory: Path) -> Check:
    existing = next(each for each in (directory, *directory.parents) if each.exists())
    try:
        room, left = disk.Room.from_environment(os.environ), disk.free(existing)
    except TowlineError as error:
        return Check("free disk", FAIL, str(error), "set TOWLINE_MIN_FREE_MB to a number, or unset it")
    found = f"{left // disk.MB:,} MB left, {room.to_start // disk.MB:,} MB are needed to start"
    if left < room.to_start:
        return Check("free disk", FAIL, found, "free some space, or choose another disk with --data-dir")
    return Check("free disk", OK, found)


def _stack(directory: Path, info: StackInfo | None) -> Check:
    if info is None:
        return Check("stack", FAIL, f"none answers for {directory}", "run `towline up` (--detach for the background)")
    return Check("stack", OK, f"process {info.pid} answers at {info.endpoint}")


def _port(info: StackInfo | None) -> Check:
    if info is not None:
        return Check("port", OK, f"{info.port} is the stack's")
    try:
        listen(DEFAULT_PORT).close()
    except LocalStackError as error:
        return Check(
            "port", FAIL, f"{DEFAULT_PORT} is taken: {error}", "stop that program, or run `towline up --port N`"
        )
    return Check("port", OK, f"{DEFAULT_PORT} is free")


def _editor(info: StackInfo | None) -> Check:
    if info is None or info.editor is None:
        return Check("editor", WARN, "not running", "run `towline up`, if it is wanted")
    if not editor.healthy(int(info.editor.rsplit(":", 1)[1])):
        return Check("editor", FAIL, f"{info.editor} does not answer", "run `towline down`, then `towline up`")
    return Check("editor", OK, info.editor)
