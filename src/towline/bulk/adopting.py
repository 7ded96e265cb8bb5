"""A CTAS that somebody ran by hand into a dataset's `next/`: taken up as a run that is flattened, checked and promoted.

What it read is known only where the master did not change while it ran: then it is the version that stood there, and
the run is based on its commit. Whose it is, its place says: IAM lets a researcher write below their own name and
nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from towline import inbox, keys, proposals, receipts
from towline.bulk import cleaning, refusing
from towline.bulk import state as states
from towline.bulk.pinning import BY_HAND
from towline.bulk.state import State
from towline.commit import settled_head
from towline.errors import BadProposal, Contended, PreconditionFailed
from towline.execution import SUCCEEDED, Execution
from towline.inbox import Arrival
from towline.proposals import MAX_NOTE, MAX_STATEMENT
from towline.receipts import Receipt
from towline.store import ABSENT
from towline.workbench import Workbench

NONE, CLEAN, FLATTEN = "none", "clean", "flatten"
_NOTE = re.compile(r"\s*--\s*note:(.*)", re.IGNORECASE)
# LastModified has whole seconds: a version of the same second may be of before or after.
_SECOND = timedelta(seconds=1)
_UNKNOWN = "unknown"
# How Athena's reason begins where other parts lay there: then the query wrote none.
_OCCUPIED = "HIVE_PATH_ALREADY_EXISTS"


@dataclass(frozen=True)
class ByHand:
    """Where a CTAS put its parts, and what follows of the place."""

    dataset: str
    principal: str
    prefix: str


def adopt(bench: Workbench, execution: Execution, bucket: str, name: str) -> dict[str, object]:
    """What becomes of a query that ended: `decision` is flatten, clean (it was refused; the author is told) or none (it
    is nothing to Towline). `name` is the execution of the state machine that asks. Contended: Athena does not say yet
    that the query ended."""
    place = place_of(execution.statement, bucket)
    if place is None or not bench.has(place.dataset):
        return {"decision": NONE}
    if not execution.is_final:
        raise Contended(f"query {execution.id} ended, and Athena still says {execution.state}: take the step again")
    run = keys.Run(place.dataset, execution.id)
    receipt = receipts.load(bench.store, run.dataset, run.id)
    if receipt is None:
        receipt = _received(bench, run, place, execution)
    if receipt.final:
        return _over(bench, run, place, execution)
    state = states.load(bench.store, run)
    if state is not None and state.execution != name:
        return {"decision": NONE}  # the event came twice: another execution has it
    try:
        state = state or states.save(bench.store, _state(bench, run, place, execution, name))
    except BadProposal as error:
        refusing.refuse(bench, receipt, error.rule, str(error), execution.statistics)
        return _over(bench, run, place, execution)
    return _on(run, FLATTEN, prefix=place.prefix, manifest=execution.manifest or None, query=_told(execution))


def place_of(statement: str, bucket: str) -> ByHand | None:
    """Where a CTAS into a dataset's `next/` puts its parts; None for any other statement."""
    try:
        tree = sqlglot.parse_one(statement, dialect="athena")
    except (SqlglotError, RecursionError):
        return None
    if not isinstance(tree, exp.Create) or not isinstance(tree.expression, exp.Query):
        return None
    location = next((_value(one) for one in tree.find_all(exp.Property) if _name(one) == "external_location"), "")
    head = f"s3://{bucket}/"
    prefix = f"{location.removeprefix(head).rstrip('/')}/"
    found = keys.parse_by_hand(prefix) if location.startswith(head) else None
    return ByHand(*found, prefix) if found else None


def _name(node: exp.Property) -> str:
    return node.this.name.lower() if isinstance(node.this, exp.Expr) else str(node.this).lower()


def _value(node: exp.Property) -> str:
    return str(node.args["value"].name) if isinstance(node.args.get("value"), exp.Expr) else ""


def note_of(statement: str) -> str:
    """The note in a leading comment `-- note: why`; else one that says what this is."""
    found = _NOTE.match(statement)
    return (found[1].strip()[:MAX_NOTE] if found else "") or "CTAS by hand in Athena"


def _received(bench: Workbench, run: keys.Run, place: ByHand, execution: Execution) -> Receipt:
    """The receipt of a query run by hand, accepted, and its proposal beside it."""
    # What is longer is refused (`_state`); its beginning says which it was.
    statement = execution.statement.encode()[:MAX_STATEMENT].decode(errors="ignore")
    body = proposals.to_json(
        dataset=run.dataset, note=note_of(statement), base=None, kind="sql", sql=statement, changes=()
    )
    try:
        stat = bench.store.put(run.proposal, body, when=ABSENT, content_type="application/json")
    except PreconditionFailed:
        stat = bench.store.head(run.proposal)
    arrival = Arrival(run.proposal, stat.version, stat.etag, len(body), place.principal or _UNKNOWN)
    receipt = Receipt(
        run.id,
        run.dataset,
        "received",
        str(arrival.principal),
        inbox.user_of(str(arrival.principal)),
        kind="sql",
        note=note_of(statement),
        inbox={"key": arrival.key, "version": arrival.version, "etag": arrival.etag, "size": arrival.size},
        run={"statement": statement, BY_HAND: place.prefix},
    )
    written = receipts.swap(bench.store, receipt.moved("accepted", bench.clock()))
    found = written or receipts.load(bench.store, run.dataset, run.id)
    assert found is not None  # noqa: S101 - one of the two wrote it
    return found


def _state(bench: Workbench, run: keys.Run, place: ByHand, execution: Execution, name: str) -> State:
    """The run, based on the commit that the query read. BadProposal: it failed, or what it read is not known."""
    if execution.state != SUCCEEDED:
        raise BadProposal(execution.reason or f"the query was {execution.state.lower()}", rule=refusing.QUERY)
    proposals.check_statement(execution.statement)
    if execution.submitted is None or execution.completed is None:
        raise BadProposal(f"Athena does not say when query {execution.id} ran; run it again", rule="sql.base")
    settled_head(bench, run.dataset)  # so that what stands now is Towline's, and its commit finished
    version = standing(bench, run.dataset, execution.submitted, execution.completed)
    stat = bench.store.head(keys.master(run.dataset), version=version)
    commit = stat.metadata.get("commit")
    if not commit:
        raise BadProposal("the master that the query read was written past Towline; run it again", rule="sql.base")
    return State(
        run.dataset,
        run.id,
        execution.statement,
        commit,
        int(stat.metadata["number"]),
        version=version,
        execution=name,
        parts=place.prefix,
        query=_told(execution),
    )


def standing(bench: Workbench, dataset: str, start: datetime, end: datetime) -> str:
    """VersionId of the master that stood from `start` to `end`. BadProposal: it was changed meanwhile, or so close
    before that the order cannot be told."""
    for version in bench.store.versions(keys.master(dataset)):
        if version.modified > end + _SECOND:
            continue
        if version.modified + _SECOND > start:
            raise BadProposal(
                f"the master of {dataset} was changed at {version.modified:%H:%M:%S}, and the query ran from "
                f"{start:%H:%M:%S} to {end:%H:%M:%S} (UTC): which version it read is not known. Run it again",
                rule="sql.base",
            )
        if version.is_delete_marker:
            break
        return version.version
    raise BadProposal(f"there was no master of {dataset} when the query ran", rule="sql.base")


def _told(execution: Execution) -> Mapping[str, object]:
    return {
        "query_id": execution.id,
        "scanned_bytes": execution.scanned_bytes,
        "engine_ms": execution.engine_ms,
        "manifest": execution.manifest,
        "submitted": execution.submitted.isoformat() if execution.submitted else None,
    }


def _over(bench: Workbench, run: keys.Run, place: ByHand, execution: Execution) -> dict[str, object]:
    """The end of a run that was refused before it was one: its parts go. What lay there before it is another's."""
    if not execution.reason.startswith(_OCCUPIED):
        cleaning.delete_parts(bench, place.prefix, _told(execution))
    return _on(run, CLEAN)


def _on(run: keys.Run, decision: str, **more: object) -> dict[str, object]:
    return {"dataset": run.dataset, "run": run.id, "decision": decision, **more}


__all__ = ["adopt", "note_of", "place_of", "standing"]
