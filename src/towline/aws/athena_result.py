"""The CSV that Athena writes of a result -> a table with types.

Athena quotes every cell but a null: `""` is an empty text, and nothing at all is a null.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv

from towline.errors import Corrupt

_PLAIN = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "real": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
_BLOCK = 2**24  # bytes; one cell has to fit into it


@dataclass(frozen=True)
class ColumnInfo:
    """A column of a result: its name, which others may have too, and its type in Athena's words."""

    name: str
    type: str
    precision: int = 0
    scale: int = 0

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> ColumnInfo:
        return cls(info["Name"], info["Type"].lower(), info.get("Precision", 0), info.get("Scale", 0))

    @property
    def arrow(self) -> pa.DataType:
        """The type in the table. What has none that holds it exactly, such as arrays and moments with a zone, is
        text as Athena prints it."""
        if self.type.startswith("decimal"):
            return pa.decimal128(self.precision or 38, self.scale)
        return _PLAIN.get(self.type, pa.string())


def read_result(body: bytes, columns: Sequence[ColumnInfo], place: str) -> pa.Table:
    """The table of a result. Raises Corrupt where a cell is not what its column's type says."""
    numbered = {str(number): column.arrow for number, column in enumerate(columns)}
    try:
        table = pa.csv.read_csv(
            io.BytesIO(body),
            # By number, for two columns may have one name; the header is the first record, and may have line breaks.
            read_options=pa.csv.ReadOptions(column_names=list(numbered), skip_rows_after_names=1, block_size=_BLOCK),
            # A line with nothing in it is the null of a table of one column.
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=numbered,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["true"],
                false_values=["false"],
            ),
        )
    except pa.ArrowInvalid as error:
        raise Corrupt(f"{place}: the result does not fit its description ({error}). Run the query again") from error
    return table.rename_columns(distinct([column.name for column in columns]))


def distinct(names: Sequence[str]) -> list[str]:
    """The names of columns, each once: SQL may give one to several, which no file or DataFrame keeps apart."""
    found: list[str] = []
    for name in names:
        number, free = 1, name
        while free in found or (number > 1 and free in names):
            number += 1
            free = f"{name}_{number}"
        found.append(free)
    return found
