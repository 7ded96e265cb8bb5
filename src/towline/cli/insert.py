"""`towline insert`: a new row."""

from __future__ import annotations

import click

from towline import edits, history
from towline.cli.options import Call, Sending, called, dataset_argument, mode_option, sends
from towline.cli.outcome import submit
from towline.errors import UsageError


@click.command("insert")
@dataset_argument
@click.option("--set", "values", multiple=True, metavar="COLUMN=VALUE,…", help="The row's values; the rest is null.")
@click.option("--json-row", metavar="JSON", help='The row as a JSON object instead: {"tow": 4, "net": 1, ...}.')
@mode_option
@sends
@called
def command(
    call: Call, dataset: str | None, values: tuple[str, ...], json_row: str | None, mode: str | None, sending: Sending
) -> int:
    """Insert a row. Columns that are not given are null.

    \b
    towline insert net_tows --set tow=9,net=1,vessel="Sally Ride" --note "forgotten on the log sheet"
    """
    if bool(values) == (json_row is not None):
        raise UsageError("give the row either with --set COLUMN=VALUE,… or with --json-row JSON")
    target = call.connection.dataset(call.name(dataset))
    contract = target.contract()
    if json_row is not None:
        row = edits.json_row(contract, json_row)
    else:
        row = edits.read(contract, edits.parse(values, "--set"))
    base = history.resolve(target.bench, target.name, None)
    return submit(call, target, target.rows(edits.insert(contract, row), sending.note, base, mode), sending)
