"""Start, stop and look at the local stack of a data directory: what `towline up` and `towline down` call.

The stack is one process (server.py), started here and left to itself; the editor is another (editor.py). The
kernel's locks in the data directory say what runs, whatever was killed in between.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from towline import settings
from towline.errors import LocalStackError
from towline.local import adapters, disk, editor, lock
from towline.local.datadir import DataDir, in_use
from towline.local.environment import server_environment
from towline.local.guard import HEALTH
from towline.local.info import StackInfo
from towline.local.ports import HOST

__all__ = ["DEFAULT_PORT", "StackInfo", "Start", "hold", "start", "status", "stop"]

DEFAULT_PORT = 4566
_START_SECONDS, _STOP_SECONDS = 90.0, 15.0
_OUT, _LOG = "stack.out", "stack.log"

# Kept so that a process we started is reaped by us, and not reported as forgotten.
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Start:
    """How to start a stack, beyond where. `port` 0 takes a free one; `editor_port` None the first free from
    8501 on. `template` and `parameters` (added to those of config/local.env) are for tests; `remember`
    notes the data directory, so that commands which are told none find this stack."""

    port: int = DEFAULT_PORT
    auth: bool = False
    app: bool = True
    editor_port: int | None = None
    editor_script: Path | None = None
    template: Path | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    remember: bool = False


def start(data_dir: Path, how: Start | None = None, *, detach: bool = True) -> StackInfo:
    """Start a stack in `data_dir` and return when it is ready: deployed, warmed, reconciled, editor answering.

    One that runs already is returned as it is when `detach`ed (with the editor, if that was asked for and is
    missing), and is an error otherwise, because this caller could not hold it. Raises LocalStackError.
    """
    data, how = _data(data_dir), how or Start()
    adapters.check_version()
    data.prepare()
    info = _standing(data) if detach else None
    if info is None:
        info = _launch(data, how)
    if how.app:
        info = _with_editor(data, info, how)
    if how.remember:
        _remember(data)
    return info


def status(data_dir: Path) -> StackInfo | None:
    """The stack of `data_dir` if it runs, answers and is ours; else None."""
    return _standing(_data(data_dir))


def stop(data_dir: Path) -> bool:
    """End the editor and the stack, which saves its state first. False when neither ran.

    Both are asked (SIGTERM) and, where they do not heed that for some seconds, killed.
    """
    data = _data(data_dir)
    had_editor, had_stack = editor.stop(data), _stop_stack(data)
    data.stack_file.unlink(missing_ok=True)
    _forget(data)
    return had_editor or had_stack


def hold(info: StackInfo) -> None:
    """Stay until the stack ends, or stop it on Ctrl-C, SIGTERM or a closed terminal: the foreground of `up`.

    Raises LocalStackError when the stack ends by itself.
    """
    data = DataDir(Path(info.data_dir))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        while lock.holder(data.lock) is not None:
            time.sleep(0.3)
    except KeyboardInterrupt:
        stop(data.root)
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if data.stack_file.exists():  # neither `towline down` nor a signal ended it: those remove the file
        raise LocalStackError(
            "the local stack ended by itself; `towline up` starts it again, and an editor that runs keeps its edits. "
            f"The end of its log:\n{data.log_tail(_OUT, _LOG)}"
        )


def _data(data_dir: Path) -> DataDir:
    """By one name, whatever path led there: the stack answers with it when asked whose it is."""
    return DataDir(data_dir.expanduser().resolve())


def _launch(data: DataDir, how: Start) -> StackInfo:
    """Start the stack's process and wait for its report."""
    if lock.holder(data.lock) is not None:
        raise in_use(data)
    disk.check_start(data.root)
    ours, theirs = os.pipe()
    out = data.open_log(_OUT)
    try:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, and a module of ours
            _command(data, how, theirs),
            cwd=data.root,
            env=server_environment(data, os.environ, auth=how.auth),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            pass_fds=(theirs,),
            start_new_session=True,  # Ctrl-C in this terminal is for us to pass on
        )
    finally:
        os.close(theirs)
        os.close(out)
    _started.append(process)
    try:
        return _read_report(data, process, ours)
    except BaseException:  # Ctrl-C too: nobody would know of the stack
        _end(process)
        raise
    finally:
        os.close(ours)


def _command(data: DataDir, how: Start, report_fd: int) -> list[str]:
    command = [sys.executable, "-m", "towline.local.server", "--data-dir", str(data.root), "--port", str(how.port)]
    command += ["--report-fd", str(report_fd), "--parameters", json.dumps(dict(how.parameters))]
    return command + (["--template", str(how.template)] if how.template else [])


def _read_report(data: DataDir, process: subprocess.Popen[bytes], fd: int) -> StackInfo:
    ready, _, _ = select.select([fd], [], [], _START_SECONDS)
    message: dict[str, Any] = json.loads(_read_all(fd) or b"{}") if ready else {}
    if "ready" in message:
        return StackInfo.from_dict(message["ready"])
    if "error" in message:
        raise LocalStackError(message["error"])
    what = "died during its start" if ready else f"was not ready within {_START_SECONDS:.0f} s"
    raise LocalStackError(f"the local stack {what}; the end of its log ({data.logs}):\n{data.log_tail(_OUT, _LOG)}")


def _read_all(fd: int) -> bytes:
    parts = []
    while part := os.read(fd, 65536):
        parts.append(part)
    return b"".join(parts)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process: asked first, then killed."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _standing(data: DataDir) -> StackInfo | None:
    if lock.holder(data.lock) is None:
        return None
    info = StackInfo.read(data.root)
    if info is None or _health(info.port).get("data_dir") != str(data.root):
        return None
    return _note_editor(info, editor.running(data))


def _health(port: int) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{HEALTH}", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except (OSError, ValueError):
        return {}


def _with_editor(data: DataDir, info: StackInfo, how: Start) -> StackInfo:
    env = {name: value for name, value in os.environ.items() if name != "AWS_PROFILE"}
    env |= {**stack_settings(info).exports(), "TOWLINE_DATA_DIR": info.data_dir}
    found = editor.start(data, env, port=how.editor_port, script=how.editor_script)
    info = _note_editor(info, found)
    info.write()
    return info


def stack_settings(info: StackInfo) -> settings.Settings:
    """The settings of whoever works on this stack."""
    return settings.Settings.resolve({}, Path(info.data_dir))


def _note_editor(info: StackInfo, found: editor.Editor | None) -> StackInfo:
    return replace(info, editor=found.url if found else None, editor_pid=found.pid if found else None)


def _stop_stack(data: DataDir) -> bool:
    pid = (lock.holder(data.lock) or {}).get("pid")
    if pid is None:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(int(pid), number)
        if lock.wait_until_free(data.lock, _STOP_SECONDS):
            return True
    raise LocalStackError(f"the local stack of {data.root} (process {pid}) does not end, not even when killed")


def _remember(data: DataDir) -> None:
    file = settings.current_stack_file()
    with suppress(OSError):  # a convenience: --data-dir and TOWLINE_DATA_DIR work without it
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(data.root))


def _forget(data: DataDir) -> None:
    file = settings.current_stack_file()
    with suppress(OSError):
        if file.read_text().strip() == str(data.root):
            file.unlink()
