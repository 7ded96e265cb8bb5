"""Kills a put at every step it takes on the disk, and tells what is there afterwards.

`python crash_points.py DIR`, run by test_pairs.py: for every step (before a file is opened, with half of it
written, before a rename) one child process is killed there, and another recovers, loads the disk as a start
does, and asks S3. Prints a JSON list. MiniStack's S3 and our adapters, no network.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(sys.argv[1])
os.environ.update(S3_PERSIST="1", S3_DATA_DIR=str(ROOT / "none"), PERSIST_STATE="0", LOG_LEVEL="ERROR")

from towline.local import adapters, pairs  # noqa: E402 - MiniStack reads the environment when it is imported

adapters.install()

from ministack.services import s3  # noqa: E402

KEY, OBJECT = "data/t/master.parquet", "/towline/data/t/master.parquet"
VERSIONED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
KILLED = 9


def call(method: str, path: str, headers: Any = None, body: bytes = b"", query: Any = None) -> Any:
    answer = asyncio.run(s3.handle_request(method, path, headers or {}, body, query or {}))
    assert answer[0] < 300 or method == "GET", answer
    return answer


def put(body: bytes, commit: str) -> str:
    version: str = call("PUT", OBJECT, {"x-amz-meta-commit": commit}, body)[1]["x-amz-version-id"]
    return version


def get(version: str | None = None) -> list[Any]:
    status, headers, body = call("GET", OBJECT, query={"versionId": [version]} if version else {})
    found = body.decode() if status == 200 else None
    return [status, found, *map(headers.get, ("x-amz-meta-commit", "x-amz-version-id", "ETag"))]


def die_at(step: int) -> None:
    """From here on, the process ends at its `step`-th step on the disk."""
    left, real_open, real_replace = [step], os.open, os.replace

    def tick() -> None:
        left[0] -= 1
        if not left[0]:
            os._exit(KILLED)

    class HalfFile:
        """What os.fdopen gives, except that one can die in the middle of its write."""

        def __init__(self, fd: int, mode: str) -> None:
            self.fd = fd

        def __enter__(self) -> HalfFile:
            return self

        def __exit__(self, *_: object) -> None:
            os.close(self.fd)

        def write(self, data: str | bytes) -> None:
            data = data.encode() if isinstance(data, str) else data
            os.write(self.fd, data[: len(data) // 2])
            tick()
            os.write(self.fd, data[len(data) // 2 :])

    def opening(path: Any, flags: int, *more: Any) -> int:
        if flags & os.O_CREAT:
            tick()
        return real_open(path, flags, *more)

    def replacing(source: Any, target: Any) -> None:
        tick()
        real_replace(source, target)

    os.open, os.replace, os.fdopen = opening, replacing, HalfFile  # type: ignore[assignment]


def in_child(work: Callable[[], None]) -> int:
    """Do `work` in a process of its own; its exit code."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def write_and_die(before: int, step: int) -> None:
    call("PUT", "/towline")
    call("PUT", "/towline", {}, VERSIONED, {"versioning": [""]})
    answered = [put(b"body %d" % number, f"commit {number}") for number in range(before)]
    (ROOT / "answered").write_text(json.dumps(answered))
    die_at(step)
    put(b"the body that comes last", "last")


def recover_and_look() -> None:
    healed = pairs.recover(Path(s3.DATA_DIR))
    s3._load_persisted_data()
    s3._buckets.setdefault("towline", {"created": "", "objects": {}, "region": "us-east-1"})
    s3._bucket_versioning["towline"] = "Enabled"
    ids = json.loads((ROOT / "answered").read_text())
    found = {
        "healed": healed,
        "now": get(),
        "ids": ids,
        "answered": [get(version) for version in ids],
        "versions": [version["version_id"] for version in s3._object_versions.get(("towline", KEY), [])],
        "left": [str(path) for path in Path(s3.DATA_DIR).rglob("*.tmp")],
        "next": put(b"and on", "next"),
    }
    (ROOT / "found").write_text(json.dumps(found))


def crash(before: int, step: int) -> dict[str, Any]:
    """`before` puts that were answered, then one that is killed at its `step`-th step."""
    s3.DATA_DIR = str(ROOT / f"{before}-{step}")
    killed = in_child(lambda: write_and_die(before, step))
    assert killed in (0, KILLED), killed
    assert in_child(recover_and_look) == 0
    found: dict[str, Any] = json.loads((ROOT / "found").read_text())
    return {"before": before, "step": step, "killed": killed == KILLED, **found}


def main() -> None:
    crashes = []
    for before in (0, 1, 2):
        step, killed = 0, True
        while killed:
            step += 1
            crashes.append(crash(before, step))
            killed = crashes[-1]["killed"]
    print(json.dumps(crashes))


if __name__ == "__main__":
    main()
