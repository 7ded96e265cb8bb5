"""`towline delete`: rows away; every commit before still has them."""

from __future__ import annotations

import click

from towline import browse, edits, history
from towline.cli.options import Call, Sending, called, dataset_argument, mode_option, sends, where_option
from towline.cli.outcome import submit
from towline.cli.output import say


@click.command("delete")
@dataset_argument
@where_option
@click.option("--all-matching", is_flag=True, help="Delete all rows that match, if they are more than one.")
@mode_option
@sends
@called
def command(
    call: Call, dataset: str | None, where: tuple[str, ...], all_matching: bool, mode: str | None, sending: Sending
) -> int:
    """Delete the rows that match; earlier commits keep them.

    \b
    towline delete net_tows --where tow=4,net=1 --note "net did not open"
    """
    target = call.connection.dataset(call.name(dataset))
    contract = target.contract()
    wanted = edits.read(contract, edits.parse(where, "--where"))
    head = history.head_at(target.bench, target.name)
    table = browse.matching(head.file, contract.key, wanted)
    changes = edits.deletes(contract, edits.rows(contract, table, wanted), all_matching=all_matching)
    if len(changes) > 1:
        say(f"{len(changes):,} rows match")
    return submit(call, target, target.rows(changes, sending.note, str(head.commit), mode), sending)
