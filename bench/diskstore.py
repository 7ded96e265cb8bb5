"""A versioned bucket in a directory: what Towline's large tables are measured on.

It is a MemoryStore whose bodies are files. What S3 would do on its own side, it does apart from the client and says so:
ranges are copied from file to file by the kernel, and never come into this process; a copy of a whole version is one
more name of its file, since versions never change. `traffic` tells what went down, went up and was copied, and how long
the store's own copying took; `requests` what S3 would have been asked.

One process uses a directory at a time, and the next one finds what it left. Nothing is synced to the disk, as nothing
is that it is measured beside.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import md5
from pathlib import Path
from threading import Lock
from typing import Any
from zlib import crc32

from towline.ahead import ahead
from towline.errors import UsageError
from towline.memory import MemoryStore
from towline.store import (
    ALWAYS,
    CopyRange,
    FileRange,
    Metadata,
    Part,
    Precondition,
    Stat,
    size_of,
)

AT_ONCE = 2  # parts that are sent side by side


@dataclass
class Traffic:
    """Bytes that a client received and sent, bytes that the store copied within itself, and the seconds of that."""

    down: int = 0
    up: int = 0
    copied: int = 0
    copying: float = 0.0


@dataclass(frozen=True)
class Body:
    """The bytes of one version: a file, of which a slice is read when it is asked for. `tell` is told its length."""

    path: Path
    size: int
    etag: str
    tell: Callable[[int], None]

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, span: slice) -> bytes:
        start, stop, _ = span.indices(self.size)
        self.tell(stop - start)
        with self.path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(stop - start)


class DiskStore(MemoryStore):
    """The bucket in `root`, which is made where there is none. Options as of a MemoryStore."""

    def __init__(self, root: Path, **options: Any) -> None:
        super().__init__(**options)
        self.traffic = Traffic()
        self._root, self._counting = root, Lock()
        root.mkdir(parents=True, exist_ok=True)
        self._index, self._assembled = root / "index.jsonl", root / "assembled"
        self._index.touch()
        self._remember()

    def adopt(self, key: str, path: Path, metadata: Metadata | None = None) -> Stat:
        """Put a file of this machine without a copy of it: it gets one more name, and must not change any more."""
        etag = _md5(f"{path} {path.stat().st_size}".encode()).hex()
        with self._request("put", key):
            return self._write(key, Body(path, path.stat().st_size, etag, self._count), ALWAYS, metadata)

    def forget(self, stat: Stat) -> None:
        """Free the room of a version, which must not be read any more; as S3's lifecycle rules would."""
        body = self._find(stat.key, stat.version)[1]
        body.path.unlink(missing_ok=True)  # type: ignore[attr-defined]

    def path(self, key: str) -> Path:
        """The file of the current version."""
        body = self._find(key, None)[1]
        return body.path  # type: ignore[attr-defined]

    def copy(
        self,
        source: str,
        target: str,
        *,
        version: str | None = None,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
    ) -> Stat:
        stat = super().copy(source, target, version=version, when=when, metadata=metadata)
        self.traffic.copied += stat.size
        return stat

    def assemble(
        self,
        key: str,
        parts: Iterable[Part],
        *,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
    ) -> Stat:
        try:
            return super().assemble(key, parts, when=when, metadata=metadata)
        finally:
            self._assembled.unlink(missing_ok=True)

    def _joined(self, parts: Iterable[Part]) -> tuple[Any, str, int]:
        """Those of a list one by one, so that the seconds of copying are its own; others are sent while the next are
        made, as an S3Store does."""
        with self._assembled.open("wb", buffering=0) as file:
            put = partial(self._put, file.fileno())
            all_of = map if isinstance(parts, Sequence) else partial(ahead, readers=AT_ONCE)
            digests = list(all_of(put, _placed(parts)))
        etag = f"{_md5(b''.join(digests)).hex()}-{len(digests)}"
        return Body(self._assembled, self._assembled.stat().st_size, etag, self._count), etag, len(digests)

    def _put(self, file: int, place: tuple[int, Part]) -> bytes:
        """Put a part into an open file, from a byte on; what stands for its MD5."""
        at, part = place
        return self._copied(file, at, part) if isinstance(part, CopyRange) else self._sent(file, at, part)

    def _sent(self, file: int, at: int, part: Part) -> bytes:
        body = part.read() if isinstance(part, FileRange) else part
        with self._counting:
            self.traffic.up += len(body)
        _write_all(file, at, body)
        return b"%d %d" % (len(body), crc32(body))  # what S3's client reckons; the MD5 of the ETag is S3's own affair

    def _copied(self, file: int, at: int, part: CopyRange) -> bytes:
        stat, body = self._find(part.key, part.version)
        if part.stop > stat.size:
            raise UsageError(f"range {part.start}..{part.stop} ends past {part.key!r}, which has {stat.size} bytes")
        began = time.perf_counter()
        _copy_range(body.path, file, at, part)  # type: ignore[attr-defined]
        self.traffic.copying += time.perf_counter() - began
        self.traffic.copied += part.size
        return _md5(f"{stat.etag} {part.start} {part.stop}".encode())  # reading it again would tell no more

    def _write(
        self, key: str, body: Any, when: Precondition, metadata: Metadata | None, etag: str | None = None
    ) -> Stat:
        return super()._write(key, body, when, metadata, body.etag if isinstance(body, Body) else etag)

    def _append(self, key: str, body: Any, etag: str, metadata: dict[str, str]) -> Stat:
        path = self._file()
        if isinstance(body, Body):
            path.hardlink_to(body.path)
        elif body is not None:
            path.write_bytes(body)
            self.traffic.up += len(body)
        kept = None if body is None else Body(path, len(body), etag, self._count)
        stat = super()._append(key, kept, etag, metadata)  # type: ignore[arg-type]
        line = {"key": key, "size": None if body is None else len(body), "etag": etag, "metadata": metadata}
        with self._index.open("a") as index:
            index.write(json.dumps(line | {"modified": stat.modified.isoformat()}) + "\n")
        return stat

    def _remember(self) -> None:
        """Know what the process before left here."""
        now = self._clock
        for line in self._index.read_text().splitlines():
            at = json.loads(line)
            self._clock = lambda written=at["modified"]: datetime.fromisoformat(written)
            body = None if at["size"] is None else Body(self._file(), at["size"], at["etag"], self._count)
            super()._append(at["key"], body, at["etag"], at["metadata"])  # type: ignore[arg-type]
        self._clock = now

    def _file(self) -> Path:
        """Where the next version lies."""
        return self._root / f"{self._written:08}"

    def _count(self, size: int) -> None:
        with self._counting:
            self.traffic.down += size


def _placed(parts: Iterable[Part]) -> Iterator[tuple[int, Part]]:
    """The parts, each with the byte from which on it lies in the object."""
    at = 0
    for part in parts:
        yield at, part
        at += size_of(part)


def _copy_range(source: Path, target: int, place: int, part: CopyRange) -> None:
    """Put a part's bytes at a place of an open file: the kernel copies them."""
    at = part.start
    with source.open("rb") as file:
        while at < part.stop:
            at += os.copy_file_range(file.fileno(), target, part.stop - at, at, place + at - part.start)


def _write_all(file: int, place: int, body: bytes) -> None:
    left = memoryview(body)
    while left:
        done = os.pwrite(file, left, place)
        place, left = place + done, left[done:]


def _md5(body: bytes) -> bytes:
    return md5(body, usedforsecurity=False).digest()  # as in towline.memory: an ETag protects nothing
