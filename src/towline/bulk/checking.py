"""What the query made, held against the contract and against the base that it ran on; the preview of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from towline import cost, inbox, keys, master, plan, policy, preview, receipts, sqledit, unique
from towline.bulk import refusing, results
from towline.bulk import state as states
from towline.bulk.state import State
from towline.contract import Contract
from towline.diff import Diff
from towline.errors import BadProposal, Contended
from towline.receipts import PREVIEWED, Receipt
from towline.rows import Rows
from towline.violation import Report
from towline.workbench import Workbench

CLEAN, WAIT, PROMOTE = "clean", "wait", "promote"


def check(bench: Workbench, run: keys.Run, query: Mapping[str, Any]) -> dict[str, object]:
    """Check a run's result, write its preview and say how it goes on: `decision` is wait (for its author's word),
    promote, or clean where it was refused. `query` is what Athena told: id, scanned_bytes, engine_ms."""
    receipt = receipts.load(bench.store, run.dataset, run.id)
    if receipt is None or receipt.final:
        return {"decision": CLEAN}
    state = states.need(bench.store, run)
    if receipt.run.get("effect") and state.result:
        return {"decision": _next(receipt)}
    contract = bench.contract(run.dataset)
    try:
        return {"decision": _checked(bench, receipt, state, contract, query)}
    except BadProposal as error:
        refusing.refuse(bench, receipt, error.rule, str(error), query)
        return {"decision": CLEAN}


def _next(receipt: Receipt) -> str:
    return WAIT if receipt.status == PREVIEWED else PROMOTE


def _checked(bench: Workbench, receipt: Receipt, state: State, contract: Contract, query: Mapping[str, Any]) -> str:
    etag = bench.store.head(state.where.result).etag
    sent, unread = inbox.sent(bench, receipt, contract)
    if sent is None:
        refusing.refuse_all(bench, receipt, unread, query)
        return CLEAN
    proposal, report = results.read(bench.store, state, contract, sent)
    found = master.at_commit(bench.store, bench.layout, state.dataset, state.base)
    if found is None:
        raise BadProposal(f"commit {state.base}, which the query ran on, is gone", rule="base.unknown")
    base = found.rows(contract.key)
    sqledit.check_times(base, contract)
    if proposal.made is None:
        refusing.refuse_all(bench, receipt, report, query)
        return CLEAN
    diff = Diff(contract.key, plan.proposed_changes(proposal, contract, base, None))
    checked = plan.check(diff.changes, contract), unique.check(diff.changes, contract, proposal.made)
    report = Report.join(report, *checked)
    told = {"scanned_bytes": 0, "engine_ms": 0, "query_id": "", **state.query, **query}
    told["cost_usd"] = cost.usd(int(told["scanned_bytes"])) if told["query_id"] else 0.0
    shown = _preview(bench, receipt, state, contract, base, proposal.made, diff, report, told)
    if not report.ok:
        refusing.refuse_all(bench, receipt, report, told)
        return CLEAN
    states.save(bench.store, replace(state, result=etag, query=told))
    return _next(_told(bench, receipt, state, shown))


def _preview(
    bench: Workbench,
    receipt: Receipt,
    state: State,
    contract: Contract,
    base: Rows,
    result: Rows,
    diff: Diff,
    report: Report,
    query: Mapping[str, Any],
) -> dict[str, Any]:
    author = frozenset((receipt.user, receipt.principal))
    reasons = policy.reasons(contract.review, author, diff, base.num_rows * len(base.schema))
    shown = preview.build(
        base,
        result,
        diff,
        contract,
        run=state.where,
        statement=state.statement,
        commit=state.base,
        number=state.number,
        report=report,
        reasons=(*reasons, *plan.losses(contract, diff, base.num_rows)),
        query=query,
    )
    body = json.dumps(shown, ensure_ascii=False).encode()
    bench.store.put(state.where.preview, body, content_type="application/json")
    return shown


def _told(bench: Workbench, receipt: Receipt, state: State, shown: Mapping[str, Any]) -> Receipt:
    """The receipt with what the run would do; `previewed` where its author wants to see that first."""
    rows, query = shown["rows"], {name: shown[name] for name in ("scanned_bytes", "cost_usd", "engine_ms", "query_id")}
    counts = {**{f"rows_{name}": rows[name] for name in ("inserted", "updated", "deleted")}}
    counts["cells_changed"] = shown["cells_changed"]
    about = {"effect": shown["effect"], "base": state.base, "number": state.number, "counts": counts, **query}
    known = replace(receipt, run={**receipt.run, **about})
    if receipt.run.get("preview"):
        known = known.moved(PREVIEWED, bench.clock(), message="")
    written = receipts.swap(bench.store, known)
    if written is None:
        raise Contended(f"{receipt.key} was changed meanwhile: take the step again")
    return written
