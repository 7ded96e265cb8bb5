"""`towline export`: a dataset's table as a file."""

from __future__ import annotations

from pathlib import Path

import click
import pyarrow as pa

from towline import history
from towline.cli.options import Call, at_option, called, escape_option, force_option
from towline.cli.output import check_target, emit, say, write_file
from towline.contract import Contract
from towline.errors import UsageError
from towline.files import FORMATS, write_table


@click.command("export")
@click.argument("dataset")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.csv|.xlsx|.parquet")
@at_option
@force_option
@escape_option
@called
def command(call: Call, dataset: str, file: Path, at: str | None, force: bool, escape_formulas: bool) -> None:
    """Write a dataset's table to a CSV, XLSX or Parquet file, whole or not at all."""
    check_target(file, force=force)
    _format(file)
    bench = call.connection.bench
    commit, table = history.table_at(bench, dataset, at)
    write(call, table, bench.contract(dataset), file, commit, force=force, escape=escape_formulas)


def write(
    call: Call, table: pa.Table, contract: Contract, file: Path, commit: str, *, force: bool, escape: bool
) -> None:
    """Write a table in the format that the file's name asks for, and say so. Raises UsageError."""
    body = write_table(table, _format(file), contract=contract, escape_formulas=escape)
    write_file(file, body, force=force)
    if call.as_json:
        emit({"file": str(file), "rows": table.num_rows, "commit": commit, "bytes": len(body)})
    else:
        say(f"{file}: {table.num_rows:,} rows of {contract.dataset} at commit {commit}")


def _format(file: Path) -> str:
    ending = file.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise UsageError(f"{file.name!r} must end in {', '.join(f'.{each}' for each in FORMATS)}")
    return ending
