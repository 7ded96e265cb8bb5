"""StartQueryExecution and StopQueryExecution: what a request becomes, and the threads that queries run in."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
import uuid
from typing import Any

from towline.local.athena import engine, failure, statement
from towline.local.athena.answer import Refused, answered
from towline.local.athena.errors import AthenaError
from towline.local.athena.execution import (
    CANCELLED,
    FAILED,
    FINAL,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    Execution,
    Record,
)
from towline.local.athena.failure import Cancelled, flat
from towline.local.athena.request import Request
from towline.local.athena.statement import CTAS, Kind
from towline.local.athena.storage import Location

# How many queries run at once; the others are queued, and more than QUEUED_AT_MOST are refused.
AT_ONCE = 2
QUEUED_AT_MOST = 100
# How many queries that have ended are remembered.
KEPT = 1000
LISTED_AT_MOST = 50

_TOO_MANY = (
    "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of "
    "concurrent queries submitted by this account."
)
_slots = threading.BoundedSemaphore(AT_ONCE)
_live: dict[str, Execution] = {}

log = logging.getLogger("towline.athena")


@answered
def start_query_execution(data: dict[str, Any]) -> dict[str, Any]:
    return {"QueryExecutionId": start(data).id}


@answered
def stop_query_execution(data: dict[str, Any]) -> dict[str, Any]:
    from ministack.services import athena

    query_id = data.get("QueryExecutionId")
    if query_id not in athena._executions:
        raise Refused(f"QueryExecution {query_id} was not found")
    if (execution := _live.get(str(query_id))) is not None:
        execution.stop()
    return {}


@answered
def list_query_executions(data: dict[str, Any]) -> dict[str, Any]:
    """The ids of a workgroup's queries, the newest first."""
    from ministack.services import athena

    workgroup = data.get("WorkGroup") or "primary"
    found = [query_id for query_id, record in athena._executions.items() if record["WorkGroup"] == workgroup][::-1]
    first, limit = int(data.get("NextToken") or 0), int(data.get("MaxResults") or LISTED_AT_MOST)
    more = {"NextToken": str(first + limit)} if first + limit < len(found) else {}
    return {"QueryExecutionIds": found[first : first + limit], **more}


def start(data: dict[str, Any]) -> Execution:
    """Begin a query, or find the one that the same request began before. On the event loop. Raises Refused."""
    from ministack.services import athena

    token = data.get("ClientRequestToken")
    request = Request.of(data)
    if (before := _begun_before(token, request)) is not None:
        return before
    if sum(execution.state == QUEUED for execution in _live.values()) >= QUEUED_AT_MOST:
        raise Refused(_TOO_MANY, "TooManyRequestsException", "TOO_MANY_REQUESTS")
    execution = Execution(_record(request, token))
    _forget_old()
    athena._executions[execution.id] = execution.record
    _live[execution.id] = execution
    execution.move(QUEUED)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_run, execution, request), daemon=True).start()
    return execution


def _begun_before(token: str | None, request: Request) -> Execution | None:
    from ministack.services import athena

    if token is None:
        return None
    if not 32 <= len(token) <= 128:
        raise Refused("clientRequestToken must have 32 to 128 characters")
    for record in athena._executions.values():
        if record.get("_token") == token:
            if record["_identity"] != request.identity:
                raise Refused("Idempotent parameters do not match")
            return _live.get(record["QueryExecutionId"]) or Execution(record)
    return None


def _forget_old() -> None:
    """Leave the newest KEPT executions that have ended; they are in the order of their submission."""
    from ministack.services import athena

    ended = [query_id for query_id, record in athena._executions.items() if record["Status"]["State"] in FINAL]
    for query_id in ended[:-KEPT]:
        athena._executions.pop(query_id, None)


def _record(request: Request, token: str | None) -> Record:
    query_id, kind = str(uuid.uuid4()), statement.kind(request.query)
    return {
        "QueryExecutionId": query_id,
        "Query": request.query,
        "StatementType": kind.type,
        "SubstatementType": kind.subtype,
        "ResultConfiguration": {"OutputLocation": str(_result(request.output, kind, query_id))},
        "QueryExecutionContext": {"Database": request.database, "Catalog": statement.CATALOG},
        "Status": {"State": QUEUED, "SubmissionDateTime": round(time.time(), 3)},
        "Statistics": {"DataScannedInBytes": 0},
        "WorkGroup": request.workgroup,
        "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
        "_token": token,
        "_identity": request.identity,
        "_columns": [],
        "_updated": 0,
    }


def _result(output: str, kind: Kind, query_id: str) -> Location:
    folder = Location.parse(output)
    if kind == CTAS:
        return folder.below(f"tables/{query_id}")
    return folder.below(f"{query_id}.{'csv' if kind.type == 'DML' else 'txt'}")


def _run(execution: Execution, request: Request) -> None:
    began = time.monotonic()
    with _slots:
        queued = time.monotonic()
        outcome = _outcome(execution, request) if execution.move(RUNNING) else None
    ended = time.monotonic()
    execution.count(
        TotalExecutionTimeInMillis=round((ended - began) * 1000),
        QueryQueueTimeInMillis=round((queued - began) * 1000),
    )
    if outcome is not None:
        execution.move(outcome[0], **outcome[1])
    _live.pop(execution.id, None)


def _outcome(execution: Execution, request: Request) -> tuple[str, dict[str, Any]]:
    output = Location.parse(execution.record["ResultConfiguration"]["OutputLocation"])
    try:
        engine.run(execution, request, output)
    except Cancelled as stopped:
        return CANCELLED, {"StateChangeReason": str(stopped)}
    except AthenaError as error:
        return FAILED, failure.status(error)
    except Exception as fault:  # a fault of ours is the query's failure, never a query that runs for ever
        log.exception("query %s failed", execution.id)
        return FAILED, failure.status(AthenaError("GENERIC_INTERNAL_ERROR", flat(repr(fault))))
    return SUCCEEDED, {}


def end_interrupted() -> None:
    """Mark as failed what the saved state shows as under way: this process runs none of it. Called at a start.

    The same request made again then begins a new query; nobody on AWS meets one that ended like this.
    """
    from ministack.services import athena

    for record in athena._executions.all_values():
        if record["Status"]["State"] not in FINAL:
            error = AthenaError("GENERIC_INTERNAL_ERROR", "the local stack was stopped while the query ran")
            ended = {"State": FAILED, "CompletionDateTime": round(time.time(), 3), **failure.status(error)}
            record["Status"], record["_token"] = {**record["Status"], **ended}, None
