"""Tables of the format SymlinkTextInputFormat: text files name the objects that are the table, one URL a line.

    s3://team-tows/silver/golf_rounds/fact_telemetry_event/course_id=erinhills/event_date=2025-07-01/01J….parquet

Those objects are read and no others, wherever they lie; one that is not there is an error, as it is on Athena.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from towline.local.athena import storage
from towline.local.athena.errors import AthenaError
from towline.local.athena.storage import Location, Stored

_LARGEST = 64 * 2**20  # bytes of one text


def named(text: Stored, paths: Collection[str] | None = None) -> Iterator[Stored]:
    """The objects that a text names, in its order; `paths`: of those with these URLs alone. Raises AthenaError."""
    if text.size > _LARGEST:
        raise AthenaError("HIVE_BAD_DATA", f"Error parsing symlinks from: {text.location}: it has {text.size:,} bytes")
    try:
        lines = bytes(storage.view(text.location) or b"").decode().split("\n")
    except UnicodeDecodeError as error:
        raise AthenaError("HIVE_BAD_DATA", f"Error parsing symlinks from: {text.location}: {error}") from None
    wanted = [line for line in (line.removesuffix("\r") for line in lines) if line and (paths is None or line in paths)]
    for line, stored in zip(wanted, storage.find([Location.parse(line) for line in wanted]), strict=True):
        if stored is None:
            what = f"Manifest file from the location [{text.location}] contains non-existent path: {line}"
            raise AthenaError("HIVE_FILE_NOT_FOUND", what)
        yield stored
