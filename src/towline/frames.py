"""pandas DataFrames from Arrow tables and back, such that what nobody edited comes back as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import zip_longest
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import UsageError
from towline.files import write_table
from towline.queries import QueryResult
from towline.story import Touch
from towline.values import encode

_COMMIT, _QUERY = "towline_commit", "towline_query"


def to_pandas(table: pa.Table, commit: str) -> pd.DataFrame:
    """The table as a DataFrame that remembers its commit."""
    df = _frame(table)
    df.attrs[_COMMIT] = commit
    return df


def of_query(found: QueryResult) -> pd.DataFrame:
    """What a query found, and in its attributes what it read."""
    df = _frame(found.table)
    df.attrs[_QUERY] = found.summary()
    return df


def _frame(table: pa.Table) -> pd.DataFrame:
    return pd.DataFrame({name: _series(table.column(name)) for name in table.column_names})


def commit_of(data: object) -> str | None:
    """The commit that a DataFrame was read from, if it remembers one."""
    found = getattr(data, "attrs", {}).get(_COMMIT)
    return None if found is None else str(found)


def to_parquet(df: pd.DataFrame) -> bytes:
    """A DataFrame as a Parquet file. A named index is made of columns, any other is left out. Raises UsageError."""
    try:
        flat = df.reset_index() if any(df.index.names) else df
        table = pa.Table.from_pandas(flat, preserve_index=False)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise UsageError(f"this DataFrame cannot become a table: {error}") from error
    return write_table(table.replace_schema_metadata(None), "parquet")


def touches(found: Iterable[Touch], key: Sequence[str]) -> pd.DataFrame:
    """Touches of cells, a line each; values as they are, whatever their columns' types."""
    names = [field.name for field in fields(Touch) if field.name != "key"]
    named = {column: f"key_{column}" if column in names else column for column in key}
    lines = [
        {
            **{named[column]: value for column, value in zip_longest(key, touch.key)},
            **{name: getattr(touch, name) for name in names},
        }
        for touch in found
    ]
    return pd.DataFrame(lines, columns=[*named.values(), *names]).astype({"old": object, "new": object})


def plain(values: Mapping[str, object]) -> dict[str, object]:
    """Values as plain Python has them: NumPy's unwrapped, and NaN, NaT and NA as None."""
    return {column: _plain(value) for column, value in values.items()}


def wire(values: Any) -> Any:
    """Values and objects of them in their JSON form."""
    if isinstance(values, Mapping):
        return {str(name): wire(value) for name, value in values.items()}
    return encode(_plain(values))  # type: ignore[arg-type]


def _plain(value: Any) -> object:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    return value.item() if hasattr(value, "item") else value


def _series(column: pa.ChunkedArray) -> Any:
    return column.to_pandas(types_mapper={column.type: _dtype(column)}.get)


def _dtype(column: pa.ChunkedArray) -> Any:
    """The pandas type that holds every cell of a column as it is; None where the usual one does."""
    if pa.types.is_floating(column.type):
        return pd.ArrowDtype(column.type) if pc.any(pc.is_nan(column)).as_py() else None
    if not column.null_count:
        return None
    if pa.types.is_integer(column.type):
        return pd.Int64Dtype()
    return pd.BooleanDtype() if pa.types.is_boolean(column.type) else None
