"""How a query ends badly, as GetQueryExecution and the events tell it."""

from __future__ import annotations

import re
from typing import Any

from towline.local.athena.errors import AthenaError

# Who is to blame, and with what: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html
SYSTEM, USER = 1, 2
_INTERNAL, _DATA, _DDL, _SCHEMA, _SYNTAX, _QUERY = 200, 1001, 1003, 1004, 1006, 1009
_TYPES = {
    "GENERIC_INTERNAL_ERROR": _INTERNAL,
    "FAILED": _DDL,
    "HIVE_BAD_DATA": _DATA,
    "SYNTAX_ERROR": _SYNTAX,
    "SCHEMA_NOT_FOUND": _SCHEMA,
    "TABLE_NOT_FOUND": _SCHEMA,
    "COLUMN_NOT_FOUND": _SCHEMA,
}


class Cancelled(Exception):
    """The query was stopped while it ran; the message says why."""


def status(error: AthenaError) -> dict[str, Any]:
    """The status of an execution that failed. Only faults of the engine are worth another try."""
    kind = _TYPES.get(error.name, _QUERY)
    system = kind == _INTERNAL
    described = {
        "ErrorCategory": SYSTEM if system else USER,
        "ErrorType": kind,
        "Retryable": system,
        "ErrorMessage": str(error),
    }
    return {"StateChangeReason": str(error), "AthenaError": described}


def flat(text: str) -> str:
    """A message on one line, as state change reasons are."""
    return re.sub(r"\s+", " ", text).strip()
