"""What MiniStack's IAM lacks and Towline's policies need, so that least privilege can be tried on a laptop (AUTH=true).

Policy variables: `inbox/*/${aws:userid}/*` is a researcher's own prefix; stock compares the text as it stands, and
nobody may write. Keys of conditional writes: stock does not tell policies whether a PutObject carries If-Match.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


def install() -> None:
    """Hook into MiniStack, in this process."""
    from ministack.core import iam_actions, iam_evaluator

    first_match, conditions_met = iam_evaluator._first_match, iam_evaluator._conditions_met
    service_context = iam_actions.s3_service_context

    def matching(context: Any, statements: list[Any], effect: str) -> Any:
        keys = context.principal_keys
        return first_match(context, [_filled_in(statement, keys) for statement in statements], effect)

    def met(conditions: Any, context: Any) -> bool:
        return bool(conditions_met(fill_in(conditions, context.principal_keys), context))

    def with_conditions(action: str, query: Any, path: str = "", headers: Any = None) -> Any:
        return {**service_context(action, query, path, headers), **write_keys(action, query or {}, headers or {})}

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
