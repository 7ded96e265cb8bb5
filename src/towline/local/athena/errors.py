"""What Athena says when it refuses a query or a query fails."""

from __future__ import annotations


class AthenaError(Exception):
    """Prints as Athena prints it: "NAME: message". `name` is one of Trino's error codes."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message
