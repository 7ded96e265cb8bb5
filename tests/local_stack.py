"""Real local stacks for tests, and what one needs to look at them. conftest.py re-exports the fixture `stack`.

Whoever needs a stack of their own takes `running(tmp_path)`: about two seconds, ended and checked at the end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.needs import need
from towline.local import lock, stack
from towline.local.datadir import DataDir
from towline.local.deploy import Clients
from towline.local.stack import StackInfo, Start

BUCKET = "towline"
PROJECT = Start(port=0, app=False)
# A bucket that notifies a queue, a function that copies inbox/ to echo/, one to reconcile with.
SMALL = Start(
    port=0,
    app=False,
    template=Path(__file__).parent / "local" / "project" / "template.yaml",
    parameters={"BucketName": BUCKET},
)

T = TypeVar("T")


@pytest.fixture(scope="session", name="stack")
def project_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """The project's own template on a free port, without the editor, for the whole session."""
    with running(tmp_path_factory.mktemp("stack"), PROJECT) as info:
        yield info


@contextmanager
def running(data_dir: Path, how: Start = SMALL) -> Iterator[StackInfo]:
    """A stack in `data_dir` for as long as the block lasts; afterwards nothing of it runs."""
    need(find_spec("ministack"), "MiniStack is not installed (uv sync --group local)")
    try:
        yield stack.start(data_dir, how)
    finally:
        stack.stop(data_dir)
        eventually(lambda: not processes(data_dir))  # a killed stack's workers notice within moments


def again(info: StackInfo, how: Start = SMALL) -> Start:
    """`how`, on the port that a stack had: saved state is bound to it."""
    return replace(how, port=info.port)


def kill(info: StackInfo) -> None:
    """kill -9, and wait until the kernel has cleared up."""
    os.kill(info.pid, signal.SIGKILL)
    assert lock.wait_until_free(DataDir(Path(info.data_dir)).lock, 10)


def kill_workers(info: StackInfo) -> int:
    """kill -9 of the processes in which the functions run; how many there were."""
    listed = subprocess.run(["ps", "-Ao", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    workers = [int(pid) for pid, parent in map(str.split, listed.splitlines()) if int(parent) == info.pid]
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    return len(workers)


def client(info: StackInfo, service: str) -> Any:
    """A boto3 client with the stack's root credentials."""
    return _client(info.endpoint, service)


@cache
def _client(endpoint: str, service: str) -> Any:
    return Clients(endpoint)(service)


def outputs(info: StackInfo) -> dict[str, str]:
    """The outputs of the deployed template."""
    described = client(info, "cloudformation").describe_stacks(StackName="towline")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def invoke(info: StackInfo, output: str, event: object) -> Any:
    """Invoke the function named by an output of the template; its payload as Python values."""
    answer = client(info, "lambda").invoke(FunctionName=outputs(info)[output], Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read())


def eventually(look: Callable[[], T | None], seconds: float = 20, pause: float = 0.02) -> T:
    """The first truthy thing that `look` returns; a failure when there is none in time. `pause`: seconds between two
    looks, which are work for the stack."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(pause)
    raise AssertionError(f"nothing within {seconds} s")


def processes(data_dir: Path) -> list[str]:
    """The command lines of all processes that name the data directory (the stack, its function workers)."""
    listed = subprocess.run(["ps", "-wwAo", "stat=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(data_dir) in line and not line.startswith("Z")]
