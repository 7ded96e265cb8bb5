"""What makes a query fail, in Athena's words."""

from __future__ import annotations

import re

# https://docs.aws.amazon.com/athena/latest/ug/error-reference.html
SYSTEM, USER, OTHER = 1, 2, 3


_TYPES = {
    "SYNTAX_ERROR": 1006,
    "HIVE_BAD_DATA": 1100,
    "HIVE_PATH_ALREADY_EXISTS": 1301,
    "NOT_SUPPORTED": 401,
}


class QueryFailed(Exception):
    """A query failed: `name` is Athena's name of the error ("SYNTAX_ERROR"), `message` what follows it."""

    def __init__(self, name: str, message: str, category: int = USER) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message, self.category = name, message, category
        self.type = _TYPES.get(name, 1301 if category == USER else 999)


class Cancelled(Exception):
    """The query was stopped while it ran."""


def flat(text: str) -> str:
    """A message on one line, as state change reasons are."""
    return re.sub(r"\s+", " ", text).strip()
