"""Ranges of objects, read from the disk as ranges.

Stock reads a whole object to answer with a slice of it, and answers a range of a named version with all of it. A master
of some hundred megabytes is read by its footer and a page here and there, so both would make the local stack what S3 is
not: slow, where the editor asks for little.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

_SLICED: ContextVar[bool] = ContextVar("sliced", default=False)  # whether the request under way asks for a range
_Answer = tuple[int, dict[str, str], Any]


class DiskBody:
    """A body on disk, of which the slices are read that are asked for."""

    def __init__(self, path: str) -> None:
        self._path, self._size = path, os.path.getsize(path)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._size)
        with open(self._path, "rb") as file:
            file.seek(start)
            return file.read(max(0, stop - start))


def install() -> None:
    from ministack.services import s3

    _read_slices(s3)
    s3._get_object = _getting(s3, s3._get_object)
    s3._upload_part_copy = _copying(s3._upload_part_copy)


def _read_slices(s3: Any) -> None:
    read, read_version = s3._read_body, s3._version_body

    def body(bucket: str, key: str, obj: dict[str, Any]) -> Any:
        path = s3._object_disk_path(bucket, key) if _SLICED.get() and s3.S3_PERSIST else None
        is_there = obj.get("body") is None and path is not None and os.path.exists(path)
        return DiskBody(str(path)) if is_there else read(bucket, key, obj)

    def version_body(bucket: dict[str, Any], name: str, key: str, version: dict[str, Any]) -> Any:
        is_on_disk = version.get("data") is None and s3.S3_PERSIST
        if _SLICED.get() and is_on_disk and s3._version_file_exists(name, key, version["version_id"]):
            return DiskBody(s3._version_disk_path(name, key, version["version_id"]))
        return read_version(bucket, name, key, version)

    s3._read_body, s3._version_body = body, version_body


def _getting(s3: Any, stock: Callable[..., _Answer]) -> Callable[..., _Answer]:
    def get(bucket_name: str, key: str, headers: dict[str, str], query_params: Any = None) -> _Answer:
        wanted = headers.get("range", "")
        if not wanted:
            return stock(bucket_name, key, headers, query_params)
        token = _SLICED.set(True)
        try:
            status, answer, body = stock(bucket_name, key, headers, query_params)
        finally:
            _SLICED.reset(token)
        return (status, answer, body) if status != 200 else _sliced(s3, wanted, answer, body)

    return get


def _sliced(s3: Any, wanted: str, answer: dict[str, str], body: Any) -> _Answer:
    """Of a whole answer the range that was asked for. A checksum of the whole says nothing of it."""
    span = s3._parse_range(wanted, len(body))
    if span is None:
        return 416, {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}, _INVALID
    start, last = span
    kept = {name: value for name, value in answer.items() if not name.lower().startswith("x-amz-checksum")}
    about = {"Content-Length": str(last + 1 - start), "Content-Range": f"bytes {start}-{last}/{len(body)}"}
    return 206, {**kept, **about}, body[start : last + 1]


_INVALID = b"<Error><Code>InvalidRange</Code><Message>The requested range is not satisfiable</Message></Error>"


def _copying(stock: Callable[..., _Answer]) -> Callable[..., _Answer]:
    def copy(bucket_name: str, dest_key: str, query_params: Any, headers: dict[str, str]) -> _Answer:
        token = _SLICED.set(bool(headers.get("x-amz-copy-source-range")))
        try:
            return stock(bucket_name, dest_key, query_params, headers)
        finally:
            _SLICED.reset(token)

    return copy
