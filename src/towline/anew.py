"""A large master written anew: by way of this machine's disk, so that no more than some row groups are in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from towline import rowgroups
from towline.parquet.footer import Footer
from towline.parquet.source import FileSource
from towline.store import MIB

GROUP_MAX = 512 * MIB  # bytes that a row group may take
ENCODED_MAX = 128 * MIB  # bytes of the row groups that are being encoded


def write(
    path: Path, pieces: Iterable[pa.Table], schema: pa.Schema, key: Sequence[str], metadata: Mapping[str, str]
) -> int:
    """The canonical file of these rows, which come in key order, with these key-value metadata; how many they are.

    UnreadableFile: so many rows as a row group has take too much memory."""
    rowgroups.write(path, rowgroups.cut(pieces, schema, GROUP_MAX), schema, key, ENCODED_MAX)
    footer = Footer.read(FileSource(path))
    groups = [footer.raw_group(number) for number in range(len(footer.rows))]
    with path.open("r+b") as file:
        file.truncate(footer.start)
        file.seek(footer.start)
        file.write(footer.with_groups(groups, footer.num_rows, metadata))
    return footer.num_rows
