"""The first step: the master as it stands is copied for the query, which nothing else could pin (Athena reads whatever
lies there when it comes to it)."""

from __future__ import annotations

from dataclasses import replace

from towline import archive, inbox, keys, receipts, sqledit
from towline import statements as written
from towline.bulk import refusing
from towline.bulk import state as states
from towline.bulk.state import State
from towline.commit import settled_head
from towline.errors import BadProposal, NotFound
from towline.proposals import Proposal
from towline.receipts import Receipt
from towline.workbench import Workbench

BY_HAND = "by_hand"  # in a receipt: where a CTAS that was run by hand put its parts
CLEAN, CHECK, FLATTEN, QUERY = "clean", "check", "flatten", "query"


def pin(bench: Workbench, run: keys.Run, execution: str, bucket: str) -> dict[str, object]:
    """Pin the base of a run, or find what an earlier execution left, and say how it goes on: `decision` is query,
    flatten, check or clean."""
    receipt = receipts.load(bench.store, run.dataset, run.id)
    if receipt is None:
        raise NotFound(f"there is no receipt of proposal {run.id} of {run.dataset}: nothing is to be run")
    if receipt.final:
        return {"decision": CLEAN}
    try:
        state = _taken_up(bench, run, receipt, execution)
    except BadProposal as error:
        refusing.refuse(bench, receipt, error.rule, str(error))
        return {"decision": CLEAN}
    if _exists(bench, run.result):
        return {"decision": CHECK}
    if state.parts:
        told = dict(state.query)
        return {"decision": FLATTEN, "prefix": state.prefix, "manifest": told.get("manifest") or None, "query": told}
    bench.store.copy(state.source, run.base, version=state.version)
    return {"decision": QUERY, "prefix": state.prefix, **statements(bench, state, bucket)}


def statements(bench: Workbench, state: State, bucket: str) -> dict[str, object]:
    """What Athena is asked, each with its ClientRequestToken."""
    contract = bench.contract(state.dataset)
    base, new = (f'"{bench.database}"."{name}"' for name in (state.base_table, state.next_table))
    location = state.where.base.rpartition("/")[0]
    return {
        "create": sqledit.base_ddl(contract, base, f"s3://{bucket}/{location}/"),
        "create_token": f"create-{state.token}",
        "rewrite": sqledit.ctas(state.select, new, f"s3://{bucket}/{state.prefix}"),
        "rewrite_token": f"rewrite-{state.token}",
    }


def _taken_up(bench: Workbench, run: keys.Run, receipt: Receipt, execution: str) -> State:
    """The run as this execution has it: a later one than that which had it before is another attempt."""
    state = states.load(bench.store, run)
    if state is None:
        return states.save(bench.store, _begun(bench, run, receipt, execution))
    if state.execution == execution:
        return state
    return states.save(bench.store, replace(state, attempt=state.attempt + 1, execution=execution))


def _begun(bench: Workbench, run: keys.Run, receipt: Receipt, execution: str) -> State:
    if receipt.run.get(BY_HAND):
        raise BadProposal(
            "it was interrupted before it was known what the query read; run the CTAS again", rule="sql.base"
        )
    head, ground = settled_head(bench, run.dataset)
    contract = bench.contract(run.dataset, head.contract if head else None)
    proposal, report = inbox.read(bench, receipt, contract)
    if proposal is None or proposal.statement is None:
        first = next(iter(report.violations), None)
        raise BadProposal(first.message if first else "this is no SQL edit", rule=first.rule if first else "sql")
    if head is None or ground.commit is None:
        raise BadProposal(f"there is no dataset {run.dataset!r} to edit", rule="dataset.unknown")
    if proposal.base is None or proposal.base == ground.commit:
        base = State(
            run.dataset, run.id, proposal.statement, ground.commit, ground.number, keys.master(run.dataset),
            ground.version,
        )  # fmt: skip
    else:
        base = _at(bench, run, proposal)
    compiled = written.compiled(bench, contract, base.statement, base.base_table)
    return replace(base, select=compiled.select, execution=execution)


def _at(bench: Workbench, run: keys.Run, proposal: Proposal) -> State:
    """A run on an earlier commit, from its snapshot."""
    commit = str(proposal.base)
    try:
        stat = archive.head(bench.store, bench.layout, bench.layout.snapshot(run.dataset, commit))
    except NotFound:
        raise BadProposal(f"there is no commit {commit} in this dataset", rule="base.unknown") from None
    number = int(stat.metadata["number"])
    return State(run.dataset, run.id, str(proposal.statement), commit, number, stat.key, stat.version)


def _exists(bench: Workbench, key: str) -> bool:
    try:
        return bool(bench.store.head(key))
    except NotFound:
        return False
