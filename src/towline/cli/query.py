"""`towline query`: ask by SQL."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import click
import pyarrow as pa
from rich.text import Text

from towline import cost, queries
from towline.cli import tables
from towline.cli.options import Call, called, escape_option, force_option
from towline.cli.output import check_target, emit, progress, say, show, width, write_file
from towline.errors import UsageError
from towline.files import write_table
from towline.queries import PATIENCE, QueryResult
from towline.rules.field import Field
from towline.values import encode

ROWS = 20  # that a person is shown unless they ask for more
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("query")
@click.argument("sql", metavar="SQL")
@click.option("--dataset", metavar="DATASET", help="What `master` means [default: S3_MASTER_KEY's, or the only one].")
@click.option("-n", "--limit", type=click.IntRange(min=0), help="Rows; 0 is all [default: 20, else all].")
@click.option("--csv", "csv_file", type=_FILE, metavar="FILE", help="Write the rows to a CSV file instead.")
@click.option("--parquet", "parquet_file", type=_FILE, metavar="FILE", help="Write them to a Parquet file instead.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=PATIENCE,
    show_default=True,
    metavar="SECONDS",
    help="Stop the query after that time.",
)
@force_option
@escape_option
@called
def command(
    call: Call,
    sql: str,
    dataset: str | None,
    limit: int | None,
    csv_file: Path | None,
    parquet_file: Path | None,
    timeout: float,
    force: bool,
    escape_formulas: bool,
) -> None:
    """Run one SELECT over the tables of the team: each dataset, its snapshots, `changes` and `audit`. Ctrl-C stops it.
    The SQL is read from stdin where it is given as "-"."""
    target = _target(csv_file, parquet_file, force=force)
    statement = sys.stdin.read() if sql == "-" else sql
    with progress("asking Athena", quiet=call.as_json) as phase:
        found = queries.run(
            call.connection,
            statement,
            dataset=dataset,
            timeout=timeout,
            started=lambda id: phase(f"query {id} runs; Ctrl-C stops it"),
        )
    if target is not None:
        file, format = target
        table = found.table.slice(0, limit or None)
        write_file(file, write_table(table, format, escape_formulas=escape_formulas), force=force)
        _told(call, found, file, table.num_rows)
    elif call.as_json:
        rows = [_row(row) for row in found.table.slice(0, limit or None).to_pylist()]
        emit({**found.summary(), "columns": _columns(found.table), "result": rows})
    else:
        _shown(found, ROWS if limit is None else limit or None)


def _target(csv_file: Path | None, parquet_file: Path | None, *, force: bool) -> tuple[Path, str] | None:
    """The file to write and its format; None: there is none. Asked for before anything is run."""
    if csv_file is not None and parquet_file is not None:
        raise UsageError("--csv and --parquet are both given; take one, or run the query twice")
    target = (csv_file, "csv") if csv_file else (parquet_file, "parquet") if parquet_file else None
    if target is None:
        return None
    check_target(target[0], force=force)
    return target


def _told(call: Call, found: QueryResult, file: Path, written: int) -> None:
    if call.as_json:
        emit({**found.summary(), "file": str(file), "written": written})
    else:
        say(f"{file}: {written:,} rows; {_spent(found)}")


def _shown(found: QueryResult, limit: int | None) -> None:
    table = found.table.slice(0, limit)
    columns = [Field(field.name, _kind(field.type)) for field in table.schema]
    show(*tables.rows_of(table.to_pylist(), columns, (), width()))
    total = found.table.num_rows
    first = f"the first {table.num_rows:,} of " if table.num_rows < total else ""
    hint = " (-n 0 shows all)" if first else ""
    show(Text(f"{first}{total:,} {'row' if total == 1 else 'rows'}{hint}; {_spent(found)}", style="dim"))


def _spent(found: QueryResult) -> str:
    return f"{found.scanned_bytes:,} bytes read in {found.engine_ms:,} ms, {cost.said(found.cost_usd)} on AWS"


def _kind(arrow: pa.DataType) -> str:
    """The field type whose side of a column a value belongs to."""
    return (
        "number"
        if pa.types.is_integer(arrow) or pa.types.is_floating(arrow) or pa.types.is_decimal(arrow)
        else "string"
    )


def _columns(table: pa.Table) -> list[dict[str, str]]:
    return [{"name": field.name, "type": str(field.type)} for field in table.schema]


def _row(row: dict[str, object]) -> dict[str, object]:
    """A row as JSON. A decimal is a text: as a number it would lose digits in most readers."""
    return {name: str(value) if isinstance(value, Decimal) else encode(value) for name, value in row.items()}  # type: ignore[arg-type]
