"""The door of the stack lets this machine's programs in, and nobody's web pages."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_stack import BUCKET, SMALL, client, running
from tests.needs import need
from towline.local import disk
from towline.local.guard import HEALTH, Guard
from towline.local.stack import StackInfo
from towline.settings import Settings

MB = 1_000_000
SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260301/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


async def inner(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


class Door:
    """A guard around an application that always says "inside"."""

    def __init__(self, free: int = 1000 * MB, **more: Any) -> None:
        self.log = io.StringIO()
        health = {"version": "1", "pid": 7, "data_dir": "/d"}
        self.guard = Guard(inner, health, lambda: free, reserve=100 * MB, log=self.log, **more)

    def __call__(self, method: str, path: str, query: str = "", **headers: str | None) -> tuple[int, bytes]:
        named = {"host": "127.0.0.1:4566", **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items() if value is not None],
        }
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.guard(scope, None, send))  # type: ignore[arg-type]
        return sent[0]["status"], sent[1]["body"]


LOCAL = ["127.0.0.1:4566", "localhost:4566", "towline.localhost:4566", "[::1]:4566", "127.0.0.1", "LOCALHOST"]
FOREIGN = ["evil.example", "evil.example:4566", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.7:4566", "", None]


@pytest.mark.parametrize("host", LOCAL)
def test_names_of_this_machine_are_let_in(host: str) -> None:
    assert Door()("GET", "/towline/key", host=host) == (200, b"inside")


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_refused_whatever_they_resolve_to(host: str | None) -> None:
    status, body = Door()("GET", "/towline/key", host=host)
    assert status == 403
    assert b"TOWLINE_ALLOWED_HOSTS" in body


def test_listed_names_are_let_in() -> None:
    door = Door(allowed_hosts=frozenset({"host.docker.internal"}))
    assert door("GET", "/towline/key", host="host.docker.internal:4566")[0] == 200
    assert door("GET", "/towline/key", host="evil.example")[0] == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example:8501"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "OPTIONS"])
def test_web_pages_of_others_are_refused(method: str, origin: str) -> None:
    assert Door()(method, "/towline/key", origin=origin)[0] == 403


def test_pages_of_this_machine_are_let_in() -> None:
    assert Door()("GET", "/towline/key", origin="http://127.0.0.1:8501")[0] == 200


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config", "/_localstack/anything"])
def test_nobody_resets_or_reconfigures_the_stack(path: str) -> None:
    assert Door()("POST", path)[0] == 403
    assert Door()("GET", "/_ministack/health") == (200, b"inside")


def test_websockets_are_not_passed_on() -> None:
    asyncio.run(Door().guard({"type": "websocket"}, None, None))  # type: ignore[arg-type]


def test_health_says_whose_stack_it_is() -> None:
    status, body = Door()("GET", HEALTH)
    assert (status, json.loads(body)) == (200, {"version": "1", "pid": 7, "data_dir": "/d"})


class TestOnAFullDisk:
    @pytest.mark.parametrize("service", ["s3", None])
    @pytest.mark.parametrize("method", ["PUT", "POST"])
    def test_objects_are_not_written(self, method: str, service: str | None) -> None:
        signature = SIGNED.format(service) if service else None
        status, body = Door(free=99 * MB)(method, "/towline/key", authorization=signature)
        assert status == 507
        assert b"<Code>InsufficientStorage</Code>" in body
        assert b"less than 100 MB" in body

    def test_presigned_puts_are_not_written_either(self) -> None:
        query = "X-Amz-Credential=test%2F20260301%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0"
        assert Door(free=99 * MB)("PUT", "/towline/key", query)[0] == 507

    @pytest.mark.parametrize("length", ["content_length", "x_amz_decoded_content_length"])
    def test_an_object_that_would_fill_it_is_not_written(self, length: str) -> None:
        assert Door(free=150 * MB)("PUT", "/towline/key", **{length: str(60 * MB)})[0] == 507
        assert Door(free=150 * MB)("PUT", "/towline/key", **{length: str(40 * MB)})[0] == 200

    def test_everything_else_goes_on(self) -> None:
        door = Door(free=0)
        assert door("GET", "/towline/key")[0] == 200
        assert door("DELETE", "/towline/key")[0] == 200
        assert door("POST", "/", authorization=SIGNED.format("sqs"))[0] == 200


def test_every_request_is_one_line_in_the_log() -> None:
    door = Door(free=0)
    door("GET", HEALTH)
    door("GET", "/towline/a%20b", "versionId=1", authorization=SIGNED.format("s3"))
    door("PUT", "/towline/c")
    lines = [line.split(" ") for line in door.log.getvalue().splitlines()]
    assert [line[1:] for line in lines] == [
        ["GET", "/towline/a%20b?versionId=1", "200", "s3"],
        ["PUT", "/towline/c", "507", "-"],
    ]


def test_what_may_have_changed_something_is_counted() -> None:
    door = Door()
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        door(method, "/towline/key")
    assert door.guard.changes == 3


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """A stack that counts its requests and refuses to write when a gigabyte more is taken."""
    place = tmp_path_factory.mktemp("guarded")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TOWLINE_REQUEST_LOG", str(place / "requests"))
        patched.setenv("TOWLINE_MIN_FREE_MB", str(max(100, disk.free(place) // MB - 1000)))
        with running(place / "data") as info:
            yield info


def status_of(info: StackInfo, method: str, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", info.port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_running_stack_is_guarded(small: StackInfo) -> None:
    assert status_of(small, "GET", "/towline", Host="evil.example") == 403
    assert status_of(small, "POST", "/_ministack/reset", Origin="https://evil.example") == 403
    assert status_of(small, "POST", "/_ministack/reset") == 403
    assert status_of(small, "GET", HEALTH) == 200
    assert client(small, "s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] > 0


def test_a_running_stack_counts_its_requests(small: StackInfo) -> None:
    log = Path(small.data_dir).parent / "requests"
    before = log.read_text().splitlines()
    client(small, "s3").put_object(Bucket=BUCKET, Key="a b", Body=b"x")
    (line,) = log.read_text().splitlines()[len(before) :]
    assert line.split()[1:] == ["PUT", "/towline/a%20b", "200", "s3"]


def test_a_running_stack_refuses_to_write_on_a_full_disk(small: StackInfo) -> None:
    place = Path(small.data_dir)
    need(hasattr(os, "posix_fallocate") and disk.free(place) > 3000 * MB, "needs Linux and 3 GB of free disk")
    s3 = client(small, "s3")
    s3.put_object(Bucket=BUCKET, Key="room", Body=b"there is")
    ballast = place / "ballast"
    try:
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 2000 * MB)
        with pytest.raises(ClientError, match=r"\(InsufficientStorage\)") as refused:
            s3.put_object(Bucket=BUCKET, Key="none", Body=b"there is not")
    finally:
        ballast.unlink()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 507
    assert s3.get_object(Bucket=BUCKET, Key="room")["Body"].read() == b"there is"
    s3.put_object(Bucket=BUCKET, Key="again", Body=b"there is")
    assert "none" not in [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


def test_settings_of_the_stack_export_its_address(small: StackInfo) -> None:
    exported = Settings.resolve({}, Path(small.data_dir)).exports()
    assert Settings.resolve(exported).endpoint_url == small.endpoint
    assert SMALL.parameters["BucketName"] == exported["S3_BUCKET"]
