"""A table's rows as a view in DuckDB, in the table's types, whatever its format."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from towline.local.athena import parquet, partitions
from towline.local.athena.catalog import Table, duck_type
from towline.local.athena.errors import AthenaError
from towline.local.athena.files import Linked, link_all
from towline.local.athena.sql import listed, literal, quoted, struct
from towline.local.athena.statement import PATH, Reads

# No text file holds this, so nothing is taken for it.
_NEVER = "\ufffe"
_LARGEST_LINE = 128 * 2**20


@dataclass(frozen=True)
class View:
    """The SELECT that yields a table's rows, and how many bytes a query of it reads."""

    select: str
    scanned: int


def show(connection: Any, table: Table, reads: Reads, directory: Path, paths: Collection[str] | None = None) -> int:
    """Make `table` a view of the same name, for a query that reads `reads`; its files come to lie in `directory`.

    `paths`: the URLs of the objects that the query reads of it; None: all. Returns the bytes that the query scans.
    """
    directory.mkdir()
    shown = _view(table, reads, directory, paths)
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.database)}")
    connection.execute(f"CREATE VIEW {quoted(table.database)}.{quoted(table.name)} AS {shown.select}")
    return shown.scanned


def types(table: Table, reads: Reads) -> dict[str, str]:
    """The columns of the view, with DuckDB's types."""
    columns = {**table.all_columns, **({PATH: "string"} if reads.path else {})}
    return {name: duck_type(kind) for name, kind in columns.items()}


def _view(table: Table, reads: Reads, directory: Path, paths: Collection[str] | None) -> View:
    reader = _READERS.get(table.format)
    if reader is None:
        raise AthenaError("HIVE_UNSUPPORTED_FORMAT", f"Unable to create input format {table.format}")
    files = link_all(table, partitions.splits(table, paths), directory)
    if not files:
        nulls = (f"NULL::{kind} AS {quoted(name)}" for name, kind in types(table, reads).items())
        return View(f"SELECT {', '.join(nulls)} WHERE FALSE", 0)
    columns, source, scanned = reader(table, files, reads.of(table.columns))
    keys = [f"{quoted(name)}::{duck_type(kind)} AS {quoted(name)}" for name, kind in table.partition_keys.items()]
    paths = [f"{_paths(files)} AS {quoted(PATH)}"] if reads.path else []
    return View(f"SELECT {', '.join([columns, *keys, *paths])} FROM {source}", scanned)


def _paths(files: Sequence[Linked]) -> str:
    """The expression that yields the object's URL of each row: files are numbered from 0, lists from 1."""
    number = r"regexp_extract(filename, '(\d+)(\.gz)?$', 1)::INTEGER + 1"
    return f"({listed(str(file.location) for file in files)})[{number}]"


def _common(table: Table, files: Sequence[Linked]) -> str:
    """The arguments that all of DuckDB's readers share."""
    kinds = struct((name, "VARCHAR") for name in table.partition_keys)
    hive = f"hive_partitioning = true, hive_types = {kinds}" if table.partition_keys else "hive_partitioning = false"
    return f"{listed(str(file.path) for file in files)}, filename = true, {hive}"


def _size(files: Sequence[Linked]) -> int:
    return sum(file.size for file in files)


def _parquet(table: Table, files: Sequence[Linked], read: Collection[str]) -> tuple[str, str, int]:
    columns, scanned = parquet.columns(table, files, read)
    return columns, f"read_parquet({_common(table, files)}, union_by_name = true)", scanned


def _json(table: Table, files: Sequence[Linked], read: Collection[str]) -> tuple[str, str, int]:
    kinds = struct((name, duck_type(kind)) for name, kind in table.columns.items())
    source = (
        f"read_json({_common(table, files)}, format = 'newline_delimited', columns = {kinds}, "
        f"maximum_object_size = {_LARGEST_LINE})"
    )
    return ", ".join(map(quoted, table.columns)), source, _size(files)


def _text(table: Table, files: Sequence[Linked], read: Collection[str]) -> tuple[str, str, int]:
    """LazySimpleSerDe: no quotes; `\\N` is null, and so is what is not of the column's type."""
    null = table.serde.get("serialization.null.format", r"\N")
    source = _lines(table, files, delimiter=table.serde.get("field.delim", "\x01"), quote="", escape="", null=null)
    columns = (
        f"TRY_CAST({quoted(name)} AS {duck_type(kind)}) AS {quoted(name)}" for name, kind in table.columns.items()
    )
    return ", ".join(columns), source, _size(files)


def _quoted_text(table: Table, files: Sequence[Linked], read: Collection[str]) -> tuple[str, str, int]:
    """OpenCSVSerDe: quotes, doubled inside; nothing is null but an empty value of a column that is not text."""
    delimiter, quote, escape = (table.serde.get(name, usual) for name, usual in _MARKS.items())
    source = _lines(table, files, delimiter=delimiter, quote=quote, escape=escape, null=_NEVER)
    columns = (_strict(name, kind) for name, kind in table.columns.items())
    return ", ".join(columns), source, _size(files)


_MARKS = {"separatorChar": ",", "quoteChar": '"', "escapeChar": '"'}


def _strict(name: str, kind: str) -> str:
    duck = duck_type(kind)
    value = quoted(name) if duck == "VARCHAR" else f"NULLIF({quoted(name)}, '')"
    return f"CAST({value} AS {duck}) AS {quoted(name)}"


def _lines(table: Table, files: Sequence[Linked], *, delimiter: str, quote: str, escape: str, null: str) -> str:
    kinds = struct((name, "VARCHAR") for name in table.columns)
    skipped = int(table.properties.get("skip.header.line.count", 0))
    return (
        f"read_csv({_common(table, files)}, auto_detect = false, header = false, skip = {skipped}, "
        f"delim = {literal(delimiter)}, quote = {literal(quote)}, escape = {literal(escape)}, "
        f"nullstr = {literal(null)}, null_padding = true, strict_mode = false, columns = {kinds})"
    )


_READERS = {"PARQUET": _parquet, "JSON": _json, "TEXTFILE": _text, "CSV": _quoted_text}
