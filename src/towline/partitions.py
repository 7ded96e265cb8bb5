"""A table split by the values of columns: which rows belong together, and how Hive writes the values.

    published/<dataset>/by_cruise/<commit>/cruise=SR2407/part.parquet

A partition's value is text, in the catalog as it is, in the key with everything quoted that has a meaning there. The
files do not have the columns that their place tells. https://docs.aws.amazon.com/athena/latest/ug/partitions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pyarrow as pa

from towline.contract import Contract
from towline.errors import UsageError
from towline.values import shown

MOST = 1_000  # partitions of one copy: beyond that they are too small to be of use
NULL = "__HIVE_DEFAULT_PARTITION__"  # what Hive calls the partition of the rows that have no value
VALUE_MAX = 1_024  # characters of a value that Glue keeps

# A number has no one text, and a moment as good as never comes twice.
_TYPES = ("string", "integer", "boolean", "date")
_NAME = re.compile(r"[A-Za-z0-9_]+")
_ROW = "__towline_row"


@dataclass(frozen=True)
class Part:
    """The rows with these values, as Glue has them, of the columns that the copy is partitioned by."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    table: pa.Table

    @property
    def folder(self) -> str:
        """`cruise=SR2407/vessel=A%2FB/`"""
        return "".join(f"{name}={_quoted(value)}/" for name, value in zip(self.columns, self.values, strict=True))


def check(contract: Contract, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns, once they can be partitioned by. UsageError: they cannot."""
    if not columns or len(set(columns)) < len(columns):
        raise UsageError("name the columns to partition by, each once")
    for name in columns:
        field = contract.field(name)
        if field.type not in _TYPES:
            raise UsageError(
                f"{shown(name)} has the type {field.type}: a copy can be partitioned by columns of the types "
                f"{', '.join(_TYPES)}"
            )
        if not _NAME.fullmatch(name):
            raise UsageError(f"{shown(name)} cannot name a partition's key: rename the column to letters, digits and _")
    if len(columns) == len(contract.names):
        raise UsageError("a copy cannot be partitioned by all columns: nothing would be left in its files")
    return tuple(columns)


def split(table: pa.Table, columns: Sequence[str], most: int = MOST) -> list[Part]:
    """The parts of a table in the order in which they first occur, rows in the order that they have. UsageError: there
    are more than `most`, or a value cannot be told from another one."""
    numbered = table.select(list(columns)).append_column(_ROW, pa.array(range(table.num_rows), pa.int64()))
    groups = numbered.group_by(list(columns), use_threads=False).aggregate([(_ROW, "list")])
    if groups.num_rows > most:
        raise UsageError(
            f"{' and '.join(columns)} have {groups.num_rows:,} different values, and a copy at most {most:,} "
            "partitions: choose a column with fewer"
        )
    rest = table.drop_columns(list(columns))
    return [
        Part(tuple(columns), tuple(_text(name, group[name]) for name in columns), rest.take(group[f"{_ROW}_list"]))
        for group in _rows(groups)
    ]


def _rows(groups: pa.Table) -> Iterator[dict[str, object]]:
    """The groups as Python values, except their row numbers, which are many."""
    numbers = groups[f"{_ROW}_list"].combine_chunks()
    values = groups.drop_columns([f"{_ROW}_list"]).to_pylist()
    return ({**value, f"{_ROW}_list": numbers[at].values} for at, value in enumerate(values))


def _text(column: str, value: object) -> str:
    """A value as Glue and Hive have it."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if text in ("", NULL):
        raise UsageError(
            f"{column} holds {shown(text)}, which engines could not tell from no value: partition by another column, "
            "or make these cells null"
        )
    if len(text) > VALUE_MAX or len(_quoted(text).encode()) > VALUE_MAX // 2:
        raise UsageError(f"{column} holds a value of {len(text):,} characters, too long for the name of a partition")
    return text


def _quoted(text: str) -> str:
    """Text as part of a key: ASCII that means something to Hive, to URLs or to people is written %XX. Other characters
    stay, because Hive would read the bytes of one as several."""
    return "".join(char if (char.isalnum() and ord(char) < 128) or ord(char) > 159 else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char if char in "_-." else quote(char, safe="")
