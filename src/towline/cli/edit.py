"""`towline edit`: set cells in the rows that match."""

from __future__ import annotations

import click

from towline import browse, edits, history
from towline.cli.options import Call, Sending, called, dataset_argument, mode_option, sends, where_option
from towline.cli.outcome import submit
from towline.cli.output import say


@click.command("edit")
@dataset_argument
@where_option
@click.option(
    "--set",
    "values",
    multiple=True,
    required=True,
    metavar="COLUMN=VALUE,…",
    help='New values; null is null, "" the empty text, "a, b" a text with a comma.',
)
@mode_option
@sends
@called
def command(
    call: Call, dataset: str | None, where: tuple[str, ...], values: tuple[str, ...], mode: str | None, sending: Sending
) -> int:
    """Set cells in the rows that match.

    \b
    towline edit net_tows --where tow=4,net=1 --set volume_filtered=12.5 --note "flow meter recalibrated"
    """
    target = call.connection.dataset(call.name(dataset))
    contract = target.contract()
    wanted = edits.read(contract, edits.parse(where, "--where"))
    new = edits.read(contract, edits.parse(values, "--set"))
    head = history.head_at(target.bench, target.name)
    table = browse.matching(head.file, contract.key, wanted)
    found = edits.rows(contract, table, wanted)
    changes = edits.updates(contract, found, new)
    if len(found) > 1:
        say(f"{len(found):,} rows match, {len(changes):,} change")
    return submit(call, target, target.rows(changes, sending.note, str(head.commit), mode), sending)
