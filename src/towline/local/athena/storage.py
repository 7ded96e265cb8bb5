"""Objects for queries: listed, linked as files, and put, within the process that serves S3."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from towline.local import disk
from towline.local.athena import caller
from towline.local.athena.errors import AthenaError
from towline.local.athena.loop import on_loop


@dataclass(frozen=True)
class Location:
    """`s3://bucket/key`; as a table's location it means all objects below `key/`."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Location:
        bucket, _, key = text.removeprefix("s3://").partition("/")
        if not text.startswith("s3://") or not bucket:
            raise AthenaError("INVALID_TABLE_PROPERTY", f"S3 location '{text}' is not of the form s3://bucket/prefix/")
        return cls(bucket, key)

    @property
    def prefix(self) -> str:
        return self.key if not self.key or self.key.endswith("/") else f"{self.key}/"

    def below(self, name: str) -> Location:
        return Location(self.bucket, self.prefix + name)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Stored:
    """The current version of an object; its size in bytes."""

    location: Location
    size: int


def listing(location: Location, *, hidden: bool = False) -> list[Stored]:
    """The current objects below `location` in the order of their keys.

    Names that begin with `_` or `.`, at any level below it, are hidden, as are the markers of empty folders.
    """
    caller.check_list(location.bucket, location.prefix)
    return on_loop(lambda: list(_listing(location, hidden)))


def _listing(location: Location, hidden: bool) -> Iterator[Stored]:
    from ministack.services import s3

    if location.bucket not in s3._buckets:
        raise AthenaError("HIVE_FILESYSTEM_ERROR", f"The specified bucket does not exist: {location.bucket}")
    objects = s3._buckets[location.bucket]["objects"]
    prefix = location.prefix
    for key in sorted(key for key in objects if key.startswith(prefix)):
        if hidden or not _is_hidden(key[len(prefix) :]):
            yield Stored(Location(location.bucket, key), int(objects[key]["size"]))


def find(locations: Sequence[Location]) -> list[Stored | None]:
    """The current version of each object; None where there is none."""
    from ministack.services import s3

    for location in locations:
        caller.check_read(location.bucket, location.key)
    found = on_loop(lambda: [s3._buckets.get(each.bucket, {}).get("objects", {}).get(each.key) for each in locations])
    known = zip(locations, found, strict=True)
    return [None if each is None else Stored(location, int(each["size"])) for location, each in known]


def _is_hidden(name: str) -> bool:
    return name == "" or name.endswith("/") or any(part.startswith(("_", ".")) for part in name.split("/"))


def link(location: Location, path: Path) -> None:
    """Make the object's body the file `path`, which stays as it is whatever becomes of the object."""
    from ministack.services import s3

    caller.check_read(location.bucket, location.key)
    try:
        os.link(s3._object_disk_path(location.bucket, location.key), path)
    except OSError:  # gone, in memory only, or the temporary directory is on another disk
        body = _body(location)
        if body is None:
            raise AthenaError(
                "HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split {location}: no such object"
            ) from None
        path.write_bytes(body)


def view(location: Location) -> bytes | mmap.mmap | None:
    """An object's bytes, of which only those that are looked at are read; None where there is none."""
    from ministack.services import s3

    caller.check_read(location.bucket, location.key)
    try:
        with open(s3._object_disk_path(location.bucket, location.key), "rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if os.fstat(file.fileno()).st_size else b""
    except OSError:
        return _body(location)


def _body(location: Location) -> bytes | None:
    from ministack.services import s3

    body: bytes | None = on_loop(s3._get_object_data, location.bucket, location.key)
    return body


def put(location: Location, body: bytes) -> None:
    """Put an object as a client would: it is kept, versioned and notified of. Raises AthenaError.

    Requests are refused where the disk is nearly full (see guard.py); so are these.
    """
    from ministack.services import s3

    caller.check_write(location.bucket, location.key)
    if disk.free(Path(s3.DATA_DIR)) < disk.Room.from_environment(os.environ).to_write + len(body):
        raise AthenaError("HIVE_WRITER_CLOSE_ERROR", f"Error committing write to {location}: the disk is nearly full")
    headers = {"content-type": "application/octet-stream", "content-length": str(len(body))}
    status, _, answer = on_loop(s3._put_object, location.bucket, location.key, body, headers)
    if status >= 300:
        raise AthenaError("HIVE_WRITER_CLOSE_ERROR", f"Error committing write to {location}: {_reason(answer)}")


def _reason(answer: bytes) -> str:
    error = ElementTree.fromstring(answer)  # noqa: S314 - MiniStack's own answer, in this process
    return f"{error.findtext('Message')} (Service: Amazon S3; Error Code: {error.findtext('Code')})"
