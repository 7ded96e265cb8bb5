"""All stores behind one fixture. S3 is a MiniStack of our own, on a free port, killed at the end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

import pytest
from botocore.retries.standard import ExponentialBackoff

from bench.diskstore import DiskStore
from tests.needs import need
from tests.store import store_proxy
from tests.store.store_proxy import Proxy
from towline.aws import connect
from towline.aws.s3 import S3Store
from towline.errors import Contended, OutcomeUnknown, Unavailable
from towline.memory import MemoryStore
from towline.store import ObjectStore


@pytest.fixture(autouse=True)
def _aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    _set_environment(monkeypatch)
    # botocore waits up to a second before it tries again; the tests are about what it does then.
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)


def _set_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running MiniStack."""
    need(find_spec("ministack"), "ministack is not installed: uv sync --group local")
    port, home = free_port(), tmp_path_factory.mktemp("ministack")
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=_stack_environment(port, home), stdout=log, stderr=log
        )
    try:
        yield _ready(f"http://127.0.0.1:{port}", process, home / "log")
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _stack_environment(port: int, home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    stack = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "SERVICES": "s3",
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "TMPDIR": str(home),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{home}/no-docker",
    }
    return kept | stack


def _ready(url: str, process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(300):
        try:
            urlopen(f"{url}/_ministack/health", timeout=1).close()
            return url
        except (URLError, OSError):
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError(f"MiniStack did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def s3_client(s3_url: str) -> Any:
    with pytest.MonkeyPatch.context() as monkeypatch:
        _set_environment(monkeypatch)
        client = connect("s3", s3_url)
        client.list_buckets()  # resolves the credentials while the environment is ours
    return client


@pytest.fixture
def bucket(s3_client: Any) -> str:
    """A fresh, versioned bucket."""
    name = f"towline-{uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=name)
    s3_client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


MakeStore = Callable[..., ObjectStore]


@pytest.fixture(params=["memory", "disk", "s3"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Makes an empty store; takes `page_size`."""
    if request.param == "memory":
        return MemoryStore
    if request.param == "disk":
        return partial(DiskStore, tmp_path / "bucket")
    client, name = request.getfixturevalue("s3_client"), request.getfixturevalue("bucket")
    return lambda **options: S3Store(client, name, **options)


@pytest.fixture
def store(make_store: MakeStore) -> ObjectStore:
    return make_store()


@pytest.fixture
def s3_store(s3_client: Any, bucket: str) -> S3Store:
    return S3Store(s3_client, bucket)


@pytest.fixture
def proxy(s3_url: str) -> Iterator[Proxy]:
    proxy = Proxy(s3_url)
    yield proxy
    proxy.close()


@dataclass
class MemoryTrouble:
    """A memory store whose next puts go wrong."""

    store: MemoryStore = field(default_factory=MemoryStore)

    def contend(self) -> None:
        self._raise("before", Contended("409"))

    def lose_answers(self) -> None:
        self._raise("after", OutcomeUnknown("no answer"))

    def disconnect(self) -> None:
        self._raise("before", Unavailable("refused"))

    def recover(self) -> None:
        self.store.faults = None

    def _raise(self, phase: str, error: Exception) -> None:
        def fault(operation: str, key: str, at: str) -> None:
            if (operation, at) == ("put", phase):
                raise error

        self.store.faults = fault


@dataclass
class S3Trouble:
    """The same behind a proxy. `recover` goes around it."""

    proxy: Proxy
    client: Any
    bucket: str

    def __post_init__(self) -> None:
        self.store = S3Store(connect("s3", self.proxy.url), self.bucket)

    def contend(self) -> None:
        self.proxy.misbehave("PUT", store_proxy.answer(409, "ConditionalRequestConflict"))

    def lose_answers(self) -> None:
        self.proxy.misbehave("PUT", store_proxy.lose, times=99)

    def disconnect(self) -> None:
        self.proxy.close()

    def recover(self) -> None:
        self.store = S3Store(self.client, self.bucket)


@pytest.fixture(params=["memory", "s3"])
def trouble(request: pytest.FixtureRequest) -> MemoryTrouble | S3Trouble:
    if request.param == "memory":
        return MemoryTrouble()
    return request.getfixturevalue("s3_trouble")


@pytest.fixture
def s3_trouble(proxy: Proxy, s3_client: Any, bucket: str) -> S3Trouble:
    return S3Trouble(proxy, s3_client, bucket)
