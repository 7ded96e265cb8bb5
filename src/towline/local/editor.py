"""The editor's process: Streamlit on 127.0.0.1 (`app/serve.py`), beside the stack but not part of it.

It outlives a stack that was killed, because the edits that a researcher has not submitted live in it; started
again on the same port, the stack finds it and leaves it alone. It holds `editor.lock` for its life, through
a descriptor it inherits, so nothing is ever killed on the word of an old process id.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from towline import resources
from towline.errors import LocalStackError
from towline.local import lock
from towline.local.datadir import DataDir
from towline.local.ports import HOST, listen

FIRST_PORT, PORTS_TRIED = 8501, 20
_START_SECONDS, _STOP_SECONDS = 60.0, 5.0
_LOG = "editor.log"

# Kept so that a process we started is reaped by us, and not reported as forgotten.
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Editor:
    """A running editor. `endpoint` is the S3 it works on."""

    pid: int
    port: int
    endpoint: str

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


def start(data: DataDir, env: Mapping[str, str], *, port: int | None, script: Path | None = None) -> Editor:
    """Start the editor with the environment `env` (which names the bucket) and wait until it answers.

    One that runs already on the same endpoint is kept. `port` None takes the first free one from 8501 on.
    Raises LocalStackError when the port is taken or the editor does not come up.
    """
    endpoint, standing = env["AWS_ENDPOINT_URL"], running(data)
    if standing is not None and standing.endpoint == endpoint and port in (None, standing.port):
        return standing
    stop(data)
    page = script or resources.path("app", "main.py")
    chosen = _free_port() if port is None else _checked_port(port)
    process = _launch(data, page, chosen, env)
    _wait_healthy(data, process, chosen)
    return Editor(process.pid, chosen, endpoint)


def running(data: DataDir) -> Editor | None:
    """The editor of this data directory; None without one."""
    note = lock.holder(data.editor_lock) or {}
    try:
        return Editor(int(note["pid"]), int(note["port"]), str(note["endpoint"]))
    except (KeyError, TypeError, ValueError):
        return None


def healthy(port: int) -> bool:
    """Whether a Streamlit answers on the port."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def stop(data: DataDir) -> bool:
    """End the editor: asked first, then killed. False when there was none."""
    editor = running(data)
    if editor is None:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(editor.pid, number)
        if lock.wait_until_free(data.editor_lock, _STOP_SECONDS):
            break
    return True


def _launch(data: DataDir, page: Path, port: int, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    held = lock.hold(data.editor_lock)
    if held is None:
        raise LocalStackError(f"another `towline up` is starting the editor of {data.root}: wait for it")
    log = data.open_log(_LOG)
    try:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, and a page of the checkout
            command(page, port),
            cwd=page.parents[1],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(held,),
            start_new_session=True,
        )
        lock.write_note(held, {"pid": process.pid, "port": port, "endpoint": env["AWS_ENDPOINT_URL"]})
    finally:
        os.close(held)  # the editor's copy holds the lock from here on
        os.close(log)
    _started.append(process)
    return process


def command(page: Path, port: int) -> list[str]:
    """The command that serves the editor's page to this machine alone; to be run in the checkout."""
    options = {
        "server.address": HOST,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": HOST,
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "app.serve", "run", str(page), *flags]


def _wait_healthy(data: DataDir, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if healthy(port):
            return
        time.sleep(0.05)
    stop(data)
    raise LocalStackError(
        f"the editor did not come up on port {port}; the end of {data.logs / _LOG}:\n{data.log_tail(_LOG)}\n"
        "(`towline up --no-app` starts the stack without it)"
    )


def _free_port() -> int:
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        with suppress(LocalStackError):
            return _checked_port(port)
    raise LocalStackError(
        f"no port from {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} is free for the editor: choose one with "
        "--editor-port N, or start without the editor: --no-app"
    )


def _checked_port(port: int) -> int:
    with listen(port, option="--editor-port") as free:
        return int(free.getsockname()[1])
