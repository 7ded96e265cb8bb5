"""The lake in Python: a silver or gold table as Arrow has it, of exactly the files that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import pyarrow as pa

from towline import connect
from towline.pipeline import reading
from towline.settings import Settings


def lake(
    dataset: str,
    table: str,
    *,
    columns: Sequence[str] | None = None,
    where: Mapping[str, object] | None = None,
    data_dir: str | PathLike[str] | None = None,
    settings: Settings | None = None,
) -> pa.Table:
    """The rows of a silver or gold table, as the last load left them: `towline.lake("golf_rounds",
    "pace_summary_by_round")`. `columns`: these alone; `where`: values of columns that part the table, one or a list
    each, so that other files are not read: `where={"course_id": "erinhills"}`. Of whose bucket: as `open`.

    NotFound: there is no such table, or it is not parted by such a column.
    """
    here = Path(data_dir) if data_dir is not None else None
    connection = connect.connect(settings) if settings is not None else connect.here(here)
    return reading.read(connection.bench.store, dataset, table, columns, where)
