"""What a run's query made, as the proposal that it amounts to."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from towline import keys
from towline import table as tables
from towline.bulk import state as states
from towline.bulk.state import State
from towline.contract import Contract
from towline.diff import unequal
from towline.errors import BadProposal, Corrupt
from towline.master import Head
from towline.parquet.footer import TAIL
from towline.proposals import Proposal, conformed, not_empty
from towline.receipts import Receipt
from towline.rows import InMemory, Rows, pieces
from towline.store import ObjectStore
from towline.violation import Report


def read(store: ObjectStore, state: State, contract: Contract, proposal: Proposal) -> tuple[Proposal, Report]:
    """The proposal with the rows that the run's query made, in the contract's schema, and with the commit that it ran
    on. Where they do not fit the schema or their key, the violations say why, and there are none.

    A large result stays where it lies: of it the key columns are read here, and what differs from the base later.
    """
    head = Head(state.dataset, store.get(state.where.result, tail=TAIL), store, vouched=True)
    made, report = _made(head, contract)
    return replace(proposal, made=made, base=state.base), report


def _made(head: Head, contract: Contract) -> tuple[Rows | None, Report]:
    if head.is_whole or head.file.schema != contract.schema:
        table, report = conformed(head.table, contract)
        return None if table is None else InMemory(tables.sort(table, contract.key), contract.key), report
    rows = head.rows(contract.key)
    report = Report.join(contract.check_key(_repeated(rows, contract.key)), not_empty(rows.num_rows))
    return rows if report.ok else None, report


def _repeated(rows: Rows, key: tuple[str, ...]) -> pa.Table:
    """The keys that are there more than once, as often as they are there, of rows in key order."""
    last = rows.schema.empty_table().select(list(key))
    again = [last]
    for piece in pieces(rows, key):
        keys_ = pa.concat_tables([last, piece])
        before, after = keys_.slice(0, keys_.num_rows - 1), keys_.slice(1)
        differ = reduce(pc.or_, (unequal(before[name], after[name]) for name in key))
        again.append(after.filter(pc.invert(differ)))
        last = keys_.slice(keys_.num_rows - 1)
    found = pa.concat_tables(again)
    return pa.concat_tables([found, found.group_by(list(key)).aggregate([])])


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
