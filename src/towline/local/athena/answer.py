"""Requests that Athena refuses, and answers in MiniStack's form."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

Answer = tuple[int, Any, Any]


class Refused(Exception):
    """A request that Athena does not take; `kind` is the error's name in the API, `code` says more."""

    def __init__(self, message: str, kind: str = "InvalidRequestException", code: str = "INVALID_INPUT") -> None:
        super().__init__(message)
        self.kind, self.code = kind, code


def answered(operation: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], Answer]:
    """An operation that returns its response or raises Refused, as one that MiniStack can call."""

    @wraps(operation)
    def called(data: dict[str, Any]) -> Answer:
        from ministack.core.responses import error_response_json, json_response

        answer: Answer
        try:
            answer = json_response(operation(data))
        except Refused as refused:
            answer = error_response_json(refused.kind, str(refused), 400, extra={"AthenaErrorCode": refused.code})
        return answer

    return called
