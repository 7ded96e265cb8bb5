"""Athena's integrations of Step Functions: run a query and wait for it (`.sync`), start, stop, look.

A query that a state waits for is stopped when the execution is stopped and when the state's time is up, as on AWS.
"""

from __future__ import annotations

import contextvars
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from towline.local.athena import api, caller
from towline.local.athena.answer import Answer, Refused
from towline.local.athena.execution import SUCCEEDED, Execution, Record
from towline.local.athena.loop import on_loop

_ARN = "arn:aws:states:::athena:"
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Waiting:
    """The task state that this thread executes: whose it is (a workflow's execution), and until when it may last."""

    execution: dict[str, Any] | None = None
    deadline: float = float("inf")

    @property
    def is_stopped(self) -> bool:
        return self.execution is not None and self.execution["status"] != "RUNNING"

    @property
    def is_over(self) -> bool:
        return self.is_stopped or time.monotonic() > self.deadline


_ANYONE = Waiting()
_waiting = contextvars.ContextVar("towline_waiting", default=_ANYONE)


def install() -> None:
    """Add the integrations to the table by which Step Functions finds them, and know whose each call is."""
    from ministack.services import stepfunctions

    calls = {"startQueryExecution": _start, "stopQueryExecution": _stop, "getQueryExecution": _get}
    stepfunctions._SERVICE_DISPATCH.update({_ARN + name: call for name, call in calls.items()})
    stepfunctions._execute_task = _knowing_whose(stepfunctions._execute_task)
    stepfunctions._invoke_resource_with_timeout = _knowing_until_when(stepfunctions._invoke_resource_with_timeout)
    stepfunctions._fail_execution = _unless_it_ended(stepfunctions._fail_execution)
    stepfunctions.time = Clock()


def _knowing_whose(execute_task: Callable[..., Any]) -> Callable[..., Any]:
    def execute(state_def: Any, raw_input: Any, execution: Any, ctx: Any) -> Any:
        token = _waiting.set(Waiting(execution))
        try:
            return execute_task(state_def, raw_input, execution, ctx)
        finally:
            _waiting.reset(token)

    return execute


def _knowing_until_when(invoke: Callable[..., Any]) -> Callable[..., Any]:
    """Stock leaves a task that took too long running, and ignores what becomes of it."""

    def invoke_until(resource: Any, input_data: Any, timeout: Any) -> Any:
        token = _waiting.set(replace(_waiting.get(), deadline=time.monotonic() + float(timeout)))
        try:
            return invoke(resource, input_data, timeout)
        finally:
            _waiting.reset(token)

    return invoke_until


def _unless_it_ended(fail: Callable[..., None]) -> Callable[..., None]:
    """An execution that was stopped stays ABORTED. In stock, what its last state raises later makes it FAILED."""

    def fail_unless_ended(execution: Any, error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    return fail_unless_ended


class Clock:
    """The module `time` for Step Functions, without the pause that stock makes before an execution's first state."""

    _FIRST_PAUSE = 0.15

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        if seconds != self._FIRST_PAUSE:
            time.sleep(seconds)


def _start(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if _waiting.get().is_stopped:
        return {}  # nobody goes on with it
    try:
        with caller.as_anyone():
            execution = on_loop(api.start, arguments)
    except Refused as refused:
        raise _error(f"Athena.{refused.kind}", str(refused)) from None
    return _wait(execution) if resource.endswith(".sync") else {"QueryExecutionId": execution.id}


def _wait(execution: Execution) -> dict[str, Any]:
    waiting = _waiting.get()
    while not execution.ended.wait(_LOOK_SECONDS):
        if waiting.is_over:
            execution.stop()
    described = {"QueryExecution": shown(execution.record)}
    if execution.state != SUCCEEDED and not waiting.is_stopped:
        raise _error("States.TaskFailed", json.dumps(described))
    return described


def shown(record: Record) -> dict[str, Any]:
    """An execution as Step Functions shows it: as the API does, with instants as milliseconds since 1970."""
    status = {
        name: round(value * 1000) if name.endswith("DateTime") else value for name, value in record["Status"].items()
    }
    return {name: value for name, value in record.items() if not name.startswith("_")} | {"Status": status}


def _stop(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return _answer(api.stop_query_execution, arguments)


def _get(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    from ministack.services import athena

    _answer(athena._get_query_execution, arguments)
    return {"QueryExecution": shown(athena._executions[arguments["QueryExecutionId"]])}


def _answer(operation: Callable[[dict[str, Any]], Answer], arguments: dict[str, Any]) -> dict[str, Any]:
    status, _, body = on_loop(operation, arguments)
    answer: dict[str, Any] = json.loads(body)
    if status >= 300:
        raise _error(f"Athena.{str(answer['__type']).rpartition('#')[2]}", str(answer.get("message")))
    return answer


def _error(name: str, cause: str) -> Exception:
    from ministack.services import stepfunctions

    error: Exception = stepfunctions._ExecutionError(name, cause)
    return error
