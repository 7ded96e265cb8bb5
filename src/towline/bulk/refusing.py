"""Why a run ends without a commit: a final receipt, and the quarantine with query, error and Athena's figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from towline import inbox, keys, quarantine, receipts
from towline.errors import Contended
from towline.receipts import Receipt
from towline.violation import Report, Violation
from towline.workbench import Workbench

# What Step Functions calls an error -> the rule that a receipt names.
QUERY, TIMEOUT, EXPIRED, FAULT = "sql.query", "sql.timeout", "sql.expired", "sql.fault"
_SAID = {
    TIMEOUT: "the query ran longer than it may, and was stopped; see how it can read less, or ask for more time",
    EXPIRED: "nobody promoted the preview, or looked at the edit in review, in time; send the edit again",
}


@dataclass(frozen=True)
class Failure:
    """Why a state of the state machine failed, as people are told, and what Athena told of the query."""

    rule: str
    message: str
    query: Mapping[str, Any]


def failure(error: str, cause: str, *, while_waiting: bool = False) -> Failure:
    """Understand `Error` and `Cause` of Step Functions: of a query that failed the cause is Athena's description of it,
    of a function that raised its exception."""
    if error == "States.Timeout":
        rule = EXPIRED if while_waiting else TIMEOUT
        return Failure(rule, _SAID[rule], {})
    try:
        raw = json.loads(cause)
    except ValueError:
        raw = {}
    raw = raw if isinstance(raw, dict) else {}
    execution = raw.get("QueryExecution", raw)
    if "QueryExecutionId" in execution:
        status = execution.get("Status", {})
        reason = status.get("StateChangeReason") or f"the query was {str(status.get('State', error)).lower()}"
        return Failure(QUERY, str(reason), execution)
    if "errorMessage" in raw:
        return Failure(FAULT if raw.get("errorType") not in _OF_DATA else "sql.result", str(raw["errorMessage"]), {})
    return Failure(FAULT, f"{error}: {cause}"[:2_000] if cause else error, {})


# Exceptions of the flatten function that are about what the query made.
_OF_DATA = ("UnreadableFile", "NotFound", "UsageError", "TooLarge")


def refuse(
    bench: Workbench, receipt: Receipt, rule: str, message: str, query: Mapping[str, Any] | None = None
) -> Receipt:
    """Refuse a run for one reason; a receipt that is final stays as it is."""
    return refuse_all(bench, receipt, Report.of([Violation(rule, "error", None, None, None, message)]), query)


def refuse_all(bench: Workbench, receipt: Receipt, report: Report, query: Mapping[str, Any] | None = None) -> Receipt:
    """Refuse a run for all that is wrong with it. Returns the receipt as it is now. Contended while a commit claims it:
    that one may still land, and only the commit protocol can tell."""
    if receipt.final:
        return receipt
    if receipt.status == "committing":
        raise Contended(f"commit {receipt.commit} claims {receipt.key}: take the step again once that is decided")
    kept = quarantine.keep(bench, inbox.refused(bench, receipt, report))
    _keep_query(bench, kept, query or {})
    written = receipts.swap(bench.store, kept)
    if written is None:
        return receipts.load(bench.store, receipt.dataset, receipt.proposal) or receipt
    bench.notify(written)
    return written


def _keep_query(bench: Workbench, receipt: Receipt, query: Mapping[str, Any]) -> None:
    """What there is beside the proposal: the run, its preview, and what Athena told."""
    run = keys.Run(receipt.dataset, receipt.proposal)
    place = str(receipt.quarantine).rpartition("/")[0]
    for key in (run.state, run.preview):
        quarantine.copy(bench, key, None, f"{place}/{key.rpartition('/')[2]}")
    about = {"statement": receipt.run.get("statement"), "error": receipt.message, "athena": query}
    body = json.dumps(about, ensure_ascii=False, indent=1, default=str).encode()
    bench.store.put(f"{place}/query.json", body, content_type="application/json")
