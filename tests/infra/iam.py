"""Would IAM let this pass? The evaluation of policies, as far as the template goes.

A Deny that matches decides; else an Allow that matches; else no. Raises on a condition operator it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Statement = Mapping[str, Any]
Context = Mapping[str, str]


def allowed(statements: Iterable[Statement], action: str, resource: str, context: Context) -> bool:
    """Whether a caller with these statements may do `action` on the ARN `resource`. `context` holds the condition keys
    of the request; a key that is not in it is absent from the request."""
    matching = {s["Effect"] for s in statements if _matches(s, action, resource, context)}
    return matching == {"Allow"}


def denied(statements: Iterable[Statement], action: str, resource: str, context: Context) -> bool:
    """Whether one of these (a bucket policy's) denies it."""
    return any(s["Effect"] == "Deny" and _matches(s, action, resource, context) for s in statements)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(statement: Statement, action: str, resource: str, context: Context) -> bool:
    return (
        any(_like(pattern.lower(), action.lower()) for pattern in as_list(statement["Action"]))
        and any(_like(_filled(pattern, context), resource) for pattern in as_list(statement["Resource"]))
        and all(
            _holds(operator, context.get(key), [_filled(str(v), context) for v in as_list(wanted)])
            for operator, block in statement.get("Condition", {}).items()
            for key, wanted in block.items()
        )
    )


def _filled(text: str, context: Context) -> str:
    """`text` with its policy variables replaced; one that the request does not have stays, and matches nothing."""
    return re.sub(r"\$\{([^}]+)\}", lambda found: context.get(found[1], found[0]), text)


def _like(pattern: str, value: str) -> bool:
    """IAM's wildcards: `*` is any number of characters, slashes among them; `?` is one."""
    regex = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(regex, value, re.DOTALL) is not None


def _holds(operator: str, actual: str | None, wanted: list[str]) -> bool:
    return _OPERATORS[operator](actual, wanted)


_OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "Null": lambda actual, wanted: (actual is None) == (wanted == ["true"]),
    "Bool": lambda actual, wanted: actual is not None and actual in wanted,
    "StringEquals": lambda actual, wanted: actual is not None and actual in wanted,
    "ArnEquals": lambda actual, wanted: actual is not None and any(_like(w, actual) for w in wanted),
    "StringLike": lambda actual, wanted: actual is not None and any(_like(w, actual) for w in wanted),
    # A negated operator holds for a key that is absent.
    "ArnNotLike": lambda actual, wanted: actual is None or not any(_like(w, actual) for w in wanted),
}
