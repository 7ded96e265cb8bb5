"""The stack's process: `python -m towline.local.server`, started by stack.py.

It holds the data directory's lock for its life, serves MiniStack on 127.0.0.1, brings the stack up from
inside, reports to whoever started it, and saves the services' state while it runs. Everything before
`_serve` happens before MiniStack is imported, because that import reads the environment and the objects.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import logging.handlers
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from towline.errors import TowlineError
from towline.local import adapters, disk, lock, pairs, state
from towline.local.datadir import DataDir, in_use
from towline.local.guard import Guard
from towline.local.info import StackInfo, towline_version
from towline.local.ports import HOST, listen
from towline.settings import DEFAULT_REGION

if TYPE_CHECKING:
    from towline.local.bringup import Up
    from towline.local.deploy import Plan

log = logging.getLogger("towline.server")

SAVE_EVERY_SECONDS = 5.0
_LOG_BYTES, _LOGS_KEPT = 5_000_000, 2


@dataclass(frozen=True)
class Options:
    data: DataDir
    port: int
    report_fd: int
    template: Path | None
    parameters: dict[str, str]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the stack until SIGTERM or SIGINT. What prevents that is reported, and logged."""
    os.umask(0o077)  # what the stack keeps is this user's own
    options = _options(arguments)
    report = Report(options.report_fd)
    try:
        _run(options, report)
    except TowlineError as error:
        report.send({"error": str(error)})
        log.error("%s", error)
    logging.shutdown()
    os._exit(report.exit_code)  # as above: threads are left behind


def _run(options: Options, report: Report) -> None:
    held = lock.hold(options.data.lock)
    if held is None:
        raise in_use(options.data)
    listener = listen(options.port)
    port: int = listener.getsockname()[1]
    _start_logging(options.data)
    _raise_file_limit()
    _make_ready(options.data, port)
    adapters.install()
    # Not asyncio.run, which waits for worker threads: they may be waiting for a function, or for each other.
    asyncio.new_event_loop().run_until_complete(_serve(options, listener, port, report))


def _make_ready(data: DataDir, port: int) -> None:
    """Everything that must be as it should when MiniStack is imported: files whole, environment complete."""
    data.empty_tmp()
    for line in pairs.recover(data.objects):
        log.warning("%s", line)
    os.environ["GATEWAY_PORT"] = str(port)
    os.environ["STATE_DIR"] = str(state.load_from(data.state, _origin(port)))


async def _serve(options: Options, listener: socket.socket, port: int, report: Report) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app

    saver = state.Saver(options.data.state, _origin(port))
    # MiniStack saves at a clean shutdown. Then too it shall be a generation, and none of a stack half made.
    app.save_all = lambda services: report.ready and saver.save()
    guard = _guard(app.app, options.data)
    stopping = asyncio.Event()
    _stop_on_signals(stopping)
    config = Config()
    config.bind, config.keep_alive_timeout, config.graceful_timeout = [f"fd://{listener.detach()}"], 75, 2
    config.errorlog = None
    life = asyncio.create_task(_live(options, port, report, guard, saver, stopping))
    await serve(cast(Any, guard), config, shutdown_trigger=stopping.wait)
    life.cancel()
    options.data.stack_file.unlink(missing_ok=True)
    await asyncio.to_thread(_end_workers)
    log.info("stopped")


def _stop_on_signals(stopping: asyncio.Event) -> None:
    def stop(name: str) -> None:
        log.info("asked to stop by %s", name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop, number.name)


async def _live(
    options: Options, port: int, report: Report, guard: Guard, saver: state.Saver, stopping: asyncio.Event
) -> None:
    """Bring the stack up, report it, then save the services' state whenever something changed."""
    try:
        up = await asyncio.to_thread(_bring_up, options, port)
        saver.save()
        info = _describe(options, port, up)
        info.write()
        report.send({"ready": info.as_dict()})
        log.info("ready on port %d, with %s", port, options.data.root)
        await _keep_saving(guard, saver)
    except TowlineError as error:
        report.send({"error": str(error)})
        stopping.set()
    except Exception as error:  # a fault of ours must end the process, not leave a stack that is never ready
        log.exception("could not bring the stack up")
        report.send({"error": f"the local stack could not be brought up: {error!r}; see {options.data.logs}/stack.log"})
        stopping.set()


async def _keep_saving(guard: Guard, saver: state.Saver) -> None:
    saved = guard.changes
    while True:
        await asyncio.sleep(SAVE_EVERY_SECONDS)
        seen = guard.changes
        if seen != saved and saver.save():
            saved = seen


def _bring_up(options: Options, port: int) -> Up:
    from towline.local.bringup import bring_up
    from towline.local.deploy import Clients

    return bring_up(Clients(f"http://{HOST}:{port}"), _plan(options), adapters.warm)


def _plan(options: Options) -> Plan:
    from towline.local.deploy import Plan

    if options.template is None:
        plan = Plan.of_project()
        return Plan(plan.template, {**plan.parameters, **options.parameters})
    return Plan(options.template, options.parameters)


def _describe(options: Options, port: int, up: Up) -> StackInfo:
    for warning in up.warnings:
        log.warning("%s", warning)
    return StackInfo(
        endpoint=f"http://{HOST}:{port}",
        bucket=up.bucket,
        region=DEFAULT_REGION,
        data_dir=str(options.data.root),
        pid=os.getpid(),
        port=port,
        version=towline_version(),
        warnings=up.warnings,
    )


def _guard(app: Any, data: DataDir) -> Guard:
    hosts = os.environ.get("TOWLINE_ALLOWED_HOSTS", "").replace(",", " ").split()
    return Guard(
        app,
        health={
            "version": towline_version(),
            "pid": os.getpid(),
            "data_dir": str(data.root),
            "ministack": adapters.MINISTACK_VERSION,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        free=partial(disk.free, data.objects),
        reserve=disk.Room.from_environment(os.environ).to_write,
        allowed_hosts=frozenset(host.lower() for host in hosts),
        log=_request_log(),
    )


def _request_log() -> TextIO | None:
    name = os.environ.get("TOWLINE_REQUEST_LOG")
    return open(name, "a") if name else None  # for the life of the process


class Report:
    """The pipe to whoever started us: one JSON object, `{"ready": ...}` or `{"error": ...}`, then its end."""

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd
        self.exit_code, self.ready = 0, False

    def send(self, message: dict[str, Any]) -> None:
        self.exit_code, self.ready = int("error" in message), "ready" in message
        if self._fd is None:
            return
        try:
            os.write(self._fd, json.dumps(message).encode())
            os.close(self._fd)
        except OSError:  # whoever started us is gone; the stack is not
            log.info("nobody waits for %s", message)
        self._fd = None


def _origin(port: int) -> state.Origin:
    return state.Origin(port, adapters.MINISTACK_VERSION)


def _end_workers() -> None:
    from ministack.core import lambda_runtime

    lambda_runtime.reset()


def _start_logging(data: DataDir) -> None:
    """Before MiniStack's own, which then leaves the handlers alone."""
    handler = logging.handlers.RotatingFileHandler(
        data.logs / "stack.log", maxBytes=_LOG_BYTES, backupCount=_LOGS_KEPT, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("persistence", "botocore", "urllib3", "hypercorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _raise_file_limit() -> None:
    """A burst of connections must not meet the usual soft limit of 1024 open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # macOS reports a limit it does not grant
            log.info("the limit of open files stays at %d", soft)


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="towline.local.server", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--report-fd", type=int, required=True)
    parser.add_argument("--template", type=Path, help="another template than the project's")
    parser.add_argument("--parameters", type=json.loads, default={}, help="template parameters, a JSON object")
    given = parser.parse_args(arguments)
    return Options(DataDir(given.data_dir), given.port, given.report_fd, given.template, given.parameters)


if __name__ == "__main__":
    main(sys.argv[1:])
