"""Athena's integrations of Step Functions: run a query and wait for it (`.sync`), start, stop, look."""

from __future__ import annotations

import json
from typing import Any

from towline.local.athena import api
from towline.local.athena.execution import SUCCEEDED, Execution, Record

_ARN = "arn:aws:states:::athena:"


def install() -> None:
    """Add the integrations to the table by which Step Functions finds them."""
    from ministack.services import stepfunctions

    calls = {
        "startQueryExecution": _start,
        "stopQueryExecution": _stop,
        "getQueryExecution": _get,
    }
    stepfunctions._SERVICE_DISPATCH.update({_ARN + name: call for name, call in calls.items()})


def _start(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        execution = api.begin(arguments)
    except api.Refused as refused:
        raise _error(f"Athena.{refused.kind}", str(refused)) from None
    if not resource.endswith(".sync"):
        return {"QueryExecutionId": execution.id}
    return _wait(execution)


def _wait(execution: Execution) -> dict[str, Any]:
    execution.ended.wait()
    described = {"QueryExecution": shown(execution.record)}
    if execution.state != SUCCEEDED:
        raise _error("States.TaskFailed", json.dumps(described))
    return described


def shown(record: Record) -> dict[str, Any]:
    """An execution as Step Functions shows it: as the API does, with instants as milliseconds since 1970."""
    status = {
        name: round(value * 1000) if name.endswith("DateTime") else value for name, value in record["Status"].items()
    }
    return {name: value for name, value in record.items() if not name.startswith("_")} | {"Status": status}


def _stop(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return _answered(api.stop_query_execution, arguments)


def _get(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    from ministack.services import athena

    _answered(athena._get_query_execution, arguments)
    return {"QueryExecution": shown(athena._executions[arguments["QueryExecutionId"]])}


def _answered(operation: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    from towline.local.athena.loop import on_loop

    status, _, body = on_loop(operation, arguments)
    answer: dict[str, Any] = json.loads(body)
    if status >= 300:
        raise _error(f"Athena.{str(answer['__type']).rpartition('#')[2]}", str(answer.get("message")))
    return answer


def _error(name: str, cause: str) -> Exception:
    from ministack.services import stepfunctions

    error: Exception = stepfunctions._ExecutionError(name, cause)
    return error
