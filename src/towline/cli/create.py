"""`towline create`: a dataset from a table file."""

from __future__ import annotations

from pathlib import Path

import click
import pyarrow as pa

from towline import keys
from towline.cli.options import Call, Sending, called, table_file, timeout_option
from towline.cli.outcome import Sent, submit
from towline.cli.output import say
from towline.cli.propose import read
from towline.contract import Contract
from towline.files import open_file, read_table
from towline.first_contract import choose
from towline.parquet.tablefile import TableFile


@click.command("create")
@click.argument("dataset")
@click.argument("file", type=table_file)
@click.option("--key", metavar="COLUMN,…", help="The columns that tell rows apart.")
@click.option("--contract", "contract_file", type=table_file, metavar="FILE", help="The contract, as JSON.")
@click.option("--note", required=True, metavar="TEXT", help="Why; kept with the change for ever.")
@click.option("--dry-run", is_flag=True, help="Check the file, and change nothing.")
@timeout_option
@called
def command(
    call: Call,
    dataset: str,
    file: Path,
    key: str | None,
    contract_file: Path | None,
    note: str,
    dry_run: bool,
    timeout: float,
) -> int:
    """Make a dataset from a table file (CSV, XLSX or Parquet), and wait until it is there.

    Without --contract, the contract is the project's own (datasets/DATASET/contract.json) where it has this key and
    exactly these columns; else it is inferred from the file.

    \b
    towline create net_tows tows.csv --key tow,net --note "first load"
    """
    target = call.connection.dataset(keys.check_dataset(dataset))
    given = Contract.parse(contract_file.read_bytes()) if contract_file else None
    body = read(file)
    columns = [name.strip() for name in key.split(",")] if key else []
    chosen = choose(_table(body, file.name)[0], dataset, columns, given)
    say(f"contract: {chosen.source}")
    table, notes = _table(body, file.name, chosen.contract)
    draft = target.create(file.name, body, chosen.contract, note)
    return submit(call, target, draft, Sending(note, dry_run, True, timeout), _facts(table, chosen.source, notes))


def _table(body: bytes | Path, name: str, contract: Contract | None = None) -> tuple[pa.Table | TableFile, list[str]]:
    """The table, and notes, as of `read_table`; of a file that is too large to be read at once the file."""
    return (open_file(body), []) if isinstance(body, Path) else read_table(body, name, contract)


def _facts(table: pa.Table | TableFile, source: str, notes: list[str]) -> Sent:
    rows, columns = table.num_rows, len(table.schema)
    facts = {"rows": rows, "columns": columns, "contract": source, "notes": notes}
    return Sent(facts, [f"{rows:,} rows, {columns} columns", *(f"read: {note}" for note in notes)])
