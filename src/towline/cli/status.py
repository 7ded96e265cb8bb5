"""`towline status`: what became of a proposal."""

from __future__ import annotations

from contextlib import suppress

import click

from towline import keys, receipts
from towline.cli.options import Call, called, timeout_option
from towline.cli.outcome import await_receipt, tell, unknown
from towline.connect import Connection
from towline.dataset import Ticket
from towline.errors import NotFound, OutcomeUnknown
from towline.receipts import Receipt


@click.command("status")
@click.argument("proposal")
@click.option("--dataset", metavar="DATASET", help="Where to look [default: in every dataset].")
@click.option("--wait", is_flag=True, help="Wait for the outcome.")
@timeout_option
@called
def command(call: Call, proposal: str, dataset: str | None, wait: bool, timeout: float) -> int:
    """Tell what became of a proposal, and exit with its outcome's code (0 while it is under way or in review)."""
    receipt = find(call.connection, proposal, dataset)
    if wait and not receipt.rests:
        ticket = Ticket(call.connection.bench, receipt.dataset, proposal)
        try:
            receipt = await_receipt(ticket, timeout, quiet=call.as_json)
        except OutcomeUnknown as error:
            return unknown(call, receipt.dataset, proposal, error)
    return tell(call, receipt)


def find(connection: Connection, proposal: str, dataset: str | None) -> Receipt:
    """The receipt of a proposal, or its stand-in while it waits in the inbox unseen. NotFound: there is neither."""
    names = [keys.check_dataset(dataset)] if dataset else connection.datasets()
    if keys.is_proposal(proposal):
        for name in names:
            found = receipts.load(connection.bench.store, name, proposal)
            if found is not None:
                return found
        for name in names:
            if _waits(connection, name, proposal):
                return Receipt(proposal, name, "received", connection.principal)
    where = f"in {dataset}" if dataset else f"in any dataset ({', '.join(names) or 'there is none'})"
    raise NotFound(f"there is no proposal {proposal} {where}; check the id, and name its --dataset if it was a create")


def _waits(connection: Connection, dataset: str, proposal: str) -> bool:
    for ending in (".json", ".sql.json"):
        with suppress(NotFound):
            connection.bench.store.head(keys.inbox(dataset, connection.principal, proposal + ending))
            return True
    return False
