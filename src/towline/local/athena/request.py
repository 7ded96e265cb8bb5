"""What a StartQueryExecution asks for, with what its workgroup decides filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from towline.local.athena import statement
from towline.local.athena.answer import Refused
from towline.local.athena.failure import flat

LONGEST_QUERY = 262_144  # bytes, in Athena's limits

_NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup result configuration "
    "setting or as an API input."
)


@dataclass(frozen=True)
class Request:
    """One statement to run. `output` is the folder for results; `scan_limit` how many bytes it may read, if limited."""

    query: str
    database: str
    workgroup: str
    asked_output: str | None
    output: str
    enforced: bool
    scan_limit: int | None

    @classmethod
    def of(cls, data: dict[str, Any]) -> Request:
        """Raises Refused."""
        workgroup = str(data.get("WorkGroup") or "primary")
        settings = _settings(workgroup)
        asked = (data.get("ResultConfiguration") or {}).get("OutputLocation")
        enforced = _is_true(settings.get("EnforceWorkGroupConfiguration"))
        limit = settings.get("BytesScannedCutoffPerQuery")
        return cls(
            query=_one_statement(str(data.get("QueryString") or "")),
            database=str((data.get("QueryExecutionContext") or {}).get("Database") or "default"),
            workgroup=workgroup,
            asked_output=asked,
            output=_output(settings, None if enforced else asked),
            enforced=enforced,
            scan_limit=None if limit is None else int(limit),
        )

    @property
    def identity(self) -> list[str | None]:
        """What is the same in two requests that are one."""
        return [self.query, self.database, self.workgroup, self.asked_output]


def _one_statement(query: str) -> str:
    if not query.strip():
        raise Refused("queryString cannot be empty")
    if len(query.encode()) > LONGEST_QUERY:
        raise Refused(f"queryString has more than {LONGEST_QUERY} bytes")
    statements = statement.split(query)
    if len(statements) != 1:
        raise Refused(f"Only one sql statement is allowed. Got: {flat(query)}", code="MALFORMED_QUERY")
    return statements[0].strip()


def _settings(workgroup: str) -> dict[str, Any]:
    from ministack.services import athena

    athena._ensure_default_workgroup()
    group = athena._workgroups.get(workgroup)
    if group is None:
        raise Refused(f"WorkGroup {workgroup} is not found.")
    if group.get("State") == "DISABLED":
        raise Refused(f"WorkGroup {workgroup} is disabled.")
    return group.get("Configuration") or {}


def _is_true(value: Any) -> bool:
    """A template's values may be text."""
    return str(value).lower() == "true"


def _output(settings: dict[str, Any], asked: str | None) -> str:
    """Where results go: where the request says, if it may, else the workgroup's place."""
    output = asked or (settings.get("ResultConfiguration") or {}).get("OutputLocation")
    if not output:
        raise Refused(_NO_OUTPUT)
    if not str(output).startswith("s3://"):
        raise Refused(f"outputLocation is not a valid S3 path: {output}")
    return str(output)
