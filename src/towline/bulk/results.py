"""What a run's query made, as the proposal that it amounts to."""

from __future__ import annotations

from dataclasses import replace

from towline import keys
from towline import table as tables
from towline.bulk import state as states
from towline.bulk.state import State
from towline.contract import Contract
from towline.errors import BadProposal, Corrupt
from towline.proposals import Proposal, conformed
from towline.receipts import Receipt
from towline.store import ObjectStore
from towline.violation import Report


def read(store: ObjectStore, state: State, contract: Contract, proposal: Proposal) -> tuple[Proposal, Report]:
    """The proposal with the table that the run's query made, brought to the contract's schema, and with the commit that
    it ran on. Where it does not fit the schema, the violations say why, and there is no table."""
    body = store.get(state.where.result).body
    table, report = conformed(tables.from_parquet(body, state.where.result), contract)
    return replace(proposal, table=table, base=state.base), report


def complete(store: ObjectStore, receipt: Receipt, contract: Contract, proposal: Proposal) -> tuple[Proposal, Report]:
    """The proposal for the commit: with the very result that was checked and, where its author wanted so,
    previewed."""
    run = keys.Run(receipt.dataset, receipt.proposal)
    state = states.need(store, run)
    stat = store.head(run.result)
    if state.result is None or stat.etag != state.result:
        raise BadProposal(f"{run.result} is not what was checked; send the edit again", rule="sql.result")
    try:
        return read(store, state, contract, proposal)
    except Corrupt as error:
        raise BadProposal(str(error), rule="sql.result") from error
