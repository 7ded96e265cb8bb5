"""The operations of Athena's API that we replace: start, stop, and the pages of a result."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
import uuid
from typing import Any

from towline.local.athena import engine, results, statement, storage
from towline.local.athena.error import Cancelled, QueryFailed
from towline.local.athena.execution import CANCELLED, FAILED, QUEUED, RUNNING, SUCCEEDED, Execution, Record
from towline.local.athena.loop import on_loop
from towline.local.athena.statement import CTAS, Kind
from towline.local.athena.storage import Location

# How many queries run at once; the others are queued, and beyond QUEUED_AT_MOST refused.
AT_ONCE = 2
QUEUED_AT_MOST = 100

_TOO_MANY = (
    "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of "
    "concurrent queries submitted by this account."
)
_NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup result configuration "
    "setting or as an API input."
)

_slots = threading.BoundedSemaphore(AT_ONCE)
_live: dict[str, Execution] = {}

log = logging.getLogger("towline.athena")

Answer = tuple[int, Any, Any]


class Refused(Exception):
    """A request that Athena does not take; `kind` is the error's code."""

    def __init__(self, message: str, kind: str = "InvalidRequestException", code: str = "INVALID_INPUT") -> None:
        super().__init__(message)
        self.kind, self.code = kind, code


def start_query_execution(data: dict[str, Any]) -> Answer:
    from ministack.core.responses import json_response

    try:
        return json_response({"QueryExecutionId": start(data).id})
    except Refused as refused:
        return _refusal(refused)


def _refusal(refused: Refused) -> Answer:
    from ministack.core.responses import error_response_json

    return error_response_json(refused.kind, str(refused), 400, extra={"AthenaErrorCode": refused.code})


def start(data: dict[str, Any]) -> Execution:
    """Begin a query, or find the one that the same request began before. On the event loop. Raises Refused."""
    from ministack.services import athena

    request = _request(data)
    if before := _begun_before(data.get("ClientRequestToken"), request):
        return before
    if sum(execution.state == QUEUED for execution in _live.values()) >= QUEUED_AT_MOST:
        raise Refused(_TOO_MANY, "TooManyRequestsException", "TOO_MANY_REQUESTS")
    execution = Execution(_record(request, data.get("ClientRequestToken")))
    athena._executions[execution.id] = execution.record
    _live[execution.id] = execution
    execution.move(QUEUED)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_run, execution, request), daemon=True).start()
    return execution


def _request(data: dict[str, Any]) -> dict[str, Any]:
    """The request with what the workgroup decides filled in."""
    query = str(data.get("QueryString") or "").strip()
    if not query:
        raise Refused("queryString cannot be empty")
    workgroup = str(data.get("WorkGroup") or "primary")
    context = data.get("QueryExecutionContext") or {}
    return {
        "query": query.removesuffix(";").rstrip(),
        "database": context.get("Database") or "default",
        "workgroup": workgroup,
        "output": _output(workgroup, data.get("ResultConfiguration") or {}),
    }


def _output(workgroup: str, given: dict[str, Any]) -> str:
    from ministack.services import athena

    if workgroup not in athena._workgroups:
        raise Refused(f"WorkGroup {workgroup} is not found.")
    group = athena._workgroups[workgroup]
    if group.get("State") == "DISABLED":
        raise Refused(f"WorkGroup {workgroup} is disabled.")
    settings = group.get("Configuration") or {}
    own = (settings.get("ResultConfiguration") or {}).get("OutputLocation")
    enforced = settings.get("EnforceWorkGroupConfiguration", False)
    output = own if enforced and own else given.get("OutputLocation") or own
    if not output:
        raise Refused(_NO_OUTPUT)
    return str(output)


def _begun_before(token: str | None, request: dict[str, Any]) -> Execution | None:
    from ministack.services import athena

    for record in athena._executions.values() if token else ():
        if record.get("_token") == token:
            if record["_request"] != request:
                raise Refused("Idempotent parameters do not match")
            return _live.get(record["QueryExecutionId"]) or Execution(record)
    return None


def _record(request: dict[str, Any], token: str | None) -> Record:
    query_id, kind = str(uuid.uuid4()), statement.kind(request["query"])
    return {
        "QueryExecutionId": query_id,
        "Query": request["query"],
        "StatementType": kind.type,
        "SubstatementType": kind.subtype,
        "ResultConfiguration": {"OutputLocation": str(_result(request["output"], kind, query_id))},
        "QueryExecutionContext": {"Database": request["database"], "Catalog": statement.CATALOG},
        "Status": {"State": QUEUED, "SubmissionDateTime": round(time.time(), 3)},
        "Statistics": {"DataScannedInBytes": 0},
        "WorkGroup": request["workgroup"],
        "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
        "_token": token,
        "_request": request,
        "_columns": [],
    }


def _result(output: str, kind: Kind, query_id: str) -> Location:
    folder = Location.parse(output)
    if kind == CTAS:
        return folder.below(f"tables/{query_id}")
    return folder.below(f"{query_id}.{'csv' if kind.type == 'DML' else 'txt'}")


def _run(execution: Execution, request: dict[str, Any]) -> None:
    began = time.monotonic()
    with _slots:
        queued = time.monotonic()
        if execution.stopped.is_set() or not execution.move(RUNNING):
            outcome: tuple[str, dict[str, Any]] = (CANCELLED, {"StateChangeReason": _CANCELLED})
        else:
            outcome = _outcome(execution, request)
    ended = time.monotonic()
    execution.count(
        TotalExecutionTimeInMillis=round((ended - began) * 1000),
        QueryQueueTimeInMillis=round((queued - began) * 1000),
        ServiceProcessingTimeInMillis=0,
    )
    execution.move(outcome[0], **outcome[1])
    _live.pop(execution.id, None)


_CANCELLED = "Query cancelled by user"


def _outcome(execution: Execution, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    output = Location.parse(execution.record["ResultConfiguration"]["OutputLocation"])
    try:
        engine.run(execution, request["query"], request["database"], output)
    except Cancelled:
        return CANCELLED, {"StateChangeReason": _CANCELLED}
    except QueryFailed as failure:
        return FAILED, _failed(failure)
    except Exception as fault:  # a fault of ours is the query's failure, never a query that runs for ever
        log.exception("query %s failed", execution.id)
        return FAILED, _failed(QueryFailed("GENERIC_INTERNAL_ERROR", repr(fault), category=1))
    return SUCCEEDED, {}


def _failed(failure: QueryFailed) -> dict[str, Any]:
    error = {
        "ErrorCategory": failure.category,
        "ErrorType": failure.type,
        "Retryable": False,
        "ErrorMessage": str(failure),
    }
    return {"StateChangeReason": str(failure), "AthenaError": error}


def stop_query_execution(data: dict[str, Any]) -> Answer:
    from ministack.core.responses import json_response
    from ministack.services import athena

    query_id = data.get("QueryExecutionId")
    if query_id not in athena._executions:
        return _refusal(Refused(f"QueryExecution {query_id} was not found"))
    if query_id in _live:
        stop(_live[query_id])
    return json_response({})


def stop(execution: Execution) -> None:
    """Interrupt a query; a queued one is cancelled there and then."""
    execution.stop()
    if execution.state == QUEUED:
        execution.move(CANCELLED, StateChangeReason=_CANCELLED)


def get_query_results(data: dict[str, Any]) -> Answer:
    from ministack.core.responses import json_response

    try:
        return json_response(_page(data))
    except Refused as refused:
        return _refusal(refused)


def _page(data: dict[str, Any]) -> dict[str, Any]:
    from ministack.services import athena

    record = athena._executions.get(data.get("QueryExecutionId"))
    if record is None:
        raise Refused(f"QueryExecution {data.get('QueryExecutionId')} was not found")
    state = record["Status"]["State"]
    if state in (FAILED, CANCELLED):
        raise Refused(f"Query did not finish successfully. Final query state: {state}")
    if state != SUCCEEDED:
        raise Refused(f"Query has not yet finished. Current state: {state}")
    limit, first = int(data.get("MaxResults") or 1000), int(data.get("NextToken") or 0)
    rows = _rows(record) if record["_columns"] else []
    page: dict[str, Any] = {
        "ResultSet": {
            "Rows": [{"Data": [_datum(value) for value in row]} for row in rows[first : first + limit]],
            "ResultSetMetadata": {"ColumnInfo": [results.column_info(*column) for column in record["_columns"]]},
        },
        "UpdateCount": 0,
    }
    return page | ({"NextToken": str(first + limit)} if first + limit < len(rows) else {})


def _rows(record: Record) -> list[list[str | None]]:
    location = record["ResultConfiguration"]["OutputLocation"]
    body = storage.read(Location.parse(location))
    if body is None:
        raise Refused(f"Could not find results at {location}")
    return results.parse_csv(body.decode())


def _datum(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


def begin(data: dict[str, Any]) -> Execution:
    """`start`, from any thread."""
    return on_loop(start, data)
