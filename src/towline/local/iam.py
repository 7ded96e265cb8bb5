"""What MiniStack's IAM lacks and Towline's policies need, so that least privilege can be tried on a laptop (AUTH=true).

Policy variables: `inbox/*/${aws:userid}/*` is a researcher's own prefix; stock compares the text as it stands, and
nobody may write. Keys of conditional writes: stock does not tell policies whether a PutObject carries If-Match. What
Athena and Glue are asked about: stock takes a query for no resource, and a table for its database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


def install() -> None:
    """Hook into MiniStack, in this process."""
    from ministack.core import iam_actions, iam_evaluator

    first_match, conditions_met = iam_evaluator._first_match, iam_evaluator._conditions_met
    service_context, resource_arn = iam_actions.s3_service_context, iam_actions.extract_resource_arn

    def matching(context: Any, statements: list[Any], effect: str) -> Any:
        keys = context.principal_keys
        return first_match(context, [_filled_in(statement, keys) for statement in statements], effect)

    def met(conditions: Any, context: Any) -> bool:
        return bool(conditions_met(fill_in(conditions, context.principal_keys), context))

    def with_conditions(action: str, query: Any, path: str = "", headers: Any = None) -> Any:
        return {**service_context(action, query, path, headers), **write_keys(action, query or {}, headers or {})}

    def resource(
        service: str, method: str, path: str, headers: Any, body: Any, query: Any, region: str, id: str
    ) -> str:
        name = resource_name(service, headers.get("x-amz-target", ""), body, _workgroup_of)
        if name is not None:
            return f"arn:aws:{service}:{region}:{id}:{name}"
        return str(resource_arn(service, method, path, headers, body, query, region, id))

    iam_actions.extract_resource_arn = resource
    iam_evaluator._first_match, iam_evaluator._conditions_met = matching, met
    iam_actions.s3_service_context = with_conditions


def _filled_in(statement: Any, keys: Mapping[str, Any]) -> Any:
    return replace(
        statement,
        resources=fill_in(statement.resources, keys),
        not_resources=fill_in(statement.not_resources, keys),
    )


def fill_in(policy: Any, keys: Mapping[str, Any]) -> Any:
    """A part of a policy with its variables replaced by the caller's values; one that the caller does not have stays,
    and matches nothing."""
    if isinstance(policy, str):
        return _VARIABLE.sub(lambda found: str(keys.get(found[1].lower(), found[0])), policy)
    if isinstance(policy, list):
        return [fill_in(part, keys) for part in policy]
    if isinstance(policy, Mapping):
        return {name: fill_in(part, keys) for name, part in policy.items()}
    return policy


def write_keys(action: str, query: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, str]:
    """The condition keys of a conditional write, as S3 documents them: `s3:if-match`, `s3:if-none-match`, and
    `s3:ObjectCreationOperation`, which is false for the requests of a multipart upload that create no object."""
    if action != "s3:PutObject":
        return {}
    lower = {name.lower(): value for name, value in headers.items()}
    keys = {f"s3:{name}": lower[name] for name in ("if-match", "if-none-match") if name in lower}
    creates = "uploads" not in query and "partNumber" not in query
    return {**keys, "s3:objectcreationoperation": str(creates).lower()}


def _workgroup_of(query: str) -> str | None:
    from ministack.services import athena

    found = athena._executions.get(query)
    return None if found is None else str(found["WorkGroup"])


def resource_name(service: str, target: str, body: bytes, workgroup_of: Callable[[str], str | None]) -> str | None:
    """What a request to Athena or Glue is allowed by: the workgroup of the query that it names, the table that it is
    about; None where stock's answer is right. `target` is the request's x-amz-target.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html and list_awsglue.html"""
    if service not in ("athena", "glue"):
        return None
    asked = json.loads(body or b"{}")
    if service == "athena":
        workgroup = workgroup_of(asked.get("QueryExecutionId", ""))
        return workgroup and f"workgroup/{workgroup}"
    if target.endswith(".GetDatabase"):
        return f"database/{asked.get('Name')}"
    table = asked.get("TableInput", {}).get("Name") or asked.get("Name") or asked.get("TableName")
    database = asked.get("DatabaseName")
    return f"table/{database}/{table}" if database and table else None
