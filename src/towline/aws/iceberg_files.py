"""The files of an Iceberg table as pyiceberg asks for them: objects of the store, under their S3 URLs."""

from __future__ import annotations

import io
from typing import Any, cast

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream
from pyiceberg.typedef import EMPTY_DICT, Properties

from towline.errors import NotFound, UsageError

_METADATA = ".metadata.json"


def key_of(location: str, bucket: str) -> str:
    """`s3://bucket/iceberg/...` -> `iceberg/...`. UsageError: it is in another bucket."""
    prefix = f"s3://{bucket}/"
    if not location.startswith(prefix):
        raise UsageError(f"{location} is not in the bucket {bucket}: publish the table anew with --rebuild")
    return location.removeprefix(prefix)


class StoreIO(FileIO):
    """Iceberg's files through the object store."""

    def __init__(self, properties: Properties = EMPTY_DICT) -> None:
        super().__init__(properties)
        self._store, self._bucket = properties["towline.store"], properties["towline.bucket"]

    def new_input(self, location: str) -> InputFile:
        return _Stored(location, key_of(location, self._bucket), self._store)

    def new_output(self, location: str) -> OutputFile:
        return _Stored(location, key_of(location, self._bucket), self._store)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Only metadata files that the table has outgrown are deleted. What a failed commit wrote stays: if its answer
        was lost, it has not failed, and the table needs it."""
        where = location if isinstance(location, str) else location.location
        if where.endswith(_METADATA):
            self._store.delete(key_of(where, self._bucket))


class _Stored(InputFile, OutputFile):
    """One object; what is written appears when it is closed."""

    def __init__(self, location: str, key: str, store: Any) -> None:
        super().__init__(location)
        self._key, self._store = key, store

    def __len__(self) -> int:
        return int(self._store.head(self._key).size)

    def exists(self) -> bool:
        try:
            return bool(self._store.head(self._key))
        except NotFound:
            return False

    def open(self, seekable: bool = True) -> InputStream:
        return cast(InputStream, io.BytesIO(self._store.get(self._key).body))

    def create(self, overwrite: bool = False) -> OutputStream:
        return cast(OutputStream, _Draft(self._key, self._store))

    def to_input_file(self) -> InputFile:
        return self


class _Draft(io.BytesIO):
    def __init__(self, key: str, store: Any) -> None:
        super().__init__()
        self._key, self._store = key, store

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is not None:
            super().close()  # what broke off is not written
        self.close()

    def close(self) -> None:
        if not self.closed:
            self._store.put(self._key, self.getvalue())
        super().close()
