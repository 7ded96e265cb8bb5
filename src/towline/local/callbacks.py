"""A task of Step Functions that waits for its token fails where the function that was given the token failed.

MiniStack ignores what becomes of that function, and waits for a token that nobody has until the state's time is up. On
AWS the state fails with the function's error, which is what its Retry and Catch are for.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

_token: contextvars.ContextVar[str | None] = contextvars.ContextVar("towline_token", default=None)


def install() -> None:
    from ministack.services import stepfunctions

    stepfunctions._invoke_with_callback = _knowing_the_token(stepfunctions._invoke_with_callback)
    stepfunctions._call_lambda = _failing_the_token(stepfunctions._call_lambda, stepfunctions)


def _knowing_the_token(invoke: Callable[..., Any]) -> Callable[..., Any]:
    def invoke_knowing(resource: Any, input_data: Any, token: str, state_def: Any) -> Any:
        before = _token.set(token)
        try:
            return invoke(resource, input_data, token, state_def)
        finally:
            _token.reset(before)

    return invoke_knowing


def _failing_the_token(call: Callable[..., Any], stepfunctions: Any) -> Callable[..., Any]:
    def call_or_fail(function: Any, event: Any) -> Any:
        try:
            return call(function, event)
        except stepfunctions._ExecutionError as error:
            fail(stepfunctions._task_tokens.get(_token.get()), error.error, error.cause)
            raise

    return call_or_fail


def fail(waiting: dict[str, Any] | None, error: str, cause: str) -> None:
    """Answer for a function that failed, unless somebody has answered already."""
    if waiting is not None and not waiting["event"].is_set():
        waiting["error"] = {"Error": error, "Cause": cause}
        waiting["event"].set()
