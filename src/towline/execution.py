"""One run of a query, as Athena tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SUCCEEDED, FAILED, CANCELLED = "SUCCEEDED", "FAILED", "CANCELLED"
FINAL = (SUCCEEDED, FAILED, CANCELLED)


@dataclass(frozen=True)
class Execution:
    """One run of a query, as Athena tells of it.

    `state` is QUEUED, RUNNING or one of FINAL; `reason` says why it failed or was cancelled, in Athena's words.
    `output` is the URL of its result, `manifest` that of the list of files that a CTAS wrote. `engine_ms` and
    `scanned_bytes` are 0 as long as it has not begun.
    """

    id: str
    state: str
    statement: str
    reason: str = ""
    workgroup: str = ""
    database: str = ""
    submitted: datetime | None = None
    completed: datetime | None = None
    scanned_bytes: int = 0
    engine_ms: int = 0
    output: str = ""
    manifest: str = ""
    statistics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Execution:
        """From the `QueryExecution` of an answer of Athena's."""
        status, statistics = found.get("Status", {}), found.get("Statistics", {})
        return cls(
            id=found["QueryExecutionId"],
            state=status.get("State", "QUEUED"),
            statement=found.get("Query", ""),
            reason=status.get("StateChangeReason", ""),
            workgroup=found.get("WorkGroup", ""),
            database=found.get("QueryExecutionContext", {}).get("Database", ""),
            submitted=status.get("SubmissionDateTime"),
            completed=status.get("CompletionDateTime"),
            scanned_bytes=statistics.get("DataScannedInBytes", 0),
            engine_ms=statistics.get("EngineExecutionTimeInMillis", 0),
            output=found.get("ResultConfiguration", {}).get("OutputLocation", ""),
            manifest=statistics.get("DataManifestLocation", ""),
            statistics=statistics,
        )
