"""A table that is handed in: a DataFrame, or a file."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from towline import frames
from towline.proposals import MAX_FILE

if TYPE_CHECKING:
    import pandas as pd

Data: TypeAlias = "pd.DataFrame | str | PathLike[str]"  # a table, or the path of a CSV, XLSX or Parquet file


def as_file(data: Data) -> tuple[str, bytes | Path]:
    """A table as a file: its name, and its bytes or, where it is Parquet and too large for that, itself."""
    if isinstance(data, str | PathLike):
        path = Path(data)
        is_large = path.suffix.lower() == ".parquet" and path.stat().st_size > MAX_FILE
        return path.name, path if is_large else path.read_bytes()
    return "table.parquet", frames.to_parquet(data)
